"""Counts of one block against brute force, by the loop on the CPU and by tensor operations."""

import numpy as np
import pytest
import torch

from evaluation.ranking.counts import ABSENT, _count_on_device, count_block

WAYS = {
    "loop": count_block,
    "loop over a tensor": lambda scores, *more: count_block(torch.tensor(scores), *more),
    "tensor operations": lambda scores, *more: _count_on_device(torch.tensor(scores), *more),
}


def drawn(seed):
    """Scores of few values, so that ties abound; targets and excluded items, padded, that have nothing in common."""
    rng = np.random.default_rng(seed)
    scores = rng.integers(0, 4, (6, 9)).astype(np.float32)
    items = np.stack([rng.permutation(9) for _ in range(6)])
    targets, excluded = items[:, :2].copy(), items[:, 2:5].copy()
    for padded in (targets, excluded):
        padded[rng.random(padded.shape) < 0.3] = ABSENT
    return scores, targets, excluded


def brute_force(scores, targets, excluded, top_k):
    greater, tied = np.zeros(targets.shape, int), np.zeros(targets.shape, int)
    top = np.full((len(scores), top_k), ABSENT)
    for r, row in enumerate(scores.tolist()):
        candidates = [item for item in range(len(row)) if item not in excluded[r]]
        for w, target in enumerate(targets[r]):
            if target != ABSENT:
                greater[r, w] = sum(row[item] > row[target] for item in candidates)
                tied[r, w] = sum(row[item] == row[target] for item in candidates if item != target)
        best = sorted(candidates, key=lambda item: (-row[item], item))[:top_k]
        top[r, : len(best)] = best
    return greater, tied, top


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("top_k", [0, 1, 4, 8, 12])
def test_counts_and_lists_equal_brute_force(way, top_k):
    for seed in range(20):
        scores, targets, excluded = drawn(seed)
        found = way(scores, targets, excluded, top_k)
        for array, expected in zip(found[:3], brute_force(scores, targets, excluded, top_k), strict=True):
            assert array.dtype == np.int64
            np.testing.assert_array_equal(array, expected)
        assert found.non_finite is None


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_the_first_score_that_is_not_finite_is_found(way, bad):
    scores, targets, excluded = drawn(0)
    scores[4, 1] = scores[2, 7] = scores[2, 3] = bad
    found = way(scores, targets, excluded, 3)
    assert found.non_finite == (2, 3)
    assert found.greater.shape == found.tied.shape == (6, 2)
    assert found.greater.dtype == found.tied.dtype == found.top.dtype == np.int64
    assert (found.top == np.full((6, 3), ABSENT)).all() and found.top.shape == (6, 3)


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_nothing_is_excluded_and_nothing_is_a_target(way):
    scores = np.array([[2.0, 5.0, 5.0]])
    none = np.zeros((1, 0), dtype=np.int64)
    assert way(scores, np.array([[0]]), none, 0)[:2] == (np.array([[2]]), np.array([[0]]))
    assert way(scores, none, none, 2).top.tolist() == [[1, 2]]
    assert way(scores, none, none, 0).greater.shape == (1, 0)


@pytest.mark.parametrize("way", [WAYS["loop"], WAYS["tensor operations"]], ids=["loop", "tensor operations"])
def test_scores_are_compared_without_loss(way):
    none = np.zeros((1, 0), dtype=np.int64)
    near = 2**24 + 1  # equal to 2²⁴ in 32 bits
    for values in (np.array([[2**24, near]]), np.array([[2.0**24, near]], dtype=np.float64)):
        found = way(values, np.array([[0, 1]]), none, 0)
        assert (found.greater.tolist(), found.tied.tolist()) == ([[1, 0]], [[0, 0]])


def test_half_precision_is_widened():
    none = np.zeros((1, 0), dtype=np.int64)
    values = [[1.0, 1.0, 60000.0]]
    for block in (np.array(values, dtype=np.float16), torch.tensor(values).half(), torch.tensor(values).bfloat16(),
                  torch.tensor(values, requires_grad=True)):  # fmt: skip
        found = count_block(block, np.array([[0]]), none, 1)
        assert (found.greater.item(), found.tied.item(), found.top.item()) == (1, 1, 2)
