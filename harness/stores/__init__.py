"""Cells of other stores: merged into this one, or adopted after a change of the code."""
