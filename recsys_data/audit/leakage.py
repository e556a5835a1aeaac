"""The audit: leakage and other problems of a split, found before any training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from recsys_data.audit.finding import CAVEAT, FAIL, LEVELS, NOTE, Finding
from recsys_data.audit.order_control import chain_mrr
from recsys_data.audit.shared_order import find_shared_order
from recsys_data.protocols.per_user import SplitProtocol
from recsys_data.sequences import UNKNOWN
from recsys_data.split import HeldOut, Split

_MANY_DUPLICATES = 0.01  # share of test targets above which a split is refused
_MANY_TIES = 0.10  # share of targets at the time of the event before, above which the order is partly arbitrary
_LITTLE_ORDER = 1.05  # the chain on the true order must beat the shuffled one by this factor


@dataclass(frozen=True, eq=False)
class LocatedTargets:
    """The test targets located in their sequences: the event of each known target."""

    held_out: HeldOut

    @cached_property
    def known(self) -> np.ndarray:
        """The indices in ``targets`` of the targets that are not UNKNOWN."""
        return np.flatnonzero(self.held_out.targets != UNKNOWN)

    @cached_property
    def queries(self) -> np.ndarray:
        """The query of each known target."""
        owners = np.repeat(np.arange(len(self.held_out)), np.diff(self.held_out.target_offsets))
        return owners[self.known]

    @cached_property
    def items(self) -> np.ndarray:
        """The item of each known target."""
        return self.held_out.targets[self.known]

    @cached_property
    def starts(self) -> np.ndarray:
        """The first event of the sequence of each known target."""
        return self.held_out.sequences.offsets[self.held_out.sequence_of[self.queries]]

    @cached_property
    def history_lengths(self) -> np.ndarray:
        """The history length of the query of each known target."""
        return self.held_out.history_lengths[self.queries]

    @cached_property
    def _spans(self) -> tuple[np.ndarray, np.ndarray]:
        """The first and last position of each known target's item in its sequence, −1 if absent."""
        sequences = self.held_out.sequences
        width = np.int64(1 + max(sequences.items.max(initial=0), self.items.max(initial=0)))
        keys = sequences.owners() * width + sequences.items
        order = np.argsort(keys, kind="stable")
        wanted = self.held_out.sequence_of[self.queries] * width + self.items
        low, high = (np.searchsorted(keys[order], wanted, side=side) for side in ("left", "right"))
        found, last = low < high, len(order) - 1
        first = np.where(found, order[np.minimum(low, last)] - self.starts, -1)
        return first, np.where(found, order[np.clip(high - 1, 0, last)] - self.starts, -1)

    @cached_property
    def in_history(self) -> np.ndarray:
        """Whether the item of each known target is in its history."""
        first, _ = self._spans
        return (first >= 0) & (first < self.history_lengths)

    @cached_property
    def events(self) -> np.ndarray:
        """The event of each known target: the j-th known target of a query is the j-th event after the history.

        −1 where that event has another item.
        """
        first_of_query = np.searchsorted(self.queries, self.queries, side="left")
        place = self.starts + self.history_lengths + np.arange(len(self.queries)) - first_of_query
        stops = self.held_out.sequences.offsets[1:][self.held_out.sequence_of[self.queries]]
        inside = place < stops
        place = np.where(inside, place, 0)
        return np.where(inside & (self.held_out.sequences.items[place] == self.items), place, -1)

    @cached_property
    def in_input(self) -> np.ndarray:
        """Whether each known target occurs in its history but not after it."""
        _, last = self._spans
        return (self.events < 0) & (last >= 0) & (last < self.history_lengths)


