"""The metrics, computed from a rank table; their sums by user; slices."""
