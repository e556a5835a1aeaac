"""Stored results, read from a results folder without torch."""
