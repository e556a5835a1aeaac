import math

import pytest
import torch

from training.losses.catalogue import KLDivergence, MarginHinge, MarginLogit, MarginLogsig
from training.losses.diversity import DiversityBias
from training.losses.loss import CrossEntropy, bound
from training.losses.sampled import BPR
from training.losses.sampling import Sampling

SCORES = [0.5, 2.0, -1.0, 1.5, 0.25]  # of five items under one query


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def on_scores(loss, targets, **more):
    """The loss of the one query 1 whose items' vectors are their scores."""
    return loss(torch.ones(1, 1), torch.tensor(SCORES)[:, None], None, torch.tensor(targets), **more).item()


def test_margin_losses_of_one_target_by_hand():
    # target item 0; the four others weigh balance · 1 / (5 − 1 − 0) = 2 / 4 each
    others = SCORES[1:]
    assert on_scores(MarginHinge(2.0), [0]) == pytest.approx(0.5 + 0.5 * (2.0 + 0.0 + 1.5 + 0.25))
    assert on_scores(MarginLogit(2.0), [0]) == pytest.approx(-sigmoid(-0.5) + 0.5 * sum(map(sigmoid, others)))
    expected = -math.log(sigmoid(-0.5)) - sum(math.log(sigmoid(-0.5 * r)) for r in others)
    assert on_scores(MarginLogsig(2.0), [0]) == pytest.approx(expected)


def test_margin_losses_of_several_targets_and_what_was_seen():
    # targets 0 and 4, item 3 seen: items 1 and 2 weigh 1 · 2 / (5 − 2 − 1) = 1 each; padding is no item
    targets, seen = [[0, 4, -1]], torch.tensor([[3, -1]])
    assert on_scores(MarginHinge(), targets, seen=seen) == pytest.approx(0.5 + 0.75 + 2.0 + 0.0)
    expected = -sigmoid(-0.5) - sigmoid(-0.75) + sigmoid(2) + sigmoid(-1)
    assert on_scores(MarginLogit(), targets, seen=seen) == pytest.approx(expected)
    expected = -sum(math.log(sigmoid(x)) for x in (-0.5, -0.75, -2, 1)) + math.log(2)
    assert on_scores(MarginLogsig(), targets, seen=seen) == pytest.approx(expected)
    assert on_scores(MarginHinge(), [[0, 4]], seen=torch.tensor([[0, 3]])) == pytest.approx(3.25)  # 0 stays a target


def test_kl_of_a_clipped_one_hot_vector_by_hand():
    total = sum(math.exp(r) for r in SCORES)
    logs = [r - math.log(total) for r in SCORES]
    expected = -logs[1] + sum(0.01 * (math.log(0.01) - logs[j]) for j in (0, 2, 3, 4))
    assert on_scores(KLDivergence(0.01), [1]) == pytest.approx(expected, rel=1e-5)
    assert on_scores(KLDivergence(0.0), [1]) == pytest.approx(-logs[1], rel=1e-5)
    assert on_scores(KLDivergence(), [1]) == pytest.approx(-logs[1], abs=1e-4)


def case():
    generator = torch.Generator().manual_seed(0)
    made = [torch.randn(*shape, dtype=torch.float64, generator=generator, requires_grad=True)
            for shape in ((6, 3), (9, 3), (9,))]  # fmt: skip
    return *made, torch.tensor([0, 2, 3, 8, 2, 6])


@pytest.mark.parametrize(
    "loss", [MarginHinge(3.0), MarginLogit(), MarginLogsig(), KLDivergence(1e-3), CrossEntropy(16)]
)
def test_gradients_and_the_weighted_mean(loss):
    *inputs, targets = case()
    weights = torch.arange(1.0, 7.0, dtype=torch.float64)
    assert torch.autograd.gradcheck(lambda q, f, b: loss(q, f, b, targets, weights=weights), inputs)
    queries, factors, bias = inputs
    each = [(n + 1) * loss(queries[n : n + 1], factors, bias, targets[n : n + 1]) for n in range(6)]
    assert loss(queries, factors, bias, targets, weights=weights).item() == pytest.approx(sum(each).item() / 6)


@pytest.mark.parametrize("loss", [CrossEntropy(), BPR(2), BPR(2, Sampling(alpha=1.0)), MarginLogit()], ids=repr)
def test_diversity_bias_divides_by_a_power_of_the_targets_count(loss):
    queries, factors, bias, targets = case()
    counts = torch.tensor([1, 2, 4, 9, 5, 5, 16, 3, 25])
    biased = bound(DiversityBias(loss, 0.5), counts.numpy(), "cpu")
    drawn = [torch.Generator().manual_seed(4) for _ in range(3)]
    by_hand = bound(loss, counts.numpy(), "cpu")(
        queries, factors, bias, targets, drawn[0], torch.tensor([1, 1 / 2, 1 / 3, 1 / 5, 1 / 2, 1 / 4]).double()
    )  # the targets' counts are 1, 4, 9, 25, 4, 16
    got = biased(queries, factors, bias, targets, drawn[1])
    assert got.item() == pytest.approx(by_hand.item(), rel=1e-6)
    assert biased(queries, factors, bias, targets, drawn[2], torch.full((6,), 3.0)).item() == pytest.approx(
        3 * got.item()
    )


def test_bad_fields_and_a_loss_without_its_counts_are_told():
    for wrong, words in (
        (lambda: MarginHinge(0.0), "balance must be above 0, got 0.0"),
        (lambda: KLDivergence(1.0), "floor must be at least 0 and below 1, got 1.0"),
        (lambda: DiversityBias(CrossEntropy(), -1.0), "delta must be at least 0, got -1.0"),
        (lambda: DiversityBias(CrossEntropy(), 1.0)(*case(), None), "DiversityBias needs the items' training counts"),
    ):
        with pytest.raises(ValueError, match=words):
            wrong()
