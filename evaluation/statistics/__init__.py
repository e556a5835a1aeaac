"""Significance, intervals, multiplicity, equivalence, users × seeds."""
