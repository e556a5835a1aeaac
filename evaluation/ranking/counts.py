"""Counts of the candidates above and tied with each target, in one fused pass over a block of scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from recsys_data.lazy_module import LazyModule

if TYPE_CHECKING:
    from evaluation.ranking import count_kernels
else:
    count_kernels = LazyModule("evaluation.ranking.count_kernels")

ABSENT = -1  # padding of targets, histories and top lists


class RankCounts(NamedTuple):
    """Counts for the targets of one block of R rows of scores.

    greater, tied (R, W) int64: candidates scored strictly above each target, and other candidates scored the same; 0
    where a target is ABSENT. top (R, k) int64: the best candidates of each row, ties by item number, padded with
    ABSENT. non_finite: the first (row, item) whose score is not finite, or None.
    """

    greater: np.ndarray
    tied: np.ndarray
    top: np.ndarray
    non_finite: tuple[int, int] | None


def count_block(block: Any, targets: np.ndarray, excluded: np.ndarray, top_k: int = 0) -> RankCounts:
    """Count a block of scores (R, N), a numpy array or a torch tensor on any device.

    targets (R, W) int64: padded with ABSENT; excluded (R, H) int64: each row's items that are no candidates, without
    duplicates and without its targets, padded with ABSENT. Scores are compared exactly (16-bit floats are widened,
    which preserves order and ties). A tensor on a GPU is counted there.
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
    row = count_kernels.count(scores, targets, excluded, greater, tied, largest)
    non_finite = None
    if row >= 0:
        non_finite = int(row), int(np.flatnonzero(~np.isfinite(scores[row]))[0])
    top = np.full((len(targets), top_k), ABSENT, dtype=np.int64)
    if top_k and non_finite is None:
        count_kernels.fill_top(scores, excluded, top, np.full(scores.shape[1], -1, dtype=np.int64))
    return RankCounts(greater, tied, top, non_finite)


def _count_on_device(block: Any, targets: np.ndarray, excluded: np.ndarray, top_k: int) -> RankCounts:
    """Count by tensor operations on the block's device, without importing torch."""
    longs = block[:0].long()  # creates int64 tensors on the block's device
    finite = block.isfinite()
    if not bool(finite.all()):
        row, item = (~finite).nonzero()[0].tolist()
        zeros = np.zeros(targets.shape, dtype=np.int64)
        return RankCounts(zeros, zeros, np.full((len(targets), top_k), ABSENT, dtype=np.int64), (row, item))
    lowest = float("-inf")
    candidates = block
    rows, columns = np.nonzero(excluded >= 0)
    if len(rows):
        candidates = block.clone()
        candidates[longs.new_tensor(rows), longs.new_tensor(excluded[rows, columns])] = lowest
    greater = np.zeros(targets.shape, dtype=np.int64)
    tied = np.zeros(targets.shape, dtype=np.int64)
    target_scores = block.gather(1, longs.new_tensor(np.maximum(targets, 0)))  # (R, W)
    for w in range(targets.shape[1]):
        score = target_scores[:, w : w + 1]
        present = targets[:, w] >= 0
        greater[present, w] = (candidates > score).sum(1).cpu().numpy()[present]
        tied[present, w] = (candidates == score).sum(1).cpu().numpy()[present] - 1
    top = np.full((len(targets), top_k), ABSENT, dtype=np.int64)
    if top_k:
        length = min(top_k, block.shape[1])
        values, order = candidates.sort(dim=1, descending=True, stable=True)  # stable: ties by item number
        best = order[:, :length].masked_fill(values[:, :length] == lowest, ABSENT)
        top[:, :length] = best.cpu().numpy()
    return RankCounts(greater, tied, top, None)
