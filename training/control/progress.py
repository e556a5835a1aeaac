"""Progress: how far a fit has come, and what its evaluations have said."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from training.control.schedules import Schedule


@dataclass
class Progress:
    """All that decides when a fit stops and what it returns, in types that a checkpoint may hold.

    epoch: how many are done; step: how many steps of the next one, 0 between two; epoch_steps: the steps of each epoch
    done; epoch_start: the generators' states where the epoch under way began; loss_sum, targets, epoch_seconds: of that
    epoch so far; seconds: of the whole fit, evaluations included; due: when the next evaluation is, in the schedule's
    unit; evaluations: iteration, epochs done, step and scores (the primary one first) of each; ended: what has
    ended the fit, or None; kept: evaluations with their weights.
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
        """The time in the unit of a schedule; inside an epoch, its epochs have not moved."""
        return {"epochs": self.epoch, "iterations": self.iteration, "seconds": self.seconds}[schedule.unit]

    def end_epoch(self) -> None:
        """Count the epoch under way as done; one that was cut short says nothing of an epoch's length."""
        self.epoch_steps += [] if self.ended else [self.step]
        self.epoch += 1
        self.step, self.loss_sum, self.targets, self.epoch_seconds = 0, 0.0, 0, 0.0

    def last_score(self) -> float | None:
        """The primary score of the last evaluation, if it was in the epoch under way or the one just ended."""
        if not self.evaluations:
            return None
        seen = self.evaluations[-1]
        inside = seen["epoch"] + (seen["step"] > 0)  # the number of the epoch that it was in
        return seen["scores"][0] if inside == self.epoch + (self.step > 0) else None

    def evaluated(self) -> bool:
        """Whether the weights as they are have been evaluated."""
        return bool(self.evaluations) and self.evaluations[-1]["iteration"] == self.iteration

    def times(self) -> list[float]:
        """When each evaluation was, in epochs; inside the first epoch, whose length is not known yet, 0."""
        return [
            seen["epoch"] + (seen["step"] / self._steps_of(seen["epoch"]) if seen["step"] else 0.0)
            for seen in self.evaluations
        ]

    def _steps_of(self, epoch: int) -> float:
        """The steps of the epoch after ``epoch`` of them, or of the last one done while that is under way."""
        known = self.epoch_steps[: epoch + 1]
        return known[-1] if known else math.inf

    def add(
        self, scores: Sequence[float], names: Sequence[str], weights: Mapping[str, torch.Tensor], keep: str
    ) -> None:
        """Enter an evaluation of the weights as they are, and keep a copy of them where ``keep`` wants one."""
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
            self.kept = [self.kept[place] for place in front([list(one["scores"].values()) for one in self.kept])]


def front(scores: Sequence[Sequence[float]]) -> list[int]:
    """The places of the score vectors that none beats: as good in every score and better in one. Higher is better."""
    return [
        place
        for place, own in enumerate(scores)
        if not any(
            all(o >= s for o, s in zip(other, own, strict=True)) and any(o > s for o, s in zip(other, own, strict=True))
            for other in scores
        )
    ]
