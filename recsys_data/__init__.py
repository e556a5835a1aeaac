"""Data for experiments: interactions, sequences and splits. Requires NumPy and pyarrow, never torch."""
