"""InnerOrder: the sessions of another protocol with the events of each session in another order."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from recsys_data.checks import check_choice, check_range
from recsys_data.hashing import hash_ids
from recsys_data.interactions import Interactions
from recsys_data.protocols.per_user import SplitProtocol, require_order
from recsys_data.protocols.published import AsPublished
from recsys_data.split import Split

ORDERS = {
    "time": "sessions in the order of time",
    "shuffled": "sessions shuffled",
    "global": "sessions in one drawn order of all items",
}
_CAVEATS = {
    "shuffled": "SHUFFLED SESSIONS: the order inside a session carries no information",
    "global": "SESSIONS SORTED: the events of every session are sorted by one drawn order of all items",
}


@dataclass(frozen=True)
class InnerOrder:
    """``protocol`` on the same sessions, with the events of each session in another order: a control.

    ::

        "time"       a: 7 2 2 9    b: 2 9 7      (as the data are)
        "shuffled"   a: 2 9 7 2    b: 9 2 7      (drawn for each session)
        "global"     a: 9 2 2 7    b: 9 2 7      (one order of the items, 9 2 7, drawn once for all sessions)

    A session keeps its items, its part and its times; only which event stands at which time changes, before
    ``protocol`` splits. "global" sorts by a seeded hash of the item's id, which knows nothing of time or of sessions.
    ``draw`` is the seed of both drawn orders. Raises ValueError for histories of users, whose parts would change.
    """

    order: str
    draw: int = 0
    protocol: SplitProtocol = AsPublished()  # noqa: RUF009 - frozen

    def __post_init__(self) -> None:
        check_choice(self, "order", tuple(ORDERS))
        check_range(self, "draw", at_least=0)
        if self.order == "time" and self.draw:
            raise ValueError(f'draw is {self.draw}, but the order "time" draws nothing; leave it at 0')

    @property
    def allows(self) -> frozenset[str]:
        """The findings of the audit that the wrapped protocol accepts."""
        return frozenset(self.protocol.allows)

    @property
    def name(self) -> str:
        """The wrapped protocol, the order, and the draw of a drawn one."""
        drawn = "" if self.order == "time" else f", draw {self.draw}"
        return f"{self.protocol.name}, {ORDERS[self.order]}{drawn}"

    def prepare(self, interactions: Interactions) -> Split:
        """Reorder the events of each session, then split; ValueError where the data are not sessions in order."""
        if interactions.unit != "session":
            raise ValueError(
                f"{self.name} reorders whole sessions, and {interactions.name} has histories of {interactions.unit}s; "
                "choose a data set of sessions"
            )
        require_order(interactions, self.name)
        if self.order == "time":
            return self.protocol.prepare(interactions)
        keys = np.lexsort((self._places(interactions), interactions.users))
        split = self.protocol.prepare(
            replace(
                interactions,
                items=interactions.items[keys],
                ratings=None if interactions.ratings is None else interactions.ratings[keys],
                event_types=None if interactions.event_types is None else interactions.event_types[keys],
            )
        )
        return replace(split, caveats=(*split.caveats, _CAVEATS[self.order]))

    def _places(self, interactions: Interactions) -> np.ndarray:
        """The sort key of each event inside its session, (E,); events of one item keep their order."""
        if self.order == "shuffled":
            return np.random.default_rng(self.draw).random(len(interactions))
        place = np.empty(interactions.num_items, dtype=np.int64)
        place[np.argsort(hash_ids(interactions.item_ids, self.draw), kind="stable")] = np.arange(interactions.num_items)
        return place[interactions.items]
