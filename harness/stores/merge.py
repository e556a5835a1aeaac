"""Merge: searches, cells, failures and suites of another store enter this one, each verified by its checksums."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from evaluation.metrics.accuracy import metric_named
from evaluation.metrics.lists import whole_table_metric_named
from evaluation.results.kept import FILE_NAME as KEPT
from evaluation.results.kept import read_kept
from evaluation.results.tuning_results import LEDGER_FILE, SEARCH_FILE, read_search
from evaluation.stored_files import SCHEMAS, checked_bytes, safe_part
from harness.cells.add_metrics import add_metrics
from harness.store import Store, StoreUnusable
from harness.stores.join_suites import join_suite
from harness.stores.rank_conflict import rank_conflict
from recsys_data.sealed_json import sealed_text

_OF_A_TRIAL = ("point", "fields", "state", "validation", "epochs", "stopped")  # the same whenever it is run


class NotMerged(ValueError):
    """A part of a source that cannot enter, in one sentence."""


@dataclass
class MergeOutcome:
    """Number of cells and failures that entered, and of cells that were there already; suites; refusals.

    refused: one sentence for each part that did not enter. notes: what a reader of the joined suites should know.
    """

    entered: int = 0
    failures: int = 0
    known: int = 0
    suites: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def merge(store: Store, source: Path, label: str) -> MergeOutcome:
    """Enter everything of the store at ``source``; ``label`` names it in messages.

    What cannot enter is refused alone: damaged files, a cell or search with another result than the one in ``store``,
    and what another process is computing. Repeating a merge completes it. Raises ValueError for a folder that is no
    store and StoreUnusable where ``store`` cannot be written.
    """
    if not (source / "cells").is_dir():
        raise ValueError(f"{label} is no results folder: expected one with a folder cells, or a bundle (.zip)")
    if source.resolve() == store.root.resolve():
        raise ValueError(f"{label} is the results folder to merge into: give other folders or bundles as sources")
    return _Merge(store, Store.view(source), label).run()


class _Merge:
    """One source on its way into a store."""

    def __init__(self, store: Store, source: Store, label: str) -> None:
        self.store, self.source, self.label = store, source, label
        self.outcome = MergeOutcome()
        self.lost_searches: set[str] = set()
        self.numberings: dict[str, str] | None = None  # of the stored cells, by split

    def run(self) -> MergeOutcome:
        """Enter searches, then cells, then suites, so that a merge that is killed leaves nothing that lacks a part."""
        for key in _names(self.source.root / "tuning", SEARCH_FILE):
            try:
                self._search(key)
            except (ValueError, PermissionError) as error:
                self._refuse(error)
                self.lost_searches.add(key)
        steps = [
            (_names(self.source.root / "cells", "cell.json"), self._cell),
            (_names(self.source.root / "cells", "failure.json"), self._failure),
            (_names(self.source.root / "suites", "suite.json"), self._suite),
        ]
        for names, enter in steps:
            for name in names:
                try:
                    enter(name)
                except (ValueError, PermissionError) as error:
                    self._refuse(error)
        return self.outcome

    def _refuse(self, error: ValueError | PermissionError) -> None:
        """Keep why a part did not enter, with the source as the user named it."""
        if isinstance(error, StoreUnusable):
            raise error
        self.outcome.refused.append(str(error).replace(str(self.source.root), self.label))

    def _search(self, key: str) -> None:
        """Enter a search, or the trials that the stored one lacks."""
        found = read_search(self.source.search(key))
        assert found is not None
        with self.store.lock(key) as owned:
            if not owned:
                raise self._busy(f"tuning/{key}")
            stored = read_search(self.store.search(key))
            done = [] if stored is None else stored.trials
            for number, (mine, other) in enumerate(zip(done, found.trials, strict=False)):  # one may be unfinished
                if _result(mine) != _result(other):
                    raise NotMerged(f"{self.store.search(key)} and {self.label}/tuning/{key} differ in trial {number}: "
                                    "the second search is not merged, nor are its cells")  # fmt: skip
            names = [SEARCH_FILE] * (stored is None) + [LEDGER_FILE] * (len(found.trials) > len(done))
            for name in names:
                text = (self.source.search(key) / name).read_text(encoding="utf-8")
                self.store.write_text(self.store.search(key) / name, text)

    def _cell(self, key: str) -> None:
        """Enter a finished cell, or compare it with the stored one."""
        record = self.source.record(key)
        assert record is not None
        tuning = record.get("tuning")
        if tuning is not None and not self._has_search(tuning):
            raise NotMerged(f"{self.label}/cells/{key} is not merged, since the search that chose its fields is not")
        self._check_numbering(key, record)
        if self.store.record(key) is None and self._commit(key, "cell.json", record):
            self.store.discard_partial(key)
            self.outcome.entered += 1
            return
        conflict = rank_conflict(self.store, self.source, key)
        if conflict:
            name = f"{record['dataset']}/{record['model']}/{record['seed']}"
            raise NotMerged(f"{self.store.folder(key)} and {self.label}/cells/{key} have different ranks for one cell, "
                            f"{name}: {conflict}; the second is not merged")  # fmt: skip
        add_metrics(self.store, key, [whole_table_metric_named(n) or metric_named(n) for n in record["metrics"]])
        self.outcome.known += 1
        note = (
            f"{self.label} has ranks of cells that are here without them, from a bundle made for sharing; they do "
            "not enter: merge into another folder to have them"
        )
        stored = self.store.record(key) or {}
        if "withheld" in stored and "withheld" not in record and note not in self.outcome.notes:
            self.outcome.notes.append(note)

    def _check_numbering(self, key: str, record: Mapping[str, Any]) -> None:
        """Refuse a cell whose users have other numbers than those of the stored cells of the same test set.

        A bundle made for sharing numbers users in an order of its own, so its cells cannot be compared with others.
        """
        if self.numberings is None:
            self.numberings = dict(map(_numbering, self.store.records()))
        split, numbering = _numbering(record)
        if self.store.record(key) is None and self.numberings.setdefault(split, numbering) != numbering:
            raise NotMerged(f"{self.label}/cells/{key} is not merged: it or the stored cells of its test set are of a "
                            "bundle made for sharing, which numbers users in an order of its own; merge such bundles "
                            "into a results folder of their own")  # fmt: skip

    def _has_search(self, tuning: Mapping[str, Any]) -> bool:
        """Whether the search of a tuned cell has entered with all trials."""
        found = None if tuning["search"] in self.lost_searches else read_search(self.store.search(tuning["search"]))
        return found is not None and len(found.trials) >= tuning["trials"]

    def _failure(self, key: str) -> None:
        """Enter a failure of a cell of which nothing is stored."""
        failure = self.source.failure(key)
        assert failure is not None
        if self.store.failure(key) is None:
            self.outcome.failures += self._commit(key, "failure.json", failure)

    def _commit(self, key: str, record_name: str, record: Mapping[str, Any]) -> bool:
        """Copy a folder's record and the files that it lists, verified; False if a result is stored by now."""
        folder = self.source.folder(key)
        files = {name: checked_bytes(folder / safe_part(name), record["files"]) for name in record["files"]}
        files[record_name] = (folder / record_name).read_bytes()

        def write(aside: Path) -> None:
            for name, data in files.items():
                (aside / name).write_bytes(data)

        with self.store.lock(key) as owned:
            if not owned:
                raise self._busy(f"cells/{key}")
            if self.store.holds(key):
                return False
            self.store.commit(key, write)
        return True

    def _busy(self, place: str) -> NotMerged:
        return NotMerged(f"{self.store.root}/{place} is in use by another process, such as a run that computes it, so "
                         f"that of {self.label} is not merged: repeat the merge when it is done")  # fmt: skip

    def _suite(self, name: str) -> None:
        """Join the record of a suite."""
        self.outcome.notes += join_suite(self.store, self.source, name, self.label)
        kept = read_kept(self.source.suite_file(name).parent, name)
        if kept:
            both = kept | read_kept(self.store.suite_file(name).parent, name)
            record = {"schema": SCHEMAS[KEPT], "suite": name, "results": both}
            self.store.write_text(self.store.suite_file(name, KEPT), sealed_text(record, allow_nan=True))
        self.outcome.suites.append(name)


def _numbering(record: Mapping[str, Any]) -> tuple[str, str]:
    """The test set of a cell, and which order its users have; empty for that of the data."""
    return record.get("fingerprints", {}).get("split", ""), record.get("withheld", {}).get("numbering", "")


def _names(folder: Path, record: str) -> list[str]:
    """The names of the folders with a record, in order; hidden ones are half written."""
    return sorted(path.parent.name for path in folder.glob(f"[!.]*/{record}"))


def _result(trial: Mapping[str, Any]) -> dict[str, Any]:
    """A trial without its times."""
    return {name: trial.get(name) for name in _OF_A_TRIAL}
