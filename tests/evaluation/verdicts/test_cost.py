"""Costs by hand: every field and the whole reason of each outcome."""

from dataclasses import replace

import pytest

from evaluation.statistics.equivalence import Noise
from evaluation.verdicts.claims import Cost, Outcome, Verdict
from evaluation.verdicts.cost import relative_noise

from .hand_made import SMOKE, cell, evidence, only

CLAIM = Cost("half the time", "A", "B", "D", 0.5, "fit", "table 1")
FOUND = "fit of A over B is .500 here, "
HERE = "; measured on this machine, other hardware than the paper's."


def expected(outcome, reason, claim=CLAIM, claimed=".500", **found):
    return Verdict(
        "half the time", outcome, reason, kind="Cost", claimed=claimed, dataset="D", protocol="P", models=("A", "B"),
        place="table 1", about=claim, **found,
    )  # fmt: skip


def runs(a=(2.0, 2.0), b=(4.0, 4.0), **more):
    return [cell("A", seconds={"fit": v}, **more) for v in a] + [cell("B", seconds={"fit": v}, **more) for v in b]


def judged(cells, claim=CLAIM, **more):
    return only(evidence(cells=cells, **more).judge(claim))


# runs without spread: the interval is the ratio itself
@pytest.mark.parametrize(("ratio", "outcome", "end"), [
    (0.5, Outcome.REPRODUCED, ".500 published: ratio of the two [1.000, 1.000] lies within ±5 %"),
    (0.46, Outcome.REPRODUCED, ".460 published: ratio of the two [1.087, 1.087] lies within ±10 %"),
    (0.4, Outcome.NOT_REPRODUCED, ".400 published: ratio of the two [1.250, 1.250] lies above +10 %"),
    (1.0, Outcome.NOT_REPRODUCED, "1.000 published: ratio of the two [.500, .500] lies below −10 %"),
])  # fmt: skip
def test_ratios(ratio, outcome, end):
    claim = replace(CLAIM, ratio=ratio)
    ends = (pytest.approx(0.5), pytest.approx(0.5))
    found = judged(runs(), claim)
    assert found == expected(
        outcome, FOUND + end + HERE, claim, f"{ratio:.3f}".removeprefix("0"), estimate=0.5, interval=ends
    )


def test_noise_opens_a_ratio():
    found = judged(runs(a=(1.0, 3.0)))
    # the mean of 1 and 3 is 2 with a variance of 2 / 2, so .25 relative to it: exp(6.314 · .5) = 23.497 at 1 df
    assert (found.outcome, found.estimate) == (Outcome.INCONCLUSIVE, 0.5)
    assert found.interval == (pytest.approx(0.5 / 23.497, rel=1e-3), pytest.approx(0.5 * 23.497, rel=1e-3))
    assert found.reason == FOUND + ".500 published: ratio of the two [.043, 23.497] straddles the margin" + HERE
    assert relative_noise("A", [1.0, 3.0]) == Noise("A", 0.25, 1)


def test_what_decides_before_the_size():
    reason = "B has no record of fit on D."
    for without in (runs(b=()), runs(b=(0.0, 0.0))):
        assert judged(without) == expected(Outcome.INCONCLUSIVE, reason)
    reason = FOUND + ".500 published; one run does not show the noise" + HERE
    for cells in (runs(a=(2.0,)), runs(b=(4.0,))):
        assert judged(cells) == expected(Outcome.INCONCLUSIVE, reason, estimate=0.5)
    reason = f"{SMOKE}: a cost is judged on the whole data only."
    assert judged(runs(), caveats=[SMOKE]) == expected(Outcome.NOT_COMPARABLE, reason)
    for smoky in range(4):  # of either model
        cells = runs()
        cells[smoky].caveats.append(SMOKE)
        assert judged(cells) == expected(Outcome.NOT_COMPARABLE, reason)


def test_a_device_goes_by_its_name_else_by_its_kind():
    reason = "; measured on cpu, other hardware than the paper's."
    assert judged(runs(device="cpu")).reason.endswith(reason)
    assert judged(runs(device="cpu", device_name="a CPU")).reason.endswith(reason.replace("cpu", "a CPU"))
    cells = runs(a=(2.0, 2.0), b=(), device="cuda") + runs(a=(), b=(4.0, 4.0))
    reason = FOUND + ".500 published; but measured on different devices (cuda, this machine)."
    assert judged(cells) == expected(Outcome.INCONCLUSIVE, reason, estimate=0.5)


def test_quantities_of_the_cell_and_of_its_seconds():
    for quantity in ("targets_per_second", "peak_memory_mb"):
        cells = [cell(model, **{quantity: value}) for model, value in (("A", 1.0), ("A", 1.0), ("B", 2.0), ("B", 2.0))]
        assert judged(cells, replace(CLAIM, quantity=quantity)).outcome is Outcome.REPRODUCED
    assert Cost("x", "A", "B", "D", 1.0).quantity == "targets_per_second"
    with pytest.raises(ValueError) as error:
        replace(CLAIM, quantity="love")
    known = "targets_per_second, fit, score, peak_memory_mb"
    assert str(error.value) == f"quantity must be one of {known}, got 'love'"
