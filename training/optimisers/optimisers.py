"""Optimisers: each a frozen value that makes a torch optimiser over a network's weights.

Below g is a weight's gradient, η the learning rate, a an accumulator that starts at ``initial_accumulator``, or 0.
Weight decay λ is an L2 term, g ← g + λ w, in all but AdamW, which takes η λ w from the weight apart from the gradient.
The libraries of the papers differ in where ε stands and where accumulators start; these are fields:

- Lasagne (Time-LSTM, Devooght and Bersini): Adagrad(), RMSprop(), Adadelta(), Nesterov() as they stand here;
- TensorFlow 1 (kwonmha): Adagrad(initial_accumulator=0.1, eps=0.0), RMSprop(initial_accumulator=1.0, eps=1e-10);
- torch: Adagrad(eps=1e-10, eps_inside=False), RMSprop(rho=0.99, eps=1e-8, eps_inside=False).

Departure: Lasagne's and TensorFlow's Adam add ε before the correction of the second moment, torch's (used here) after
it, so that early steps differ by a change of ε.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from training.optimisers.rules import MomentumAdagrad, RMSpropRule
from training.optimisers.sparse_rows import by_rows

Params = Iterable[nn.Parameter]


def _check_share(name: str, value: float) -> None:
    """Refuse a rate of forgetting that is not in [0, 1)."""
    if not 0.0 <= value < 1.0:
        raise ValueError(f"{name} must be at least 0 and below 1, got {value}")


def _check_start(eps: float, initial_accumulator: float = 0.0) -> None:
    """Refuse what would be negative under the root, or 0 / 0 where no gradient has come yet."""
    for name, value in (("eps", eps), ("initial_accumulator", initial_accumulator)):
        if value < 0.0:
            raise ValueError(f"{name} must be at least 0, got {value}")
    if eps + initial_accumulator == 0.0:
        raise ValueError("eps must be above 0 where accumulators start at 0, got 0.0")


def _marked(weights: list[nn.Parameter]) -> bool:
    """Whether gradients of some of the weights are row-sparse."""
    return any(getattr(weight, "row_sparse", False) for weight in weights)


def _by_rows_if_marked(made: torch.optim.Optimizer, weights: list[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimiser, moving single rows where gradients are row-sparse."""
    return by_rows(made) if _marked(weights) else made


@dataclass(frozen=True)
class SGD:
    """v ← μ v + g, w ← w − η v: gradient descent with momentum μ (0: plain)."""

    momentum: float = 0.0

    def __post_init__(self) -> None:
        _check_share("momentum", self.momentum)

    def build(self, params: Params, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
        """Build the torch optimiser of these parameters."""
        return torch.optim.SGD(params, learning_rate, momentum=self.momentum, weight_decay=weight_decay)


@dataclass(frozen=True)
class Nesterov:
    """v ← μ v + g, w ← w − η (g + μ v): Nesterov's momentum as Sutskever et al. (2013) write it, looked ahead."""

    momentum: float = 0.9

    def __post_init__(self) -> None:
        if not 0.0 < self.momentum < 1.0:
            raise ValueError(f"momentum must be above 0 and below 1, got {self.momentum}")

    def build(self, params: Params, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
        """Build the torch optimiser of these parameters."""
        return torch.optim.SGD(params, learning_rate, momentum=self.momentum, weight_decay=weight_decay, nesterov=True)


@dataclass(frozen=True)
class Adagrad:
    """a ← a + g², w ← w − η g / √(a + ε), or / (√a + ε) with ``eps_inside`` false (Duchi, Hazan and Singer 2011).

    momentum μ: the step is added to a velocity, v ← μ v − η g / √(a + ε), w ← w + v, as in GRU4Rec's official code.
    Gradients that are row-sparse touch the accumulator and the velocity of their rows only.
    """

    initial_accumulator: float = 0.0
    eps: float = 1e-6
    eps_inside: bool = True
    momentum: float = 0.0

    def __post_init__(self) -> None:
        _check_start(self.eps, self.initial_accumulator)
        _check_share("momentum", self.momentum)

    def build(self, params: Params, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
        """Build the torch optimiser of these parameters."""
        start = self.initial_accumulator + (self.eps if self.eps_inside else 0.0)  # ε counts once, from the start on
        eps = 0.0 if self.eps_inside else self.eps
        params = list(params)
        if self.momentum or _marked(params):
            return MomentumAdagrad(params, learning_rate, weight_decay, self.momentum, start, eps)
        return torch.optim.Adagrad(
            params, learning_rate, weight_decay=weight_decay, initial_accumulator_value=start, eps=eps
        )


@dataclass(frozen=True)
class Adadelta:
    """a ← ρ a + (1 − ρ) g², u = g √(b + ε) / √(a + ε), b ← ρ b + (1 − ρ) u², w ← w − η u (Zeiler 2012; η = 1 there).

    Parameters marked ``row_sparse`` are moved by rows: training.optimisers.sparse_rows.
    """

    rho: float = 0.95
    eps: float = 1e-6

    def __post_init__(self) -> None:
        _check_share("rho", self.rho)
        _check_start(self.eps)

    def build(self, params: Params, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
        """Build the torch optimiser of these parameters."""
        params = list(params)
        made = torch.optim.Adadelta(params, learning_rate, rho=self.rho, eps=self.eps, weight_decay=weight_decay)
        return _by_rows_if_marked(made, params)


@dataclass(frozen=True)
class RMSprop:
    """a ← ρ a + (1 − ρ) g², w ← w − η g / √(a + ε), or / (√a + ε) with ``eps_inside`` false (Tieleman, Hinton 2012)."""

    rho: float = 0.9
    initial_accumulator: float = 0.0
    eps: float = 1e-6
    eps_inside: bool = True

    def __post_init__(self) -> None:
        _check_share("rho", self.rho)
        _check_start(self.eps)

    def build(self, params: Params, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
        """Build the torch optimiser of these parameters."""
        return RMSpropRule(
            params, learning_rate, weight_decay, self.rho, self.initial_accumulator, self.eps, self.eps_inside
        )


@dataclass(frozen=True)
class Adam:
    """m ← β1 m + (1 − β1) g, a ← β2 a + (1 − β2) g², w ← w − η m̂ / (√â + ε), hats corrected (Kingma and Ba 2015).

    Parameters marked ``row_sparse`` are moved by rows: training.optimisers.sparse_rows.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        _check_share("beta1", self.beta1)
        _check_share("beta2", self.beta2)
        _check_start(self.eps)

    def build(self, params: Params, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
        """Build the torch optimiser of these parameters."""
        return self._made(torch.optim.Adam, params, learning_rate, weight_decay)

    def _made(
        self, kind: type[torch.optim.Adam], params: Params, learning_rate: float, weight_decay: float
    ) -> torch.optim.Optimizer:
        """One of torch's two."""
        params, betas = list(params), (self.beta1, self.beta2)
        made = kind(params, learning_rate, betas=betas, eps=self.eps, weight_decay=weight_decay, fused=True)
        return _by_rows_if_marked(made, params)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam whose weight decay is apart from the gradient, w ← w − η λ w first (Loshchilov and Hutter 2019)."""

    def build(self, params: Params, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
        """Build the torch optimiser of these parameters."""
        return self._made(torch.optim.AdamW, params, learning_rate, weight_decay)


Optimiser = SGD | Nesterov | Adagrad | Adadelta | RMSprop | Adam | AdamW
