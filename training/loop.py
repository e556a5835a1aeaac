"""The one training loop: epochs, evaluations, stopping, progress, throughput, checkpoints."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import torch
from torch import nn

from training.checkpoint import Generator, generator_state, read_checkpoint, restore_generator, write_checkpoint
from training.control.control import Control
from training.control.guard import LossGuard
from training.control.progress import Progress
from training.control.stopping import Patience
from training.run import Run


def train_epochs(
    model: Any,
    run: Run,
    *,
    network: nn.Module,
    optimiser: torch.optim.Optimizer,
    batches: Callable[[int], Iterable[Any]],
    loss: Callable[[Any], tuple[torch.Tensor, int]],
    generators: Mapping[str, Generator],
    epochs: int,
    patience: int = 3,
    decay: float = 1.0,
    control: Control | None = None,
) -> None:
    """Train ``network`` for at most ``epochs`` epochs, leaving it with the weights that ``control`` wants kept.

    batches(epoch) gives the batches of an epoch (from 1); loss(batch) gives the mean loss of a batch and the number
    of targets in it. ``run.validate(model)`` judges the weights, after every epoch unless ``control`` says when else;
    after ``patience`` evaluations in a row without a new best, or as ``control.stopping`` says, the training stops.
    Where ``run.validate`` is None all epochs are run and the last weights stay. Every epoch multiplies the learning
    rate by ``decay``.

    Killed at any moment and run again, a fit ends with the same bits, since all state is in the checkpoint, written
    after every epoch and every evaluation: weights, optimiser, progress, the ``generators`` (every one that batches,
    loss or network draw from; what batches draw from, nothing else may), and the network's attribute ``carry``, a
    tensor or a list of them, if it hands state from batch to batch. A fit taken up inside an epoch reads that epoch's
    batches anew up to where it was.

    Sets on ``model``: curve_, epochs_, iterations_, best_epoch_ (whose weights the model has), stopped_ ("patience" or
    another rule's name, "epoch limit", "iteration limit", "time limit"), resumed_from_ (epochs done), evaluations_
    (a record each), kept_ (see Control) and repeatable_ (whether no clock decided). Raises Diverged, naming epoch,
    step and parameter, when a loss is not finite.
    """
    control = Control() if control is None else control
    fit = _Fit(model, run, network, optimiser, batches, loss, generators, epochs, patience, decay, control)
    fit.resume()
    while fit.over() is None or fit.progress.step:
        fit.train_epoch()
    fit.finish()


@dataclass
class _Fit:
    """One call of train_epochs under way."""

    model: Any
    run: Run
    network: nn.Module
    optimiser: torch.optim.Optimizer
    batches: Callable[[int], Iterable[Any]]
    loss: Callable[[Any], tuple[torch.Tensor, int]]
    generators: Mapping[str, Generator]
    epochs: int
    patience: int
    decay: float
    control: Control
    progress: Progress = field(default_factory=Progress)

    def __post_init__(self) -> None:
        self.mark = time.perf_counter()
        self.identity = f"{self.model!r}, seed {self.run.seed}"
        self.stopping = self.control.stopping or Patience(self.patience)
        self.guard = LossGuard(self.network, self.optimiser)
        self.names = ("validation", *self.control.metrics)
        self.progress.due = self.control.evaluations.begin()
        if self.control.metrics and self.run.validate is not None and self.run.measure is None:
            raise ValueError(f"metrics {', '.join(self.control.metrics)}: this run measures its primary metric only")

    def resume(self) -> None:
        """Take up what a killed fit left, if it left anything."""
        self.model.resumed_from_ = None
        state = None if self.run.checkpoint is None else read_checkpoint(self.run.checkpoint, self.identity)
        if state is None:
            return
        self.network.load_state_dict(state["weights"])
        self.optimiser.load_state_dict(state["optimiser"])
        self._restore_generators(state["generators"])
        if state["carry"] is not None:
            self.network.carry = _moved(state["carry"], next(self.network.parameters()).device)
        self.progress = Progress(**state["progress"])
        self.model.resumed_from_ = self.progress.epoch
        self.run.log({"event": "resumed", "epoch": self.progress.epoch})

    def over(self) -> str | None:
        """What ends the fit here, or None."""
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

    def train_epoch(self) -> None:
        """Train to the end of the epoch, or of the fit inside it; enter the epoch's record."""
        self._tick(training=False)
        if self.over() is None:  # else the fit was killed after its last evaluation, before this epoch's record
            self._train(self._batches_left())
        progress = self.progress
        progress.loss_sum += self.guard.flush(progress.epoch + 1, progress.step)
        self._tick(training=True)
        record = {
            "event": "epoch",
            "epoch": progress.epoch + 1,
            "epochs": self.epochs,
            "learning_rate": self.optimiser.param_groups[0]["lr"],
            "loss": progress.loss_sum / max(progress.targets, 1),
            "seconds": progress.epoch_seconds,
            "targets_per_second": progress.targets / max(progress.epoch_seconds, 1e-9),
        }
        self._evaluate_if(progress.ended is not None)
        progress.end_epoch()
        self._evaluate_if(self._due() or self.over() is not None)
        progress.ended = self.over()
        progress.curve.append(record | {"validation": progress.last_score()})
        for group in self.optimiser.param_groups:
            group["lr"] *= self.decay
        self._checkpoint()
        self.run.log(progress.curve[-1])

    def finish(self) -> None:
        """Leave the network with the weights that are wanted, and the model with what became of it."""
        progress, model = self.progress, self.model
        if progress.best_weights:
            self.network.load_state_dict(progress.best_weights)
        self.network.eval()
        model.curve_, model.kept_ = progress.curve, progress.kept
        model.epochs_, model.iterations_ = progress.epoch, progress.iteration
        model.best_epoch_ = progress.best_epoch if progress.best_weights else progress.epoch
        model.stopped_ = self.over()
        model.evaluations_ = [
            {"iteration": seen["iteration"], "epoch": when, **dict(zip(self.names, seen["scores"], strict=True))}
            for seen, when in zip(progress.evaluations, progress.times(), strict=True)
        ]
        clocked = self.run.validate is not None and self.control.evaluations.unit == "seconds"
        model.repeatable_ = model.stopped_ != "time limit" and not clocked

    def _train(self, batches: Iterable[Any]) -> None:
        """Steps over the batches, and evaluations between them, until they or the fit are over."""
        progress, control = self.progress, self.control
        weights = list(self.network.parameters())
        evaluated = self.run.validate is not None and control.evaluations.unit != "epochs"
        watched = evaluated or control.iterations is not None or control.seconds is not None
        self.network.train()
        for batch in batches:
            self.optimiser.zero_grad(set_to_none=True)
            value, count = self.loss(batch)
            value.backward()
            progress.step += 1
            progress.loss_sum += self.guard.add(value, count, progress.epoch + 1, progress.step)
            progress.targets += count
            if control.clip is not None:
                control.clip.apply(weights)
            self.optimiser.step()
            progress.iteration += 1
            if control.by_the_clock:
                self._tick(training=True)
            if evaluated and self._due():
                self._evaluate_inside()
            if watched and self.over():
                progress.ended = self.over()
                return

    def _batches_left(self) -> Iterator[Any]:
        """The batches of the epoch under way that have not been learnt from."""
        progress = self.progress
        if progress.step == 0:
            progress.epoch_start = self._generator_states()
            return iter(self.batches(progress.epoch + 1))
        now = self._generator_states()
        self._restore_generators(progress.epoch_start)
        left = iter(self.batches(progress.epoch + 1))
        for _ in islice(left, progress.step):
            pass
        self._restore_generators(now)
        return left

    def _due(self) -> bool:
        """Whether the schedule wants an evaluation here."""
        return self.progress.now(self.control.evaluations) >= self.progress.due

    def _evaluate_if(self, wanted: bool) -> None:
        """Judge the weights as they are, if that is wanted, possible and not done."""
        if wanted and self.run.validate is not None and not self.progress.evaluated():
            self._evaluate()

    def _evaluate(self) -> None:
        """Judge the weights as they are; see whether the stopping rule is satisfied, and when to look again."""
        progress, schedule, further = self.progress, self.control.evaluations, self.control.metrics
        scores = self.run.measure(self.model, further) if further else [self.run.validate(self.model)]
        progress.add([float(score) for score in scores], self.names, self.network.state_dict(), self.control.keep)
        self._tick(training=False)
        by_metric = zip(*(seen["scores"] for seen in progress.evaluations), strict=True)
        if all(self.stopping.stops(progress.times(), scores) for scores in by_metric):
            progress.ended = self.stopping.name
        while progress.due <= progress.now(schedule):
            progress.due = schedule.after(progress.due)

    def _evaluate_inside(self) -> None:
        """An evaluation between two steps of an epoch, with a checkpoint."""
        progress = self.progress
        progress.loss_sum += self.guard.flush(progress.epoch + 1, progress.step)
        self._tick(training=True)
        self._evaluate()
        self._checkpoint()
        self.run.log({
            "event": "evaluation", "epoch": progress.epoch + 1, "iteration": progress.iteration,
            "validation": progress.last_score(),
        })  # fmt: skip
        self._tick(training=False)
        self.network.train()

    def _tick(self, training: bool) -> None:
        """Enter the time since the last tick."""
        now = time.perf_counter()
        self.progress.seconds += now - self.mark
        self.progress.epoch_seconds += now - self.mark if training else 0.0
        self.mark = now

    def _checkpoint(self) -> None:
        """Write all state, where there is a place for it."""
        if self.run.checkpoint is None:
            return
        state = {
            "identity": self.identity,
            "progress": vars(self.progress),
            "weights": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generators": self._generator_states(),
            "carry": getattr(self.network, "carry", None) if self.progress.step else None,
        }
        write_checkpoint(self.run.checkpoint, state)

    def _generator_states(self) -> dict[str, Any]:
        """The state of every generator, by name."""
        return {name: generator_state(generator) for name, generator in self.generators.items()}

    def _restore_generators(self, states: Mapping[str, Any]) -> None:
        """Set every generator to its state."""
        for name, generator in self.generators.items():
            restore_generator(generator, states[name])


def _moved(carry: Any, device: torch.device) -> Any:
    """What a network carries, put on its device."""
    return [part.to(device) for part in carry] if isinstance(carry, list) else carry.to(device)
