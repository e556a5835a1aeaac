"""Counting: how many candidates beat and tie each target of a block of scores, in one fused pass over the block."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numba import njit

ABSENT = -1  # a padded slot of a target, history or top list


class RankCounts(NamedTuple):
    """What one block of R rows of scores says of its targets.

    greater, tied (R, W) int64: candidates scored strictly above, and other candidates scored exactly like, each
    target; 0 where a target is ABSENT. top (R, k) int64: the best candidates of each row, ties by item number, ABSENT
    where a row has fewer than k. non_finite: the first (row, item) whose score is not finite, or None.
    """

    greater: np.ndarray
    tied: np.ndarray
    top: np.ndarray
    non_finite: tuple[int, int] | None


def count_block(block: Any, targets: np.ndarray, excluded: np.ndarray, top_k: int = 0) -> RankCounts:
    """Counts of a block of scores (R, N), a numpy array, or a torch tensor on any device.

    targets (R, W) int64: items asked for, padded with ABSENT; excluded (R, H) int64: each row's items that are no
    candidates, without duplicates and without its targets, padded with ABSENT. Scores are compared exactly as given
    (16-bit floats are widened, which keeps order and ties). A tensor on a GPU is counted there.
    """
    if hasattr(block, "detach"):
        block = block.detach()
        if block.device.type != "cpu":
            return _count_on_device(block, targets, excluded, top_k)
        if block.element_size() < 4:
            block = block.float()
    scores = np.asarray(block)
    if scores.dtype not in (np.float32, np.float64):
        scores = scores.astype(np.float32 if scores.dtype == np.float16 else np.float64)
    greater = np.zeros(targets.shape, dtype=np.int64)
    tied = np.zeros(targets.shape, dtype=np.int64)
    largest = np.finfo(scores.dtype).max
    row = _count(scores, targets, excluded, greater, tied, largest)
    non_finite = None
    if row >= 0:
        non_finite = int(row), int(np.flatnonzero(~np.isfinite(scores[row]))[0])
    top = np.full((len(targets), top_k), ABSENT, dtype=np.int64)
    if top_k and non_finite is None:
        _keep_best(scores, excluded, top, np.full(scores.shape[1], -1, dtype=np.int64))
    return RankCounts(greater, tied, top, non_finite)


@njit(cache=True, nogil=True)
def _count(
    scores: np.ndarray,
    targets: np.ndarray,
    excluded: np.ndarray,
    greater: np.ndarray,
    tied: np.ndarray,
    largest: float,
) -> int:
    """Fill greater and tied; return the first row with a score that is not finite, or −1."""
    num_rows, num_items = scores.shape
    for r in range(num_rows):
        row = scores[r]
        for w in range(max(targets.shape[1], 1)):
            target = targets[r, w] if w < targets.shape[1] else ABSENT
            mark = row[max(target, 0)]
            above, equal, finite = 0, 0, 0
            if w == 0:  # the first pass also looks for NaN and infinity
                for j in range(num_items):
                    above += row[j] > mark
                    equal += row[j] == mark
                    finite += abs(row[j]) <= largest
                if finite != num_items:
                    return r
            elif target >= 0:
                for j in range(num_items):
                    above += row[j] > mark
                    equal += row[j] == mark
            if target < 0:
                continue
            for h in range(excluded.shape[1]):
                item = excluded[r, h]
                if item >= 0:
                    above -= row[item] > mark
                    equal -= row[item] == mark
            greater[r, w] = above
            tied[r, w] = equal - 1
    return -1


@njit(cache=True, nogil=True)
def _keep_best(scores: np.ndarray, excluded: np.ndarray, top: np.ndarray, stamp: np.ndarray) -> None:
    """Fill top by insertion: items come in ascending order and only a strictly better score moves up."""
    num_rows, num_items = scores.shape
    k = top.shape[1]
    best = np.empty(k, dtype=scores.dtype)
    for r in range(num_rows):
        for h in range(excluded.shape[1]):
            if excluded[r, h] >= 0:
                stamp[excluded[r, h]] = r
        held = 0
        for j in range(num_items):
            score = scores[r, j]
            if (held == k and score <= best[k - 1]) or stamp[j] == r:
                continue
            place = min(held, k - 1)
            while place > 0 and best[place - 1] < score:
                best[place] = best[place - 1]
                top[r, place] = top[r, place - 1]
                place -= 1
            best[place] = score
            top[r, place] = j
            held = min(held + 1, k)


def _count_on_device(block: Any, targets: np.ndarray, excluded: np.ndarray, top_k: int) -> RankCounts:
    """The same counts by tensor operations where the block lies; torch itself is never imported."""
    longs = block[:0].long()  # gives int64 tensors on the block's device
    finite = block.isfinite()
    if not bool(finite.all()):
        row, item = (~finite).nonzero()[0].tolist()
        zeros = np.zeros(targets.shape, dtype=np.int64)
        return RankCounts(zeros, zeros, np.full((len(targets), top_k), ABSENT, dtype=np.int64), (row, item))
    lowest = float("-inf")
    candidates = block
    rows, places = np.nonzero(excluded >= 0)
    if len(rows):
        candidates = block.clone()
        candidates[longs.new_tensor(rows), longs.new_tensor(excluded[rows, places])] = lowest
    greater = np.zeros(targets.shape, dtype=np.int64)
    tied = np.zeros(targets.shape, dtype=np.int64)
    marks = block.gather(1, longs.new_tensor(np.maximum(targets, 0)))  # (R, W)
    for w in range(targets.shape[1]):
        mark = marks[:, w : w + 1]
        asked = targets[:, w] >= 0
        greater[asked, w] = (candidates > mark).sum(1).cpu().numpy()[asked]
        tied[asked, w] = (candidates == mark).sum(1).cpu().numpy()[asked] - 1
    top = np.full((len(targets), top_k), ABSENT, dtype=np.int64)
    if top_k:
        kept = min(top_k, block.shape[1])
        values, order = candidates.sort(dim=1, descending=True, stable=True)  # stable: ties by item number
        best = order[:, :kept].masked_fill(values[:, :kept] == lowest, ABSENT)
        top[:, :kept] = best.cpu().numpy()
    return RankCounts(greater, tied, top, None)
