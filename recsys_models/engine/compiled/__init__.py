"""The compiled engine: the loop over time in machine code, for batches so small that Python is the cost."""
