"""Published, the claims, Verdict: what a paper said, and whether it held."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from evaluation.metrics.accuracy import metric_named


class Outcome(enum.Enum):
    """The words a report uses."""

    REPRODUCED = "REPRODUCED"
    NOT_REPRODUCED = "NOT REPRODUCED"
    CONTRADICTED = "CONTRADICTED"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_COMPARABLE = "NOT COMPARABLE"


class Rerun(enum.Enum):
    """What kind of rerun a number is set against."""

    SAME = "same code and data"
    MATCHED = "reimplementation with matched protocol"
    CORRECTED = "corrected protocol"


def _shown(metric: str) -> str:
    """A metric as tables show it, however it is spelled; a quantity that ranks do not hold as it is."""
    try:
        return metric_named(metric).name
    except ValueError:
        return metric


@dataclass(frozen=True)
class Published:
    """One number of a paper. ``digits`` decimals were printed; ``certain`` False is shown and never judged by level.

    ``not_comparable``: why the data, split or candidates at hand make this another quantity; empty if comparable.
    ``protocol``: the one it belongs to, or empty for each protocol of the data set. ``runs``: how many the paper
    averaged. ``same_test``: whether the rerun's test set is the paper's own, or else another draw of the same
    population, whose chance counts on both sides. ``rerun``: what kind of rerun the suite makes of it.
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
    protocol: str = ""
    runs: int = 1
    same_test: bool = True
    rerun: Rerun = Rerun.MATCHED

    def __post_init__(self) -> None:
        object.__setattr__(self, "metric", _shown(self.metric))
        if self.runs < 1:
            raise ValueError(f"runs must be at least 1, got {self.runs}")
        if self.digits < 0:
            raise ValueError(f"digits must be at least 0, got {self.digits}")

    @property
    def half_unit(self) -> float:
        """Half a unit of the last digit that was printed."""
        return 0.5 * 10.0**-self.digits


@dataclass(frozen=True)
class Ranking:
    """The claim that ``better`` beats ``worse`` on a data set in a metric; ``text`` is the paper's own sentence."""

    text: str
    better: str
    worse: str
    dataset: str
    metric: str
    place: str = ""
    protocol: str = ""
    not_comparable: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "metric", _shown(self.metric))

    def pairs(self, dataset: str, protocol: str, metric: str) -> Iterator[tuple[str, str]]:
        """The pair this claim speaks of, if it speaks of this data set, protocol and metric."""
        if (self.dataset, self.metric) == (dataset, metric) and self.protocol in ("", protocol):
            yield self.better, self.worse


@dataclass(frozen=True)
class Gain:
    """The claim that ``better`` beats ``worse`` by the relative ``gain``, 0.12 for 12 %.

    ``digits`` decimals of it were printed; ``runs`` and ``same_test`` as in Published.
    """

    text: str
    better: str
    worse: str
    dataset: str
    metric: str
    gain: float
    place: str = ""
    digits: int = 2
    protocol: str = ""
    runs: int = 1
    same_test: bool = True
    not_comparable: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "metric", _shown(self.metric))
        if self.gain <= -1:
            raise ValueError(f"gain must be above −1 (−100 %), got {self.gain}")
        if self.runs < 1:
            raise ValueError(f"runs must be at least 1, got {self.runs}")

    def pairs(self, dataset: str, protocol: str, metric: str) -> Iterator[tuple[str, str]]:
        """The pair this claim speaks of, if it speaks of this data set, protocol and metric."""
        if (self.dataset, self.metric) == (dataset, metric) and self.protocol in ("", protocol):
            yield self.better, self.worse


@dataclass(frozen=True)
class Cost:
    """The claim that the cost of ``first`` over that of ``second`` is ``ratio`` ("22,822 against 24,917 a second").

    ``quantity``: "targets_per_second", "fit", "score" (seconds) or "peak_memory_mb", as a cell records it.
    """

    text: str
    first: str
    second: str
    dataset: str
    ratio: float
    quantity: str = "targets_per_second"
    place: str = ""
    protocol: str = ""

    def __post_init__(self) -> None:
        known = ("targets_per_second", "fit", "score", "peak_memory_mb")
        if self.quantity not in known:
            raise ValueError(f"quantity must be one of {', '.join(known)}, got {self.quantity!r}")
        if self.ratio <= 0:
            raise ValueError(f"ratio must be above 0, got {self.ratio}")

    def pairs(self, dataset: str, protocol: str, metric: str) -> Iterator[tuple[str, str]]:
        """No pair: a cost is no metric of ranks."""
        yield from ()


@dataclass(frozen=True)
class Compound:
    """A claim of several parts ("in all four cells", "best except …"): it holds if every part holds."""

    text: str
    parts: tuple[Ranking | Gain | Cost, ...]
    place: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        if not self.parts:
            raise ValueError(f"the compound claim {self.text!r} has no parts; expected at least one claim")

    def pairs(self, dataset: str, protocol: str, metric: str) -> Iterator[tuple[str, str]]:
        """The pairs of all parts that speak of this data set, protocol and metric."""
        for part in self.parts:
            yield from part.pairs(dataset, protocol, metric)


Claim = Ranking | Gain | Cost | Compound
_KINDS: dict[str, type] = {kind.__name__: kind for kind in (Published, Ranking, Gain, Cost, Compound)}


@dataclass(frozen=True)
class Verdict:
    """What was found of one Published or claim, and why, in words.

    estimate, interval: for a level the ratio rerun / published with its 90 % interval; for a ranking the difference
    better − worse with its 95 % interval; for a gain the ratio of the two (1 + gain), for a cost the ratio measured.
    about: the value that was judged. rerun_value: the rerun's mean. parts: the verdicts of a compound's parts.
    """

    subject: str
    outcome: Outcome
    reason: str
    estimate: float | None = None
    interval: tuple[float, float] | None = None
    p_adjusted: float | None = None
    about: Published | Claim | None = None
    protocol: str = ""
    rerun_value: float | None = None
    parts: tuple[Verdict, ...] = ()

    @property
    def kind(self) -> str:
        """What was judged: "Published", "Ranking", "Gain", "Cost" or "Compound"."""
        return type(self.about).__name__


def to_record(value: Published | Claim) -> dict[str, Any]:
    """A published number or claim as plain JSON data, with its kind."""
    fields: dict[str, Any] = {"kind": type(value).__name__}
    for field in dataclasses.fields(value):
        held = getattr(value, field.name)
        if isinstance(held, tuple):
            held = [to_record(part) for part in held]
        fields[field.name] = held.value if isinstance(held, enum.Enum) else held
    return fields


def claim_from_record(record: dict[str, Any]) -> Any:
    """The value that ``to_record`` wrote. Raises ValueError for an unknown kind."""
    fields = dict(record)
    kind = _KINDS.get(fields.pop("kind", ""))
    if kind is None:
        raise ValueError(f"unknown kind of claim {record.get('kind')!r}: known are {', '.join(_KINDS)}")
    known = {field.name for field in dataclasses.fields(kind)}
    unknown = sorted(set(fields) - known)
    if unknown:
        raise ValueError(f"a {kind.__name__} has no field {unknown[0]!r}: it has {', '.join(sorted(known))}")
    if "parts" in fields:
        fields["parts"] = tuple(claim_from_record(part) for part in fields["parts"])
    if "rerun" in fields:
        fields["rerun"] = Rerun(fields["rerun"])
    return kind(**fields)
