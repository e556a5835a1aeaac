import math

import pytest
import torch

from training.sampled_losses import BPR, TOP1, AdaptiveHinge, BPRMax, Hinge, SampledSoftmax, TOP1Max
from training.sampling import uniform_negatives

LOSSES = [BPR(2), BPRMax(2, regularisation=0.5), TOP1(2), TOP1Max(2), Hinge(2, margin=1.5), AdaptiveHinge(2),
          SampledSoftmax(2)]  # fmt: skip


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_each_loss_by_hand(loss):
    # one target of score 1 with negatives of score 0 and 2, out of 10 items
    w = [1 / (1 + math.exp(2)), math.exp(2) / (1 + math.exp(2))]  # softmax(0, 2)
    expected = {
        BPR: (-math.log(sigmoid(1)) - math.log(sigmoid(-1))) / 2,
        BPRMax: -math.log(w[0] * sigmoid(1) + w[1] * sigmoid(-1)) + 0.5 * (w[0] * 0 + w[1] * 4),
        TOP1: (sigmoid(-1) + sigmoid(0) + sigmoid(1) + sigmoid(4)) / 2,
        TOP1Max: w[0] * (sigmoid(-1) + sigmoid(0)) + w[1] * (sigmoid(1) + sigmoid(4)),
        Hinge: (0.5 + 2.5) / 2,  # margin 1.5: 1.5 + 0 − 1 and 1.5 + 2 − 1
        AdaptiveHinge: 2.0,  # margin 1, hardest negative 2: 1 + 2 − 1
        SampledSoftmax: -math.log(math.e / (math.e + 10 / 2 * (1 + math.exp(2)))),
    }[type(loss)]
    got = loss.of_scores(torch.tensor([1.0]), torch.tensor([[0.0, 2.0]]), num_items=10)
    assert got.tolist() == pytest.approx([expected], rel=1e-6)


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: type(loss).__name__)
def test_gradients_and_the_mean_over_targets(loss):
    generator = torch.Generator().manual_seed(0)
    queries, factors, bias = (torch.randn(*shape, dtype=torch.float64, generator=generator, requires_grad=True)
                              for shape in ((6, 3), (9, 3), (9,)))  # fmt: skip
    targets = torch.randint(9, (6,), generator=generator)

    def value(q, f, b):
        return loss(q, f, b, targets, torch.Generator().manual_seed(5))

    assert torch.autograd.gradcheck(value, (queries, factors, bias))
    negatives = uniform_negatives((6, 2), 9, torch.Generator().manual_seed(5))
    scores = queries @ factors.T + bias
    by_hand = loss.of_scores(scores.gather(1, targets[:, None])[:, 0], scores.gather(1, negatives), 9).mean()
    assert value(queries, factors, bias).item() == pytest.approx(by_hand.item(), rel=1e-12)


def test_adaptive_hinge_with_one_negative_is_hinge():
    target, negatives = torch.randn(50), torch.randn(50, 1)
    assert torch.equal(AdaptiveHinge(1).of_scores(target, negatives, 9), Hinge(1).of_scores(target, negatives, 9))


def test_sampled_softmax_of_every_item_is_near_the_full_softmax():
    scores = torch.randn(1, 2000, generator=torch.Generator().manual_seed(1))
    full = torch.logsumexp(scores, dim=1) - scores[:, 0]
    assert SampledSoftmax(2000).of_scores(scores[:, 0], scores, 2000).item() == pytest.approx(full.item(), rel=1e-3)


def test_negatives_are_uniform_and_come_from_the_generator():
    drawn = uniform_negatives((20_000, 3), 7, torch.Generator().manual_seed(2))
    counts = torch.bincount(drawn.ravel(), minlength=7)
    assert len(counts) == 7 and (counts - 60_000 / 7).abs().max() < 5 * math.sqrt(60_000 / 7)
    assert torch.equal(drawn, uniform_negatives((20_000, 3), 7, torch.Generator().manual_seed(2)))


def test_no_negatives_is_refused():
    with pytest.raises(ValueError, match="num_negatives must be at least 1, got 0"):
        BPR(0)
