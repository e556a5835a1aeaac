"""The order control at smoke size: the same sessions under every order, and what the audit says of each."""

import json
from collections import Counter

import pytest

from evaluation.verdicts.claims import OWN_CLAIM, AcrossProtocols
from suites.order_control import DRAWN, NARM, ORDERS, PUBLISHED, SHUFFLED, STAMP, SUITE, TIME
from suites.session_baselines import DIGINETICA


@pytest.fixture(scope="module")
def smoke(smoke_run):
    """The Markov chain and NARM; other suites run the other rows. 300 sessions would have too few pairs in common."""
    return smoke_run("order_control", "--limit-users", "2000", "--only", "*/[MN]*")


def records(smoke):
    """The stored record of the Markov chain under each order, by the protocol's name."""
    cells = [c for c in smoke.record["cells"] if c["model"] == "Markov chain" and c["state"] == "DONE"]
    folder = smoke.folder.parent / "cells"
    return {c["protocol"]: json.loads((folder / c["key"] / "cell.json").read_text()) for c in cells}


def test_it_runs_end_to_end(smoke):
    done = Counter(cell["model"] for cell in smoke.record["cells"] if cell["state"] == "DONE")
    assert done == {"Markov chain": len(ORDERS), NARM: len(ORDERS)}
    assert (smoke.folder / "report.pdf").read_bytes().startswith(b"%PDF")


def test_every_order_asks_the_same_number_of_queries_of_the_same_sessions(smoke):
    found = records(smoke)
    assert set(found) == {order.name for order in ORDERS.values()}
    assert len({json.dumps(record["counts"], sort_keys=True) for record in found.values()}) == 1


def test_a_global_order_is_a_severe_caveat_of_every_result_and_time_is_none(smoke):
    for label, order in ORDERS.items():
        record = records(smoke)[order.name]
        (finding,) = [f for f in record["audit"] if f["name"] == "one order of all items"]
        assert finding["level"] == ("severe caveat" if label in DRAWN else "note")
        assert (finding["sentence"] in record["caveats"]) is (label in DRAWN)
    html = (smoke.folder / "report.html").read_text(encoding="utf-8")
    assert "SEVERE CAVEAT" in html and "ONE ORDER OF ALL ITEMS" in html


def test_the_claims_are_encores_own_and_each_compares_one_model_under_two_orders():
    parts = [part for claim in SUITE.claims for part in claim.parts]
    names = {order.name: label for label, order in ORDERS.items()}
    assert all(isinstance(part, AcrossProtocols) and part.place == OWN_CLAIM for part in parts)
    pairs = Counter((names[part.better], names[part.worse]) for part in parts)
    assert pairs == {(DRAWN[0], TIME): 14, (DRAWN[1], TIME): 14, (TIME, SHUFFLED): 2}
    assert not any(part.mistake() for part in parts)


def test_the_published_levels_are_judged_under_time_and_under_each_draw_alike():
    by_order = {label: [v for v in PUBLISHED if v.protocol == ORDERS[label].name] for label in ORDERS}
    values = {label: {(v.model, v.metric, v.value, v.source) for v in rows} for label, rows in by_order.items()}
    assert values[SHUFFLED] == set() and values[TIME] == values[DRAWN[0]] == values[DRAWN[1]]
    levels = {(v.source, v.metric): v.value for v in by_order[TIME] if v.model in (STAMP, NARM)}
    assert (levels["STAMP (2018)", "Recall@20"], levels["STAMP (2018)", "MRR@20"]) == (0.6203, 0.2738)
    assert (levels["NARM (2017)", "Recall@20"], levels["NARM (2017)", "MRR@20"]) == (0.6258, 0.2735)
    assert {v.dataset for v in PUBLISHED} == {DIGINETICA.name} and all(v.certain for v in PUBLISHED)
