"""AsPublished: the split that was published with the data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from recsys_data.checks import check_range
from recsys_data.hashing import hash_ids
from recsys_data.interactions import Interactions
from recsys_data.protocols.build import assemble, check_unseen, unseen_suffix
from recsys_data.protocols.candidates import ALL_ITEMS, Candidates
from recsys_data.protocols.per_user import require_order
from recsys_data.protocols.targets import EVERY_POSITION, TargetRule
from recsys_data.split import TRAIN, VALIDATION, Split


@dataclass(frozen=True)
class AsPublished:
    """Users or sessions stay in the parts that the data were published with (YooChoose, Diginetica, HCRNN's sets).

    ::

        session 1   = = = =
        session 2   v v
        session 3           t t t      (one query per prefix)

    Where no validation part is published, ``validation`` is the share of the training sessions that become one: those
    with the smallest seeded hash of their id (0: none). ``unseen``: items that training has not seen count as a miss
    ("miss"), are dropped ("drop"), or are candidates ("candidate": the catalogue of the session papers, training and
    test items together).
    """

    validation: float = 0.1
    seed: int = 0
    unseen: str = "miss"
    target_rule: TargetRule = EVERY_POSITION
    candidates: Candidates = ALL_ITEMS

    allows: ClassVar[frozenset[str]] = frozenset({"temporal leakage"})

    def __post_init__(self) -> None:
        check_range(self, "validation", at_least=0, below=1)
        check_unseen(self.unseen)

    @property
    def name(self) -> str:
        """As published, and what becomes of unseen items unless they count as misses."""
        return f"as published{unseen_suffix(self.unseen, 'miss')}{self.candidates.suffix}"

    def prepare(self, interactions: Interactions) -> Split:
        """Split the data; ValueError where they have no published split or no order."""
        require_order(interactions, self.name)
        if interactions.parts is None:
            raise ValueError(f"{interactions.name} has no published split; choose another protocol")
        parts = interactions.parts.copy()
        steps = []
        if self.validation and not (parts == VALIDATION).any():
            training = np.flatnonzero(parts == TRAIN)
            order = np.argsort(hash_ids(interactions.user_ids[training], self.seed), kind="stable")
            parts[training[order[: round(self.validation * len(training))]]] = VALIDATION
            moved = int(np.count_nonzero((parts == VALIDATION)[interactions.users]))
            steps.append(
                {
                    "step": f"{self.validation:.0%} of the training {interactions.unit}s taken for validation",
                    "removed": moved,
                    "events": int(np.count_nonzero((parts == TRAIN)[interactions.users])),
                    "users": int(np.count_nonzero(parts == TRAIN)),
                    "items": len(np.unique(interactions.items[(parts == TRAIN)[interactions.users]])),
                }
            )
        return assemble(
            interactions,
            parts[interactions.users],
            unseen=self.unseen,
            target_rule=self.target_rule,
            validate=bool(self.validation),
            candidates=self.candidates,
            steps=steps,
        )
