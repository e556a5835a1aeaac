import math

import numpy as np
import pytest
import torch

from training.losses.sampled import (
    BPR,
    TOP1,
    AdaptiveHinge,
    BinaryCrossEntropy,
    BPRMax,
    TOP1Max,
    without_diagonal,
)
from training.losses.sampling import NegativeSampling, PopularitySampler, draw_uniform
from training.losses.softmax import Blackout, SampledCrossEntropy

KINDS = [BPR, BinaryCrossEntropy, BPRMax, TOP1, TOP1Max, AdaptiveHinge, SampledCrossEntropy, Blackout]
COUNTS = np.array([4, 0, 1, 9, 2, 1, 3, 1, 5])


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


@pytest.mark.parametrize("loss, expected", [
    # one target of score 1 with negatives of score 0 and 3; w = softmax(0, 3), p = softmax(1, 0, 3)
    (BPR(2), lambda w, p: (-math.log(sigmoid(1)) - math.log(sigmoid(-2))) / 2),
    (BinaryCrossEntropy(2), lambda w, p: -math.log(sigmoid(1)) - math.log(sigmoid(0)) - math.log(sigmoid(-3))),
    (BPRMax(2, regularisation=0.5), lambda w, p: -math.log(w[0] * sigmoid(1) + w[1] * sigmoid(-2)) + 0.5 * w[1] * 9),
    (BPRMax(2, regularisation=0.0, elu=0.5), lambda w, p: -math.log(w[0] * sigmoid(1) + w[1] * sigmoid(-2))),
    (TOP1(2), lambda w, p: (sigmoid(-1) + sigmoid(0) + sigmoid(2) + sigmoid(9)) / 2),
    (TOP1Max(2), lambda w, p: w[0] * (sigmoid(-1) + sigmoid(0)) + w[1] * (sigmoid(2) + sigmoid(9))),
    (AdaptiveHinge(2), lambda w, p: 3.0),  # margin 1, hardest negative 3: 1 + 3 − 1
    (SampledCrossEntropy(2), lambda w, p: -math.log(p[0])),
    (Blackout(2), lambda w, p: -math.log(p[0]) - math.log(1 - p[1]) - math.log(1 - p[2])),
    (Blackout(1), lambda w, p: -math.log(p[0]) - math.log(1 - p[2])),  # the other is the batch's: only in the softmax
], ids=lambda v: repr(v) if hasattr(v, "sampling") else "")  # fmt: skip
def test_each_loss_by_hand(loss, expected):
    """The scores have no symmetry about the target, so a flipped sign changes every loss."""
    w = [1 / (1 + math.exp(3)), math.exp(3) / (1 + math.exp(3))]
    p = [math.exp(s) / (math.e + 1 + math.exp(3)) for s in (1, 0, 3)]
    got = loss.from_scores(torch.tensor([1.0]), torch.tensor([[0.0, 3.0]]))
    assert got.tolist() == pytest.approx([expected(w, p)], rel=1e-6)


def test_bpr_max_sends_scores_below_zero_through_its_elu():
    # target −1 and negative −2 with scale 0.5: ELU gives a = 0.5 (e⁻¹ − 1) and b = 0.5 (e⁻² − 1)
    a, b = 0.5 * (math.exp(-1) - 1), 0.5 * (math.exp(-2) - 1)
    got = BPRMax(1, regularisation=2.0, elu=0.5).from_scores(torch.tensor([-1.0]), torch.tensor([[-2.0]]))
    assert got.item() == pytest.approx(-math.log(sigmoid(a - b)) + 2.0 * b**2, rel=1e-6)


def case(rows=6, items=9, dim=3):
    generator = torch.Generator().manual_seed(0)
    made = [torch.randn(*shape, dtype=torch.float64, generator=generator, requires_grad=True)
            for shape in ((rows, dim), (items, dim), (items,))]  # fmt: skip
    return *made, torch.tensor([0, 2, 3, 8, 2, 6])[:rows]


SAMPLINGS = [
    NegativeSampling(),
    NegativeSampling(alpha=0.5),
    NegativeSampling(shared=True),
    NegativeSampling(shared=True, batch_targets=True),
    NegativeSampling(batch_targets=True),
    NegativeSampling(alpha=1.0, shared=True, batch_targets=True),
]


@pytest.mark.parametrize("sampling", SAMPLINGS, ids=repr)
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_gradients_and_the_weighted_mean_over_targets(kind, sampling):
    loss = kind(2, sampling).with_counts(COUNTS, "cpu")
    queries, factors, bias, targets = case()
    weights = torch.arange(1.0, 7.0, dtype=torch.float64)

    def value(q, f, b):
        return loss(q, f, b, targets, torch.Generator().manual_seed(5), weights)

    assert torch.autograd.gradcheck(value, (queries, factors, bias))
    popularity = PopularitySampler.from_counts(COUNTS, sampling.alpha, "cpu") if sampling.alpha else None
    drawn = sampling.draw(2, 6, 9, torch.Generator().manual_seed(5), popularity)
    scores = (queries @ factors.T + bias).detach()
    each = []
    for row in range(6):  # one target after another, its negatives written out
        others = [int(targets[n]) for n in range(6) if n != row] if sampling.batch_targets else []
        negatives = others + (drawn if sampling.shared else drawn[row]).tolist()
        each.append(kind(2, sampling).from_scores(scores[row, targets[row]][None], scores[row, negatives][None]).item())
    assert value(queries, factors, bias).item() == pytest.approx(np.mean(np.arange(1, 7) * each), rel=1e-7)


