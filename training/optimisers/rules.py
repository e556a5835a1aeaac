"""Update rules missing in torch: AdaGrad with momentum, RMSprop with ε inside the root and an initial mean."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import nn


class UpdateRule(torch.optim.Optimizer):
    """The base of optimisers that update one weight after another, by a subclass's ``update``."""

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:
        """Take one step for all weights with a gradient."""
        if closure is not None:
            raise ValueError(f"{type(self).__name__} takes no closure")
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                grad = weight.grad
                if group["weight_decay"]:
                    if grad.is_sparse:
                        raise ValueError("weight_decay must be 0 where gradients are row-sparse")
                    grad = grad.add(weight, alpha=group["weight_decay"])
                self.update(weight, grad, self.state[weight], group)

    def update(
        self, weight: torch.Tensor, grad: torch.Tensor, state: dict[str, torch.Tensor], group: dict[str, float]
    ) -> None:
        """Change ``weight`` and ``state`` in place."""
        raise NotImplementedError


class MomentumAdagrad(UpdateRule):
    """a ← a + g², v ← μ v − η g / (√a + ε), w ← w + v; a row-sparse gradient moves its rows only.

    With μ = 0 there is no velocity, and this is torch's Adagrad, faster with row-sparse gradients.
    """

    def __init__(
        self,
        weights: Iterable[nn.Parameter],
        lr: float,
        weight_decay: float,
        momentum: float,
        start: float,
        eps: float,
    ) -> None:
        super().__init__(weights, {"lr": lr, "weight_decay": weight_decay, "momentum": momentum, "eps": eps})
        for group in self.param_groups:
            for weight in group["params"]:
                self.state[weight] = {"sum": torch.full_like(weight, start)}
                if momentum:
                    self.state[weight]["velocity"] = torch.zeros_like(weight)

    def update(
        self, weight: torch.Tensor, grad: torch.Tensor, state: dict[str, torch.Tensor], group: dict[str, float]
    ) -> None:
        """Update one weight by AdaGrad with momentum."""
        if not grad.is_sparse:
            root = state["sum"].addcmul_(grad, grad).sqrt().add_(group["eps"])
            if group["momentum"]:
                weight.add_(state["velocity"].mul_(group["momentum"]).addcdiv_(grad, root, value=-group["lr"]))
            else:
                weight.addcdiv_(grad, root, value=-group["lr"])
            return
        grad = grad.coalesce()
        rows, values = grad.indices()[0], grad.values()
        sums = state["sum"].index_select(0, rows).addcmul_(values, values)
        state["sum"].index_copy_(0, rows, sums)
        step = torch.div(values, sums.sqrt_().add_(group["eps"])).mul_(-group["lr"])
        if group["momentum"]:
            step.add_(state["velocity"].index_select(0, rows), alpha=group["momentum"])
            state["velocity"].index_copy_(0, rows, step)
        weight.index_copy_(0, rows, step.add_(weight.index_select(0, rows)))


class RMSpropRule(UpdateRule):
    """a ← ρ a + (1 − ρ) g², w ← w − η g / √(a + ε), or / (√a + ε)."""

    def __init__(
        self,
        weights: Iterable[nn.Parameter],
        lr: float,
        weight_decay: float,
        rho: float,
        start: float,
        eps: float,
        eps_inside: bool,
    ) -> None:
        defaults = {"lr": lr, "weight_decay": weight_decay, "rho": rho, "eps": eps, "eps_inside": eps_inside}
        super().__init__(weights, defaults)
        for group in self.param_groups:
            for weight in group["params"]:
                self.state[weight] = {"mean": torch.full_like(weight, start)}

    def update(
        self, weight: torch.Tensor, grad: torch.Tensor, state: dict[str, torch.Tensor], group: dict[str, float]
    ) -> None:
        """Update one weight by RMSprop."""
        if grad.is_sparse:
            grad = grad.to_dense()  # the mean of every row decays
        mean = state["mean"].mul_(group["rho"]).addcmul_(grad, grad, value=1.0 - group["rho"])
        eps = group["eps"]
        root = mean.add(eps).sqrt_() if group["eps_inside"] else mean.sqrt().add_(eps)
        weight.addcdiv_(grad, root, value=-group["lr"])
