"""Session splits published as two text files, training and test, one session per line."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recsys_data.datasets.dataset import FileDataset, check_counts
from recsys_data.fetching.compressed import read_bytes
from recsys_data.files.ragged import read_ragged
from recsys_data.interactions import Clock, Interactions
from recsys_data.split import TEST, TRAIN


class PublishedSessions(FileDataset):
    """A data set whose ``source`` is such a pair of files, training first."""

    def load(self, folder: Path | None = None) -> Interactions:
        """Load all sessions with their published parts; DataMissing if a file is missing."""
        train, test = self.source.paths(folder, self.title)
        return check_counts(read_sessions(self.name, train, test, self.edition), self.expected, str(train.parent))


def read_sessions(name: str, train: Path, test: Path, edition: str) -> Interactions:
    """Read the sessions of both files with their published part, numbered by line, training first."""
    train_items, train_lengths = read_ragged(read_bytes(train), str(train))
    test_items, test_lengths = read_ragged(read_bytes(test), str(test))
    lengths = np.concatenate([train_lengths, test_lengths])
    return Interactions.from_events(
        name,
        np.repeat(np.arange(len(lengths)), lengths),
        np.concatenate([train_items, test_items]),
        None,
        clock=Clock.WITHIN,
        unit="session",
        edition=edition,
        parts=np.repeat([TRAIN, TEST], [len(train_items), len(test_items)]),
    )
