"""Evidence: what is found in tables and cells, and the reason where nothing is."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from evaluation.comparison.request import ComparisonRequest
from evaluation.verdicts.evidence import caveat_sentence, smoke_caveats

from .hand_made import cell, evidence, failure, of_two, pair, row, table

A, B = row("A", 0.12), row("B", 0.10)
LABELS = ("D", "P", "MRR@20")


def test_a_missing_value_has_its_reason():
    found = evidence(
        [table([A, B]), table([A], protocol="Q"), table([B], protocol="Q", metric="Recall@20")],
        cells=[cell("Lone", counts={"test_clusters": 1}), cell("Many", counts={"test_clusters": 2})],
        failures=[failure("Failed"), failure("B", "no data", protocol="Q")],
    )
    assert found.why_missing("D", "P", "A", "MRR@20") == ""
    assert found.why_missing("D", "P", "Failed", "MRR@20") == "Failed has no result (FAILED: the loss was NaN)"
    assert found.why_missing("D", "Q", "Failed", "MRR@20") == "the suite holds no result of Failed on D"
    assert found.why_missing("D", "Q", "B", "MRR@20") == "B has no result (FAILED: no data)"
    assert found.why_missing("D", "Q", "B", "Recall@20") == ""
    assert found.why_missing("D", "P", "A", "Recall@20") == "Recall@20 is not measured here"
    assert found.why_missing("D", "R", "A", "MRR@20") == "the suite holds no result of A on D"
    assert found.why_missing("E", "P", "A", "MRR@20") == "the suite holds no result of A on E"
    lone = "the test part of D has one user only, so the variation between users is unknown"
    assert found.why_missing("D", "P", "Lone", "MRR@20") == lone
    assert found.why_missing("D", "P", "Many", "MRR@20") == "the suite holds no result of Many on D"
    assert found.why_missing("D", "Q", "Lone", "MRR@20") == "the suite holds no result of Lone on D"


def test_a_pair_is_seen_from_both_ends():
    found = of_two(A, B)
    assert found.interval(*LABELS, "A", "B") == (0.01, 0.03)
    assert found.interval(*LABELS, "B", "A") == (-0.03, -0.01)
    assert found.adjusted_p(*LABELS, "B", "A") == found.adjusted_p(*LABELS, "A", "B") == 0.012
    for labels in (("E", "P", "MRR@20"), ("D", "Q", "MRR@20"), ("D", "P", "Recall@20")):
        assert found.table(*labels) is None
        for answer in (found.pair, found.adjusted_p, found.interval):
            assert answer(*labels, "A", "B") is None
    assert found.pair(*LABELS, "A", "C") is None


def test_holm_over_the_requested_pairs_by_hand():
    tables = [table([A, B], [pair(p=0.03)]), table([A, B], [pair(p=0.02)], protocol="Q")]
    asked = ComparisonRequest("D", "MRR@20", ("A", "B"))
    both = evidence(tables, requests=[replace(asked, pair=None), asked, asked], protocols=("P", "Q", "P"))
    assert both.adjusted == {("D", "P", "MRR@20", "A", "B"): 0.04, ("D", "Q", "MRR@20", "A", "B"): 0.04}
    assert both.protocols("D") == ["P", "Q"]
    assert both.protocols("D", "Q") == ["Q"]
    assert both.protocols("E") == [""]
    one = evidence(tables, requests=[replace(asked, adjusted=False), replace(asked, protocol="Q")])
    assert one.adjusted == {("D", "Q", "MRR@20", "A", "B"): 0.02}
    assert one.levels == {("D", "Q", "MRR@20", "A", "B"): pytest.approx(0.95)}
    assert evidence([table([A, B], [pair(of_methods=False)])]).adjusted == {}


def test_cells_of_a_model_and_caveats():
    cells = [cell("A"), cell("B"), cell("A", protocol="Q"), cell("A")]
    found = evidence(cells=cells, caveats=["odd"])
    assert found.cells("D", "P", "A") == [cells[0], cells[3]]
    assert found.cells("E", "P", "A") == []
    assert found.caveats == ("odd",)
    assert smoke_caveats(["SMOKE RUN: 1", "odd"], ["SMOKE RUN: 2", "SMOKE RUN: 1"]) == ("SMOKE RUN: 1", "SMOKE RUN: 2")
    assert caveat_sentence([], ()) == ""
    assert caveat_sentence(["odd"], ["odd"]) == " Caveat: odd."
    assert caveat_sentence(["odd", "slow"], ["odd"]) == " Caveats: odd; slow."


def test_caveats_of_seeds_that_differ_in_their_best_epoch_are_one():
    late = "NOT CONVERGED: stopped by its limit of 50 epochs (best epoch 47)"
    early = late.replace("47", "9")
    other = "NOT CONVERGED: stopped by its limit of 40 epochs (best epoch 29)"
    assert caveat_sentence([late]) == f" Caveat: {late}."
    assert caveat_sentence([late, "odd"], [other, early]) == (
        " Caveats: NOT CONVERGED: stopped by its limit of 50 epochs (best epochs 9, 47); odd; "
        "NOT CONVERGED: stopped by its limit of 40 epochs (best epoch 29)."
    )
    timed = late.replace("limit of 50 epochs", "time limit in epoch 50")
    assert caveat_sentence([late], [timed]) == f" Caveats: {late}; {timed}."
    assert caveat_sentence(["odd (best epoch unknown)", "odd"]) == " Caveats: odd (best epoch unknown); odd."


@pytest.mark.parametrize(("p", "interval"), [(0.049, (0.001, 0.95)), (0.05, (0.0, 0.95))])
def test_the_interval_of_methods_is_at_the_level_of_holm_and_agrees_with_p(p, interval):
    method = SimpleNamespace(interval_at=lambda level: (0.001, level))
    found = of_two(A, B, replace(pair(p=p), method=method)).interval(*LABELS, "A", "B")
    assert found == pytest.approx(interval)
