"""FitControl: when a fit is evaluated, when it stops, what it keeps, how its gradients are bounded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, get_args

from training.control.clipping import ClipNorm, ClipTensor, ClipValue
from training.control.schedules import Geometric, Linear
from training.control.stopping import Patience, StopAfterN, WorstTimesX

Keep = Literal["best", "all", "pareto", "none"]


@dataclass(frozen=True)
class FitControl:
    """How a fit is watched.

    evaluations: see schedules. stopping: see stopping; None is the model's own patience.
    metrics: names of metrics on the validation part that are judged beside the primary one; a fit stops early only
    where ``stopping`` says so for each of them. What is better is the metric's affair.
    keep: "best", the fit ends with the weights that were best by the primary metric; "all" and "pareto", so too, and
    kept_ holds the weights of all evaluations or of those that no other one beats; "none", the last weights stay.
    clip: see clipping. iterations, seconds: limits beside the model's epochs, or None. A fit that its seconds have
    stopped is not repeatable to the bit.
    """

    evaluations: Linear | Geometric = field(default_factory=Linear)
    stopping: Patience | StopAfterN | WorstTimesX | None = None
    metrics: tuple[str, ...] = ()
    keep: Keep = "best"
    clip: ClipNorm | ClipTensor | ClipValue | None = None
    iterations: int | None = None
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.keep not in get_args(Keep):
            raise ValueError(f"keep must be one of {', '.join(get_args(Keep))}, got {self.keep!r}")
        if self.iterations is not None and self.iterations < 1:
            raise ValueError(f"iterations must be at least 1 or None, got {self.iterations}")
        if self.seconds is not None and not self.seconds > 0.0:
            raise ValueError(f"seconds must be above 0 or None, got {self.seconds}")
        if isinstance(self.metrics, str):
            raise ValueError(f"metrics must be a tuple of names such as ('Recall@20',), got {self.metrics!r}")

    @property
    def by_the_clock(self) -> bool:
        """Whether seconds decide anything, so that they must be read after every step."""
        return self.seconds is not None or self.evaluations.unit == "seconds"