def audit(split: Split, protocol: SplitProtocol) -> list[Finding]:
    """Audit the test part; return the findings, most severe first. ``protocol.allows`` names the accepted ones."""
    allows = frozenset(getattr(protocol, "allows", ()))
    targets = LocatedTargets(split.test)
    checks: tuple[Callable[[], Finding | None], ...] = (
        lambda: _target_in_input(targets),
        lambda: _duplicates(split, targets, allows),
        lambda: _future(split, targets, allows),
        lambda: _cut_in_two(split, allows),
        lambda: _unseen_users(split),
        lambda: _unseen_items(split),
        lambda: _ties(split, targets),
        lambda: _repeats(split, targets),
        lambda: _last_item(split, targets),
        lambda: _empty_histories(split),
        lambda: _drift(split, targets),
        lambda: _order(split),
        lambda: find_shared_order(split),
    )
    findings = [finding for check in checks if (finding := check()) is not None]
    return sorted(findings, key=lambda finding: LEVELS.index(finding.level))


def _share(mask: np.ndarray) -> float:
    """The share of true values; 0 for an empty mask."""
    return float(mask.mean()) if mask.size else 0.0


def _target_in_input(targets: LocatedTargets) -> Finding:
    """Targets inside their own history."""
    value = _share(targets.in_input)
    return Finding(
        FAIL if value else NOTE,
        "target inside its own input",
        value,
        f"{value:.2%} of test targets are themselves events of the history they are predicted from",
    )


def _duplicates(split: Split, targets: LocatedTargets, allows: frozenset[str]) -> Finding | None:
    """Targets that are also training events of the same user, item and time."""
    name = "same event on both sides of the cut"
    train, test = split.train.sequences, split.test.sequences
    at = targets.events >= 0
    if not split.clock.has_gaps or split.train.num_users == 0:
        return None
    users = test.users[split.test.sequence_of[targets.queries[at]]].astype(np.int64)
    items, times = targets.items[at], test.timestamps[targets.events[at]]
    width = np.int64(split.train.num_items)
    train_keys = train.users[train.owners()].astype(np.int64) * width + train.items
    keys = users * width + items
    order = np.lexsort((train.timestamps, train_keys))
    hits = _contains(train_keys[order], train.timestamps[order], keys, times) & (users >= 0)
    value = float(np.count_nonzero(hits)) / max(1, len(targets.known))
    level = NOTE if not value else FAIL if value > _MANY_DUPLICATES and name not in allows else CAVEAT
    return Finding(
        level,
        name,
        value,
        f"{value:.2%} of test targets are also training events of the same user, item "
        f"and time{'; the filter DropDuplicates removes them' if value else ''}",
    )


def _contains(keys: np.ndarray, times: np.ndarray, wanted: np.ndarray, when: np.ndarray) -> np.ndarray:
    """Whether each (wanted, when) is among the pairs (keys, times), which are sorted by key, then time."""
    low, high = np.searchsorted(keys, wanted, side="left"), np.searchsorted(keys, wanted, side="right")
    hits = np.zeros(len(wanted), dtype=bool)
    live = np.flatnonzero(low < high)
    while live.size:  # one step through all runs at a time; a run is as long as the repeats of an item
        hits[live] |= times[low[live]] == when[live]
        low[live] += 1
        live = live[(low[live] < high[live]) & ~hits[live]]
    return hits


def _future(split: Split, targets: LocatedTargets, allows: frozenset[str]) -> Finding:
    """Training events later than a test event: temporal leakage."""
    name = "temporal leakage"
    if not split.clock.has_global_order:
        return Finding(
            NOTE,
            name,
            None,
            f"training events after test events cannot be measured: the clock is {split.clock.value}",
        )
    times = split.test.sequences.timestamps[targets.events[targets.events >= 0]]
    order = np.sort(split.train.sequences.timestamps)
    later = (len(order) - np.searchsorted(order, times, side="right")) / len(order)
    value = float(later.mean()) if later.size else 0.0
    level = NOTE if not value else CAVEAT if name in allows else FAIL
    return Finding(
        level,
        name,
        value,
        f"on average {value:.2%} of the training events happen after a test event, and "
        f"{_share(later > 0):.2%} of test events have such training events",
    )


def _cut_in_two(split: Split, allows: frozenset[str]) -> Finding | None:
    """Users or sessions with events in training and in test."""
    name, unit = "sequences cut in two", split.facts.get("unit", "user")
    if "in_train_and_test" not in split.facts:
        return None
    count = int(split.facts["in_train_and_test"])
    level = NOTE if not count or (name in allows and unit == "user") else CAVEAT if name in allows else FAIL
    return Finding(level, name, float(count), f"{count:,} {unit}s have events in training and in test")


