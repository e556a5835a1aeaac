"""The published numbers and claims that a suite can make, and their JSON records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evaluation.comparison.request import ComparisonRequest
from evaluation.json_codec import from_json
from evaluation.verdicts.across_protocols import AcrossProtocols
from evaluation.verdicts.claim import Claim
from evaluation.verdicts.compound import Compound
from evaluation.verdicts.cost import Cost
from evaluation.verdicts.evidence import OWN_CLAIM, Evidence
from evaluation.verdicts.gain import Gain
from evaluation.verdicts.published import Published, Rerun
from evaluation.verdicts.ranking import Ranking
from evaluation.verdicts.stored import StoredClaim
from evaluation.verdicts.verdict import Outcome, Verdict

__all__ = [
    "OWN_CLAIM", "AcrossProtocols", "Claim", "ComparisonRequest", "Compound", "Cost", "Evidence", "Gain", "Outcome",
    "Published", "Ranking", "Rerun", "Verdict", "claim_from_json", "claim_to_json", "is_built_in",
]  # fmt: skip
KINDS: dict[str, type[Claim]] = {kind.__name__: kind for kind in (Ranking, Gain, Cost, Compound, AcrossProtocols)}


def is_built_in(claim: Claim) -> bool:
    """Whether a claim, with its parts, can be read back and judged without the suite's file."""
    return KINDS.get(type(claim).__name__) is type(claim) and all(map(is_built_in, getattr(claim, "parts", ())))


def claim_to_json(claim: Claim, verdicts: Sequence[Verdict] = ()) -> dict[str, Any]:
    """Return a claim as JSON data; one of a kind from a suite's file as a StoredClaim with its ``verdicts``."""
    return claim.to_json() if is_built_in(claim) else StoredClaim.of(claim, verdicts).to_json()


def claim_from_json(record: Mapping[str, Any]) -> Claim:
    """Return the claim that ``claim_to_json`` wrote. Raises ValueError for an unknown kind or a field that is wrong."""
    if "verdicts" in record:
        return from_json(StoredClaim, record)
    kind = KINDS.get(record.get("kind", ""))
    if kind is None:
        raise ValueError(f"unknown kind of claim {record.get('kind')!r}: known are {', '.join(KINDS)}")
    fields = {name: value for name, value in record.items() if name != "kind"}
    return from_json(kind, fields, readers={Claim: claim_from_json})
