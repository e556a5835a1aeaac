"""Judge a suite: from comparison tables to a Verdict on every published number and every claim."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from evaluation.comparison.compare import compare_suite
from evaluation.comparison.request import ComparisonRequest
from evaluation.comparison.table import ComparisonTable
from evaluation.json_codec import from_json
from evaluation.results.cache import ResultCache
from evaluation.results.suite_results import SuiteResults
from evaluation.verdicts.claims import (
    Claim,
    Evidence,
    Outcome,
    Published,
    Verdict,
    claim_from_json,
    claim_to_json,
    is_built_in,
)


def judge_suite(results: SuiteResults, comparisons: Sequence[ComparisonTable]) -> list[Verdict]:
    """Return a verdict on each published number, then on each claim, in the suite's order.

    A number or claim that names no protocol is judged under every protocol of its data set. Holm adjusts the
    method-level p over all rankings and gains of the suite, parts of compound claims included; a published number is
    judged by an equivalence test and needs no adjustment.
    """
    evidence = Evidence.of(results, comparisons, requests_of(results))
    return [verdict for value in (*_published(results), *_claims(results)) for verdict in evidence.judge(value)]


def requests_of(results: SuiteResults) -> list[ComparisonRequest]:
    """Return the tables and tests that the suite's published numbers and claims need."""
    return [request for value in (*_published(results), *_claims(results)) for request in value.requests()]


def judged_records(
    results: SuiteResults, claims: Sequence[Claim], cache: ResultCache | None = None
) -> list[dict[str, Any]]:
    """Return the JSON records of a suite's claims, with the verdicts of those whose kind the suite's file defines."""
    if all(map(is_built_in, claims)):
        return [claim_to_json(claim) for claim in claims]
    requests = requests_of(results)
    evidence = Evidence.of(results, compare_suite(results, requests, cache=cache), requests)
    return [claim_to_json(claim, () if is_built_in(claim) else _attempt(claim, evidence)) for claim in claims]


def _attempt(claim: Claim, evidence: Evidence) -> list[Verdict]:
    """Return the verdicts of a claim of a suite's own kind; an error of its code is an inconclusive verdict."""
    try:
        return evidence.judge(claim)
    except Exception as error:  # the code of a suite's file, after its cells were computed
        reason = f"{type(claim).__name__} cannot judge it: {type(error).__name__}: {error}."
        return [claim.verdict(Outcome.INCONCLUSIVE, reason)]


def _published(results: SuiteResults) -> list[Published]:
    return [from_json(Published, record) for record in results.record.get("published", ())]


def _claims(results: SuiteResults) -> list[Claim]:
    return [claim_from_json(record) for record in results.record.get("claims", ())]