def _unseen_users(split: Split) -> Finding | None:
    """Test users without training events."""
    if split.train.num_users == 0:
        return None
    value = _share(split.test.sequences.users == UNKNOWN)
    return Finding(NOTE, "users unseen in training", value, f"{value:.2%} of test users have no event in training")


def _unseen_items(split: Split) -> Finding | None:
    """Test events whose item does not occur in training."""
    steps = [step for step in split.steps if step.get("part") == "test"]
    if not steps:
        return None
    lost = steps[-1]["unseen"]
    value = lost / max(1, steps[-1]["of"])
    return Finding(
        CAVEAT if value > _MANY_TIES else NOTE,
        "items unseen in training",
        value,
        f"{lost:,} test events ({value:.2%}) have an item that training has not seen: "
        f"{steps[-1]['step'].rpartition(': ')[2]}",
    )


def _ties(split: Split, targets: LocatedTargets) -> Finding | None:
    """Targets at the time of the event before them."""
    if not split.clock.has_gaps:
        return None
    events = targets.events[(targets.events >= 0) & (targets.history_lengths > 0)]
    times = split.test.sequences.timestamps
    value = _share(times[events] == times[events - 1])
    return Finding(
        CAVEAT if value > _MANY_TIES else NOTE,
        "ties in time",
        value,
        f"{value:.2%} of test targets have the same time as the event before them, so their "
        "order is that of the source file",
    )


def _repeats(split: Split, targets: LocatedTargets) -> Finding:
    """Targets whose item is in the history."""
    value = _share(targets.in_history)
    level = CAVEAT if value and split.test.exclude_seen else NOTE
    more = ", and can never be hit, because seen items are not candidates" if level == CAVEAT else ""
    return Finding(
        level,
        "targets already in the history",
        value,
        f"{value:.2%} of test targets are items that the same history holds{more}",
    )


def _last_item(split: Split, targets: LocatedTargets) -> Finding:
    """Targets that repeat the last item of the history."""
    some = targets.history_lengths > 0
    last = split.test.sequences.items[(targets.starts + targets.history_lengths - 1)[some]]
    value = float(np.count_nonzero(last == targets.items[some])) / max(1, len(targets.known))
    return Finding(
        NOTE,
        "targets that repeat the last item",
        value,
        f"{value:.2%} of test targets are the last item of the history",
    )


def _empty_histories(split: Split) -> Finding:
    """Queries with an empty history."""
    value = _share(split.test.history_lengths == 0)
    return Finding(NOTE, "empty histories", value, f"{value:.2%} of test queries have an empty history")


def _drift(split: Split, targets: LocatedTargets) -> Finding:
    """The change between training and test in the share of the most popular items."""
    counts = split.train.item_counts
    top = np.zeros(split.train.num_items, dtype=bool)
    top[np.argsort(-counts, kind="stable")[: max(1, split.train.num_items // 10)]] = True
    before, after = float(counts[top].sum()) / max(1, len(split.train)), _share(top[targets.items])
    return Finding(
        NOTE,
        "popularity drift",
        after - before,
        "the most popular tenth of the items in training "
        f"has {before:.1%} of the training events and {after:.1%} of the test targets",
    )


def _order(split: Split) -> Finding | None:
    """The loss of a Markov chain when histories are shuffled."""
    if not split.clock.has_order:
        return None
    real, shuffled = (
        chain_mrr(split.train.sequences, split.test, split.train.num_items, shuffle=s) for s in (False, True)
    )
    little = real <= _LITTLE_ORDER * shuffled
    more = "; the order of events carries almost no information here" if little else ""
    return Finding(
        CAVEAT if little else NOTE,
        "order control",
        real - shuffled,
        f"a first-order Markov chain reaches MRR@20 {real:.4f} on the true order and {shuffled:.4f} on "
        f"shuffled histories{more}",
    )
