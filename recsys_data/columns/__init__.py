"""Columns of a user's file: which holds which role; ids, ratings and times in one form."""
