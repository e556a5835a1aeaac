"""FPMC: factorised personalised Markov chains, trained by S-BPR.

Rendle, Freudenthaler and Schmidt-Thieme (WWW 2010), "Factorizing personalized Markov chains for next-basket
recommendation": x̂_{u,t,i} = ⟨v_u^{U,I}, v_i^{I,U}⟩ + 1/|B_{t−1}| Σ_{l ∈ B_{t−1}} ⟨v_i^{I,L}, v_l^{L,I}⟩. The third pair
of factors (user and last item) does not depend on the scored item, cancels in a ranking and is left out.

Departures. Baskets hold one item: each event follows the basket of the event before it. All factors share one weight
decay (the paper has a λ per matrix, all equal); it is the factor in the step. The paper refuses only the items of the
target's basket as negatives: Negatives(check="target"), the default here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from baselines.factors.bpr_mf import check_factor_model, history_means
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


@dataclass
class FPMC:
    """Scores an item by the user's taste for it plus its factorised transition from the last item read.

    dim: size of the user–item factors; chain_dim: size of the item–item factors. positives, negatives, patience: as in
    BPRMF; only events with a predecessor are training instances. unknown_users: a user without factors gets the mean of
    v^{I,U} over the items read ("history_mean"), or zeros ("none"). An empty history has no last item: the user's
    factors alone decide; without these too, all items tie. Initial factors are N(0, init_scale²).
    """

    dim: int = 32
    chain_dim: int = 32
    epochs: int = 30
    learning_rate: float = 0.05
    weight_decay: float = 0.0025
    positives: Positives = "shuffled"
    negatives: Negatives = Negatives(check="target")  # noqa: RUF009  (a frozen value)
    init_scale: float = 0.1
    patience: int | None = None
    unknown_users: Literal["history_mean", "none"] = "history_mean"

    deterministic: ClassVar[bool] = False
    family: ClassVar[str] = "factorisation"
    signals: ClassVar[frozenset[str]] = frozenset({"order"})
    clock: ClassVar[Clock] = Clock.WITHIN

    def __post_init__(self) -> None:
        check_factor_model(self)
        check_range(self, "chain_dim", at_least=1)
        check_range(self, "weight_decay", at_least=0)
        check_choice(self, "unknown_users", ("history_mean", "none"))

    def fit(self, train: TrainingSet, run: Run) -> FPMC:
        """Learn the four factor matrices."""
        sequence_rows, num_rows = factor_rows(train)
        start = run.generator("factors")
        sizes = {
            "users": (num_rows, self.dim), "items": (train.num_items, self.dim),
            "next": (train.num_items, self.chain_dim), "last": (train.num_items, self.chain_dim),
        }  # fmt: skip
        factors = {n: (self.init_scale * start.standard_normal(s)).astype(np.float32) for n, s in sizes.items()}
        self.user_factors_, self.item_factors_ = factors["users"], factors["items"]
        self.next_factors_, self.last_factors_ = factors["next"], factors["last"]
        self.num_users_ = train.num_users
        owners, contexts, targets = training_contexts(train, 1)
        rows = sequence_rows[owners]
        seen = SeenItems(train, sequence_rows, num_rows)
        sampler = NegativeSampler(self.negatives, train, seen, run.generator("steps"))

        def steps(chosen: np.ndarray) -> tuple[float, int]:
            return self._steps(rows[chosen], contexts[chosen], targets[chosen], sampler)

        train_factors(self, run, factors, sampler, rows, steps)
        return self

    def score(self, batch: SequenceBatch) -> Factored:
        """User factors and last-item factors against the item factors; (M, N)."""
        users = batch.users[batch.query_positions[:, 0]]
        known = (users >= 0) & (users < self.num_users_)
        users_part = np.zeros((len(users), self.dim), dtype=np.float32)
        if self.unknown_users == "history_mean":
            users_part = history_means(batch, self.item_factors_, ~known)
        users_part[known] = self.user_factors_[users[known]]
        last = context_sums(query_contexts(batch, 1), self.last_factors_, np.ones(1, dtype=np.float32))
        return Factored(np.hstack([users_part, last]), np.hstack([self.item_factors_, self.next_factors_]))

    def _steps(
        self, rows: np.ndarray, contexts: np.ndarray, targets: np.ndarray, sampler: NegativeSampler
    ) -> tuple[float, int]:
        """Take one step for each factor row, context and target."""
        if self.negatives.adaptive:
            queries = np.hstack([self.user_factors_[rows], self.last_factors_[contexts[:, 0]]])
            both = np.hstack([self.item_factors_, self.next_factors_])
            negatives = sampler.draw_adaptive(rows, targets, queries, both)
        else:
            negatives = sampler.draw(rows, targets)
        return kernels.fpmc_steps(
            rows, contexts, targets, negatives, self.user_factors_, self.item_factors_, self.next_factors_,
            self.last_factors_, np.ones(1, dtype=np.float32), self.learning_rate, self.weight_decay, False, True,
        )  # fmt: skip
