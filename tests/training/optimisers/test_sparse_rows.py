"""Row updates against the dense rule: equal where they must be, still where they must be."""

import pytest
import torch

from training.optimisers.optimisers import SGD, Adadelta, Adam, AdamW
from training.optimisers.sparse_rows import update_rows_only

SHAPE = (6, 2)


def steps(made, gradients, start):
    """The weight after each step along dense gradients (rows, values), or along the row-sparse ones themselves."""
    weight, trail = torch.nn.Parameter(start.clone()), []
    optimiser = made(weight)
    for rows, values, sparse in gradients:
        grad = torch.sparse_coo_tensor(rows[None], values, SHAPE)
        weight.grad = grad if sparse else grad.to_dense()
        optimiser.step()
        assert weight.shape == SHAPE
        trail.append(weight.detach().clone())
    return trail, optimiser.state[weight]


def sequence(which, sparse):
    generator = torch.Generator().manual_seed(5)
    return [(rows, torch.randn(len(rows), 2, generator=generator), sparse) for rows in map(torch.tensor, which)]


RULES = {
    "SGD": (SGD(), 0.0), "SGD, momentum": (SGD(momentum=0.9), 0.0), "Adam": (Adam(), 0.0), "Adam, L2": (Adam(), 0.1),
    "AdamW": (AdamW(), 0.1), "Adadelta": (Adadelta(), 0.0),
}  # fmt: skip


@pytest.mark.parametrize("name", RULES)
def test_equal_to_the_dense_rule_where_every_row_is_named(name):
    value, decay = RULES[name]
    which, start = [[0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0, 0], [0, 1, 2, 3, 4, 5]], torch.randn(SHAPE)
    dense, _ = steps(lambda weight: value.build([weight], 0.1, decay), sequence(which, False), start)
    rows, _ = steps(lambda weight: update_rows_only(value.build([weight], 0.1, decay)), sequence(which, True), start)
    for one, two in zip(dense, rows, strict=True):
        assert torch.allclose(one, two, rtol=1e-6, atol=1e-7)


def test_equal_to_the_dense_rule_with_plain_sgd_whichever_rows_are_named():
    which, start = [[1, 3], [3, 5, 3], [0]], torch.randn(SHAPE)
    dense, _ = steps(lambda weight: SGD().build([weight], 0.1, 0.0), sequence(which, False), start)
    rows, _ = steps(lambda weight: update_rows_only(SGD().build([weight], 0.1, 0.0)), sequence(which, True), start)
    for one, two in zip(dense, rows, strict=True):
        assert torch.allclose(one, two, rtol=1e-6)


@pytest.mark.parametrize("name", RULES)
def test_rows_that_are_not_named_stay_to_the_bit(name):
    value, decay = RULES[name]
    start = torch.randn(SHAPE)
    trail, state = steps(lambda weight: update_rows_only(value.build([weight], 0.1, decay)),
                         sequence([[1, 3], [3, 5], [0]], True), start)  # fmt: skip
    for before, after, named in zip([start, *trail], trail, ([1, 3], [3, 5], [0]), strict=False):
        moved = (before != after).any(dim=1).nonzero().flatten().tolist()
        assert moved == named
    moments = [part for part in state.values() if torch.is_tensor(part) and part.dim() == 2]
    assert all((part[[2, 4]] == 0).all() and (part[[0, 1, 3, 5]] != 0).all() for part in moments)


def test_lazy_adam_by_hand():
    # row 0 is named in steps 1 and 3 with gradient 1: m = .1, then .19; a = .001, then .001999; corrected by t = 1, 3:
    # m̂ = 1 and .19 / (1 − .9³) = .70111; â = 1 and .001999 / (1 − .999³) = .667; so 1 − .1 − .1 · .70111 / √.667
    def named(row):
        return torch.tensor([row]), torch.ones(1, 2), True

    rows = [named(0), named(1), named(0)]
    trail, _ = steps(lambda weight: update_rows_only(Adam().build([weight], 0.1, 0.0)), rows, torch.ones(SHAPE))
    hand = 0.9 - 0.1 * (0.19 / (1 - 0.9**3)) / (0.001999 / (1 - 0.999**3)) ** 0.5
    assert trail[0][0].tolist() == pytest.approx([0.9, 0.9], rel=1e-6)
    assert torch.equal(trail[1][0], trail[0][0])
    assert trail[2][0].tolist() == pytest.approx([hand, hand], rel=1e-5)


def test_the_state_is_whole_between_steps_and_goes_on_from_a_checkpoint():
    which, start = [[1, 3], [3, 5], [0, 3]], torch.randn(SHAPE)
    whole, _ = steps(lambda weight: update_rows_only(Adam().build([weight], 0.1, 0.0)), sequence(which, True), start)
    weight = torch.nn.Parameter(start.clone())
    optimiser = update_rows_only(Adam().build([weight], 0.1, 0.0))
    for number, (rows, values, _) in enumerate(sequence(which, True)):
        weight.grad = torch.sparse_coo_tensor(rows[None], values, SHAPE)
        optimiser.step()
        state = optimiser.state_dict()
        assert all(part.shape in (SHAPE, ()) for part in state["state"][0].values())
        weight = torch.nn.Parameter(weight.detach().clone())
        optimiser = update_rows_only(Adam().build([weight], 0.1, 0.0))
        optimiser.load_state_dict(state)
        assert torch.equal(weight.detach(), whole[number])
