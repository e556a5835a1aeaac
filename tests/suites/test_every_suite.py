"""What holds for every suite of the checkout: it loads, speaks of rows that it has, and has its page."""

import pytest

from evaluation.metrics.accuracy import metric_named
from evaluation.verdicts.claims import AcrossProtocols, Cost
from harness.suites.load import ROOT, load_suite, suite_names

NAMES = suite_names()


def rows(suite):
    """Data set, protocol and label of every row."""
    return {(e.dataset.name, e.protocol.name, label) for e in suite.experiments for label in e.models}


def assert_row(suite, dataset, protocol, label):
    found = [row for row in rows(suite) if row[0] == dataset and row[2] == label and protocol in ("", row[1])]
    assert found, f"{suite.name}: no row {label!r} on {dataset!r} under {protocol or 'any protocol'!r}"


@pytest.mark.parametrize("name", NAMES)
def test_it_loads_under_its_own_name(name):
    suite = load_suite(name)
    assert suite.name == name
    assert suite.title


@pytest.mark.parametrize("name", NAMES)
def test_what_was_published_has_a_paper_a_place_and_a_row(name):
    suite = load_suite(name)
    if suite.published:
        paper = suite.paper
        assert paper is not None and paper.authors and paper.title and paper.venue and 1990 < paper.year < 2030
    for value in suite.published:
        assert value.place, value
        assert_row(suite, value.dataset, value.protocol, value.model)
        assert metric_named(value.metric).name == value.metric


@pytest.mark.parametrize("name", NAMES)
def test_every_claim_speaks_of_rows_that_are_run(name):
    suite = load_suite(name)
    for claim in suite.claims:
        for part in getattr(claim, "parts", (claim,)):
            if isinstance(part, AcrossProtocols):
                for protocol in (part.better, part.worse):
                    assert_row(suite, part.dataset, protocol, part.model)
                continue
            pair = (part.first, part.second) if isinstance(part, Cost) else (part.better, part.worse)
            assert len(set(pair)) == 2, part
            for label in pair:
                assert_row(suite, part.dataset, part.protocol, label)
            if not isinstance(part, Cost):
                assert metric_named(part.metric).name == part.metric


@pytest.mark.parametrize("name", NAMES)
def test_comparisons_and_baselines_are_rows(name):
    suite = load_suite(name)
    labels = {label for _, _, label in rows(suite)}
    assert {label for pair in suite.comparisons for label in pair} <= labels
    assert set(suite.baselines) <= labels


@pytest.mark.parametrize("name", NAMES)
def test_it_has_a_page(name):
    page = ROOT / "docs" / "suites" / f"{name}.md"
    assert page.is_file(), f"docs/suites/{name}.md is missing"
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"# {name}\n")
    assert f"benchmark.py run {name}" in text
