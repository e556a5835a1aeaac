"""Order control: a first-order Markov chain on the true order and on shuffled histories."""

from __future__ import annotations

import numpy as np

from recsys_data.sequences import Sequences
from recsys_data.split import HeldOut

_CUT_OFF = 20
_MOST_EVENTS = 400_000  # the chain is estimated on whole sequences with at most this many events
_MOST_QUERIES = 20_000


def chain_mrr(train: Sequences, held_out: HeldOut, num_items: int, *, shuffle: bool) -> float:
    """MRR@20 of the successor counts of ``train`` on the first target of up to 20,000 queries.

    ``shuffle`` puts the events of each training sequence in random order and replaces the last item of a history by a
    random item of it: the chain then knows co-occurrence but no order. Successors are ranked by count, then by
    popularity; other items follow at their popularity rank among all items, slightly too low (in the fourth decimal at
    most). The random generator is fixed.
    """
    rng = np.random.default_rng(20)
    items, owners = _sample(train)
    if shuffle:
        items = items[np.lexsort((rng.random(len(items)), owners))]
    popularity_place = np.empty(num_items, dtype=np.int64)
    counts = np.bincount(items, minlength=num_items)
    popularity_place[np.argsort(-counts, kind="stable")] = np.arange(num_items)

    follows = owners[1:] == owners[:-1]
    pairs = items[:-1][follows] * num_items + items[1:][follows]
    keys, times = np.unique(pairs, return_counts=True)
    before = keys // num_items
    order = np.lexsort((popularity_place[keys % num_items], -times, before))
    places = np.empty(len(keys), dtype=np.int64)
    places[order] = np.arange(len(keys)) - np.searchsorted(before, before[order], side="left")

    last, target = _select_queries(held_out, shuffle, rng)
    wanted = last * num_items + target
    slot = np.minimum(np.searchsorted(keys, wanted), max(len(keys) - 1, 0))
    seen = keys[slot] == wanted if len(keys) else np.zeros(len(wanted), dtype=bool)
    successors = np.searchsorted(before, last, side="right") - np.searchsorted(before, last, side="left")
    ranks = np.where(seen, places[slot] if len(keys) else 0, successors + popularity_place[target]) + 1
    return float(np.where(ranks <= _CUT_OFF, 1.0 / ranks, 0.0).mean()) if len(ranks) else 0.0


def _sample(train: Sequences) -> tuple[np.ndarray, np.ndarray]:
    """The items and sequence numbers of evenly spaced whole sequences, about _MOST_EVENTS events at most."""
    stride = max(1, -(-len(train.items) // _MOST_EVENTS))
    owners = train.owners()
    taken = owners % stride == 0
    return train.items[taken].astype(np.int64), owners[taken]


def _select_queries(held_out: HeldOut, shuffle: bool, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """The last (or a random) item of the history and the first target of evenly spaced queries that have both."""
    firsts = np.full(len(held_out), -1, dtype=np.int64)
    has_target = np.diff(held_out.target_offsets) > 0
    firsts[has_target] = held_out.targets[held_out.target_offsets[:-1][has_target]]
    queries = np.flatnonzero((firsts >= 0) & (held_out.history_lengths > 0))
    queries = queries[:: max(1, -(-len(queries) // _MOST_QUERIES))]
    lengths = held_out.history_lengths[queries]
    place = rng.integers(0, lengths) if shuffle else lengths - 1
    last = held_out.sequences.items[held_out.sequences.offsets[held_out.sequence_of[queries]] + place]
    return last.astype(np.int64), firsts[queries]
