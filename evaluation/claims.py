"""Published, Claim, Verdict: what a paper said, and whether it held."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Outcome(enum.Enum):
    """The words a report uses."""

    REPRODUCED = "REPRODUCED"
    NOT_REPRODUCED = "NOT REPRODUCED"
    CONTRADICTED = "CONTRADICTED"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_COMPARABLE = "NOT COMPARABLE"


@dataclass(frozen=True)
class Published:
    """One number of a paper. ``digits`` decimals were printed; ``certain`` False is shown and never judged by level.

    ``not_comparable``: why the data, split or candidates at hand make this another quantity; empty if comparable.
    """

    dataset: str
    model: str
    metric: str
    value: float
    place: str
    digits: int = 4
    source: str = "paper"
    certain: bool = True
    not_comparable: str = ""


@dataclass(frozen=True)
class Ranking:
    """The claim that ``better`` beats ``worse`` on a data set in a metric; ``text`` is the paper's own sentence."""

    text: str
    better: str
    worse: str
    dataset: str
    metric: str
    place: str = ""


@dataclass(frozen=True)
class Gain:
    """The claim that ``better`` beats ``worse`` by the relative ``gain`` (0.12 for 12 %)."""

    text: str
    better: str
    worse: str
    dataset: str
    metric: str
    gain: float
    place: str = ""


@dataclass(frozen=True)
class Verdict:
    """What was found of one Published or claim, and why, in words."""

    subject: str
    outcome: Outcome
    reason: str
    estimate: float | None = None
    interval: tuple[float, float] | None = None
    p_adjusted: float | None = None
