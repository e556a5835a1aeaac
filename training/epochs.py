"""EpochLoop: epochs, evaluations, early stopping, the best weights, progress and checkpoints, for any learner."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch

from training.checkpoint import CheckpointDamaged, read_checkpoint, remove_checkpoint, write_checkpoint
from training.control.fit_control import FitControl
from training.control.progress import Progress
from training.control.stopping import Stopping
from training.run import Run


class Learner(Protocol):
    """The weights that an EpochLoop trains, and the steps that change them."""

    @property
    def learning_rate(self) -> float:
        """The rate of the current epoch, for its record."""

    def weights(self) -> Mapping[str, torch.Tensor]:
        """All weights by name; the tensors may share the learner's memory."""

    def load_weights(self, weights: Mapping[str, torch.Tensor]) -> None:
        """Set all weights."""

    def state(self, inside_epoch: bool) -> dict[str, Any]:
        """All other state that a checkpoint must hold, such as the optimiser's and the generators'."""

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Set what ``state`` returned."""

    def steps(self, progress: Progress) -> Iterator[None]:
        """Train through the rest of the epoch and count in ``progress``; yield wherever an evaluation is allowed."""

    def check_losses(self, progress: Progress) -> None:
        """Add losses that are not summed yet to ``progress``; raise Diverged if one is not finite."""

    def end_epoch(self) -> None:
        """Prepare the next epoch, for example by a lower learning rate."""


@dataclass
class EpochLoop:
    """One fit of ``model``: train ``learner`` until a rule or a limit stops it, then set the best weights.

    stopping: the rule for early stopping; None runs all epochs without an evaluation and keeps the last weights.
    Evaluations, limits and what is kept are ``control``'s.
    """

    model: Any
    run: Run
    learner: Learner
    epochs: int
    stopping: Stopping | None
    control: FitControl = field(default_factory=FitControl)
    progress: Progress = field(default_factory=Progress)

    def __post_init__(self) -> None:
        self.mark = time.perf_counter()
        self.identity = f"{self.model!r}, seed {self.run.seed}"
        self.validates = self.stopping is not None and self.run.validate is not None
        self.names = ("validation", *self.control.metrics)
        self.progress.due = self.control.evaluations.begin()
        if self.control.metrics and self.validates and self.run.measure is None:
            raise ValueError(f"metrics {', '.join(self.control.metrics)}: this run measures its primary metric only")

    def fit(self) -> None:
        """Resume from the checkpoint if there is one, train to the end and set the model's fitted attributes."""
        self._resume()
        while self._stop_reason() is None or self.progress.step:
            self._train_epoch()
        self._finish()

    def _resume(self) -> None:
        """Load the checkpoint of an interrupted fit, if there is one; without it, or if it is damaged, begin anew."""
        self.model.resumed_from_ = None
        if self.run.checkpoint is None:
            return
        try:
            state = read_checkpoint(self.run.checkpoint, self.identity)
        except CheckpointDamaged as damage:
            remove_checkpoint(self.run.checkpoint)
            self.run.log({"event": "begun anew", "reason": str(damage)})
            return
        if state is None:
            return
        self.learner.load_weights(state["weights"])
        self.learner.load_state(state)
        self.progress = Progress(**state["progress"])
        self.model.resumed_from_ = self.progress.epoch
        self.run.log({"event": "resumed", "epoch": self.progress.epoch})

    def _stop_reason(self) -> str | None:
        """The rule or limit that ends the fit here, or None."""
        progress, control = self.progress, self.control
        if progress.ended is not None:
            return progress.ended
        if progress.epoch >= self.epochs:
            return "epoch limit"
        if control.iterations is not None and progress.iteration >= control.iterations:
            return "iteration limit"
        if control.seconds is not None and progress.seconds >= control.seconds:
            return "time limit"
        return None

    def _train_epoch(self) -> None:
        """Train to the end of the epoch, or of the fit inside it; append the epoch's record to the curve."""
        self._tick(training=False)
        if self._stop_reason() is None:  # else the fit was killed after its last evaluation, before this record
            self._train()
        progress = self.progress
        self.learner.check_losses(progress)
        self._tick(training=True)
        record = {
            "event": "epoch",
            "epoch": progress.epoch + 1,
            "epochs": self.epochs,
            "learning_rate": self.learner.learning_rate,
            "loss": progress.loss_sum / max(progress.targets, 1),
            "seconds": progress.epoch_seconds,
            "targets_per_second": progress.targets / max(progress.epoch_seconds, 1e-9),
        }
        self._evaluate_if(progress.ended is not None)
        progress.end_epoch()
        self._evaluate_if(self._due() or self._stop_reason() is not None)
        progress.ended = self._stop_reason()
        progress.curve.append(record | {"validation": progress.last_score()})
        self.learner.end_epoch()
        self._checkpoint()
        self.run.log(progress.curve[-1])

    def _train(self) -> None:
        """Take the epoch's steps, with evaluations between them, until they or the fit end."""
        progress, control = self.progress, self.control
        evaluated = self.validates and control.evaluations.unit != "epochs"
        limited = evaluated or control.iterations is not None or control.seconds is not None
        for _ in self.learner.steps(progress):
            if control.reads_clock:
                self._tick(training=True)
            if evaluated and self._due():
                self._evaluate_inside()
            if limited and self._stop_reason():
                progress.ended = self._stop_reason()
                return

    def _due(self) -> bool:
        """Whether the schedule asks for an evaluation here."""
        return self.progress.now(self.control.evaluations) >= self.progress.due

    def _evaluate_if(self, wanted: bool) -> None:
        """Evaluate the current weights if wanted, possible and not done yet."""
        if wanted and self.validates and not self.progress.evaluated():
            self._evaluate()

    def _evaluate(self) -> None:
        """Evaluate the current weights, apply the stopping rule and schedule the next evaluation."""
        progress, schedule, further = self.progress, self.control.evaluations, self.control.metrics
        scores = self.run.measure(self.model, further) if further else [self.run.validate(self.model)]
        progress.add([float(score) for score in scores], self.names, self.learner.weights(), self.control.keep)
        self._tick(training=False)
        by_metric = zip(*(seen["scores"] for seen in progress.evaluations), strict=True)
        if all(self.stopping.stops(progress.times(), scores) for scores in by_metric):
            progress.ended = self.stopping.name
        while progress.due <= progress.now(schedule):
            progress.due = schedule.after(progress.due)

    def _evaluate_inside(self) -> None:
        """Evaluate between two steps of an epoch and write a checkpoint."""
        progress = self.progress
        self.learner.check_losses(progress)
        self._tick(training=True)
        self._evaluate()
        self._checkpoint()
        self.run.log({
            "event": "evaluation", "epoch": progress.epoch + 1, "iteration": progress.iteration,
            "validation": progress.last_score(),
        })  # fmt: skip
        self._tick(training=False)

    def _finish(self) -> None:
        """Set the weights to keep and the model's fitted attributes."""
        progress, model = self.progress, self.model
        if progress.best_weights:
            self.learner.load_weights(progress.best_weights)
        model.curve_, model.kept_ = progress.curve, progress.kept
        model.epochs_, model.iterations_ = progress.epoch, progress.iteration
        model.best_epoch_ = progress.best_epoch if progress.best_weights else progress.epoch
        model.stopped_ = self._stop_reason()
        model.evaluations_ = [
            {"iteration": seen["iteration"], "epoch": when, **dict(zip(self.names, seen["scores"], strict=True))}
            for seen, when in zip(progress.evaluations, progress.times(), strict=True)
        ]
        clocked = self.validates and self.control.evaluations.unit == "seconds"
        model.repeatable_ = model.stopped_ != "time limit" and not clocked

    def _tick(self, training: bool) -> None:
        """Add the time since the last tick to the fit's seconds and, if ``training``, to the epoch's."""
        now = time.perf_counter()
        self.progress.seconds += now - self.mark
        self.progress.epoch_seconds += now - self.mark if training else 0.0
        self.mark = now

    def _checkpoint(self) -> None:
        """Write all state, if the run has a checkpoint folder."""
        if self.run.checkpoint is None:
            return
        rest = self.learner.state(inside_epoch=self.progress.step > 0)
        state = {"identity": self.identity, "progress": vars(self.progress), "weights": self.learner.weights(), **rest}
        write_checkpoint(self.run.checkpoint, state)
