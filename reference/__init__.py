"""The neural models a second time, in float64 NumPy from the papers' equations, for tests."""
