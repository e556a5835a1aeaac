"""The times that the official Time-LSTM code computes after dropping rare items: wrong, reproduced on request."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from recsys_data.checks import check_choice
from recsys_data.interactions import Clock, Interactions
from recsys_data.protocols.filters import TopItems

RULES = ("gaps", "accumulated")


@dataclass(frozen=True)
class OfficialTopItems(TopItems):
    """TopItems with the times that the official code assigns to the kept events (DarryO/time_lstm).

    In that code a gap points forward. The gap of a dropped event is added to that of the NEXT kept event instead of the
    one before, and the carry is not reset between users. "accumulated" does the same to the times since the user's
    first event, which Phased LSTM reads: the times of dropped events are added to that of the next kept event.

    Times 0, 10, 30, 60, 100, 150 with the second and fourth event dropped: true gaps 30, 70, 50; "gaps" gives 10,
    50, 90; "accumulated" gives the times 0, 40, 160, 150, which decrease at the end.
    """

    rule: str = "gaps"

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self, "rule", RULES)

    @property
    def name(self) -> str:
        """The rule in a few words."""
        return f"{super().name}, with the official code's wrong {self.rule}"

    def retime(self, interactions: Interactions, kept: np.ndarray) -> Interactions:
        """Replace the times at the ``kept`` events by the official, relative ones; ValueError without gaps."""
        if not interactions.clock.has_gaps:
            raise ValueError(
                f"the official gaps need true gaps, and {interactions.name} has {interactions.clock.value} only"
            )
        since = interactions.timestamps - interactions.timestamps[interactions.offsets[:-1]][interactions.users]
        if self.rule == "accumulated":
            times = since + _carried(since, kept)
        else:
            forward = np.append(np.diff(since), 0.0)
            forward[interactions.offsets[1:] - 1] = 0.0
            gaps = (forward + _carried(forward, kept))[kept]
            users = interactions.users[kept]
            total = np.concatenate([[0.0], np.cumsum(gaps)[:-1]])  # the sum of the gaps before each kept event
            first = np.searchsorted(users, users, side="left")
            times = np.zeros(len(interactions))
            times[kept] = total - total[first]
        return dataclasses.replace(interactions, timestamps=times, clock=Clock.RELATIVE)


def _carried(values: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """For each kept event the sum of the values dropped since the kept event before it, across users."""
    dropped = np.concatenate([[0.0], np.cumsum(np.where(kept, 0.0, values))])
    places = np.flatnonzero(kept)
    carried = np.zeros(len(values))
    carried[places] = np.diff(dropped[places], prepend=0.0)
    return carried
