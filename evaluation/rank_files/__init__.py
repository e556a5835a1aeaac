"""Anybody's rank files: read, joined query by query, compared."""
