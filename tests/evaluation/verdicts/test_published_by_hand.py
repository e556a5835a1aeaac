"""Published numbers by hand: every field and the whole reason of each outcome."""

import math
from dataclasses import replace

import pytest
from scipy import stats

from evaluation.json_codec import from_json
from evaluation.verdicts.claims import Outcome, Published, Rerun, Verdict

from .hand_made import SMOKE, evidence, failure, only, row, table

NUMBER = Published("D", "A", "MRR@20", 0.2, "table 1", digits=2)
SUBJECT = "A on D: MRR@20 = .20 (table 1)"


def expected(outcome, reason, about=NUMBER, subject=SUBJECT, claimed=".20", rerun=0.2, **found):
    return Verdict(
        subject, outcome, reason, kind="Published", claimed=claimed, dataset="D", protocol="P", models=("A",),
        place="table 1", rerun_value=rerun, about=about, **found,
    )  # fmt: skip


def judged(a, number=NUMBER, **more):
    return only(evidence([table([a])], **more).judge(number))


# value .2 ± .005; the interval of the ratio is rerun / (value ± .005)
@pytest.mark.parametrize(("rerun", "outcome", "shown"), [
    (0.2, Outcome.REPRODUCED, "Rerun .200 (deterministic), ratio 1.000 [.976, 1.026]: within ±5 %."),
    (0.21, Outcome.REPRODUCED, "Rerun .210 (deterministic), ratio 1.050 [1.024, 1.077]: within ±10 %, not ±5 %."),
    (0.3, Outcome.NOT_REPRODUCED, "Rerun .300 (deterministic), ratio 1.500 [1.463, 1.538]: above +10 %."),
    (0.1, Outcome.NOT_REPRODUCED, "Rerun .100 (deterministic), ratio .500 [.488, .513]: below −10 %."),
    (0.22, Outcome.INCONCLUSIVE, "Rerun .220 (deterministic), ratio 1.100 [1.073, 1.128]: the interval straddles the "
     "margin. No number of seeds can decide it; the largest source of uncertainty is the rounding of the published "
     "value."),
])  # fmt: skip
def test_levels(rerun, outcome, shown):
    interval = (pytest.approx(rerun / 0.205), pytest.approx(rerun / 0.195))
    found = {"estimate": pytest.approx(rerun / 0.2), "interval": interval}
    assert judged(row("A", rerun)) == expected(outcome, shown, rerun=rerun, **found)
    odd = judged(row("A", rerun, caveats=("odd",)))
    assert odd.reason == shown + " Caveat: odd."


CAVEAT = " Caveat: COMPUTED ELSEWHERE: by its code."


def test_a_rerun_of_the_same_code_is_said_in_the_reason():
    same = replace(NUMBER, rerun=Rerun.SAME)
    words = " Kind of rerun: same code and data."
    theirs = row("A", 0.2, caveats=("COMPUTED ELSEWHERE: by its code",))
    reason = judged(theirs).reason.removesuffix(CAVEAT)
    assert judged(theirs).reason == reason + CAVEAT
    assert judged(theirs, same).reason == reason + words + CAVEAT  # a report shows what is before the caveat
    few = row("A", 0.2, deterministic=False)
    assert judged(few, same).reason == judged(few).reason + words
    assert from_json(Published, same.to_json()) == same


def test_seeds_and_the_test_sample_are_noise():
    # 20 seeds with a relative deviation of .05 against one run: a variance of .0025 · (1 + 1/20), 19 degrees of freedom
    a = row("A", 0.2, sd=0.01, seeds=20, deterministic=False, error=0.01)
    shown = "Rerun .200 (20 seeds), ratio 1.000 [.893, 1.121]: the interval straddles the margin. "
    source = "the largest source of uncertainty is the paper's single run."
    assert judged(a).reason == f"{shown}No number of seeds can decide it; {source}"
    other = judged(a, replace(NUMBER, same_test=False))  # the clustered error is .05 too, on both sides, of 80 users
    freedom = 0.007625**2 / (0.002625**2 / 19 + 0.005**2 / 79)
    factor = math.exp(stats.t.ppf(0.95, freedom) * math.sqrt(0.007625))
    assert other.interval == (pytest.approx(0.2 / 0.205 / factor), pytest.approx(0.2 / 0.195 * factor))
    assert other.reason.endswith("the largest source of uncertainty is the test sample.")
    exact = judged(replace(a, error=0.0), replace(NUMBER, same_test=False))
    assert exact.interval == judged(a).interval  # nothing varies between users


