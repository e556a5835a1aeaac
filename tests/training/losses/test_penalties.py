import pytest
import torch
from torch import nn

from training.losses.penalties import L1, L2


class Small(nn.Module):
    def __init__(self):
        super().__init__()
        self.item_bias = nn.Parameter(torch.tensor([1.0, -2.0]))
        self.recurrence = nn.Linear(1, 1)
        self.recurrence.weight.data.fill_(3.0)
        self.recurrence.bias.data.fill_(-4.0)


@pytest.mark.parametrize("penalty, value", [
    (L2(0.5), 0.5 * (1 + 4 + 9 + 16)),
    (L2(0.1, covers="item_bias"), 0.1 * (1 + 4)),
    (L1(0.1, covers="item_bias"), 0.1 * (1 + 2)),
    (L1(2.0, covers="recurrence.*"), 2.0 * (3 + 4)),
], ids=repr)  # fmt: skip
def test_what_is_covered_is_measured(penalty, value):
    assert penalty.of(Small()).item() == pytest.approx(value)


def test_gradients_reach_what_is_covered_only():
    network = Small()
    L2(0.1, covers="item_bias").of(network).backward()
    assert network.item_bias.grad.tolist() == pytest.approx([0.2, -0.4]) and network.recurrence.weight.grad is None


def test_bad_fields_and_a_pattern_without_parameters_are_told():
    with pytest.raises(ValueError, match="strength must be above 0, got -1.0"):
        L2(-1.0)
    with pytest.raises(ValueError, match="covers 'output.*' means no parameter; there are item_bias, recurrence"):
        L1(1.0, covers="output.*").of(Small())
