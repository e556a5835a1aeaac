"""What is still open: the price of one more seed, from the stored runs, and models without any."""

import json
import zipfile
from pathlib import Path
from statistics import mean

import pytest

from reports.document.blocks import Table
from reports.output.bundle import open_bundle
from reports.report import build
from reports.site.contents import SiteSuite
from reports.site.open_verdicts import open_verdicts
from reports.site.pages import site_pages

PUBLISHED = Path(__file__).resolve().parents[3] / "published"


def suite_of(name):
    with open_bundle(PUBLISHED / "bundles" / f"{name}.zip") as (root, suite):
        return SiteSuite.of(build(root, suite))


def test_the_price_of_a_seed_is_the_mean_of_each_open_learner_and_deterministic_models_cost_none():
    tuned = suite_of("tuned")
    (found,) = [each for each in open_verdicts([tuned]) if "GRU beats Markov chain" in each.subject]
    with zipfile.ZipFile(PUBLISHED / "bundles" / "tuned.zip") as packed:
        cells = [json.loads(packed.read(name)) for name in packed.namelist() if name.endswith("/cell.json")]
    gru = [cell for cell in cells if cell["model"] == "GRU"]
    assert len(gru) == 3
    seconds = mean(sum(value for value in cell["seconds"].values() if value) * cell["threads"] for cell in gru)
    assert found.seconds == pytest.approx(seconds)
    assert (found.suite, found.seeds, found.without_run, found.places) == ("tuned", 3, [], ["ml-100k"])


def test_only_open_parts_are_priced_and_models_without_a_run_are_named():
    user_gru = suite_of("user_gru")
    found = {each.subject[:2]: each for each in open_verdicts([user_gru])}
    c1 = next(
        verdict
        for verdict in user_gru.verdicts
        if verdict.subject.startswith("C1") and "substitutes" in verdict.subject
    )
    assert {part.outcome_text for part in c1.parts} == {"INCONCLUSIVE", "REPRODUCED"}
    standard = [cell for cell in user_gru.results.cells if cell.model == "Standard GRU"]
    one = [cell.core_seconds for cell in standard if cell.dataset == "lastfm-user-artist"]
    assert 0 < len(one) < len(standard)
    assert found["C1"].seconds == pytest.approx(mean(one)), "the part on the other data set is decided"
    assert found["C1"].without_run == []
    (beats,) = [each for each in open_verdicts([suite_of("stamp")]) if "beats every baseline" in each.subject]
    assert beats.without_run == ["NARM on yoochoose-1-64, as published"]


def test_a_verdict_without_a_result_is_not_open_and_every_open_one_is_on_the_page():
    page = (PUBLISHED / "README.md").read_text()
    section = page[page.index("## What is still open") :].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")][2:]
    lines = [line for line in page.splitlines() if " | INCONCLUSIVE | " in line]
    assert len(rows) == len(lines) > 0
    assert f"{len(rows)} verdicts are inconclusive" in section


def test_the_site_lists_what_is_open():
    pages = site_pages([suite_of("tuned")], [], [])
    (section,) = [section for section in pages["index.html"].sections if section.anchor == "open"]
    (table,) = [block for block in section.blocks if isinstance(block, Table)]
    (found,) = table.rows
    assert [cell.text for cell in found.entries][:4] == [
        "tuned",
        "after the same tuning GRU beats Markov chain",
        "ml-100k",
        "3",
    ]
