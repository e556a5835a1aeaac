"""Changes: for every cell and every number of a table, how far it moved between two sides, and what goes with it."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.changes.noise import SeedNoise
from evaluation.changes.ranks import NEAR_VALUE, RankMoves, rank_moves
from evaluation.changes.recorded import recorded_differences
from evaluation.changes.sides import Side, matched_suites
from evaluation.results.suite_results import CellResult, SuiteResults


class Change(enum.Enum):
    """How far a result moved, from least to most."""

    SAME = "equal bits"
    NEAR = "near-ties"
    WITHIN = "within seed noise"
    BEYOND = "beyond seed noise"
    MISSING = "missing"


@dataclass(frozen=True)
class CellChange:
    """One cell on both sides: its labels, its value of the suite's first metric, and how its ranks moved.

    noise: the largest difference that seeds explain; None for a model without seeds or with one seed.
    """

    suite: str
    dataset: str
    protocol: str
    model: str
    seed: int
    change: Change
    detail: str
    metric: str
    before: float | None
    after: float | None
    noise: float | None
    recorded: tuple[str, ...]

    @property
    def row(self) -> tuple[str, str, str, str]:
        """The row of a table that the cell is part of."""
        return self.suite, self.dataset, self.protocol, self.model


@dataclass(frozen=True)
class NumberChange:
    """One number of a table, a mean over seeds, on both sides."""

    suite: str
    dataset: str
    protocol: str
    model: str
    metric: str
    change: Change
    before: float | None
    after: float | None
    noise: float | None


@dataclass(frozen=True)
class Changes:
    """All changes between two sides; before, after: their names."""

    before: str
    after: str
    cells: tuple[CellChange, ...]
    numbers: tuple[NumberChange, ...]

    @property
    def beyond(self) -> bool:
        """Whether anything moved beyond the noise of seeds."""
        return any(each.change is Change.BEYOND for each in (*self.cells, *self.numbers))

    def counts(self, of: Sequence[CellChange | NumberChange]) -> dict[str, int]:
        """How many there are of each change, without those of which there are none."""
        found = Counter(each.change for each in of)
        return {change.value: found[change] for change in Change if found[change]}

    def recorded(self) -> dict[str, list[CellChange]]:
        """The cells with each recorded difference, the most frequent difference first."""
        found: dict[str, list[CellChange]] = {}
        for cell in self.cells:
            for text in cell.recorded:
                found.setdefault(text, []).append(cell)
        return dict(sorted(found.items(), key=lambda entry: -len(entry[1])))


@dataclass(frozen=True, eq=False)
class _Pair:
    """One cell on both sides, and how its ranks moved."""

    suite: str
    metrics: Sequence[str]
    before: CellResult
    after: CellResult
    moves: RankMoves | None  # None where ranks are withheld

    @property
    def row(self) -> tuple[str, str, str, str]:
        return self.suite, self.before.dataset, self.before.protocol, self.before.model

    @property
    def deterministic(self) -> bool:
        return self.before.deterministic and self.after.deterministic

    def values(self, metric: str) -> tuple[float | None, float | None]:
        return self.before.metrics.get(metric), self.after.metrics.get(metric)

    @property
    def settled(self) -> Change | None:
        """SAME or NEAR where that is so; None for ranks that moved."""
        values = [self.values(metric) for metric in self.metrics]
        if all(a == b for a, b in values) and (self.moves is None or self.moves.same):
            return Change.SAME
        close = all(
            a is not None and b is not None and abs(a - b) <= NEAR_VALUE * max(abs(a), abs(b)) for a, b in values
        )
        return Change.NEAR if close and self.moves is not None and self.moves.near else None


def find_changes(before: Side, after: Side) -> Changes:
    """Compare every cell and every number of two sides."""
    pairs: list[_Pair] = []
    missing: list[CellChange] = []
    for name, a, b in matched_suites(before, after):
        found, lacking = _pairs(name, a, b)
        pairs += found
        missing += lacking
    rows: dict[tuple[str, str, str, str], list[_Pair]] = {}
    for pair in pairs:
        rows.setdefault(pair.row, []).append(pair)
    moved = sum(pair.settled is None for pair in pairs)
    numbers = [number for row in rows.values() for number in _numbers(row, moved)]
    cells = [_cell(pair, rows[pair.row], moved) for pair in pairs]
    return Changes(before.name, after.name, (*cells, *missing), tuple(numbers))


def _pairs(name: str, before: SuiteResults | None, after: SuiteResults | None) -> tuple[list[_Pair], list[CellChange]]:
    """The cells that both sides have, and those that one side lacks, with the reason."""
    sides = [{} if each is None else {_labels(cell): cell for cell in each.cells} for each in (before, after)]
    reasons = [{} if each is None else {_labels(f): f"{f.state}: {f.reason}" for f in each.failures}
               for each in (before, after)]  # fmt: skip
    known = [each.record["metrics"] for each in (before, after) if each is not None]
    metrics = [metric for metric in known[0] if metric in known[-1]]
    pairs, missing = [], []
    for labels in dict.fromkeys([*sides[0], *sides[1]]):
        a, b = (side.get(labels) for side in sides)
        if a is not None and b is not None:
            for side in (a, b):
                side.check_files()  # equal records alone would call changed files equal
            withheld = a.withholds_ranks or b.withholds_ranks
            pairs.append(_Pair(name, metrics, a, b, None if withheld else rank_moves(a, b)))
            continue
        side, other = ("A", 1) if b is None else ("B", 0)
        reason = reasons[other].get(labels, "no such cell")
        present = a or b
        value = present.metrics.get(metrics[0]) if metrics and present is not None else None
        missing.append(CellChange(name, *labels, Change.MISSING, f"in {side} alone ({reason})", metrics[0] if metrics
                                  else "", value if b is None else None, value if a is None else None, None,
                                  ()))  # fmt: skip
    return pairs, missing


def _labels(cell: Any) -> tuple[str, str, str, int]:
    return cell.dataset, cell.protocol, cell.model, cell.seed


def _noise(row: Sequence[_Pair], metric: str) -> SeedNoise | None:
    """The noise of seeds in one row of a table; None for a model without seeds."""
    if all(pair.deterministic for pair in row):
        return None
    values = [[pair.values(metric)[side] for pair in row] for side in (0, 1)]
    return SeedNoise.of(*([value for value in side if value is not None] for side in values))


def _cell(pair: _Pair, row: Sequence[_Pair], tests: int) -> CellChange:
    """The change of one cell."""
    metric = pair.metrics[0] if pair.metrics else ""
    a, b = pair.values(metric)
    noise = _noise(row, metric)
    change, bound = pair.settled, None if noise is None else noise.of_cell(tests)
    detail = "ranks withheld: values compared" if pair.moves is None else str(pair.moves)
    if change is None:
        other = pair.moves is not None and pair.moves.other_rows
        within = bound is not None and not other and a is not None and b is not None and abs(a - b) <= bound
        change = Change.WITHIN if within else Change.BEYOND
        if bound is None:
            detail += "; no seeds" if pair.deterministic else "; one seed, so noise is not known"
    recorded = recorded_differences(pair.before.record, pair.after.record)
    return CellChange(pair.suite, *_labels(pair.before), change, detail, metric, a, b, bound, recorded)


def _numbers(row: Sequence[_Pair], tests: int) -> Iterator[NumberChange]:
    """The change of each metric's mean over seeds in one row of a table."""
    settled = [pair.settled for pair in row]
    for metric in row[0].metrics:
        values = [pair.values(metric) for pair in row]
        if any(a is None or b is None for a, b in values):
            continue
        before, after = (sum(value[side] for value in values) / len(values) for side in (0, 1))
        noise = _noise(row, metric)
        bound = None if noise is None else noise.of_mean(tests)
        if all(a == b for a, b in values):
            change = Change.SAME
        elif None not in settled:
            change = Change.NEAR
        else:
            other = any(pair.moves is not None and pair.moves.other_rows for pair in row)
            within = bound is not None and not other and abs(before - after) <= bound
            change = Change.WITHIN if within else Change.BEYOND
        yield NumberChange(*row[0].row, metric, change, before, after, bound)