def test_zeros():
    zero = replace(NUMBER, value=0.005)  # half a unit: 0 in print, and anything up to .01
    about = {"about": zero, "subject": "A on D: MRR@20 = .01 (table 1)", "claimed": ".01"}
    is_0 = "The published value is 0 up to its rounding; the rerun's is "
    assert judged(row("A", 0.0), zero) == expected(Outcome.REPRODUCED, is_0 + "0 too.", rerun=0.0, **about)
    reason = is_0 + ".02 [.02, .02], clearly above the .01 that the published one can be at most. Caveat: odd."
    found = judged(row("A", 0.02, caveats=("odd",)), zero)
    assert found == expected(Outcome.NOT_REPRODUCED, reason, rerun=0.02, **about)
    reason = is_0 + ".011 [.011, .011], not clearly above the .01 that the published one can be at most."
    assert judged(row("A", 0.011), zero) == expected(Outcome.INCONCLUSIVE, reason, rerun=0.011, **about)
    reason = "Rerun .020; one seed does not show the seed noise: run at least 3 seeds."
    found = judged(row("A", 0.02, deterministic=False), zero)
    assert found == expected(Outcome.INCONCLUSIVE, reason, rerun=0.02, **about)
    assert judged(row("A", 0.0)) == expected(Outcome.NOT_REPRODUCED, "The rerun's value is 0.", rerun=0.0)
    learner = row("A", 0.0, sd=0.0, seeds=3, deterministic=False)
    assert judged(learner) == expected(Outcome.NOT_REPRODUCED, "The rerun's value is 0.", rerun=0.0)


def test_what_decides_before_the_level():
    a = row("A", 0.2)
    closed = replace(NUMBER, not_comparable="other data", certain=False)
    assert judged(a, closed) == expected(Outcome.NOT_COMPARABLE, "other data", closed)
    unsure = replace(NUMBER, certain=False, source="figure")
    reason = "The figure's number is not certain, so it is shown and not judged."
    assert judged(a, unsure) == expected(Outcome.NOT_JUDGED, reason, unsure)
    missing = only(evidence([table([row("B", 0.1)])], failures=[failure("A")]).judge(NUMBER))
    assert missing == expected(Outcome.INCONCLUSIVE, "A has no result (FAILED: the loss was NaN).", rerun=None)
    none = only(evidence(failures=[failure("A")]).judge(NUMBER))
    assert none == missing
    reason = f"{SMOKE}: a published number is judged on the whole data only."
    assert judged(a, caveats=[SMOKE]) == expected(Outcome.NOT_COMPARABLE, reason)
    assert judged(row("A", 0.2, caveats=(SMOKE,))) == expected(Outcome.NOT_COMPARABLE, reason)
    reason = "Ratio 1.000; one seed does not show the seed noise: run at least 3 seeds."
    assert judged(row("A", 0.2, deterministic=False)) == expected(Outcome.INCONCLUSIVE, reason, estimate=1.0)


@pytest.mark.parametrize(("metric", "value", "end"), [
    ("MRR@20", 1.0, None),
    ("unknown", 50.0, None),
    ("MRR@20", 1.5, "at most 1; write 0.015 for 1.5 % (digits counts the decimals of what you write)"),
    ("MRR@20", 100.0, "at most 1; write 1 for 100 % (digits counts the decimals of what you write)"),
    ("MRR@20", 100.5, "at most 1; correct it (digits counts the decimals of what you write)"),
])  # fmt: skip
def test_values_in_per_cent(metric, value, end):
    start = f"published value {value:g} of 'A' on 'D' is impossible, since {metric} is "
    assert replace(NUMBER, metric=metric, value=value).mistake() == ("" if end is None else start + end)


def test_fields_and_their_bounds():
    amount = "at least 0 and finite"
    for field, value, rule in (("runs", 0, "at least 1"), ("digits", -1, "at least 0"), ("value", -0.1, amount),
                               ("value", math.inf, amount)):  # fmt: skip
        with pytest.raises(ValueError) as error:
            replace(NUMBER, **{field: value})
        assert str(error.value) == f"{field} must be {rule}, got {value!r}"
    assert replace(NUMBER, runs=1, digits=0, value=0.0).half_unit == 0.5
    assert NUMBER.to_json() == {
        "dataset": "D", "model": "A", "metric": "MRR@20", "value": 0.2, "place": "table 1", "digits": 2,
        "source": "paper", "certain": True, "not_comparable": "", "protocol": "", "runs": 1, "same_test": True,
        "rerun": "reimplementation with matched protocol",
    }  # fmt: skip
