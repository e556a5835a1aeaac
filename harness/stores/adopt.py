"""Adoption: results of earlier code enter under new keys, after a random sample of them was recomputed bit for bit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from evaluation.json_codec import to_json
from evaluation.metrics.accuracy import metric_named
from evaluation.metrics.lists import whole_table_metric_named
from evaluation.metrics.sums_file import FILE_NAME as SUMS
from evaluation.metrics.sums_file import write_sums
from evaluation.results.suite_results import ADOPTED, CellResult, adoption_text
from evaluation.results.tuning_results import LEDGER_FILE, SEARCH_FILE, read_search
from evaluation.stored_files import checked_bytes
from harness.cells.add_metrics import add_metrics
from harness.cells.keys import search_key
from harness.cells.record import now
from harness.running.plan import Plan, PlannedCell
from harness.running.verify import difference
from harness.spec import canonical
from harness.store import Store, write_record
from harness.system.environment import git_state
from harness.system.sources import combined_hash
from recsys_data.sealed_json import sealed_line, sha256

_CHOSEN = ("chosen", "trial", "trials", "failed", "validation")  # of a search: not its key and its times
_RANK_FILES = ("ranks.parquet", "items.parquet", "lists.parquet", SUMS)  # written anew, since they hold the key


@dataclass(frozen=True, eq=False)
class Match:
    """A planned cell and the record of the same cell as earlier code computed it; adopted: by an earlier adoption."""

    planned: PlannedCell
    old: Mapping[str, Any]
    adopted: bool

    @property
    def stratum(self) -> tuple[Any, ...]:
        """The stratum to be sampled: model class, with or without a search, the earlier code, and its machine."""
        old = self.old
        return (old["model_fields"]["type"], "tuning" in old, old["fingerprints"]["source"], old["device_name"],
                old["environment"].get("cpu"))  # fmt: skip


@dataclass(frozen=True, eq=False)
class Adoption:
    """The cells of a plan that only differ in code from those of another store, and a sample of each kind.

    Use it in this order: compute ``sample_plan``, see that ``differences`` has none, then ``enter``.
    """

    plan: Plan
    store: Store
    source: Store
    strata: Sequence[Sequence[Match]]
    sample: int

    @classmethod
    def of(cls, plan: Plan, store: Store, source: Store, sample: int) -> Adoption:
        """Match a plan with the cells of ``source``, which may be ``store`` itself."""
        if sample < 1:
            raise ValueError(f"--sample must be at least 1, got {sample}")
        strata: dict[tuple[Any, ...], list[Match]] = {}
        for match in _matches(plan, store, source.records()):
            strata.setdefault(match.stratum, []).append(match)
        # A key is a hash, so their order is a random draw, and the same one when the command is repeated.
        ordered = [sorted(matches, key=lambda match: match.planned.key) for matches in strata.values()]
        return cls(plan, store, source, ordered, sample)

    @property
    def missing(self) -> list[Match]:
        """The matches without a result by the present code."""
        return [match for matches in self.strata for match in matches if match.planned.to_do]

    @cached_property
    def drawn(self) -> set[str]:
        """The keys of the sample; the present code may have computed some of them already."""
        own = ([match.planned.key for match in matches if not match.adopted] for matches in self.strata)
        return {key for keys in own for key in keys[: self.sample]}

    def sample_plan(self) -> Plan:
        """The plan that computes the sample alone."""
        return Plan(self.plan.loaded, [
            replace(planned, state="left out") if planned.to_do and planned.key not in self.drawn else planned
            for planned in self.plan.cells
        ])  # fmt: skip

    def differences(self) -> Iterator[tuple[Match, str]]:
        """Each cell that both codes have computed, with the first difference in words, empty if every bit is the same.

        A cell of the sample that has failed has a difference.
        """
        for match in (match for matches in self.strata for match in matches if self._computed(match)):
            yield match, self._difference(match)

    def _computed(self, match: Match) -> bool:
        """Whether the present code has computed the cell, or was to compute it for the sample."""
        return not match.adopted and (match.planned.key in self.drawn or not match.planned.to_do)

    def _difference(self, match: Match) -> str:
        new = self.store.record(match.planned.key)
        if new is None:
            failure = self.store.failure(match.planned.key) or {}
            return f"it failed when computed again: {failure.get('reason', 'it has no result')}"
        results = [_result(self.source, match.old), _result(self.store, new)]
        chosen = [{name: value for name, value in each.record.get("tuning", {}).items() if name in _CHOSEN}
                  for each in results]  # fmt: skip
        try:
            found = difference(*results)
        except ValueError as error:  # a stored file is damaged
            return str(error)
        return found or ("" if chosen[0] == chosen[1] else f"its search: {chosen[0]} before, {chosen[1]} again")

    def enter(self) -> int:
        """Enter the matches that are still missing, each marked; return their number. Call it if nothing differs."""
        entered = 0
        for matches in self.strata:
            compared = sum(map(self._computed, matches))
            step = {"recomputed": compared, "of": len(matches), "time": now(), "by": git_state()[0]}
            for match in matches:
                if not self.store.holds(match.planned.key):
                    entered += self._enter(match, {**step, "key": match.old["key"]})
        return entered

    def _enter(self, match: Match, step: Mapping[str, Any]) -> bool:
        """Enter one cell under its new key; False if another process has computed it."""
        planned, old = match.planned, match.old
        cell = _result(self.source, old)
        record = {name: value for name, value in old.items() if name != "files"} | {
            **planned.cell.labels,
            "key": planned.key,
            "key_parts": to_json(dict(planned.parts)),
            "fingerprints": {**old["fingerprints"], "source": combined_hash(planned.parts["code"])},
            "command": planned.command,
            "adopted": [*old.get("adopted", []), step],
        }
        record["caveats"] = [text for text in old["caveats"] if not text.startswith(ADOPTED)]
        record["caveats"] += [f"{ADOPTED}{adoption_text(record)}"]
        if "tuning" in record:
            record["tuning"] = {**record["tuning"], "search": self._enter_search(planned, record["tuning"]["search"])}
        kept = {n: checked_bytes(cell.folder / n, old["files"]) for n in old["files"] if n not in _RANK_FILES}
        metrics = [whole_table_metric_named(name) or metric_named(name) for name in old["metrics"]]

        def write(folder: Path) -> None:
            ranks = folder / "ranks.parquet"
            replace(cell.ranks, meta={**cell.ranks.meta, "key": planned.key}).write(ranks)
            write_sums(folder, cell.ranks, metrics, sha256(ranks.read_bytes()))
            for name, data in kept.items():
                (folder / name).write_bytes(data)
            write_record(folder / "cell.json", record)

        with self.store.lock(planned.key, wait=True):
            if self.store.holds(planned.key):
                return False
            self.store.commit(planned.key, write)
        self.store.discard_partial(planned.key)
        add_metrics(self.store, planned.key, self.plan.loaded.metrics)
        return True

    def _enter_search(self, planned: PlannedCell, earlier: str) -> str:
        """Enter the search of a tuned cell under its new key, if it is not there; return that key."""
        key = search_key(planned.parts)
        with self.store.lock(key, wait=True):
            found = read_search(self.source.search(earlier))
            stored = read_search(self.store.search(key))
            if found is not None and (stored is None or len(stored.trials) < len(found.trials)):
                parts = {name: value for name, value in to_json(dict(planned.parts)).items() if name != "seed"}
                record = found.record | {"key": key, "key_parts": parts, "adopted": earlier}
                self.store.write_json(self.store.search(key) / SEARCH_FILE, record)
                lines = "".join(sealed_line(trial, key) for trial in found.trials)
                self.store.write_text(self.store.search(key) / LEDGER_FILE, lines)
        return key


def _matches(plan: Plan, store: Store, records: Iterable[Mapping[str, Any]]) -> Iterator[Match]:
    """The planned cells, each once, that have a result by other code and alike in all other parts of the key."""
    known: dict[str, list[Mapping[str, Any]]] = {}
    for record in records:
        known.setdefault(_without_code(record["key_parts"]), []).append(record)
    for planned in {planned.key: planned for planned in reversed(plan.cells) if planned.key}.values():
        stored = store.record(planned.key) if planned.state == "cached" else None
        if stored is None and not planned.to_do:
            continue
        parts = planned.parts if stored is None else stored["key_parts"]
        others = [record for record in known.get(_without_code(parts), []) if record["key"] != planned.key]
        if others:  # the last is the newest
            yield Match(planned, others[-1], adopted=stored is not None and "adopted" in stored)


def _without_code(parts: Mapping[str, Any]) -> str:
    return canonical(to_json({name: value for name, value in parts.items() if name != "code"}))


def _result(store: Store, record: Mapping[str, Any]) -> CellResult:
    labels = {name: record[name] for name in ("dataset", "protocol", "model", "seed")}
    return CellResult(folder=store.folder(record["key"]), record=dict(record), **labels)
