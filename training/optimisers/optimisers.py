"""Optimisers: frozen values that build a torch optimiser of a network's parameters.

Below g is a weight's gradient, η the learning rate, a an accumulator that starts at ``initial_accumulator``, or 0.
Weight decay λ is an L2 term, g ← g + λ w, in all but AdamW, which subtracts η λ w from the weight itself. The papers'
libraries differ in the place of ε and the initial accumulators; these are fields:

- Lasagne (Time-LSTM, Devooght and Bersini): Adagrad(), RMSprop(), Adadelta(), Nesterov() with the defaults here;
- TensorFlow 1 (kwonmha): Adagrad(initial_accumulator=0.1, eps=0.0), RMSprop(initial_accumulator=1.0, eps=1e-10);
- torch: Adagrad(eps=1e-10, eps_inside=False), RMSprop(rho=0.99, eps=1e-8, eps_inside=False).

Departure: Lasagne's and TensorFlow's Adam add ε before the correction of the second moment, torch's (used here) after
it, so early steps differ by a change of ε.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from recsys_data.checks import check_range
from recsys_data.lazy_module import LazyModule

if TYPE_CHECKING:
    import torch
    from torch import nn

    from training.optimisers import rules, sparse_rows
else:
    torch, rules = LazyModule("torch"), LazyModule("training.optimisers.rules")
    sparse_rows = LazyModule("training.optimisers.sparse_rows")

Params = Iterable["nn.Parameter"]


def _check_accumulator(owner: Any) -> None:
    """Refuse a negative number under the root, and 0 / 0 before the first gradient."""
    check_range(owner, "eps", at_least=0)
    start = getattr(owner, "initial_accumulator", 0.0)
    if hasattr(owner, "initial_accumulator"):
        check_range(owner, "initial_accumulator", at_least=0)
    if owner.eps + start == 0.0:
        raise ValueError("eps must be above 0 where accumulators start at 0, got 0.0")


def _any_row_sparse(weights: list[nn.Parameter]) -> bool:
    """Whether some of the weights have row-sparse gradients."""
    return any(getattr(weight, "row_sparse", False) for weight in weights)


def _with_sparse_rows(optimiser: torch.optim.Optimizer, params: list[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimiser, restricted to single rows if a parameter has row-sparse gradients."""
    return sparse_rows.update_rows_only(optimiser) if _any_row_sparse(params) else optimiser


@dataclass(frozen=True)
class SGD:
    """v ← μ v + g, w ← w − η v: gradient descent with momentum μ (0: plain)."""

    momentum: float = 0.0

    def __post_init__(self) -> None:
        check_range(self, "momentum", at_least=0, below=1)

    def build(self, params: Params, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
        """Build the torch optimiser of these parameters."""
        return torch.optim.SGD(params, learning_rate, momentum=self.momentum, weight_decay=weight_decay)


@dataclass(frozen=True)
class Nesterov:
    """v ← μ v + g, w ← w − η (g + μ v): Nesterov's momentum in the form of Sutskever et al. (2013), looked ahead."""

    momentum: float = 0.9

    def __post_init__(self) -> None:
        check_range(self, "momentum", above=0, below=1)

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
        _check_accumulator(self)
        check_range(self, "momentum", at_least=0, below=1)

    def build(self, params: Params, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
        """Build the torch optimiser of these parameters."""
        start = self.initial_accumulator + (self.eps if self.eps_inside else 0.0)  # ε is added once, at the start
        eps = 0.0 if self.eps_inside else self.eps
        params = list(params)
        if self.momentum or _any_row_sparse(params):
            return rules.MomentumAdagrad(params, learning_rate, weight_decay, self.momentum, start, eps)
        return torch.optim.Adagrad(
            params, learning_rate, weight_decay=weight_decay, initial_accumulator_value=start, eps=eps
        )


@dataclass(frozen=True)
class Adadelta:
    """a ← ρ a + (1 − ρ) g², u = g √(b + ε) / √(a + ε), b ← ρ b + (1 − ρ) u², w ← w − η u (Zeiler 2012; η = 1 there).

    Parameters marked ``row_sparse`` move by rows: training.optimisers.sparse_rows.
    """

    rho: float = 0.95
    eps: float = 1e-6

    def __post_init__(self) -> None:
        check_range(self, "rho", at_least=0, below=1)
        _check_accumulator(self)

    def build(self, params: Params, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
        """Build the torch optimiser of these parameters."""
        params = list(params)
        optimiser = torch.optim.Adadelta(params, learning_rate, rho=self.rho, eps=self.eps, weight_decay=weight_decay)
        return _with_sparse_rows(optimiser, params)


@dataclass(frozen=True)
class RMSprop:
    """a ← ρ a + (1 − ρ) g², w ← w − η g / √(a + ε), or / (√a + ε) with ``eps_inside`` false (Tieleman, Hinton 2012)."""

    rho: float = 0.9
    initial_accumulator: float = 0.0
    eps: float = 1e-6
    eps_inside: bool = True

    def __post_init__(self) -> None:
        check_range(self, "rho", at_least=0, below=1)
        _check_accumulator(self)

    def build(self, params: Params, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
        """Build the torch optimiser of these parameters."""
        return rules.RMSpropRule(
            params, learning_rate, weight_decay, self.rho, self.initial_accumulator, self.eps, self.eps_inside
        )


@dataclass(frozen=True)
class Adam:
    """m ← β1 m + (1 − β1) g, a ← β2 a + (1 − β2) g², w ← w − η m̂ / (√â + ε), hats corrected (Kingma and Ba 2015).

    Parameters marked ``row_sparse`` move by rows: training.optimisers.sparse_rows.
    """

    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        check_range(self, "beta1", at_least=0, below=1)
        check_range(self, "beta2", at_least=0, below=1)
        _check_accumulator(self)

    def build(self, params: Params, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
        """Build the torch optimiser of these parameters."""
        return self._build(torch.optim.Adam, params, learning_rate, weight_decay)

    def _build(
        self, kind: type[torch.optim.Adam], params: Params, learning_rate: float, weight_decay: float
    ) -> torch.optim.Optimizer:
        """Build torch's Adam or AdamW."""
        params, betas = list(params), (self.beta1, self.beta2)
        optimiser = kind(params, learning_rate, betas=betas, eps=self.eps, weight_decay=weight_decay, fused=True)
        return _with_sparse_rows(optimiser, params)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam with decoupled weight decay, w ← w − η λ w first (Loshchilov and Hutter 2019)."""

    def build(self, params: Params, learning_rate: float, weight_decay: float) -> torch.optim.Optimizer:
        """Build the torch optimiser of these parameters."""
        return self._build(torch.optim.AdamW, params, learning_rate, weight_decay)


Optimiser = SGD | Nesterov | Adagrad | Adadelta | RMSprop | Adam | AdamW
