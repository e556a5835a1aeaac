"""Comparing rank files: the methods, the result as data and as text, and the gate for CI."""
