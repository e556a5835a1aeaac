"""The machine and the code: determinism, environment, energy, source hashes."""
