"""The compiled engine: the loop over time of some cells in machine code, for batches so small that Python is the cost."""
