"""Data sets that are drawn from a generator: Markov chains and planted signals with known optima."""
