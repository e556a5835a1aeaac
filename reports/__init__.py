"""Showing results: one Report object from stored results alone, rendered as HTML, PDF and tables."""
