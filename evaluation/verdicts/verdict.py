"""Verdict: the outcome of one published number or claim, with the reason and what a table shows of it."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.frames import Record
from evaluation.json_codec import to_json
from evaluation.printed_numbers import percent, short_fraction
from evaluation.statistics.equivalence import LENIENT, EquivalenceZone, Noise, tost

TEXT_OF_A_HYPOTHESIS = {"REPRODUCED": "SUPPORTED", "NOT REPRODUCED": "NOT SUPPORTED", "CONTRADICTED": "NOT SUPPORTED"}
NO_RESULT = "NO RESULT"


class Outcome(enum.Enum):
    """The outcome of a verdict, as stored.

    ``Verdict.outcome_text`` shows a hypothesis that cites no paper as SUPPORTED or NOT SUPPORTED instead, and what has
    no result to judge by, which is stored as inconclusive, as NO RESULT.
    """

    REPRODUCED = "REPRODUCED"
    NOT_REPRODUCED = "NOT REPRODUCED"
    CONTRADICTED = "CONTRADICTED"
    INCONCLUSIVE = "INCONCLUSIVE"
    NOT_COMPARABLE = "NOT COMPARABLE"
    NOT_JUDGED = "NOT JUDGED"  # a published number that is uncertain: shown beside the rerun, never judged


@dataclass(frozen=True)
class Verdict:
    """The verdict on one published number or claim: its outcome, the reason, and what a table shows of it.

    kind: the class of what was judged. claimed: the claimed finding in short. estimate, interval: what was found; for
    a published number the ratio rerun / published with its 90 % interval. signed: whether the estimate is a difference,
    shown with its sign, or else a ratio or amount. models: those that the claim names, the one said to be ahead first.
    place: where it was published. rerun_value: the rerun's mean of a published number. parts: the verdicts of a
    compound's parts. cites_paper: whether the suite or the claim names a publication. about: the value that was judged,
    None in a verdict that was stored.
    """

    subject: str
    outcome: Outcome
    reason: str
    kind: str = ""
    claimed: str = ""
    estimate: float | None = None
    interval: tuple[float, float] | None = None
    p_adjusted: float | None = None
    signed: bool = False
    dataset: str = ""
    protocol: str = ""
    models: tuple[str, ...] = ()
    place: str = ""
    rerun_value: float | None = None
    parts: tuple[Verdict, ...] = ()
    cites_paper: bool = True
    about: Any = None

    @property
    def outcome_text(self) -> str:
        """The outcome as shown to a reader; NO RESULT where there is nothing to judge by."""
        if self.without_result:
            return NO_RESULT
        text = self.outcome.value
        return text if self.cites_paper else TEXT_OF_A_HYPOTHESIS.get(text, text)

    @property
    def without_result(self) -> bool:
        """Whether there is no result to judge by."""
        if self.parts:
            return all(part.without_result for part in self.parts)
        return self.outcome is Outcome.INCONCLUSIVE and self.estimate is None and self.rerun_value is None

    def records(self, part_of: str = "") -> list[Record]:
        """The verdict and its parts, one record each, with numbers where a verdict has numbers."""
        low, high = self.interval or (None, None)
        own = {
            "dataset": self.dataset, "protocol": self.protocol, "models": "; ".join(self.models),
            "metric": getattr(self.about, "metric", ""), "kind": self.kind, "subject": self.subject,
            "part_of": part_of, "verdict": self.outcome_text, "claimed": self.claimed,
            "published": self.about.value if self.kind == "Published" and self.about is not None else None,
            "rerun": self.rerun_value, "estimate": self.estimate, "low": low, "high": high,
            "estimate_is": "" if self.estimate is None else "difference" if self.signed else "ratio or amount",
            "p_adjusted": self.p_adjusted, "reason": self.reason, "place": self.place,
        }  # fmt: skip
        return [own, *(record for part in self.parts for record in part.records(self.subject))]

    def to_json(self) -> dict[str, Any]:
        """Return the verdict as JSON data, without ``about``."""
        return {name: to_json(value) for name, value in vars(self).items() if name != "about"}


def outcome_of(zone: EquivalenceZone) -> Outcome:
    """Return the outcome of an equivalence test."""
    if zone in (EquivalenceZone.STRICT, EquivalenceZone.LENIENT):
        return Outcome.REPRODUCED
    return Outcome.INCONCLUSIVE if zone is EquivalenceZone.OPEN else Outcome.NOT_REPRODUCED


def judge_zero(rerun: float, most: float, noise: Sequence[Noise], margin: float = LENIENT) -> tuple[Outcome, str]:
    """Judge a rerun against a published 0, which stands for any value up to ``most``; return outcome and reason.

    There is no ratio to 0. A rerun whose 90 % interval lies above ``most`` by more than the margin does not reproduce
    it; a rerun of exactly 0 does.
    """
    if rerun <= 0:
        return Outcome.REPRODUCED, "the rerun's is 0 too."
    found = tost(rerun, most, 0.0, noise, strict=margin, lenient=margin)
    low, high = (end * most for end in found.interval)
    bound = f"the {short_fraction(most)} that the published one can be at most"
    text = f"the rerun's is {short_fraction(rerun)} [{short_fraction(low)}, {short_fraction(high)}]"
    if found.zone is EquivalenceZone.ABOVE:
        return Outcome.NOT_REPRODUCED, f"{text}, clearly above {bound}."
    return Outcome.INCONCLUSIVE, f"{text}, not clearly above {bound}."


def worst(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the outcome of a claim whose parts must all hold."""
    order = (Outcome.CONTRADICTED, Outcome.NOT_REPRODUCED, Outcome.NOT_COMPARABLE, Outcome.INCONCLUSIVE)
    return next((outcome for outcome in order if outcome in outcomes), Outcome.REPRODUCED)


def zone_text(zone: EquivalenceZone, margin: float = LENIENT) -> str:
    """Describe where the interval of a ratio lies."""
    sides = {
        EquivalenceZone.ABOVE: f"lies above {percent(margin, 0)}",
        EquivalenceZone.BELOW: f"lies below {percent(-margin, 0)}",
        EquivalenceZone.OPEN: "straddles the margin",
    }
    return sides.get(zone, f"lies {zone.value}")