def test_the_official_correction_takes_each_items_log_count():
    # scores 1 (target, count 4) | 0 (other target, count 9) 2 (drawn, count 16), alpha 0.5, logq 1:
    # 1 − log 4, 0 − log 9, 2 − 0.5 log 16, that is weights e/4, 1/9, e²/4
    loss = SampledCrossEntropy(1, NegativeSampling(alpha=0.5, shared=True, batch_targets=True), logq=1.0)
    popularity = PopularitySampler.from_counts(np.array([4, 9, 16]), 0.5, "cpu")
    target, negatives = loss.correct(torch.tensor([1.0, 1.0]), torch.tensor([[0.0, 2.0], [0.0, 2.0]]),
                                       torch.tensor([0, 1]), torch.tensor([2]), 3, popularity)  # fmt: skip
    shares = [math.e / 4, 1 / 9, math.e**2 / 4]
    assert loss.from_scores(target, negatives)[0].item() == pytest.approx(-math.log(shares[0] / sum(shares)), rel=1e-6)
    with pytest.raises(ValueError, match="logq needs the items' training counts"):
        loss_without = SampledCrossEntropy(2, logq=1.0)
        loss_without(*case(), torch.Generator())


def test_negatives_that_the_caller_has_drawn_are_used():
    given = torch.tensor([[1], [4], [5], [7], [0], [3]])
    loss = BinaryCrossEntropy()
    queries, factors, bias, targets = case()
    scores = queries @ factors.T + bias
    expected = loss.from_scores(scores[range(6), targets], scores[range(6), given[:, 0]][:, None]).mean()
    assert loss(queries, factors, bias, targets, None, drawn=given).item() == pytest.approx(expected.item())


def test_adaptive_hinge_clips_at_zero():
    got = AdaptiveHinge(2, margin=0.5).from_scores(torch.tensor([4.0, 0.0]), torch.tensor([[1.0, 3.0], [1.0, 3.0]]))
    assert got.tolist() == [0.0, 3.5]


def test_negatives_are_uniform_and_come_from_the_generator():
    drawn = draw_uniform((20_000, 3), 7, torch.Generator().manual_seed(2))
    counts = torch.bincount(drawn.ravel(), minlength=7)
    assert len(counts) == 7 and (counts - 60_000 / 7).abs().max() < 5 * math.sqrt(60_000 / 7)
    assert torch.equal(drawn, draw_uniform((20_000, 3), 7, torch.Generator().manual_seed(2)))


@pytest.mark.parametrize("alpha", [0.5, 1.0])
def test_negatives_by_popularity_follow_its_power_and_leave_out_what_never_occurred(alpha):
    counts = np.array([0, 4, 16, 0, 1, 0])
    popularity = PopularitySampler.from_counts(counts, alpha, "cpu")
    drawn = popularity.draw((60_000,), torch.Generator().manual_seed(2))
    shares = np.where(counts > 0, counts**alpha, 0) / np.where(counts > 0, counts**alpha, 0).sum()
    assert np.bincount(drawn, minlength=6) / 60_000 == pytest.approx(shares, abs=0.01)
    with pytest.raises(ValueError, match="negatives by popularity need training events"):
        PopularitySampler.from_counts(np.zeros(3), alpha, "cpu")


def test_a_matrix_loses_its_diagonal():
    assert without_diagonal(torch.arange(9).view(3, 3)).tolist() == [[1, 2], [3, 5], [6, 7]]
    assert without_diagonal(torch.ones(1, 1)).shape == (1, 0)


def test_row_sparse_factors_get_a_row_sparse_gradient_of_the_same_numbers():
    queries, factors, bias, targets = case()
    loss = BPRMax(3, NegativeSampling(shared=True, batch_targets=True))
    grads = []
    for sparse in (False, True):
        table = torch.nn.Parameter(factors.detach().clone())
        table.row_sparse = sparse
        loss(queries, table, bias, targets, torch.Generator().manual_seed(1)).backward()
        grads.append(table.grad)
    assert grads[1].is_sparse and not grads[0].is_sparse
    assert torch.allclose(grads[1].to_dense(), grads[0], rtol=1e-12, atol=1e-14)


def test_a_loss_without_negatives_is_refused():
    with pytest.raises(ValueError, match="num_negatives must be at least 1, got 0: BPR needs negatives, and this"):
        BPR(0)
    with pytest.raises(ValueError, match="num_negatives must be at least 1, got 0"):
        Blackout(0)
    loss = TOP1(0, NegativeSampling(shared=True, batch_targets=True))
    assert loss(*case(), torch.Generator()).item() > 0
    with pytest.raises(ValueError, match="TOP1 has no negatives: num_negatives is 0 and the batch holds one target"):
        loss(*case(rows=1), torch.Generator())
    with pytest.raises(ValueError, match="num_negatives must be at least 0, got -1"):
        TOP1(-1, NegativeSampling(batch_targets=True))
    with pytest.raises(ValueError, match="negatives with alpha 0.5 need the items' training counts"):
        BPR(2, NegativeSampling(alpha=0.5))(*case(), torch.Generator())
    for alpha in (-1.0, float("nan")):
        with pytest.raises(ValueError, match="alpha must be at least 0"):
            NegativeSampling(alpha=alpha)
