"""Gains by hand: every field and the whole reason of each outcome."""

import math
from dataclasses import replace

import pytest
from scipy import stats

from evaluation.verdicts.claims import Gain, Outcome, Verdict

from .hand_made import SMOKE, evidence, failure, of_two, only, pair, row, table

A, B = row("A", 0.2), row("B", 0.1)  # a ratio of 2
CLAIM = Gain("twice", "A", "B", "D", "MRR@20", 1.0, "table 1")
HOLDS = "The direction holds (adjusted p = .012); gain"


def expected(outcome, reason, claim=CLAIM, claimed="2.00", p=0.012, **found):
    return Verdict(
        "twice", outcome, reason, kind="Gain", claimed=claimed, dataset="D", protocol="P",
        models=(claim.better, claim.worse), place="table 1", about=claim, p_adjusted=p, **found,
    )  # fmt: skip


# published 1 + gain ± half a unit u; the interval of the ratio is 2 · published / (published ± u)
@pytest.mark.parametrize(("gain", "digits", "claimed", "outcome", "reason", "low", "high"), [
    (1.0, 2, "2.00", Outcome.REPRODUCED, f"{HOLDS} +100.0 % [+99.5 %, +100.5 %] against the published +100.0 %: "
     "lies within ±5 %.", 4 / 2.005, 4 / 1.995),
    (0.5, 2, "1.50", Outcome.NOT_REPRODUCED, f"{HOLDS} +100.0 % [+99.3 %, +100.7 %] against the published +50.0 %: "
     "lies above +5 %.", 3 / 1.505, 3 / 1.495),
    (2.0, 2, "3.00", Outcome.NOT_REPRODUCED, f"{HOLDS} +100.0 % [+99.7 %, +100.3 %] against the published +200.0 %: "
     "lies below −5 %.", 6 / 3.005, 6 / 2.995),
    (1.0, 0, "2", Outcome.INCONCLUSIVE, f"{HOLDS} +100.0 % [+60.0 %, +166.7 %] against the published +100.0 %: open; "
     "the largest source of uncertainty is the rounding of the published value.", 4 / 2.5, 4 / 1.5),
    (0.0, 2, "1.00", Outcome.NOT_REPRODUCED, "No difference is claimed; gain +100.0 % [+99.0 %, +101.0 %] against the "
     "published +0.0 %: lies above +5 %.", 2 / 1.005, 2 / 0.995),
])  # fmt: skip
def test_the_size_of_a_gain(gain, digits, claimed, outcome, reason, low, high):
    claim = replace(CLAIM, gain=gain, digits=digits)
    interval = (pytest.approx(low), pytest.approx(high))
    found = only(of_two(A, B).judge(claim))
    assert found == expected(outcome, reason, claim, claimed, estimate=2.0, interval=interval)


@pytest.mark.parametrize(
    ("sd", "same_test", "largest"), [(0.008, True, "the seeds of B"), (0.002, False, "the test sample")]
)
def test_the_noise_of_seeds_and_of_another_test_set(sd, same_test, largest):
    # relative deviations .01 and sd / .1 of 3 and 5 seeds against 2 runs of the paper
    a, b = row("A", 0.2, sd=0.002, seeds=3, deterministic=False), row("B", 0.1, sd=sd, seeds=5, deterministic=False)
    sources = [(0.01**2 * (1 / 2 + 1 / 3), 2), ((10 * sd) ** 2 * (1 / 2 + 1 / 5), 4)]
    if not same_test:
        sources.append((2 * 0.05**2, 79))  # .1 of a difference of +100 % is .05 of the ratio, on both sides
    total = sum(variance for variance, _ in sources)
    freedom = total**2 / sum(variance**2 / df for variance, df in sources)
    factor = math.exp(stats.t.ppf(0.95, freedom) * math.sqrt(total))
    claim = replace(CLAIM, digits=9, runs=2, same_test=same_test)
    found = only(of_two(a, b, pair(relative=1.0, relative_error=0.1)).judge(claim))
    assert found.interval == (pytest.approx(2 / factor), pytest.approx(2 * factor))
    assert f": open; the largest source of uncertainty is {largest}. Single seeds give " in found.reason


def seeds_of(model, values, **kwargs):
    found = row(model, sum(values.values()) / len(values), sd=0.001, deterministic=False, **kwargs)
    return replace(found, seed_values=values)


@pytest.mark.parametrize(("a", "b", "said"), [
    (seeds_of("A", {0: 0.2, 1: 0.3, 2: 0.1}), seeds_of("B", {0: 0.1, 1: 0.2, 2: 0.2}),  # ratios 2, 1.5 and .5
     " Single seeds give −50.0 % to +100.0 %."),
    (seeds_of("A", {0: 0.2, 1: 0.3}), seeds_of("B", {1: 0.2, 0: 0.1, 4: 0.01}),
     " Single seeds give +50.0 % to +100.0 %."),
    (seeds_of("A", {3: 0.2, 4: 0.3}), B, " Single seeds give +100.0 % to +200.0 %."),
    (B, seeds_of("A", {3: 0.2, 4: 0.4}), " Single seeds give −75.0 % to −50.0 %."),
    (seeds_of("A", {0: 0.2, 1: 0.3}), seeds_of("B", {1: 0.2, 4: 0.1}), ""),  # one seed in common
    (seeds_of("A", {0: 0.2, 1: 0.3}), seeds_of("B", {0: 0.0, 1: 0.2}), ""),  # one ratio that exists
    (A, B, ""),
])  # fmt: skip
def test_what_single_seeds_would_have_printed(a, b, said):
    claim = replace(CLAIM, better=a.model, worse=b.model)
    open_pair = replace(pair(p=0.3), a=a.model, b=b.model)
    found = only(of_two(replace(a, caveats=("odd",)), b, open_pair).judge(claim))
    significant = "the difference between the methods is not statistically significant."
    assert found.outcome is Outcome.INCONCLUSIVE and found.reason.endswith(f"{significant}{said} Caveat: odd.")


