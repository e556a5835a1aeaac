"""Inan et al.'s augmented cross-entropy, and losses summed over a batch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np

from recsys_data.checks import check_choice, check_range
from recsys_data.lazy_module import LazyModule
from training.losses.loss import BoundLoss, Loss, weighted_mean

if TYPE_CHECKING:
    import torch
    from torch.nn import functional
else:
    torch, functional = LazyModule("torch"), LazyModule("torch.nn.functional")

Output = Literal["divided", "biased"]
Gradient = Literal["through", "stopped"]


@dataclass(frozen=True)
class AugmentedCrossEntropy(Loss):
    """Cross-entropy plus the divergence from a target softened by the similarity of item vectors.

    Inan, Khosravi and Socher (2017), "Tying word vectors and word classifiers", ICLR, for scores z = E h of item
    vectors E, a bias b and the target y:
        J = −log softmax(z + b)_y + γ τ KL(ỹ ‖ ŷ),  ỹ = softmax(E E_y / τ),  ŷ = softmax(z / τ).

    temperature: τ; gamma: γ (0 leaves the cross-entropy alone). output: "divided" is ŷ as above, without the bias;
    "biased" is softmax(z + b), kwonmha's ``--tying_new``. gradient: "through" lets it flow into E by ỹ too, as
    kwonmha's code does; "stopped" treats ỹ as a constant. As τ grows, both ỹ and ŷ become uniform and their KL falls as
    1/τ², so the second term vanishes.
    """

    temperature: float = 10.0
    gamma: float = 0.5
    output: Output = "divided"
    gradient: Gradient = "through"

    def __post_init__(self) -> None:
        check_range(self, "temperature", above=0)
        check_range(self, "gamma", at_least=0)
        check_choice(self, "output", get_args(Output))
        check_choice(self, "gradient", get_args(Gradient))

    def __call__(
        self,
        queries: torch.Tensor,
        item_factors: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        generator: torch.Generator | None = None,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The mean loss; draws nothing and holds all N × V scores in memory."""
        if self.gradient == "stopped":
            similarity = (item_factors[targets] @ item_factors.T).detach()
            scores = queries @ item_factors.T
        else:  # one product over E for both, which is most of the time
            both = torch.cat([queries, functional.embedding(targets, item_factors)]) @ item_factors.T
            scores, similarity = both.split(len(targets))  # (N, V) each
        logs = functional.log_softmax(scores if bias is None else scores + bias, dim=1)
        cross_entropy = functional.nll_loss(logs, targets, reduction="none")
        soft = functional.log_softmax(similarity / self.temperature, dim=1)
        predicted = logs if self.output == "biased" else functional.log_softmax(scores / self.temperature, dim=1)
        divergence = functional.kl_div(predicted, soft, reduction="none", log_target=True).sum(dim=1)
        return weighted_mean(cross_entropy + self.gamma * self.temperature * divergence, weights)


@dataclass(frozen=True)
class Summed(Loss):
    """``loss`` with the gradient of the sum over a batch's targets and the value of the mean, so that logs compare.

    kwonmha sums costs over the batch, Devooght and Bersini average them: with batches of one size this multiplies
    every gradient by that size, which AdaGrad with an accumulator that starts above 0, or momentum, does not undo.
    """

    loss: Loss = field(default_factory=AugmentedCrossEntropy)

    def with_counts(self, item_counts: np.ndarray, device: torch.device | str) -> BoundLoss:
        """The sum over the inner loss with the training counts (V,)."""
        return Summed(self.loss.with_counts(item_counts, device))

    def __call__(
        self,
        queries: torch.Tensor,
        item_factors: torch.Tensor,
        bias: torch.Tensor | None,
        targets: torch.Tensor,
        generator: torch.Generator,
        weights: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The mean loss with the gradient of the sum."""
        value = self.loss(queries, item_factors, bias, targets, generator, weights)
        return value + (len(targets) - 1) * (value - value.detach())
