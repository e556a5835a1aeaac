"""Distinct shared against the same loss over every negative: values, gradients, and the tables' gradients."""

import numpy as np
import pytest
import torch

from training.losses.sampled import BPRMax
from training.losses.sampling import NegativeSampling, PopularitySampler
from training.losses.shared_negatives import SharedNegatives, lookup_unique, shared_bpr_max, shared_cross_entropy
from training.losses.softmax import SampledCrossEntropy

V, B, D = 11, 7, 4
POPULARITY = PopularitySampler.from_counts(np.arange(1, V + 1), 0.5, "cpu")
SHARED = {"sampling": NegativeSampling(alpha=0.5, shared=True, batch_targets=True)}
LOSSES = [
    SampledCrossEntropy(num_negatives=30, **SHARED),
    SampledCrossEntropy(num_negatives=30, **SHARED, logq=0.7),
    SampledCrossEntropy(num_negatives=0, **SHARED, logq=1.0),
    BPRMax(num_negatives=30, **SHARED, regularisation=0.3),
    BPRMax(num_negatives=0, **SHARED, regularisation=1.3),
    BPRMax(num_negatives=30, **SHARED, regularisation=0.3, elu=0.5),
]


def draws(seed):
    generator = torch.Generator().manual_seed(seed)
    weights = [torch.randn(*shape, dtype=torch.float64, generator=generator, requires_grad=True)
               for shape in ((B, D), (V, D), (V,))]  # fmt: skip
    return weights, torch.randint(V, (B,), generator=generator), torch.Generator().manual_seed(seed)


def by_shared(loss, queries, table, bias, targets, generator, read=()):
    drawn = loss.sampling.draw(loss.num_negatives, len(targets), V, generator, POPULARITY)
    shared = SharedNegatives.of(torch.tensor(read, dtype=torch.int64), targets, drawn)
    rows, own = lookup_unique(table, shared.items), lookup_unique(bias, shared.items)
    if isinstance(loss, BPRMax):
        return shared_bpr_max(loss, queries, rows, own, shared)
    return shared_cross_entropy(loss, queries, rows, own, shared, POPULARITY)


@pytest.mark.parametrize("read", [(), (0, 3, 3, 10)], ids=["targets and drawn", "with items that are read only"])
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: f"{type(loss).__name__}-{loss.num_negatives}")
def test_the_same_loss_and_gradients_as_over_every_negative(loss, read):
    for seed in range(3):
        weights, targets, generator = draws(seed)
        value = loss(*weights, targets, generator, popularity=POPULARITY)
        expected = torch.autograd.grad(value, weights)
        weights, targets, generator = draws(seed)
        got = by_shared(loss, *weights, targets, generator, read)
        assert got.item() == pytest.approx(value.item(), rel=1e-12)
        for one, two in zip(torch.autograd.grad(got, weights), expected, strict=True):
            dense = one.to_dense() if one.is_sparse else one
            assert torch.allclose(dense, two, rtol=1e-10, atol=1e-13)


def test_items_without_training_events_have_a_correction_of_none():
    counted = PopularitySampler.from_counts(np.array([4, 9, 0, 0]), 0.0, "cpu")
    loss = SampledCrossEntropy(2, NegativeSampling(shared=True, batch_targets=True), logq=1.0)
    queries, rows = torch.eye(2, dtype=torch.float64), torch.ones(4, 2, dtype=torch.float64)
    targets, drawn = torch.tensor([0, 2]), torch.tensor([3, 1])
    shared = SharedNegatives.of(targets[:0], targets, drawn)
    bias = torch.zeros(len(shared.items), dtype=torch.float64)
    value = shared_cross_entropy(loss, queries, rows[shared.items], bias, shared, counted)
    # scores 1 less log c of targets: 1 − log 4 and 1 (no event), drawn ones 1: shares of 1/4 + 1 + 1 + 1
    assert value.item() == pytest.approx((np.log(3.25 / 0.25) + np.log(3.25)) / 2, rel=1e-12)
    own, others = loss.correct(torch.ones(2), torch.ones(2, 3), targets, drawn, 4, counted)
    assert loss.from_scores(own, others).mean().item() == pytest.approx(value.item(), rel=1e-6)


def test_bpr_max_stays_finite_where_the_target_is_far_ahead():
    shared = SharedNegatives.of(torch.tensor([], dtype=torch.int64), torch.tensor([0, 1]), torch.tensor([2]))
    queries, rows = torch.tensor([[200.0, 0.0], [0.0, 200.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]])
    queries.requires_grad_()
    value = shared_bpr_max(BPRMax(regularisation=0.0, **SHARED), queries, rows, torch.zeros(3), shared)
    assert value.item() == pytest.approx(0.0, abs=1e-6)  # both negatives are 200 and 400 behind: −log σ(200) = 0
    value.backward()
    assert torch.isfinite(queries.grad).all()


def test_a_tables_gradient_names_each_row_once_in_order():
    table = torch.randn(9, 2, requires_grad=True)
    shared = SharedNegatives.of(torch.tensor([7, 7]), torch.tensor([5, 2]), torch.tensor([2, 2, 8]))
    assert shared.items.tolist() == [2, 5, 7, 8] and shared.inputs.tolist() == [2, 2]
    assert shared.targets.tolist() == [1, 0]
    assert shared.target_counts.tolist() == [1, 1, 0, 0] and shared.drawn_counts.tolist() == [2, 0, 0, 1]
    (lookup_unique(table, shared.items) * torch.arange(1.0, 5.0)[:, None]).sum().backward()
    assert table.grad.is_sparse
    assert table.grad._indices().tolist() == [[2, 5, 7, 8]]
    assert table.grad._values().tolist() == [[1, 1], [2, 2], [3, 3], [4, 4]]
