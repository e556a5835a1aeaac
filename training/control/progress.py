"""Progress of a fit: its steps, evaluations and best weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from training.control.schedules import Schedule


@dataclass
class Progress:
    """The state that decides when a fit stops and what it returns, in types that a checkpoint may hold.

    epoch: finished epochs; step: finished steps of the current one, 0 between two; epoch_steps: the steps of each
    finished epoch; epoch_start: the generators' states at the start of the current epoch; loss_sum, targets,
    epoch_seconds: of the current epoch so far; seconds: of the whole fit, evaluations included; due: the time of the
    next evaluation in the schedule's unit; evaluations: iteration, finished epochs, step and scores (the primary one
    first) of each; ended: the rule or limit that ended the fit, or None; kept: evaluations with their weights.
    """

    epoch: int = 0
    step: int = 0
    iteration: int = 0
    seconds: float = 0.0
    epoch_steps: list[int] = field(default_factory=list)
    epoch_start: dict[str, Any] = field(default_factory=dict)
    loss_sum: float = 0.0
    targets: int = 0
    epoch_seconds: float = 0.0
    due: float = 0.0
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    ended: str | None = None
    best_epoch: int = 0
    best_validation: float = -math.inf
    best_weights: dict[str, torch.Tensor] = field(default_factory=dict)
    kept: list[dict[str, Any]] = field(default_factory=list)
    curve: list[dict[str, Any]] = field(default_factory=list)

    def now(self, schedule: Schedule) -> float:
        """The time in the unit of a schedule; epochs count when they are finished."""
        return {"epochs": self.epoch, "iterations": self.iteration, "seconds": self.seconds}[schedule.unit]

    def end_epoch(self) -> None:
        """Count the current epoch as finished; an incomplete one does not set an epoch's length."""
        self.epoch_steps += [] if self.ended else [self.step]
        self.epoch += 1
        self.step, self.loss_sum, self.targets, self.epoch_seconds = 0, 0.0, 0, 0.0

    def last_score(self) -> float | None:
        """The primary score of the last evaluation, if it was in the current epoch or the one just finished."""
        if not self.evaluations:
            return None
        seen = self.evaluations[-1]
        inside = seen["epoch"] + (seen["step"] > 0)  # the epoch of the evaluation
        return seen["scores"][0] if inside == self.epoch + (self.step > 0) else None

    def evaluated(self) -> bool:
        """Whether the current weights have been evaluated."""
        return bool(self.evaluations) and self.evaluations[-1]["iteration"] == self.iteration

    def times(self) -> list[float]:
        """The time of each evaluation in epochs; 0 inside the first epoch, whose length is unknown."""
        return [
            seen["epoch"] + (seen["step"] / self._steps_of(seen["epoch"]) if seen["step"] else 0.0)
            for seen in self.evaluations
        ]

    def _steps_of(self, epoch: int) -> float:
        """The steps of the epoch after ``epoch`` others, or of the last finished one while that is running."""
        known = self.epoch_steps[: epoch + 1]
        return known[-1] if known else math.inf

    def add(
        self, scores: Sequence[float], names: Sequence[str], weights: Mapping[str, torch.Tensor], keep: str
    ) -> None:
        """Add an evaluation of the current weights, and keep a copy of them if ``keep`` asks for one."""
        seen = {"iteration": self.iteration, "epoch": self.epoch, "step": self.step, "scores": list(scores)}
        self.evaluations.append(seen)
        best = scores[0] > self.best_validation
        if best:
            self.best_epoch, self.best_validation = self.epoch + (self.step > 0), scores[0]
        copied = None
        if keep != "none" and (best or keep != "best"):
            copied = {name: value.detach().clone() for name, value in weights.items()}
        if best and copied is not None:
            self.best_weights = copied
        if keep in ("all", "pareto"):
            values = dict(zip(names, scores, strict=True))
            self.kept.append({"iteration": seen["iteration"], "epoch": self.epoch + (self.step > 0),
                              "scores": values, "weights": copied})  # fmt: skip
        if keep == "pareto":
            self.kept = [
                self.kept[place] for place in pareto_front([list(one["scores"].values()) for one in self.kept])
            ]


def pareto_front(scores: Sequence[Sequence[float]]) -> list[int]:
    """The places of the score vectors that no other dominates (as good in every score and better in one)."""
    return [
        place
        for place, own in enumerate(scores)
        if not any(
            all(o >= s for o, s in zip(other, own, strict=True)) and any(o > s for o, s in zip(other, own, strict=True))
            for other in scores
        )
    ]
