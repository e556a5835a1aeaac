"""Stored results read back from a results folder."""
