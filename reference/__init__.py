"""Reference implementations of the neural models in float64 NumPy, from the papers' equations, for tests."""
