"""NextItemModel: what the recurrent recommenders share: fields, fit and score around a network of their own."""

from __future__ import annotations

import math
from abc import abstractmethod
from dataclasses import dataclass, field, replace
from typing import ClassVar, Self

import numpy as np
import torch

from recsys_data.interactions import Clock
from recsys_data.scores import Factored
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from recsys_models.networks.network import Generators, NextItemNetwork
from training.batches.stateful_windows import StatefulWindows
from training.batches.windows import WindowBatch, Windows
from training.control.clipping import ClipNorm
from training.control.control import FitControl
from training.loop import train_epochs
from training.losses.loss import CrossEntropy, Loss, bound
from training.losses.penalties import Penalty
from training.optimisers.optimisers import AdamW, Optimiser
from training.run import Run


@dataclass(kw_only=True)
class NextItemModel:
    """The common fields of recommenders that predict the next item at every step.

    dim: size of the recurrent state; max_len: events in a training window (at test everything is read); dropout: on
    what is read and on what is answered; learning_rate, weight_decay, batch_size (windows a step, when full), epochs;
    patience: evaluations (one an epoch, unless control says else) without a better one before training stops; decay:
    what the learning rate is multiplied by after every epoch; max_norm: bound of the gradient's norm, or None;
    optimiser: see training.optimisers.optimisers;
    penalties: see training.losses.penalties; shuffled: sequences in another order in each epoch, or always in theirs;
    control: evaluations inside epochs, other rules of stopping, further metrics and limits, see training.control.
    An empty history is read as START, a learnt vector, on a zero state. The user is not looked at.
    """

    deterministic: ClassVar[bool] = False
    family: ClassVar[str] = "recurrent"
    signals: ClassVar[frozenset[str]] = frozenset({"order"})
    clock: ClassVar[Clock] = Clock.WITHIN
    orders_batches: ClassVar[bool] = (
        False  # True: batches come in an order of their own, so that ``shuffled`` says nothing
    )

    dim: int = 128
    max_len: int = 50
    dropout: float = 0.0
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    batch_size: int = 64
    epochs: int = 50
    patience: int = 3
    decay: float = 1.0
    max_norm: float | None = None
    optimiser: Optimiser = field(default_factory=AdamW)
    loss: Loss = field(default_factory=CrossEntropy)
    penalties: tuple[Penalty, ...] = ()
    shuffled: bool = True
    control: FitControl = field(default_factory=FitControl)

    def __post_init__(self) -> None:
        for name in ("dim", "max_len", "batch_size", "epochs", "patience"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0.0 <= self.dropout < 1.0:
            raise ValueError(f"dropout must be at least 0 and below 1, got {self.dropout}")
        if not 0.0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate must be above 0 and finite, got {self.learning_rate}")
        if not 0.0 <= self.weight_decay < math.inf:
            raise ValueError(f"weight_decay must be at least 0 and finite, got {self.weight_decay}")
        if not 0.0 < self.decay <= 1.0:
            raise ValueError(f"decay must be above 0 and at most 1, got {self.decay}")
        if not hasattr(self.optimiser, "over"):
            raise ValueError(
                f"optimiser must be a value of training.optimisers.optimisers, such as AdamW(), got {self.optimiser!r}"
            )
        if not callable(self.loss):
            raise ValueError(f"loss must be a value of training.losses.loss, such as CrossEntropy(), got {self.loss!r}")
        if not isinstance(self.control, FitControl):
            raise ValueError(f"control must be a FitControl of training.control.control, got {self.control!r}")
        if self.max_norm is not None and not self.max_norm > 0.0:
            raise ValueError(f"max_norm must be above 0 or None, got {self.max_norm}")
        if self.orders_batches and not self.shuffled:
            raise ValueError(f"shuffled must be true: {type(self).__name__} orders its batches by its own fields")
        if not all(isinstance(penalty, Penalty) for penalty in self.penalties):
            raise ValueError(f"penalties must be a tuple of values such as L2(1e-4), got {self.penalties!r}")
        if self.max_norm is not None and self.control.clip is not None:
            raise ValueError(f"max_norm must be None beside {self.control.clip!r}, got {self.max_norm}")

    @abstractmethod
    def network(self, train: TrainingSet, generators: Generators) -> NextItemNetwork:
        """A fresh network on the CPU, its weights drawn from ``generators.weights``."""

    def engine(self, device: str) -> str:
        """What runs the loop over steps on a device: the recurrent engine in plain torch, unless a model says else."""
        return "torch-unrolled"

    def resolved_engine(self, device: str) -> str:
        """The engine that a fit on ``device`` computes with, such as "torch-unrolled-cpu"; it is in a cell's key."""
        return f"{self.engine(device)}-{torch.device(device).type}"

    def fit(self, train: TrainingSet, run: Run) -> Self:
        """Learn from every event of ``train``, given the events before it; see train_epochs for what is set."""
        self._refuse(train)
        generators = Generators.of(run)
        shuffle = run.generator("windows")
        self.num_items_ = train.num_items
        self.engine_ = self.resolved_engine(run.device)
        self.network_ = network = self.network(train, generators).to(run.device)
        self.parameters_ = sum(weight.numel() for weight in network.parameters())
        optimiser = self.optimiser.build(network.parameters(), self.learning_rate, self.weight_decay)
        self.loss_ = bound(self.loss, train.item_counts, run.device)
        windows = self.batcher()

        def loss(batch: WindowBatch) -> tuple[torch.Tensor, int]:
            value, count = self.objective(network, batch, generators.negatives)
            return sum((penalty.of(network) for penalty in self.penalties), start=value), count

        train_epochs(
            self,
            run,
            network=network,
            optimiser=optimiser,
            loss=loss,
            batches=lambda epoch: windows.batches(train.at(epoch).sequences, shuffle),
            generators={"windows": shuffle, "dropout": generators.dropout, "negatives": generators.negatives},
            epochs=self.epochs,
            patience=self.patience,
            decay=self.decay,
            control=self.control if self.max_norm is None else replace(self.control, clip=ClipNorm(self.max_norm)),
        )
        return self

    def batcher(self) -> Windows | StatefulWindows:
        """How the training events are cut into batches."""
        return Windows(self.max_len, self.batch_size, shuffled=self.shuffled)

    def objective(
        self, network: NextItemNetwork, batch: WindowBatch, negatives: torch.Generator
    ) -> tuple[torch.Tensor, int]:
        """The loss of a batch and how many targets it has; ``negatives`` is what a loss draws from."""
        at = np.flatnonzero(batch.target_mask)
        targets = torch.from_numpy(batch.targets.ravel()[at]).to(network.device)
        queries = network.encode_training(batch, torch.from_numpy(at).to(network.device))
        value = self.loss_(queries, network.item_factors, network.item_bias, targets, negatives)
        return value + self.penalty(network, batch), len(at)

    def penalty(self, network: NextItemNetwork, batch: WindowBatch) -> torch.Tensor | float:
        """What is added to the loss of a batch; nothing unless a model says so."""
        return 0.0

    def score(self, batch: SequenceBatch) -> Factored:
        """Scores at every asked position from one reading of each history; float32 tensors on the fit's device."""
        self.network_.eval()
        with torch.no_grad():
            queries = self.network_.encode(batch)
            bias = None if self.network_.item_bias is None else self.network_.item_bias.detach()
            return Factored(queries, self.network_.item_factors.detach(), bias)

    def _refuse(self, train: TrainingSet) -> None:
        """Raise ValueError for training events that this model cannot learn from."""
        name = type(self).__name__
        if self.clock.has_order and not train.clock.has_order:
            raise ValueError(
                f"{name} learns from the order of events, but this data set has {train.clock.value}; "
                f"use a model without order, such as item-kNN or BPR-MF"
            )
        if self.clock.has_gaps and not train.clock.has_gaps:
            raise ValueError(
                f"{name} learns from the time between events, but the clock of this data set gives only "
                f"{train.clock.value}; use a data set with timestamps, or a model that needs order only"
            )
        items = train.sequences.items
        if len(items) and (items.min() < 0 or items.max() >= train.num_items):
            wrong = items[(items < 0) | (items >= train.num_items)][0]
            raise ValueError(f"{name}: training item {wrong} is outside 0 … {train.num_items - 1}")
