"""BPR-MF: matrix factorisation by Bayesian personalised ranking.

Rendle, Freudenthaler, Gantner and Schmidt-Thieme (UAI 2009), "BPR: Bayesian personalized ranking from implicit
feedback": ascend Σ ln σ(x̂_ui − x̂_uj) − λ ‖Θ‖² by stochastic steps, x̂_ui = b_i + ⟨w_u, h_i⟩.

Departures. The paper's draws are uniform with replacement and its model has no bias: both are fields here, since the
libraries that are compared with differ in them (MyMediaLite, implicit, GRU4Rec's baselines, Devooght and Bersini).
λ is the factor in the step, so it stands for 2λ of the formula above. A learner who has taken everything is skipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, get_args

import numpy as np

from baselines.factors.kernels import bpr_steps
from baselines.factors.negatives import Negatives, NegativeSampler
from baselines.factors.train_factors import Positives, factor_rows, train_factors
from recsys_data.scores import Factored
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run


def history_means(batch: SequenceBatch, vectors: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The mean vector (M, D) float32 of the known items read before each asked position; 0 for none.

    vectors (N, D); wanted (M,) bool: the positions that need it, the others stay 0. Sums run along a row, so that a
    position's bits do not depend on the batch around it.
    """
    known = batch.items >= 0
    means = np.zeros((len(batch.asked), vectors.shape[1]), dtype=np.float32)
    for b in np.unique(batch.asked[wanted, 0]):
        mine = np.flatnonzero((batch.asked[:, 0] == b) & wanted)
        read = batch.asked[mine, 1]
        row = np.where(known[b, : read.max(), None], vectors[batch.items[b, : read.max()]], 0)
        sums = np.concatenate([np.zeros((1, vectors.shape[1])), np.cumsum(row, axis=0, dtype=np.float64)])
        counts = np.concatenate([[0], np.cumsum(known[b, : read.max()])])
        means[mine] = sums[read] / np.maximum(counts[read], 1)[:, None]
    return means


def check_factor_model(model: BPRMF) -> None:
    """Refuse fields out of range; for every model with dim, epochs, learning_rate, patience, init_scale."""
    for name, least in (("dim", 1), ("epochs", 1)):
        if getattr(model, name) < least:
            raise ValueError(f"{name} must be at least {least}, got {getattr(model, name)}")
    for name in ("learning_rate", "init_scale"):
        if not getattr(model, name) > 0:
            raise ValueError(f"{name} must be above 0, got {getattr(model, name)}")
    if model.patience is not None and model.patience < 1:
        raise ValueError(f"patience must be at least 1 or None, got {model.patience}")
    if model.positives not in get_args(Positives):
        raise ValueError(f"positives must be one of {', '.join(get_args(Positives))}, got {model.positives!r}")


@dataclass
class BPRMF:
    """Scores an item by b_i + ⟨w_u, h_i⟩, learnt from pairs of an item taken and one that was not.

    reg_user, reg_positive, reg_negative, reg_bias: λ of each. positives: events in "shuffled" epochs, drawn
    "with_replacement", or of uniform "users". negatives: see Negatives. init: "normal" with standard deviation
    init_scale, or "uniform" in ± init_scale; biases begin at 0. patience: None runs all ``epochs``. query:
    "user_factors", or "history_mean", the mean of the vectors of the items read (the session form).

    A user without factors is served by the history's mean; with an empty history too, by the biases alone (all items
    tie where there are none). Anonymous training sequences have factors of their own, which no query reaches.
    """

    dim: int = 32
    epochs: int = 30
    learning_rate: float = 0.05
    reg_user: float = 0.0025
    reg_positive: float = 0.0025
    reg_negative: float = 0.00025
    reg_bias: float = 0.0
    biases: bool = True
    positives: Positives = "shuffled"
    negatives: Negatives = Negatives()  # noqa: RUF009  (a frozen value)
    init: Literal["normal", "uniform"] = "normal"
    init_scale: float = 0.1
    patience: int | None = None
    query: Literal["user_factors", "history_mean"] = "user_factors"

    deterministic: ClassVar[bool] = False
    family: ClassVar[str] = "factorisation"
    signals: ClassVar[frozenset[str]] = frozenset({"co-occurrence"})

    def __post_init__(self) -> None:
        check_factor_model(self)
        for name in ("reg_user", "reg_positive", "reg_negative", "reg_bias"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be at least 0, got {getattr(self, name)}")
        if self.reg_bias and not self.biases:
            raise ValueError(f"reg_bias must be 0 where biases is False, got {self.reg_bias}")
        for name, options in (("init", ("normal", "uniform")), ("query", ("user_factors", "history_mean"))):
            if getattr(self, name) not in options:
                raise ValueError(f"{name} must be one of {', '.join(options)}, got {getattr(self, name)!r}")

    def fit(self, train: TrainingSet, run: Run) -> BPRMF:
        """Learn user factors, item factors and biases."""
        learners = sequence_rows, num_rows = factor_rows(train)
        start = run.generator("factors")
        self.user_factors_ = self._first(start, num_rows)
        self.item_factors_ = self._first(start, train.num_items)
        self.biases_ = np.zeros(train.num_items, dtype=np.float32)
        self.num_users_ = train.num_users
        rows = np.repeat(sequence_rows, train.sequences.lengths)
        factors = {"users": self.user_factors_, "items": self.item_factors_, "biases": self.biases_}

        def steps(chosen: np.ndarray, sampler: NegativeSampler) -> tuple[float, int]:
            return self._steps(rows[chosen], train.sequences.items[chosen], sampler)

        train_factors(self, run, train, factors, learners, rows, steps)
        return self

    def score(self, batch: SequenceBatch) -> Factored:
        """Queries and item factors with biases; (M, N)."""
        users = batch.users[batch.asked[:, 0]]
        known = (users >= 0) & (users < self.num_users_) & (self.query == "user_factors")
        queries = history_means(batch, self.item_factors_, ~known)
        queries[known] = self.user_factors_[users[known]]
        return Factored(queries, self.item_factors_, self.biases_ if self.biases else None)

    def _first(self, generator: np.random.Generator, count: int) -> np.ndarray:
        """Factors (count, dim) float32 to begin with."""
        shape = (count, self.dim)
        if self.init == "normal":
            return (self.init_scale * generator.standard_normal(shape)).astype(np.float32)
        return generator.uniform(-self.init_scale, self.init_scale, shape).astype(np.float32)

    def _steps(self, rows: np.ndarray, targets: np.ndarray, sampler: NegativeSampler) -> tuple[float, int]:
        """One chunk of steps."""
        if self.negatives.adaptive:
            against = sampler.draw_adaptive(rows, targets, self.user_factors_[rows], self.item_factors_)
        else:
            against = sampler.draw(rows, targets)
        return bpr_steps(
            rows, targets, against, self.user_factors_, self.item_factors_, self.biases_, self.learning_rate,
            self.reg_user, self.reg_positive, self.reg_negative, self.reg_bias, self.biases,
        )  # fmt: skip
