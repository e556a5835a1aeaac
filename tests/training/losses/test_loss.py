import math

import pytest
import torch

from training.losses.loss import CrossEntropy


def random_case(rows, items, dim, dtype=torch.float64):
    generator = torch.Generator().manual_seed(3)
    queries = torch.randn(rows, dim, dtype=dtype, generator=generator, requires_grad=True)
    factors = torch.randn(items, dim, dtype=dtype, generator=generator, requires_grad=True)
    bias = torch.randn(items, dtype=dtype, generator=generator, requires_grad=True)
    return queries, factors, bias, torch.randint(items, (rows,), generator=generator)


def test_cross_entropy_by_hand():
    # scores of one query q = 1 with factors (0, ln 2, ln 3) and bias (0, 0, ln 2): 0, ln 2, ln 6; softmax (1, 2, 6) / 9
    queries = torch.tensor([[1.0]], requires_grad=True)
    factors = torch.tensor([[0.0], [math.log(2)], [math.log(3)]], requires_grad=True)
    bias = torch.tensor([0.0, 0.0, math.log(2)], requires_grad=True)
    loss = CrossEntropy()(queries, factors, bias, torch.tensor([1]))
    loss.backward()
    assert loss.item() == pytest.approx(math.log(9 / 2), rel=1e-6)
    assert bias.grad.tolist() == pytest.approx([1 / 9, 2 / 9 - 1, 6 / 9], rel=1e-6)
    assert factors.grad.ravel().tolist() == pytest.approx([1 / 9, 2 / 9 - 1, 6 / 9], rel=1e-6)
    assert queries.grad.item() == pytest.approx((2 / 9 - 1) * math.log(2) + 6 / 9 * math.log(3), rel=1e-6)


@pytest.mark.parametrize("with_bias", [True, False])
@pytest.mark.parametrize("block_cells", [1, 180 * 7, 1 << 18])  # of 128, 180 and 300 rows
def test_cross_entropy_equals_torchs_in_any_blocks(with_bias, block_cells):
    queries, factors, bias, targets = random_case(300, 7, 5)
    bias = bias if with_bias else None
    inputs = [queries, factors] + [bias] * with_bias
    loss = CrossEntropy(block_cells)(queries, factors, bias, targets)
    scores = queries @ factors.T if bias is None else queries @ factors.T + bias
    expected = torch.nn.functional.cross_entropy(scores, targets)
    assert loss.item() == pytest.approx(expected.item(), rel=1e-12)
    for got, want in zip(torch.autograd.grad(3 * loss, inputs), torch.autograd.grad(3 * expected, inputs), strict=True):
        assert torch.allclose(got, want, rtol=1e-10, atol=1e-12)


def test_cross_entropy_gradcheck():
    queries, factors, bias, targets = random_case(9, 4, 3)
    assert torch.autograd.gradcheck(lambda q, f, b: CrossEntropy(16)(q, f, b, targets), (queries, factors, bias))


def test_cross_entropy_of_huge_scores_is_finite():
    queries, factors, bias, targets = random_case(20, 6, 4, torch.float32)
    loss = CrossEntropy()(queries * 1e4, factors, bias, targets)
    loss.backward()
    assert math.isfinite(loss.item()) and torch.isfinite(queries.grad).all()


def test_cross_entropy_keeps_no_buffer_of_all_scores():
    queries, factors, bias, targets = random_case(400, 300, 4)
    kept = []
    with torch.autograd.graph.saved_tensors_hooks(lambda t: kept.append(t.numel()) or t, lambda t: t):
        CrossEntropy(1)(queries, factors, bias, targets)
    assert kept and max(kept) == 400 * 4
