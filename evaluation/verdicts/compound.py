"""Compound: a claim of several parts that must all hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.comparison.request import ComparisonRequest
from evaluation.verdicts.claim import Claim
from evaluation.verdicts.evidence import Evidence
from evaluation.verdicts.verdict import Outcome, Verdict, worst


@dataclass(frozen=True)
class Compound(Claim):
    """A claim of several parts ("in all four cells", "best except …"): it holds if every part holds."""

    text: str
    parts: tuple[Claim, ...]
    place: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "parts", tuple(self.parts))
        if not self.parts:
            raise ValueError(f"the compound claim {self.text!r} has no parts; expected at least one claim")

    @property
    def claimed(self) -> str:
        """The number of parts."""
        return f"all {len(self.parts)} parts" if len(self.parts) > 1 else "its one part"

    def requests(self) -> Sequence[ComparisonRequest]:
        """Return the requests of all parts."""
        return [request for part in self.parts for request in part.requests()]

    def protocols(self, evidence: Evidence) -> list[str]:
        """Return one empty name: each part has its own protocols."""
        return [""]

    def judge(self, evidence: Evidence, protocol: str) -> Verdict:
        """Judge each part under each of its protocols; the worst outcome counts."""
        parts = [verdict for part in self.parts for verdict in evidence.judge(part, self.place)]
        outcome = worst([part.outcome for part in parts])
        failing = [part for part in parts if part.outcome is not Outcome.REPRODUCED]
        reason = f"{len(parts) - len(failing)} of {len(parts)} parts hold"
        if failing:
            first = next(part for part in failing if part.outcome is outcome)
            reason += f"; {first.subject} ({first.outcome_text}): {first.reason.rstrip('.')}"
        return self.verdict(outcome, reason + ".", parts=tuple(parts))
