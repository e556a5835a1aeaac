"""Rankings by hand: every field and the whole reason of each outcome."""

from dataclasses import replace

import pytest

from evaluation.verdicts.claims import OWN_CLAIM, Outcome, Ranking, Verdict

from .hand_made import SMOKE, evidence, failure, of_two, only, pair, row, table

A, B = row("A", 0.12), row("B", 0.10)
CLAIM = Ranking("A beats B", "A", "B", "D", "MRR@20", "table 1")
FOUND = "A − B = +.0200 [+.0100, +.0300]"


def expected(outcome, reason, claim=CLAIM, **found):
    return Verdict(
        claim.text, outcome, reason, kind="Ranking", claimed="above 0", signed=True, dataset="D", protocol="P",
        models=(claim.better, claim.worse), place="table 1", about=claim, **found,
    )  # fmt: skip


def test_a_ranking_holds():
    found = only(of_two(A, B).judge(CLAIM))
    tested = {"estimate": 0.02, "interval": (0.01, 0.03), "p_adjusted": 0.012}
    assert found == expected(Outcome.REPRODUCED, f"{FOUND}, adjusted p = .012.", **tested)
    assert found.to_json() == {
        "subject": "A beats B", "outcome": "REPRODUCED", "reason": f"{FOUND}, adjusted p = .012.", "kind": "Ranking",
        "claimed": "above 0", "estimate": 0.02, "interval": [0.01, 0.03], "p_adjusted": 0.012, "signed": True,
        "dataset": "D", "protocol": "P", "models": ["A", "B"], "place": "table 1", "rerun_value": None, "parts": [],
        "cites_paper": True,
    }  # fmt: skip


def test_a_ranking_is_contradicted():
    claim = replace(CLAIM, better="B", worse="A")
    reason = "B − A = −.0200 [−.0300, −.0100], adjusted p = .00090: significant in the other direction."
    tested = {"estimate": -0.02, "interval": (-0.03, -0.01), "p_adjusted": 0.0009}
    assert only(of_two(A, B, pair(p=0.0009)).judge(claim)) == expected(Outcome.CONTRADICTED, reason, claim, **tested)


def test_a_p_of_the_level_is_not_significant():
    reason = f"{FOUND}, adjusted p = .050: the difference between the methods is not statistically significant."
    tested = {"estimate": 0.02, "interval": (0.01, 0.03), "p_adjusted": 0.05}
    assert only(of_two(A, B, pair(p=0.05)).judge(CLAIM)) == expected(Outcome.INCONCLUSIVE, reason, **tested)


def test_one_seed_tests_the_trained_models():
    reason = (
        f"{FOUND}: with one seed the test applies to these trained models (adjusted p = .012), not to the methods; "
        "run at least 3 seeds."
    )
    found = only(of_two(A, B, pair(of_methods=False)).judge(CLAIM))
    assert found == expected(Outcome.INCONCLUSIVE, reason, estimate=0.02, interval=(0.01, 0.03))


@pytest.mark.parametrize(("difference", "outcome"), [(-0.02, Outcome.REPRODUCED), (0.02, Outcome.CONTRADICTED)])
def test_the_better_model_is_lower_where_less_is_better(difference, outcome):
    tests = table([A, B], [pair(difference)], higher_is_better=False)
    assert only(evidence([tests]).judge(CLAIM)).outcome is outcome


def test_the_reason_ends_with_each_caveat_once():
    a, b = replace(A, caveats=("slow",)), replace(B, caveats=("slow", "odd", SMOKE))
    assert only(of_two(a, B).judge(CLAIM)).reason == f"{FOUND}, adjusted p = .012. Caveat: slow."
    found = only(of_two(a, b, caveats=["SMOKE RUN: all"]).judge(CLAIM))
    assert found.reason == f"{FOUND}, adjusted p = .012. Caveats: SMOKE RUN: all; {SMOKE}; slow; odd."


def test_models_that_cannot_be_compared():
    closed = replace(CLAIM, not_comparable="other data")
    assert only(of_two(A, B).judge(closed)) == expected(Outcome.NOT_COMPARABLE, "other data", closed)
    alone = evidence([table([B])], failures=[failure("A")])
    reason = "A has no result (FAILED: the loss was NaN)."
    assert only(alone.judge(CLAIM)) == expected(Outcome.INCONCLUSIVE, reason)
    twice = replace(CLAIM, worse="A")
    assert only(alone.judge(twice)) == expected(Outcome.INCONCLUSIVE, reason, twice)
    found = only(of_two(A, B).judge(twice))
    assert found == expected(Outcome.INCONCLUSIVE, "the claim names one model twice.", twice)


def test_no_publication_is_cited():
    hypothesis = replace(CLAIM, place="")
    assert only(of_two(A, B).judge(hypothesis)).outcome_text == "SUPPORTED"
    assert only(of_two(A, B).judge(hypothesis, "section 5")).outcome_text == "REPRODUCED"
    assert only(of_two(A, B, paper={"title": "T"}).judge(hypothesis)).outcome_text == "REPRODUCED"
    own = replace(CLAIM, place=f"{OWN_CLAIM}: a better start")
    assert only(of_two(A, B, paper={"title": "T"}).judge(own)).outcome_text == "SUPPORTED"
