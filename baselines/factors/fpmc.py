"""FPMC: factorised personalised Markov chains, learnt by S-BPR.

Rendle, Freudenthaler and Schmidt-Thieme (WWW 2010), "Factorizing personalized Markov chains for next-basket
recommendation": x̂_{u,t,i} = ⟨v_u^{U,I}, v_i^{I,U}⟩ + 1/|B_{t−1}| Σ_{l ∈ B_{t−1}} ⟨v_i^{I,L}, v_l^{L,I}⟩. The third pair
of factors (user and last item) is the same for every item, so that it cancels in a ranking and is left out.

Departures. Baskets hold one item: each event is the basket after the event before it. One weight decay for all factors
(the paper's λ for each matrix, all equal); it is the factor in the step. The paper refuses only the items of the
target's basket as negatives, which Negatives(check="target") is, the default here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from baselines.factors.bpr_mf import check_factor_model, history_means
from baselines.factors.contexts import context_sums, query_contexts, training_contexts
from baselines.factors.kernels import fpmc_steps
from baselines.factors.negatives import Negatives, NegativeSampler
from baselines.factors.train_factors import Positives, factor_rows, train_factors
from recsys_data.interactions import Clock
from recsys_data.scores import Factored
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from training.run import Run


@dataclass
class FPMC:
    """Scores an item by the user's taste for it plus its factorised transition from the last item read.

    dim: of the user–item factors; chain_dim: of the item–item factors. positives, negatives, patience: as in BPRMF;
    only events with one before them are learnt from. unknown_users: a user without factors has the mean of v^{I,U}
    over the items read ("history_mean"), or no taste ("none"). An empty history has no last item: the taste alone
    decides, and where there is none either, all items tie. Factors begin as N(0, init_scale²).
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
        if self.chain_dim < 1:
            raise ValueError(f"chain_dim must be at least 1, got {self.chain_dim}")
        if self.weight_decay < 0:
            raise ValueError(f"weight_decay must be at least 0, got {self.weight_decay}")
        if self.unknown_users not in ("history_mean", "none"):
            raise ValueError(f"unknown_users must be 'history_mean' or 'none', got {self.unknown_users!r}")

    def fit(self, train: TrainingSet, run: Run) -> FPMC:
        """Learn the four factor matrices."""
        learners = sequence_rows, num_rows = factor_rows(train)
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

        def steps(chosen: np.ndarray, sampler: NegativeSampler) -> tuple[float, int]:
            return self._steps(rows[chosen], contexts[chosen], targets[chosen], sampler)

        train_factors(self, run, train, factors, learners, rows, steps)
        return self

    def score(self, batch: SequenceBatch) -> Factored:
        """Tastes beside last items against both kinds of item factors; (M, N)."""
        users = batch.users[batch.asked[:, 0]]
        known = (users >= 0) & (users < self.num_users_)
        tastes = np.zeros((len(users), self.dim), dtype=np.float32)
        if self.unknown_users == "history_mean":
            tastes = history_means(batch, self.item_factors_, ~known)
        tastes[known] = self.user_factors_[users[known]]
        last = context_sums(query_contexts(batch, 1), self.last_factors_, np.ones(1, dtype=np.float32))
        return Factored(np.hstack([tastes, last]), np.hstack([self.item_factors_, self.next_factors_]))

    def _steps(
        self, rows: np.ndarray, contexts: np.ndarray, targets: np.ndarray, sampler: NegativeSampler
    ) -> tuple[float, int]:
        """One chunk of steps."""
        if self.negatives.adaptive:
            queries = np.hstack([self.user_factors_[rows], self.last_factors_[contexts[:, 0]]])
            both = np.hstack([self.item_factors_, self.next_factors_])
            against = sampler.draw_adaptive(rows, targets, queries, both)
        else:
            against = sampler.draw(rows, targets)
        return fpmc_steps(
            rows, contexts, targets, against, self.user_factors_, self.item_factors_, self.next_factors_,
            self.last_factors_, np.ones(1, dtype=np.float32), self.learning_rate, self.weight_decay, False, True,
        )  # fmt: skip
