"""BPR-MF: matrix factorisation by Bayesian personalised ranking.

Rendle, Freudenthaler, Gantner and Schmidt-Thieme (UAI 2009), "BPR: Bayesian personalized ranking from implicit
feedback": ascend Σ ln σ(x̂_ui − x̂_uj) − λ ‖Θ‖² by stochastic steps, x̂_ui = b_i + ⟨w_u, h_i⟩.

Departures. The paper draws uniformly with replacement and has no biases: both are fields here, since the libraries
compared differ in them (MyMediaLite, implicit, GRU4Rec's baselines, Devooght and Bersini).
λ is the factor in the step, twice the λ of the formula above. Users who have seen every item are skipped.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, get_args

import numpy as np

from baselines.factors.negatives import Negatives, NegativeSampler, SeenItems
from baselines.factors.train_factors import Positives, factor_rows, train_factors
from recsys_data.checks import check_choice, check_range
from recsys_data.lazy_module import LazyModule
from recsys_data.scores import Factored
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run

if TYPE_CHECKING:
    from baselines.factors import kernels
else:
    kernels = LazyModule("baselines.factors.kernels")


def history_means(batch: SequenceBatch, vectors: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """The mean vector (M, D) float32 of the known items read before each query; 0 for none.

    vectors (N, D); mask (M,) bool: the queries to compute, the others stay 0. Sums run along a row, so that the bits of
    a query do not depend on its batch.
    """
    known = batch.items >= 0
    means = np.zeros((len(batch.query_positions), vectors.shape[1]), dtype=np.float32)
    for b in np.unique(batch.query_positions[mask, 0]):
        queries_of_row = np.flatnonzero((batch.query_positions[:, 0] == b) & mask)
        read = batch.query_positions[queries_of_row, 1]
        row = np.where(known[b, : read.max(), None], vectors[batch.items[b, : read.max()]], 0)
        sums = np.concatenate([np.zeros((1, vectors.shape[1])), np.cumsum(row, axis=0, dtype=np.float64)])
        counts = np.concatenate([[0], np.cumsum(known[b, : read.max()])])
        means[queries_of_row] = sums[read] / np.maximum(counts[read], 1)[:, None]
    return means


def check_factor_model(model: Any) -> None:
    """Raise ValueError for a field out of range that all factor models have."""
    check_range(model, "dim", "epochs", at_least=1)
    check_range(model, "learning_rate", "init_scale", above=0)
    check_range(model, "patience", at_least=1, or_none=True)
    check_choice(model, "positives", get_args(Positives))


@dataclass
class BPRMF:
    """Scores an item by b_i + ⟨w_u, h_i⟩, learnt from pairs of a seen and an unseen item.

    reg_user, reg_positive, reg_negative, reg_bias: λ of each. positives: events in "shuffled" epochs, drawn
    "with_replacement", or of uniformly drawn "users". negatives: see Negatives. init: "normal" with standard deviation
    init_scale, or "uniform" in ± init_scale; biases start at 0. patience: epochs without a better one before training
    stops; None runs all ``epochs``. query: "user_factors", or "history_mean", the mean of the vectors of the items read
    (the session form).

    A user without factors gets the mean of the history; without a history too, the biases alone (all items tie if there
    are none). Anonymous training sequences have factors of their own, which no query uses.
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
        check_range(self, "reg_user", "reg_positive", "reg_negative", "reg_bias", at_least=0)
        if self.reg_bias and not self.biases:
            raise ValueError(f"reg_bias must be 0 where biases is False, got {self.reg_bias}")
        check_choice(self, "init", ("normal", "uniform"))
        check_choice(self, "query", ("user_factors", "history_mean"))

    def fit(self, train: TrainingSet, run: Run) -> BPRMF:
        """Learn user factors, item factors and biases."""
        sequence_rows, num_rows = factor_rows(train)
        start = run.generator("factors")
        self.user_factors_ = self._initial_factors(start, num_rows)
        self.item_factors_ = self._initial_factors(start, train.num_items)
        self.biases_ = np.zeros(train.num_items, dtype=np.float32)
        self.num_users_ = train.num_users
        rows = np.repeat(sequence_rows, train.sequences.lengths)
        factors = {"users": self.user_factors_, "items": self.item_factors_, "biases": self.biases_}
        seen = SeenItems(train, sequence_rows, num_rows)
        sampler = NegativeSampler(self.negatives, train, seen, run.generator("steps"))

        def steps(chosen: np.ndarray) -> tuple[float, int]:
            return self._steps(rows[chosen], train.sequences.items[chosen], sampler)

        train_factors(self, run, factors, sampler, rows, steps)
        return self

    def score(self, batch: SequenceBatch) -> Factored:
        """Queries and item factors with biases; (M, N)."""
        users = batch.users[batch.query_positions[:, 0]]
        known = (users >= 0) & (users < self.num_users_) & (self.query == "user_factors")
        queries = history_means(batch, self.item_factors_, ~known)
        queries[known] = self.user_factors_[users[known]]
        return Factored(queries, self.item_factors_, self.biases_ if self.biases else None)

    def _initial_factors(self, generator: np.random.Generator, count: int) -> np.ndarray:
        """Draw initial factors (count, dim) float32."""
        shape = (count, self.dim)
        if self.init == "normal":
            return (self.init_scale * generator.standard_normal(shape)).astype(np.float32)
        return generator.uniform(-self.init_scale, self.init_scale, shape).astype(np.float32)

    def _steps(self, rows: np.ndarray, targets: np.ndarray, sampler: NegativeSampler) -> tuple[float, int]:
        """Take one step for each factor row and target."""
        if self.negatives.adaptive:
            negatives = sampler.draw_adaptive(rows, targets, self.user_factors_[rows], self.item_factors_)
        else:
            negatives = sampler.draw(rows, targets)
        return kernels.bpr_steps(
            rows, targets, negatives, self.user_factors_, self.item_factors_, self.biases_, self.learning_rate,
            self.reg_user, self.reg_positive, self.reg_negative, self.reg_bias, self.biases,
        )  # fmt: skip
