import numpy as np
import pytest

from recsys_data.interactions import Clock
from recsys_data.sequences import Sequences
from recsys_data.split import TrainingSet


def build(rows, num_items, *, times=None, users=None, clock=Clock.ABSOLUTE):
    """A training set from plain lists; times count up from 0 over all rows by default."""
    items = np.array([i for row in rows for i in row], dtype=np.int32)
    lengths = [len(row) for row in rows]
    stamps = np.arange(len(items), dtype=float) if times is None else np.array([t for row in times for t in row], float)
    owners = np.arange(len(rows)) if users is None else np.array(users)
    return TrainingSet(
        Sequences(items, stamps, np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64), owners.astype(np.int32)),
        num_users=int(max(owners.max() + 1, 0)),
        num_items=num_items,
        clock=clock,
    )


@pytest.fixture
def training_set():
    return build
