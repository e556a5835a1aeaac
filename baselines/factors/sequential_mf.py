"""Sequential matrix factorisation after Karatzoglou (RecSys 2011), "Collaborative temporal order modeling".

A **reconstruction**: the paper's full text was not available. Known are the sentence in Donkers, Loepp and Ziegler
(RecSys 2017) that the method "models temporal order by means of a time window that includes feature vectors of
previously consumed items", and their settings: window 2, BPR learning, 20 factors, 30 iterations, learning rate 0.01.
The field ``variant`` offers three interpretations; every table must call the method a reconstruction.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, get_args

import numpy as np

from baselines.factors.bpr_mf import check_factor_model
from baselines.factors.contexts import context_sums, query_contexts, training_contexts
from baselines.factors.negatives import Negatives, NegativeSampler, SeenItems
from baselines.factors.train_factors import Positives, factor_rows, train_factors
from recsys_data.checks import check_choice, check_range
from recsys_data.interactions import Clock
from recsys_data.lazy_module import LazyModule
from recsys_data.scores import Factored
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run

if TYPE_CHECKING:
    from baselines.factors import kernels
else:
    kernels = LazyModule("baselines.factors.kernels")

Variant = Literal["shared", "separate", "context_only"]


@dataclass
class SequentialMF:
    """Scores an item by the user's factors and those of the last ``window`` items (a reconstruction).

    variant: "shared" b_i + ⟨p_u + Σ_k γ_k q_{i_{t−k}}, q_i⟩ with one table of items; "separate" ⟨p_u, q_i⟩ +
    Σ_k γ_k ⟨c_{i_{t−k}}, q'_i⟩, which is FPMC with the window as its basket; "context_only" the first without p_u.
    lag_weights: γ_k = 1 / window ("equal"), or "learned" from there. positives, negatives, patience: as in BPRMF; only
    events with a predecessor are training instances. Initial factors are N(0, init_scale²).

    A user without factors gets scores from the context alone; an empty history from the user's factors (and biases)
    alone; without both, from the biases alone ("separate" has none: all items tie).
    """

    variant: Variant = "shared"
    window: int = 2
    lag_weights: Literal["equal", "learned"] = "equal"
    dim: int = 20
    epochs: int = 30
    learning_rate: float = 0.01
    weight_decay: float = 0.0
    positives: Positives = "shuffled"
    negatives: Negatives = Negatives()  # noqa: RUF009  (a frozen value)
    init_scale: float = 0.1
    patience: int | None = None

    deterministic: ClassVar[bool] = False
    family: ClassVar[str] = "factorisation"
    signals: ClassVar[frozenset[str]] = frozenset({"co-occurrence"})
    clock: ClassVar[Clock] = Clock.WITHIN

    def __post_init__(self) -> None:
        check_factor_model(self)
        check_choice(self, "variant", get_args(Variant))
        check_choice(self, "lag_weights", ("equal", "learned"))
        check_range(self, "window", at_least=1)
        check_range(self, "weight_decay", at_least=0)

    def fit(self, train: TrainingSet, run: Run) -> SequentialMF:
        """Learn user, item and context factors, biases and lag weights."""
        sequence_rows, num_rows = factor_rows(train)
        start = run.generator("factors")
        tables = {"users": num_rows, "items": train.num_items}
        if self.variant == "separate":
            tables |= {"next": train.num_items, "last": train.num_items}
        self.factors_ = {
            name: (self.init_scale * start.standard_normal((rows, self.dim))).astype(np.float32)
            for name, rows in tables.items()
        }
        self.factors_["biases"] = np.zeros(train.num_items, dtype=np.float32)
        self.factors_["gammas"] = np.full(self.window, 1 / self.window, dtype=np.float32)
        self.num_users_ = train.num_users
        owners, contexts, targets = training_contexts(train, self.window)
        rows = sequence_rows[owners]
        seen = SeenItems(train, sequence_rows, num_rows)
        sampler = NegativeSampler(self.negatives, train, seen, run.generator("steps"))

        def steps(chosen: np.ndarray) -> tuple[float, int]:
            return self._steps(rows[chosen], contexts[chosen], targets[chosen], sampler)

        train_factors(self, run, self.factors_, sampler, rows, steps)
        return self

    def score(self, batch: SequenceBatch) -> Factored:
        """User factors and contexts against the item factors; (M, N)."""
        factors = self.factors_
        users = batch.users[batch.query_positions[:, 0]]
        known = (users >= 0) & (users < self.num_users_)
        users_part = np.zeros((len(users), self.dim), dtype=np.float32)
        if self.variant != "context_only":
            users_part[known] = factors["users"][users[known]]
        queries, items = self._vectors(users_part, query_contexts(batch, self.window))
        return Factored(queries, items, None if self.variant == "separate" else factors["biases"])

    def _vectors(self, users_part: np.ndarray, contexts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Query vectors (M, D) and item vectors (N, D) whose products are the scores."""
        factors = self.factors_
        if self.variant == "separate":
            last = context_sums(contexts, factors["last"], factors["gammas"])
            return np.hstack([users_part, last]), np.hstack([factors["items"], factors["next"]])
        return users_part + context_sums(contexts, factors["items"], factors["gammas"]), factors["items"]

    def _steps(
        self, rows: np.ndarray, contexts: np.ndarray, targets: np.ndarray, sampler: NegativeSampler
    ) -> tuple[float, int]:
        """Take one step for each factor row, context and target."""
        factors, learn = self.factors_, self.lag_weights == "learned"
        with_users = self.variant != "context_only"
        if self.negatives.adaptive:
            users_part = factors["users"][rows] if with_users else np.zeros((len(rows), self.dim), dtype=np.float32)
            negatives = sampler.draw_adaptive(rows, targets, *self._vectors(users_part, contexts))
        else:
            negatives = sampler.draw(rows, targets)
        if self.variant == "separate":
            return kernels.fpmc_steps(
                rows, contexts, targets, negatives, factors["users"], factors["items"], factors["next"],
                factors["last"], factors["gammas"], self.learning_rate, self.weight_decay, learn, True,
            )  # fmt: skip
        return kernels.shared_steps(
            rows, contexts, targets, negatives, factors["users"], factors["items"], factors["biases"],
            factors["gammas"], self.learning_rate, self.weight_decay, learn, with_users,
        )  # fmt: skip
