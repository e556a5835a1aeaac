import math

import pytest
import torch

from training.losses.diversity import DiversityBias
from training.losses.loss import CrossEntropy
from training.losses.margin import MarginHinge, MarginLogit, MarginLogsig
from training.losses.sampled import BPR
from training.losses.sampling import NegativeSampling

SCORES = [0.5, 2.0, -1.0, 1.5, 0.25]  # of five items under one query


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def on_scores(loss, targets, **more):
    """The loss of the one query 1 whose items' vectors are their scores."""
    return loss(torch.ones(1, 1), torch.tensor(SCORES)[:, None], None, torch.tensor(targets), **more).item()


def test_margin_losses_of_one_target_by_hand():
    # target item 0; the four others weigh balance / (5 − 1) = 2 / 4 each
    others = SCORES[1:]
    assert on_scores(MarginHinge(2.0), [0]) == pytest.approx(0.5 + 0.5 * (2.0 + 0.0 + 1.5 + 0.25))
    assert on_scores(MarginLogit(2.0), [0]) == pytest.approx(-sigmoid(-0.5) + 0.5 * sum(map(sigmoid, others)))
    expected = -math.log(sigmoid(-0.5)) - sum(math.log(sigmoid(-0.5 * r)) for r in others)
    assert on_scores(MarginLogsig(2.0), [0]) == pytest.approx(expected)


def case():
    generator = torch.Generator().manual_seed(0)
    made = [torch.randn(*shape, dtype=torch.float64, generator=generator, requires_grad=True)
            for shape in ((6, 3), (9, 3), (9,))]  # fmt: skip
    return *made, torch.tensor([0, 2, 3, 8, 2, 6])


@pytest.mark.parametrize("loss", [MarginHinge(3.0), MarginLogit(), MarginLogsig(), CrossEntropy(16)])
def test_gradients_and_the_weighted_mean(loss):
    *inputs, targets = case()
    weights = torch.arange(1.0, 7.0, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda q, f, b: loss(q, f, b, targets, weights=weights), inputs)
    queries, factors, bias = inputs
    each = [(n + 1) * loss(queries[n : n + 1], factors, bias, targets[n : n + 1]) for n in range(6)]
    assert loss(queries, factors, bias, targets, weights=weights).item() == pytest.approx(sum(each).item() / 6)


@pytest.mark.parametrize("loss", [CrossEntropy(), BPR(2), BPR(2, NegativeSampling(alpha=1.0)), MarginLogit()], ids=repr)
def test_diversity_bias_divides_by_a_power_of_the_targets_count(loss):
    queries, factors, bias, targets = case()
    counts = torch.tensor([1, 2, 4, 9, 5, 5, 16, 3, 25])
    biased = DiversityBias(loss, 0.5).with_counts(counts.numpy(), "cpu")
    drawn = [torch.Generator().manual_seed(4) for _ in range(3)]
    by_hand = loss.with_counts(counts.numpy(), "cpu")(
        queries, factors, bias, targets, drawn[0], torch.tensor([1, 1 / 2, 1 / 3, 1 / 5, 1 / 2, 1 / 4]).double()
    )  # the targets' counts are 1, 4, 9, 25, 4, 16
    got = biased(queries, factors, bias, targets, drawn[1])
    assert got.item() == pytest.approx(by_hand.item(), rel=1e-6)
    assert biased(queries, factors, bias, targets, drawn[2], torch.full((6,), 3.0)).item() == pytest.approx(
        3 * got.item()
    )


def test_bad_fields_and_a_loss_without_its_counts_are_refused():
    for wrong, words in (
        (lambda: MarginHinge(0.0), "balance must be above 0, got 0.0"),
        (lambda: DiversityBias(CrossEntropy(), -1.0), "delta must be at least 0, got -1.0"),
        (lambda: DiversityBias(CrossEntropy(), 1.0)(*case(), None), "DiversityBias needs the items' training counts"),
    ):
        with pytest.raises(ValueError, match=words):
            wrong()
