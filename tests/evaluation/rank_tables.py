"""Comparison of rank tables, for tests."""

import numpy as np

COLUMNS = ("cluster", "query", "target", "repeat", "history", "candidates", "greater", "tied")


def same_columns(one, other):
    """Whether all columns of two rank tables are equal."""
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in COLUMNS)