def test_scores_of_0():
    none = "The published ratio is 0 up to its rounding; the rerun's is "
    zero_a, zero_b = row("A", 0.0, caveats=("odd",)), row("B", 0.0, caveats=("odd",))
    falls = pair(-0.1, (-0.2, -0.05), relative=-1.0)
    claim = replace(CLAIM, gain=-0.999)
    found = only(of_two(zero_a, B, falls).judge(claim))
    assert found == expected(Outcome.REPRODUCED, none + "0 too. Caveat: odd.", claim, ".00", estimate=0.0)
    found = only(of_two(row("A", 0.05), B, falls).judge(claim))  # anything up to .006 rounds to .00
    reason = none + ".5 [.5, .5], clearly above the .006 that the published one can be at most."
    assert found == expected(Outcome.NOT_REPRODUCED, reason, claim, ".00", estimate=0.5)
    claim = replace(CLAIM, gain=-0.5, digits=0)  # half a unit, which can be anything up to one
    found = only(of_two(row("A", 0.05), B, falls).judge(claim))
    reason = none + ".5 [.5, .5], not clearly above the 1 that the published one can be at most."
    assert found == expected(Outcome.INCONCLUSIVE, reason, claim, "0", estimate=0.5)
    claim = replace(CLAIM, gain=-0.5)
    found = only(of_two(zero_a, B, falls).judge(claim))
    reason = "A scores 0, a gain of −100 %, against the published −50.0 %. Caveat: odd."
    assert found == expected(Outcome.NOT_REPRODUCED, reason, claim, ".50", estimate=0.0)
    found = only(of_two(A, zero_b).judge(CLAIM))
    assert found == expected(Outcome.NOT_REPRODUCED, "B scores 0, so the gain has no size. Caveat: odd.")


def test_what_decides_before_the_size():
    closed = replace(CLAIM, not_comparable="other data")
    assert only(of_two(A, B).judge(closed)) == expected(Outcome.NOT_COMPARABLE, "other data", closed, p=None)
    reason = f"{SMOKE}: a gain is judged on the whole data only."
    assert only(of_two(A, B, caveats=[SMOKE]).judge(CLAIM)) == expected(Outcome.NOT_COMPARABLE, reason)
    assert only(of_two(A, row("B", 0.1, caveats=(SMOKE,))).judge(CLAIM)) == expected(Outcome.NOT_COMPARABLE, reason)
    missing = evidence([table([A])], failures=[failure("B")])
    reason = "B has no result (FAILED: the loss was NaN)."
    assert only(missing.judge(CLAIM)) == expected(Outcome.INCONCLUSIVE, reason, p=None)
    reason = "A − B = +.0200 [+.0100, +.0300], adjusted p = .012: significant in the other direction."
    claim = replace(CLAIM, gain=-0.5)
    assert only(of_two(A, B).judge(claim)) == expected(Outcome.CONTRADICTED, reason, claim, ".50", estimate=2.0)
    reason = (
        "A − B = +.0200 [+.0100, +.0300]: with one seed the test applies to these trained models (adjusted p = "
        ".012), not to the methods; run at least 3 seeds."
    )
    found = only(of_two(A, B, pair(of_methods=False)).judge(CLAIM))
    assert found == expected(Outcome.INCONCLUSIVE, reason, p=None, estimate=2.0)


def test_gains_in_per_cent():
    assert replace(CLAIM, gain=9.99).mistake() == ""
    assert replace(CLAIM, gain=10.0, above_tenfold=True).mistake() == ""
    assert replace(CLAIM, gain=10.0).mistake() == (
        "gain 10 of 'A' over 'B' means +1,000 %; write gain=0.1 for 10 %, or add above_tenfold=True if +1,000 % is "
        "meant"
    )
    sentence = "gain must be above -1, got -99: it is a ratio − 1, so write -0.99 for -99 %"
    for gain, message in ((-99, sentence), (-1, sentence.replace("99", "1").replace("0.1", "0.01")),
                          (-100, "gain must be above -1 and finite, got -100")):  # fmt: skip
        with pytest.raises(ValueError) as error:
            replace(CLAIM, gain=gain)
        assert str(error.value) == message
    for field in ("runs", "digits"):
        with pytest.raises(ValueError, match=f"{field} must be at least {int(field == 'runs')}, got -1"):
            replace(CLAIM, **{field: -1})
    assert replace(CLAIM, gain=-0.99, runs=1, digits=0).half_unit == 0.5
