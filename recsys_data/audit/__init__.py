"""The leakage audit and the check of order, run before any training."""
