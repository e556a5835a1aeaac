"""FitControl: evaluations, stopping rule, limits, kept weights and gradient clipping of a fit."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from recsys_data.checks import check_choice, check_range
from training.control.clipping import ClipNorm, ClipTensor, ClipValue
from training.control.schedules import Geometric, Linear
from training.control.stopping import Patience, StopAfterN, WorstTimesX

Keep = Literal["best", "all", "pareto", "none"]


@dataclass(frozen=True)
class FitControl:
    """How a fit is evaluated and when it ends.

    evaluations: see schedules. stopping: see stopping; None is the model's own patience.
    metrics: names of validation metrics beside the primary one; a fit stops early only if the rule holds for each of
    them. Each metric defines whether higher is better.
    keep: "best", the fit ends with the weights that are best by the primary metric; "all" and "pareto", the same, and
    kept_ holds the weights of all evaluations or of those that no other one dominates; "none", the last weights stay.
    clip: see clipping. iterations, seconds: limits beside the model's epochs, or None. A fit that ends by its seconds
    is not repeatable to the bit.
    """

    evaluations: Linear | Geometric = field(default_factory=Linear)
    stopping: Patience | StopAfterN | WorstTimesX | None = None
    metrics: tuple[str, ...] = ()
    keep: Keep = "best"
    clip: ClipNorm | ClipTensor | ClipValue | None = None
    iterations: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        check_choice(self, "keep", get_args(Keep))
        check_range(self, "iterations", at_least=1, or_none=True)
        check_range(self, "seconds", above=0, or_none=True)
        if isinstance(self.metrics, str):
            raise ValueError(f"metrics must be a tuple of names such as ('Recall@20',), got {self.metrics!r}")

    @property
    def reads_clock(self) -> bool:
        """Whether the fit depends on the clock, which is then read after every step."""
        return self.seconds is not None or self.evaluations.unit == "seconds"
