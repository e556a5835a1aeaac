"""StoredClaim: a claim of a kind that is defined in a suite's file, read back with the verdicts that ``run`` stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from evaluation.comparison.request import ComparisonRequest
from evaluation.json_codec import to_json
from evaluation.verdicts.claim import Claim
from evaluation.verdicts.evidence import Evidence
from evaluation.verdicts.verdict import Outcome, Verdict


@dataclass(frozen=True)
class StoredClaim(Claim):
    """A claim whose class is not at hand. kind: the name of its class. requested: the tables and tests it needs."""

    kind: str
    text: str
    place: str
    requested: tuple[ComparisonRequest, ...]
    verdicts: tuple[Verdict, ...] = ()

    @classmethod
    def of(cls, claim: Claim, verdicts: Sequence[Verdict] = ()) -> StoredClaim:
        """Return what is stored of a claim."""
        kind, place = type(claim).__name__, getattr(claim, "place", "")
        return cls(kind, claim.text, place, tuple(claim.requests()), tuple(verdicts))

    def requests(self) -> Sequence[ComparisonRequest]:
        """Return the stored requests."""
        return self.requested

    def protocols(self, evidence: Evidence) -> list[str]:
        """Return the protocols of the stored verdicts."""
        return [verdict.protocol for verdict in self.verdicts] or [""]

    def judge(self, evidence: Evidence, protocol: str) -> Verdict:
        """Return the stored verdict."""
        for verdict in self.verdicts:
            if verdict.protocol == protocol:
                return verdict
        reason = f"No verdict is stored: {self.kind} is defined in the suite's file, so run the suite to judge it."
        return replace(self.verdict(Outcome.INCONCLUSIVE, reason), kind=self.kind)

    def to_json(self) -> dict[str, Any]:
        """Return the claim as JSON data."""
        return {name: to_json(value) for name, value in vars(self).items()}
