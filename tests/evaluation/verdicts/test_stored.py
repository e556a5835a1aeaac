"""A kind of claim from outside this package, in one class: judged, stored, read back without its class."""

import json
from dataclasses import dataclass, replace

import pytest

from evaluation.comparison.compare import compare_suite
from evaluation.verdicts.claims import (
    Claim,
    ComparisonRequest,
    Compound,
    Evidence,
    Outcome,
    Ranking,
    Verdict,
    claim_from_json,
    claim_to_json,
    is_built_in,
)
from evaluation.verdicts.judge import judge_suite, judged_records, requests_of

FEW = {"flips": 2000, "resamples": 300}


@dataclass(frozen=True)
class AtLeast(Claim):
    """The claim that a model reaches a value."""

    text: str
    model: str
    dataset: str
    metric: str
    value: float

    @property
    def models(self):
        return (self.model,)

    @property
    def claimed(self):
        return f"≥ {self.value:.2f}"

    def requests(self):
        return (ComparisonRequest(self.dataset, self.metric),)

    def judge(self, evidence: Evidence, protocol: str) -> Verdict:
        mean = evidence.table(self.dataset, protocol, self.metric).model(self.model).mean
        outcome = Outcome.REPRODUCED if mean >= self.value else Outcome.CONTRADICTED
        return self.verdict(outcome, f"It reaches {mean:.3f}.", protocol, estimate=mean)


LOW = AtLeast("GRU reaches 0.01", "GRU", "D", "NDCG@10", 0.01)
RANKING = Ranking("GRU beats popularity", "GRU", "Popularity", "D", "MRR@20")


def stored(three_models, claims):
    """The suite as ``run`` leaves it: first the claims, then, at the end, with their verdicts."""
    results = three_models.suite(claims=[claim_to_json(claim) for claim in claims])
    records = json.loads(json.dumps(judged_records(results, claims)))
    return three_models.suite(claims=records)


def test_it_is_judged_stored_and_read_back(three_models):
    results = stored(three_models, [LOW, RANKING])
    tables = compare_suite(results, requests_of(results), **FEW)
    assert [table.metric for table in tables] == ["MRR@20", "Recall@20", "NDCG@10"]
    toy, ranking = judge_suite(results, tables)
    assert (toy.kind, toy.subject, toy.claimed, toy.models) == ("AtLeast", LOW.text, "≥ 0.01", ("GRU",))
    assert (toy.outcome, toy.outcome_text, toy.protocol) == (Outcome.REPRODUCED, "SUPPORTED", "P")
    assert toy.estimate == tables[2].model("GRU").mean
    assert ranking.kind == "Ranking"
    assert "verdicts" not in results.record["claims"][1]


def test_until_it_is_judged_it_is_inconclusive(three_models):
    results = three_models.suite(claims=[claim_to_json(LOW)])
    (verdict,) = judge_suite(results, compare_suite(results, requests_of(results), **FEW))
    assert (verdict.outcome, verdict.kind) == (Outcome.INCONCLUSIVE, "AtLeast")
    assert "run the suite to judge it" in verdict.reason


def test_an_error_of_its_code_is_an_inconclusive_verdict(three_models):
    results = stored(three_models, [replace(LOW, model="nobody")])
    (verdict,) = judge_suite(results, compare_suite(results, requests_of(results), **FEW))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "AtLeast cannot judge it: AttributeError" in verdict.reason


def test_a_compound_with_such_a_part_is_stored_as_a_whole(three_models):
    both = Compound("both", (RANKING, LOW))
    assert not is_built_in(both)
    results = stored(three_models, [both])
    (verdict,) = judge_suite(results, compare_suite(results, requests_of(results), **FEW))
    assert verdict.kind == "Compound"
    assert [part.kind for part in verdict.parts] == ["Ranking", "AtLeast"]
    assert len(requests_of(results)) == 2


def test_a_kind_that_borrows_a_name_is_not_taken_for_the_built_in_one():
    namesake = type("Ranking", (AtLeast,), {})("x", "GRU", "D", "MRR@20", 0.1)
    assert not is_built_in(namesake)
    assert claim_from_json(claim_to_json(namesake)).kind == "Ranking"


def test_a_kind_must_judge():
    with pytest.raises(TypeError, match="abstract method"):
        Claim()
