"""Order: what a user asked to be run, small enough to travel to a worker; Bench: the same, opened."""

from __future__ import annotations

import functools
import os
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.preparation import Prepared, prepare
from harness.spec import Cell, Suite, expand
from harness.store import unusable
from harness.suites.load import load_suite, suite_path
from harness.suites.overrides import Overrides, only_for, parse_seeds, protocol_for, seeds_text
from harness.system.determinism import resolve_device
from harness.system.sources import ALONE, SEARCHED, kinds_of, source_hashes


@dataclass(frozen=True)
class Order:
    """A suite by name or path, what is changed about it, and where and on what it runs.

    device: as resolved, "cpu" or "cuda:i". spread: whether cells may go to all GPUs. words: the
    options given for folders, device and threads, repeated in the commands that are shown.
    """

    suite: str
    results: Path
    data: Path | None = None
    overrides: Overrides = field(default_factory=Overrides)
    device: str = "cpu"
    spread: bool = False
    threads: int = 1
    words: tuple[str, ...] = ()

    @classmethod
    def of_words(
        cls,
        suite: str,
        results: Path,
        data: Path | None,
        *,
        only: str = "",
        protocol: str = "",
        seeds: str = "",
        device: str = "auto",
        threads: int = 1,
        sets: Sequence[str] = (),
        limit_users: int | None = None,
    ) -> Order:
        """The order that the words of a command line mean. Raises ValueError for words that mean nothing."""
        words: list[str] = []
        if str(results) != os.environ.get("ENCORE_RESULTS", "results"):
            words += ["--results", str(results)]
        if data is not None and str(data) != os.environ.get("ENCORE_DATA", ""):
            words += ["--data", str(data)]
        words += [] if device == "auto" else ["--device", device]
        words += [] if threads == 1 else ["--threads", str(threads)]
        overrides = Overrides(tuple(sets), only, parse_seeds(seeds) if seeds else None, limit_users, protocol)
        resolved = resolve_device(device)
        return cls(suite, results, data, overrides, resolved, ":" not in device, threads, tuple(words))

    def open(self) -> Bench:
        """The suite with its changes made, its cells in order; loaded once a process."""
        return _open(self)

    def portable(self) -> Order:
        """The same order with absolute paths, for a worker that may stand elsewhere."""
        path = suite_path(self.suite)
        source = self.suite if not self.suite.endswith(".py") and "/" not in self.suite else str(path)
        data = None if self.data is None else self.data.absolute()
        return replace(self, suite=source, results=self.results.absolute(), data=data)


_read: dict[tuple[type, ...], dict[str, str]] = {}  # the source of models, as it was when it was first asked for


@functools.lru_cache(maxsize=4)
def _open(order: Order) -> Bench:
    suite = order.overrides.apply(load_suite(order.suite))
    cells = tuple(expand(suite))
    return Bench(
        order=order,
        suite=suite,
        cells=cells,
        chosen=tuple(order.overrides.chosen(suite)),
        sources=tuple(map(_sources, cells)),
    )


def _sources(cell: Cell) -> dict[str, str]:
    """The hashes of the code that computes a cell, and of what may be chosen for it, read once a process."""
    value = (cell.model, cell.space) if cell.space else cell.model
    kinds = kinds_of(value)
    if kinds not in _read:
        _read[kinds] = source_hashes(value, alone=SEARCHED if cell.space else ALONE)
    return _read[kinds]


@dataclass(frozen=True, eq=False)
class Bench:
    """An opened order: the suite as changed, all its cells, and which of them ``--only`` and ``--protocol`` leave in.

    sources: for each cell the hashes of the code that computes it, read when its modules were loaded: an edit after
    that belongs to a later process.
    """

    order: Order
    suite: Suite
    cells: tuple[Cell, ...]
    chosen: tuple[bool, ...]
    sources: tuple[Mapping[str, str], ...]

    @property
    def metrics(self) -> list[Any]:
        """The suite's metrics, the primary one first."""
        return list(self.suite.metrics)

    def prepare(self, cell: Cell) -> Prepared:
        """The cell's data, loaded, split and audited, kept in the results folder's prepared/."""
        cache = self.order.results / "prepared"
        try:
            return prepare(cell.experiment, self.order.data, cache)
        except OSError as error:
            ours = error.filename is None or str(error.filename).startswith(str(cache))  # without one: an open file
            blocked = unusable(error, self.order.results) if ours else None
            if blocked is None:
                raise
            raise blocked from error

    def command(self, cell: Cell | None = None) -> str:
        """The command that runs this order again, or one cell of it alone."""
        words = ["python", "benchmark.py", "run", self.order.suite]
        if cell is None:
            words += self.order.overrides.words()
        else:
            seeds = self.order.overrides.seeds
            default = seeds is None and cell.model.deterministic
            chosen = None if default else seeds_text([cell.seed])
            words += self.order.overrides.words(only_for(cell), chosen, protocol_for(cell, self.suite))
        return shlex.join([*words, *self.order.words])
