"""Verdicts: their outcomes, as shown, and the words for zones and p."""

from dataclasses import replace

import pytest

from evaluation.statistics.equivalence import EquivalenceZone, Noise
from evaluation.verdicts.verdict import Outcome, Verdict, judge_zero, outcome_of, worst, zone_text

PLAIN = Verdict("s", Outcome.INCONCLUSIVE, "r")


@pytest.mark.parametrize(("zone", "outcome", "of_ten", "of_five"), [
    (EquivalenceZone.STRICT, Outcome.REPRODUCED, "lies within ±5 %", "lies within ±5 %"),
    (EquivalenceZone.LENIENT, Outcome.REPRODUCED, "lies within ±10 %", "lies within ±10 %"),
    (EquivalenceZone.ABOVE, Outcome.NOT_REPRODUCED, "lies above +10 %", "lies above +5 %"),
    (EquivalenceZone.BELOW, Outcome.NOT_REPRODUCED, "lies below −10 %", "lies below −5 %"),
    (EquivalenceZone.OPEN, Outcome.INCONCLUSIVE, "straddles the margin", "straddles the margin"),
])  # fmt: skip
def test_zones(zone, outcome, of_ten, of_five):
    assert (outcome_of(zone), zone_text(zone), zone_text(zone, 0.05)) == (outcome, of_ten, of_five)


@pytest.mark.parametrize(("outcome", "shown"), [
    (Outcome.REPRODUCED, "SUPPORTED"), (Outcome.NOT_REPRODUCED, "NOT SUPPORTED"),
    (Outcome.CONTRADICTED, "NOT SUPPORTED"), (Outcome.INCONCLUSIVE, "INCONCLUSIVE"),
    (Outcome.NOT_COMPARABLE, "NOT COMPARABLE"), (Outcome.NOT_JUDGED, "NOT JUDGED"),
])  # fmt: skip
def test_a_hypothesis_has_other_words(outcome, shown):
    found = replace(PLAIN, outcome=outcome, estimate=1.0)
    assert found.outcome_text == outcome.value
    assert replace(found, cites_paper=False).outcome_text == shown


def test_a_verdict_without_result():
    assert PLAIN.without_result
    for change in ({"outcome": Outcome.NOT_REPRODUCED}, {"estimate": 0.0}, {"rerun_value": 0.0}):
        assert not replace(PLAIN, **change).without_result
        assert not replace(PLAIN, parts=(PLAIN, replace(PLAIN, **change))).without_result
    assert replace(PLAIN, estimate=1.0, parts=(PLAIN,)).without_result
    assert PLAIN.outcome_text == replace(PLAIN, cites_paper=False).outcome_text == "NO RESULT"


def test_the_worst_outcome():
    order = [Outcome.CONTRADICTED, Outcome.NOT_REPRODUCED, Outcome.NOT_COMPARABLE, Outcome.INCONCLUSIVE]
    for n, outcome in enumerate(order):
        assert worst([*order[n:][::-1], Outcome.REPRODUCED]) is outcome
    assert worst([Outcome.REPRODUCED]) is worst([]) is Outcome.REPRODUCED


def test_a_published_zero():
    assert judge_zero(0.0, 0.5, []) == (Outcome.REPRODUCED, "the rerun's is 0 too.")
    for rerun, margin, above in ((0.551, 0.10, True), (0.549, 0.10, False), (0.526, 0.05, True), (0.524, 0.05, False)):
        outcome, reason = judge_zero(rerun, 0.5, [], margin)
        assert outcome is (Outcome.NOT_REPRODUCED if above else Outcome.INCONCLUSIVE)
        shown = str(rerun).removeprefix("0")
        where = f"{'' if above else 'not '}clearly above the .5 that the published one can be at most."
        assert reason == f"the rerun's is {shown} [{shown}, {shown}], {where}"
    assert judge_zero(0.551, 0.5, [])[0] is Outcome.NOT_REPRODUCED  # 10 % where no margin is given
    # one degree of freedom and a relative deviation of .1: exp(6.314 · .1) = 1.880
    noisy = "the rerun's is 1 [.5319, 1.88], clearly above the .25 that the published one can be at most."
    assert judge_zero(1.0, 0.25, [Noise("seeds", 0.01, 1)]) == (Outcome.NOT_REPRODUCED, noisy)
