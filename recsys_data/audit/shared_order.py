"""Shared order: pairs of items that stand in both orders in different sequences, against one order of all items."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from recsys_data.audit.finding import NOTE, SEVERE, Finding
from recsys_data.sequences import Sequences
from recsys_data.split import Split

_MOST_EVENTS = 50  # of one sequence: pairs grow with the square
_MOST_PAIRS = 3_000_000  # of all sequences
_ONE_ORDER = 0.05  # share of the conflicts under shuffling below which there is one order; data in time have 0.4 to 1
_FEW_CONFLICTS = 20  # under shuffling, below which the pairs are too few to tell


@dataclass(frozen=True)
class SharedOrder:
    """The pairs of items that stand together in two sequences or more.

    pairs: their number; conflicts: those that stand in both orders, in different sequences; expected: the number of
    conflicts if every sequence were shuffled, Σ 1 − 2^(1 − n) for a pair in n sequences. Under one order of all items
    there is no conflict.
    """

    pairs: int
    conflicts: int
    expected: float

    @classmethod
    def of(cls, parts: Sequence[Sequences], num_items: int) -> SharedOrder:
        """Count the pairs in the first events of whole sequences, evenly spaced so that memory stays bounded.

        A sequence with repeats has the order in which its items first occur.
        """
        found = [pair for part in _sample(parts) for pair in _pairs(part, num_items)]
        first, second = (
            (np.concatenate(side) for side in zip(*found, strict=True)) if found else (np.empty(0, int),) * 2
        )
        keys = np.minimum(first, second) * np.int64(num_items) + np.maximum(first, second)
        order = np.argsort(keys, kind="stable")
        starts = np.flatnonzero(np.r_[True, np.diff(keys[order]) != 0][: len(keys)])
        together = np.diff(np.r_[starts, len(keys)])
        ascending = np.add.reduceat((first < second)[order], starts, dtype=np.int64) if len(starts) else starts
        shared = together >= 2
        both = (ascending > 0) & (ascending < together)
        return cls(
            int(np.count_nonzero(shared)), int(np.count_nonzero(both)), float((1 - 0.5 ** (together[shared] - 1)).sum())
        )


def find_shared_order(split: Split) -> Finding | None:
    """Check whether all sequences share one order of the items; None for data without order."""
    if not split.clock.has_order:
        return None
    # a sequence that is cut in two would agree with itself
    parts = [split.train.sequences, *([] if split.facts.get("in_train_and_test") else [split.test.sequences])]
    found = SharedOrder.of(parts, split.train.num_items)
    value, shuffled = (count / max(1, found.pairs) for count in (found.conflicts, found.expected))
    unit = split.facts.get("unit", "user")
    sentence = (
        f"{value:.2%} of the {found.pairs:,} pairs of items that two {unit}s or more have in common occur in both "
        f"orders; {shuffled:.2%} would if the {unit}s were shuffled, 0.00% if all shared one order of the items"
    )
    one_order = found.expected >= _FEW_CONFLICTS and found.conflicts <= _ONE_ORDER * found.expected
    if one_order:
        sentence += ": they share one, so what comes next can be read off it, without any knowledge of time"
    elif found.expected < _FEW_CONFLICTS:
        sentence += ": too few pairs to tell"
    return Finding(SEVERE if one_order else NOTE, "one order of all items", value, sentence)


def _sample(parts: Sequence[Sequences]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the items and owners of the first events of evenly spaced sequences of each part."""
    lengths = [np.minimum(part.lengths, _MOST_EVENTS) for part in parts]
    stride = max(1, -(-int(sum((each * (each - 1)).sum() // 2 for each in lengths)) // _MOST_PAIRS))
    for part in parts:
        owners = part.owners()
        places = np.arange(len(part.items)) - part.offsets[owners]
        taken = (owners % stride == 0) & (places < _MOST_EVENTS)
        yield part.items[taken].astype(np.int64), owners[taken]


def _pairs(part: tuple[np.ndarray, np.ndarray], num_items: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield the earlier and the later item of every pair of different items of one sequence."""
    items, owners = part
    first = np.sort(np.unique(owners * np.int64(num_items) + items, return_index=True)[1])
    items, owners = items[first], owners[first]
    for lag in range(1, _MOST_EVENTS):
        together = owners[lag:] == owners[:-lag]
        if not together.any():
            return
        yield items[:-lag][together], items[lag:][together]
