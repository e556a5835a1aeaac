"""Losses of the tied RNN-CCE: Inan et al.'s augmented cross-entropy, and costs that are summed over a batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

import numpy as np
import torch
from torch.nn import functional

from training.losses.loss import Loss, bound, mean_of

Output = Literal["divided", "biased"]
Gradient = Literal["through", "stopped"]


@dataclass(frozen=True)
class AugmentedCrossEntropy:
    """Cross-entropy, and how far the prediction is from a target softened by the likeness of item vectors.

    Inan, Khosravi and Socher (2017), "Tying word vectors and word classifiers", ICLR, for scores z = E h of item
    vectors E, a bias b and the target y:
        J = −log softmax(z + b)_y + γ τ KL(ỹ ‖ ŷ),  ỹ = softmax(E E_y / τ),  ŷ = softmax(z / τ).

    temperature: τ; gamma: γ (0 leaves the cross-entropy alone). output: "divided" is ŷ as above, without the bias;
    "biased" is softmax(z + b), kwonmha's ``--tying_new``. gradient: "through" lets it flow into E by ỹ too, as
    kwonmha's code does; "stopped" takes ỹ as given. As τ grows both ỹ and ŷ become uniform and their KL falls as 1/τ²,
    so that the second term vanishes.
    """

    temperature: float = 10.0
    gamma: float = 0.5
    output: Output = "divided"
    gradient: Gradient = "through"

    def __post_init__(self) -> None:
        if not self.temperature > 0.0:
            raise ValueError(f"temperature must be above 0, got {self.temperature}")
        if self.gamma < 0.0:
            raise ValueError(f"gamma must be at least 0, got {self.gamma}")
        for name, options in (("output", get_args(Output)), ("gradient", get_args(Gradient))):
            if getattr(self, name) not in options:
                raise ValueError(f"{name} must be one of {', '.join(options)}, got {getattr(self, name)!r}")

    def __call__(
        self,
        queries: torch.Tensor,
        item_factors: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        generator: torch.Generator | None = None,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """See training.losses.loss.Loss; nothing is drawn, and all N × V scores are held at once."""
        if self.gradient == "stopped":
            likeness = (item_factors[targets] @ item_factors.T).detach()
            scores = queries @ item_factors.T
        else:  # both in one product over E, the larger part of the time
            both = torch.cat([queries, functional.embedding(targets, item_factors)]) @ item_factors.T
            scores, likeness = both.split(len(targets))  # (N, V) each
        logs = functional.log_softmax(scores if bias is None else scores + bias, dim=1)
        plain = functional.nll_loss(logs, targets, reduction="none")
        soft = functional.log_softmax(likeness / self.temperature, dim=1)
        predicted = logs if self.output == "biased" else functional.log_softmax(scores / self.temperature, dim=1)
        divergence = functional.kl_div(predicted, soft, reduction="none", log_target=True).sum(dim=1)
        return mean_of(plain + self.gamma * self.temperature * divergence, weights)


@dataclass(frozen=True)
class Summed:
    """``loss`` whose gradient is that of the sum over a batch's targets; its value stays the mean, so logs compare.

    kwonmha sums costs over the batch, Devooght and Bersini average them: with batches of one size this multiplies
    every gradient by that size, which AdaGrad with an accumulator that starts above 0, or momentum, does not undo.
    """

    loss: Loss = field(default_factory=AugmentedCrossEntropy)

    def over(self, item_counts: np.ndarray, device: torch.device | str) -> Summed:
        """The loss whose inner one knows the items' training counts (V,), where that needs them."""
        return Summed(bound(self.loss, item_counts, device))

    def __call__(
        self,
        queries: torch.Tensor,
        item_factors: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        generator: torch.Generator,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """See training.losses.loss.Loss."""
        value = self.loss(queries, item_factors, bias, targets, generator, weights)
        return value + (len(targets) - 1) * (value - value.detach())
