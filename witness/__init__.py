"""Witnesses: models answered a second time, in float64 NumPy, from the equations and the fitted weights alone."""
