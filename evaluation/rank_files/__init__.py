"""Rank files of any origin: read, join query by query, compare."""
