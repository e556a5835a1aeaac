"""Counts of items and their successors, lists of neighbours, compiled kernels."""
