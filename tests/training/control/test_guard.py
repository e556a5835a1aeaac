import pytest
import torch

from training.control.guard import Diverged, LossGuard


@pytest.mark.parametrize("sparse", [False, True])
@pytest.mark.parametrize("number, words", [
    (float("inf"), "the gradient of parameter weight is not finite"), (1.0, "all parameters and gradients are finite"),
])  # fmt: skip
def test_a_loss_that_is_not_finite_is_told_with_what_else_is_not(number, words, sparse):
    network = torch.nn.Embedding(3, 2, sparse=sparse)
    optimiser = torch.optim.SGD(network.parameters(), 0.5)
    (network(torch.tensor([1, 1])) * number).sum().backward()
    assert network.weight.grad.is_sparse == sparse
    guard = LossGuard(network, optimiser)
    assert guard.add(torch.tensor(2.0), 3, epoch=1, step=1) == 6.0
    with pytest.raises(Diverged, match=f"epoch 1, step 2: the loss is nan and {words}; try a learning_rate below 0.5"):
        guard.add(torch.tensor(float("nan")), 3, epoch=1, step=2)
