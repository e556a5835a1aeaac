"""Backends: where cells are computed, in this process or in worker processes."""
