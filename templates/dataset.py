"""MyDataset: a data set.

A table of events in a file needs no code: python benchmark.py data import FILE --name NAME reads it.

Check it:   python benchmark.py check THIS_FILE
Run it:     python benchmark.py new suite mine --dataset THIS_FILE, then python benchmark.py run ./mine.py
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys_data.interactions import Clock, Interactions


@dataclass(frozen=True)
class MyDataset:
    """Random walks on a ring of items; read your own events in their place.

    The fields are part of each result's key: give one to whatever changes the events.
    """

    num_users: int = 200
    num_items: int = 50
    length: int = 20

    name = "my-dataset"  # short and without blanks: commands and reports use it
    title = "Walks on a ring"
    licence = "none: generated"  # the terms of use of your data, in one line
    citation = "none: generated"  # the paper to cite for your data, in one line
    expected = None  # Counts(events=…, users=…, items=…) from recsys_data.interactions, if known: load is checked

    def raw_files(self, folder: Path | None) -> list[Path]:
        """The files that load reads, so that a changed file is noticed: data_folder(folder) / "my_events.csv"."""
        return []

    def present(self, folder: Path | None) -> bool:
        """Whether every file is there."""
        return all(path.is_file() for path in self.raw_files(folder))

    def load(self, folder: Path | None = None) -> Interactions:
        """The events; each call returns the same ones. Ids may be numbers or texts, in any order."""
        rng = np.random.default_rng(0)
        steps = rng.choice([1, 2, 7], size=(self.num_users, self.length))
        items = (rng.integers(self.num_items, size=(self.num_users, 1)) + np.cumsum(steps, axis=1)) % self.num_items
        seconds = 1.7e9 + np.cumsum(rng.exponential(3600.0, size=items.shape), axis=1)
        return Interactions.from_events(
            self.name,
            np.repeat(np.arange(self.num_users), self.length),  # the user of each event
            items.ravel(),
            seconds.ravel(),  # Unix seconds; Clock says what times mean (NONE, WITHIN, RELATIVE, ABSOLUTE …)
            clock=Clock.ABSOLUTE,
        )
