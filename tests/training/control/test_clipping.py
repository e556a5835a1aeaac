import pytest
import torch
from torch import nn

from training.control.clipping import ClipNorm, ClipTensor, ClipValue


def weights(sparse=False):
    """Two parameters whose gradients (3, 4; 0, 0) and (12,) have the norms 5 and 12: together 13."""
    two, one, none = (nn.Parameter(torch.zeros(*shape)) for shape in ((2, 2), (1,), (3,)))
    two.grad = torch.tensor([[3.0, 4.0], [0.0, 0.0]])
    if sparse:  # the row comes twice: (1, 1) and (2, 3)
        two.grad = torch.sparse_coo_tensor([[0, 0]], [[1.0, 1.0], [2.0, 3.0]], (2, 2), check_invariants=True)
    one.grad = torch.tensor([-12.0])
    return [two, one, none]


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("clip, expected", [
    (ClipNorm(6.5), [1.5, 2.0, -6.0]),  # half of 13
    (ClipNorm(14.0), [3.0, 4.0, -12.0]),
    (ClipTensor(2.5), [1.5, 2.0, -2.5]),  # each by its own norm
    (ClipTensor(6.0), [3.0, 4.0, -6.0]),
    (ClipValue(3.5), [3.0, 3.5, -3.5]),
], ids=repr)  # fmt: skip
def test_gradients_are_bounded(clip, expected, sparse):
    held = weights(sparse)
    clip.apply(held)
    got = [*held[0].grad.to_dense()[0].tolist(), held[1].grad.item()]
    assert got == pytest.approx(expected, rel=1e-5)
    assert held[2].grad is None and held[0].grad.is_sparse == sparse


def test_gradients_of_nothing_stay_so():
    weight = nn.Parameter(torch.ones(2))
    weight.grad = torch.zeros(2)
    for clip in (ClipNorm(1.0), ClipTensor(1.0), ClipValue(1.0)):
        clip.apply([weight])
        assert weight.grad.tolist() == [0.0, 0.0]


def test_a_limit_that_lets_nothing_through_is_refused():
    for kind in (ClipNorm, ClipTensor, ClipValue):
        with pytest.raises(ValueError, match="limit must be above 0, got 0.0"):
            kind(0.0)
