"""The changes between two sides, as a page and as text."""
