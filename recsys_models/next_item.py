"""NextItemModel: the fields, fit and score that the neural recommenders share; each brings its own network."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from recsys_data.checks import check_range
from recsys_data.interactions import Clock
from recsys_data.lazy_module import LazyModule
from recsys_data.scores import Factored
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from training.batches.stateful_windows import StatefulWindows
from training.batches.windows import WindowBatch, Windows
from training.control.clipping import ClipNorm
from training.control.fit_control import FitControl
from training.losses.loss import CrossEntropy, Loss
from training.optimisers.optimisers import AdamW, Optimiser
from training.run import COMPILED, Run

if TYPE_CHECKING:
    import torch

    from recsys_models.engine.compiled import engine as compiled_engine
    from recsys_models.networks.network import Generators, NextItemNetwork
else:
    torch = LazyModule("torch")
    compiled_engine = LazyModule("recsys_models.engine.compiled.engine")

ACTIVATIONS = ("tanh", "sigmoid", "relu", "elu")  # the names in recsys_models.engine.activations


@dataclass(kw_only=True)
class NextItemModel:
    """The common fields of recommenders that predict the next item at every step.

    dim: size of the recurrent state; max_len: events in a training window (a query reads its whole history); dropout:
    on inputs and on queries; learning_rate, weight_decay, batch_size (windows per step), epochs; patience: evaluations
    without a better one before training stops (one evaluation per epoch, unless control changes that); lr_decay: factor
    of the learning rate after every epoch; max_norm: bound of the gradient's norm, or None; optimiser: see
    training.optimisers.optimisers; loss: see training.losses; shuffled: a new order of the sequences in each epoch;
    control: evaluations inside epochs, other stopping rules, further metrics and limits, see training.control.
    An empty history is read as START, a learnt vector, on a zero state. Users are ignored.
    """

    deterministic: ClassVar[bool] = False
    family: ClassVar[str] = "recurrent"
    signals: ClassVar[frozenset[str]] = frozenset({"order"})
    clock: ClassVar[Clock] = Clock.WITHIN
    has_compiled_loop: ClassVar[bool] = False  # whether the compiled engine runs its cell
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
    lr_decay: float = 1.0
    max_norm: float | None = None
    optimiser: Optimiser = field(default_factory=AdamW)
    loss: Loss = field(default_factory=CrossEntropy)
    shuffled: bool = True
    control: FitControl = field(default_factory=FitControl)

    def __post_init__(self) -> None:
        check_range(self, "dim", "max_len", "batch_size", "epochs", "patience", at_least=1)
        check_range(self, "dropout", at_least=0, below=1)
        check_range(self, "learning_rate", above=0, finite=True)
        check_range(self, "weight_decay", at_least=0, finite=True)
        check_range(self, "lr_decay", above=0, at_most=1)
        check_range(self, "max_norm", above=0, or_none=True)
        if not hasattr(self.optimiser, "build"):
            raise ValueError(
                f"optimiser must be a value of training.optimisers.optimisers, such as AdamW(), got {self.optimiser!r}"
            )
        if not isinstance(self.loss, Loss):
            raise ValueError(f"loss must be a Loss of training.losses, such as CrossEntropy(), got {self.loss!r}")
        if not isinstance(self.control, FitControl):
            raise ValueError(f"control must be a FitControl of training.control.fit_control, got {self.control!r}")
        if self.orders_batches and not self.shuffled:
            raise ValueError(f"shuffled must be true: {type(self).__name__} orders its batches by its own fields")
        if self.max_norm is not None and self.control.clip is not None:
            raise ValueError(f"max_norm must be None beside {self.control.clip!r}, got {self.max_norm}")

    @abstractmethod
    def network(self, train: TrainingSet, generators: Generators) -> NextItemNetwork:
        """A fresh network on the CPU, its weights drawn from ``generators.weights``."""

    def engine(self, device: str) -> str:
        """The implementation of the loop over steps on a device: the recurrent engine, unless a model overrides it."""
        return "torch-unrolled"

    def resolved_engine(self, device: str, chosen: str = "torch") -> str:
        """The engine of a fit on ``device``, such as "torch-unrolled-cpu"; part of a result's key.

        chosen: "torch", or "compiled" for the compiled engine where it runs this model's cell.
        """
        name = chosen if chosen == COMPILED and self.has_compiled_loop else self.engine(device)
        return f"{name}-{device.partition(':')[0]}"

    def fit(self, train: TrainingSet, run: Run) -> Self:
        """Learn from every event of ``train`` given the events before it; train_epochs lists the attributes it sets."""
        from recsys_models.networks.network import Generators
        from training.loop import train_epochs

        self._check_training_set(train)
        generators = Generators.of(run)
        shuffle = run.generator("windows")
        self.num_items_ = train.num_items
        self.engine_ = self.resolved_engine(run.device, run.engine)
        self.network_ = network = self.network(train, generators).to(run.device)
        if self.engine_.startswith(COMPILED):
            network.use(compiled_engine.COMPILED)
        self.parameters_ = sum(weight.numel() for weight in network.parameters())
        optimiser = self.optimiser.build(network.parameters(), self.learning_rate, self.weight_decay)
        self.loss_ = self.loss.with_counts(train.item_counts, run.device)
        batcher = self.batcher()
        train_epochs(
            self,
            run,
            network=network,
            optimiser=optimiser,
            loss=lambda batch: self.objective(network, batch, generators.negatives),
            batches=lambda epoch: batcher.batches(train.at(epoch).sequences, shuffle),
            generators={"windows": shuffle, "dropout": generators.dropout, "negatives": generators.negatives},
            epochs=self.epochs,
            patience=self.patience,
            lr_decay=self.lr_decay,
            control=self.control if self.max_norm is None else replace(self.control, clip=ClipNorm(self.max_norm)),
        )
        return self

    def batcher(self) -> Windows | StatefulWindows:
        """The batcher of the training events."""
        return Windows(self.max_len, self.batch_size, shuffled=self.shuffled)

    def objective(
        self, network: NextItemNetwork, batch: WindowBatch, negatives: torch.Generator
    ) -> tuple[torch.Tensor, int]:
        """The loss of a batch and its number of targets; ``negatives`` draws the negatives."""
        positions = np.flatnonzero(batch.target_mask)
        targets = torch.from_numpy(batch.targets.ravel()[positions]).to(network.device)
        queries = network.encode_training(batch, torch.from_numpy(positions).to(network.device))
        value = self.loss_(queries, network.item_factors, network.item_bias, targets, negatives)
        return value + self.penalty(network, batch), len(positions)

    def penalty(self, network: NextItemNetwork, batch: WindowBatch) -> torch.Tensor | float:
        """The term added to the loss of a batch; 0 unless a model overrides it."""
        return 0.0

    def score(self, batch: SequenceBatch) -> Factored:
        """The scores of every query, from one pass over each history; float32 tensors on the fit's device."""
        self.network_.eval()
        with torch.no_grad():
            queries = self.network_.encode(batch)
            bias = None if self.network_.item_bias is None else self.network_.item_bias.detach()
            return Factored(queries, self.network_.item_factors.detach(), bias)

    def _check_training_set(self, train: TrainingSet) -> None:
        """Raise ValueError for training events from which this model cannot learn."""
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
