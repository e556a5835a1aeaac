"""LimitUsers: a data set reduced to few users, for smoke runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys_data.checks import check_range
from recsys_data.datasets.dataset import Dataset
from recsys_data.fetching.source import Source
from recsys_data.hashing import hash_ids
from recsys_data.interactions import Interactions


@dataclass(frozen=True)
class LimitUsers:
    """The ``n`` users of ``dataset`` with the smallest seeded hash of their id.

    The users are the same on every machine, and a larger ``n`` only adds users. The Interactions carry the caveat
    "SMOKE RUN: n of N users". The name is that of the whole data set, so claims still apply.
    """

    dataset: Dataset
    n: int
    seed: int = 0

    def __post_init__(self) -> None:
        check_range(self, "n", at_least=1, unit="user")

    @property
    def name(self) -> str:
        """The name of the whole data set."""
        return self.dataset.name

    @property
    def title(self) -> str:
        """The title of the whole data set."""
        return self.dataset.title

    @property
    def licence(self) -> str:
        """The licence of the whole data set."""
        return self.dataset.licence

    @property
    def citation(self) -> str:
        """The citation of the whole data set."""
        return self.dataset.citation

    @property
    def source(self) -> Source | None:
        """The files of the whole data set, None if it has none."""
        return getattr(self.dataset, "source", None)

    @property
    def expected(self) -> None:
        """None: the counts of the part are unknown; those of the whole data set are checked."""
        return

    def present(self, folder: Path | None) -> bool:
        """Whether the whole data set is present."""
        return self.dataset.present(folder)

    def load(self, folder: Path | None = None) -> Interactions:
        """Load the events of the chosen users, with a caveat; all events where there are at most ``n`` users."""
        return self.cut(self.dataset.load(folder))

    def cut(self, whole: Interactions) -> Interactions:
        """Keep the events of the chosen users of the whole data set."""
        if whole.num_users <= self.n:
            return whole
        order = np.argsort(hash_ids(whole.user_ids, self.seed), kind="stable")
        chosen = np.zeros(whole.num_users, dtype=bool)
        chosen[order[: self.n]] = True
        caveat = f"SMOKE RUN: {self.n:,} of {whole.num_users:,} {whole.unit}s"
        facts = {**whole.facts, "caveats": [*whole.facts.get("caveats", ()), caveat]}
        return whole.keep(chosen[whole.users], facts=facts)
