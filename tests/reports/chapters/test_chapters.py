"""Chapters: all pairs, several data sets, variants, coverage, energy, the split, sources, uncertain numbers, claims."""

import dataclasses
import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console

from evaluation.comparison.compare import compare_suite
from evaluation.metrics.coverage import ItemCoverage, UserCoverage
from evaluation.metrics.lists import CatalogueCoverage, Gini
from evaluation.results.suite_results import read_suite
from evaluation.verdicts.claims import Outcome, Published, Ranking, Verdict
from reports.chapters.findings.verdicts import short_places
from reports.document.run_index import RunIndex
from reports.output.terminal import print_report
from reports.report import build
from reports.tables.as_csv import csv_lines
from reports.tables.as_latex import to_latex
from tests.reports.conftest import build_store
from tests.stored_records import change_sealed, seal_again, write_sealed

CHAIN = "Markov chain"


def blocks(report, anchor):
    return {getattr(block, "anchor", ""): block for block in report.section(anchor).blocks}


def values(table, key):
    return {row.entries[0].text: table.entry(row, key) for row in table.rows if row.kind == ""}


def amend(root, suite, **changed):
    change_sealed(root / "suites" / suite / "suite.json", **changed)


def amend_cells(root, change):
    for path in root.glob("cells/*/cell.json"):
        record = json.loads(path.read_text())
        change(record)
        write_sealed(path, record)


class TestAllPairs:
    def test_each_pair_appears_once_the_better_against_the_worse(self, store, report):
        figure = blocks(report, "comparison")["heat-1-1"]
        table = compare_suite(read_suite(store, "little"))[0]
        order = sorted(table.models, key=lambda m: -m.mean)
        assert figure.data["models"] == [m.model for m in order]
        assert [(p["row"], p["column"]) for p in figure.data["pairs"]] == list(itertools.combinations(range(5), 2))
        q = {frozenset((e.a, e.b)): e.q for e in table.exploratory}
        for pair in figure.data["pairs"]:
            first, second = order[pair["row"]], order[pair["column"]]
            assert pair["difference"] == pytest.approx(first.mean - second.mean)
            assert pair["difference"] >= 0
            assert pair["q"] == q[frozenset((first.model, second.model))]
            base = table.model(table.reference).mean  # one base, that of the table's column
            assert pair["relative"] == pytest.approx((first.mean - second.mean) / base)
            declared = table.pair(first.model, second.model)
            if declared is not None and table.reference in (declared.a, declared.b):
                assert pair["relative"] == pytest.approx(abs(declared.relative))


class TestAcrossDataSets:
    def test_two_data_sets_have_a_tally_no_interval_and_a_sentence(self, report):
        found = blocks(report, "comparison")
        row = next(r for r in found["across"].rows if r.entries[0].text == "GRU")
        tally, interval = (found["across"].entry(row, key) for key in ("tally", "interval"))
        assert tally.text.count("/") == 2
        assert interval.text == "–"
        said = [p for b in report.section("comparison").blocks if b.block == "text" for p in b.paragraphs]
        assert any(p.startswith("No critical-difference diagram: with 2 data sets") for p in said)
        assert "ranks" not in found

    def test_six_data_sets_have_a_diagram(self, tmp_path, make_store):
        make_store(tmp_path, datasets=[f"set {n}" for n in range(6)], seeds=(0,), published=False, queries=120)
        report = build(tmp_path, "little")
        figure = blocks(report, "comparison")["ranks"]
        tables = [t for t in compare_suite(read_suite(tmp_path, "little")) if t.metric == "MRR@20"]
        places = {}
        for table in tables:
            for place, model in enumerate(sorted(table.models, key=lambda m: -m.mean), start=1):
                places.setdefault(model.model, []).append(place)
        assert {m["model"]: m["rank"] for m in figure.data["models"]} == {
            name: pytest.approx(np.mean(ranks)) for name, ranks in places.items()
        }
        assert figure.data["critical"] == pytest.approx(2.728 * (5 * 6 / (6 * 6)) ** 0.5, abs=2e-3)  # Demšar, table 5
        assert blocks(report, "comparison")["across"].rows[0].entries[5].text.startswith("[")

    def test_a_pair_that_is_declared_the_other_way_round_on_another_data_set_counts(self, tmp_path, make_store):
        record = make_store(tmp_path, seeds=(0, 1), published=False, queries=120)
        other, knn = record["cells"][-1]["dataset"], "kNN_{50%} $k$"
        claims = [Ranking("a", "GRU", knn, CHAIN, "MRR@20"), Ranking("b", knn, "GRU", other, "MRR@20")]
        amend(tmp_path, "little", claims=[claim.to_json() for claim in claims])
        table = blocks(build(tmp_path, "little"), "comparison")["across"]
        (row,) = [r for r in table.rows if {r.entries[0].text, r.entries[1].text} == {"GRU", knn}]
        assert (row.entries[0].text, table.entry(row, "datasets").value) == ("GRU", 2)


def test_variants_are_compared_with_the_paper(tmp_path, make_store):
    make_store(tmp_path, published=False)

    def variant(record):
        if record["model"] in ("GRU", "Markov"):
            record["model_fields"] = {"type": "m.Net", "dim": 32, "variant": "paper", "rate": 1}
        if record["model"] == "GRU":
            record["model_fields"] |= {"variant": "official", "rate": 2}

    amend_cells(tmp_path, variant)
    report = build(tmp_path, "little")
    table = blocks(report, "variants")["variants-1"]
    standing = blocks(report, "comparison")["standing-1"]
    means = {name: entry.value for name, entry in values(standing, "MRR@20").items()}
    assert [row.entries[0].text for row in table.rows] == ["Net", "Markov", "GRU"]
    assert values(table, "variant")["GRU"].text == "variant = official"
    assert values(table, "against")["GRU"].text == "Markov"
    assert values(table, "difference")["GRU"].value == pytest.approx(means["GRU"] - means["Markov"])
    assert values(table, "changed")["GRU"].text == "rate: 1 → 2"
    assert values(table, "against")["Markov"].text == "reference"


def test_no_variants_no_chapter(report):
    assert report.section("variants") is None


class TestBeyondAccuracy:
    def test_reach_is_the_mean_over_seeds(self, store, report):
        table = blocks(report, "beyond")["beyond-1"]
        cells = [c for c in read_suite(store, "little").cells if (c.dataset, c.model) == (CHAIN, "GRU")]
        for measure in (UserCoverage(20), ItemCoverage(20)):
            expected = np.mean([measure.measure(cell.ranks) for cell in cells])
            assert values(table, measure.name)["GRU"].value == pytest.approx(expected)
        assert "CatalogueCoverage@20" not in [c.key for c in table.columns]
        assert "are not stored" in table.notes[0]

    def test_lists_are_measured_where_they_were_kept(self, tmp_path, make_store):
        make_store(tmp_path, published=False)
        amend(tmp_path, "little", metrics=["MRR@20", "Recall@20", "Gini@10"])
        lists = {}
        for cell in read_suite(tmp_path, "little").cells:
            top = np.random.default_rng(cell.seed).integers(0, 400, (cell.ranks.num_queries, 20)).astype(np.int32)
            lists[cell.dataset, cell.model, cell.seed] = kept = dataclasses.replace(cell.ranks, top_items=top)
            kept.write(cell.folder / "ranks.parquet")
            seal_again(cell.folder)
        report = build(tmp_path, "little")
        table = blocks(report, "beyond")["beyond-1"]
        for measure in (CatalogueCoverage(20), Gini(10)):
            expected = np.mean([measure.measure(lists[CHAIN, "GRU", seed]) for seed in range(3)])
            assert values(table, measure.name)["GRU"].value == pytest.approx(expected)
        assert not table.notes
        assert "Gini@10" not in [c.key for c in blocks(report, "comparison")["standing-1"].columns]


class TestEnergy:
    def said(self, report):
        return " ".join(report.section("cost").blocks[0].paragraphs)

    def test_it_says_where_none_was_recorded_or_counted(self, report, tmp_path, make_store):
        assert "not recorded" in self.said(report)
        make_store(tmp_path, published=False)
        none = {"cpu_joules": None, "gpu_joules": None, "counters": []}
        amend_cells(tmp_path, lambda record: record.update(energy=none))
        again = build(tmp_path, "little")
        assert "no energy counter was readable" in self.said(again)
        assert "energy" not in [c.key for c in blocks(again, "cost")["cost-1"].columns]

    def test_it_is_shown_as_an_estimate_where_it_was_counted(self, tmp_path, make_store):
        make_store(tmp_path, published=False)
        amend_cells(tmp_path, lambda r: r.update(energy={"cpu_joules": 1000.0 + r["seed"], "gpu_joules": 500.0,
                                                         "counters": ["RAPL", "NVML"]}))  # fmt: skip
        report = build(tmp_path, "little")
        assert "an upper estimate" in self.said(report)
        entry = values(blocks(report, "cost")["cost-1"], "energy")["GRU"]
        assert (entry.value, entry.text) == (pytest.approx(1501.0), "1.50 kJ")


def test_the_split_is_drawn_from_what_is_stored(store, report):
    data = blocks(report, "data")["split-1-figure"].data
    ranks = read_suite(store, "little").cells[0].ranks
    assert data["parts"] == [90_000, 500, len(ranks)]
    assert data["popularity"][0] == [1, 400]
    assert data["popularity"][-1] == [400, 1]
    assert data["histories"][-1] == [40, 1.0]
    length, share = data["histories"][len(data["histories"]) // 2]
    assert share == pytest.approx(np.mean(ranks.history <= length), abs=0.03)


class TestSourcesAndDoubt:
    @pytest.fixture
    def judged(self, tmp_path, make_store):
        make_store(tmp_path, published=False)
        published = [
            Published(CHAIN, "GRU", "MRR@20", 0.5, "table 9", source="another library"),
            Published(CHAIN, "GRU", "MRR@20", 0.31, "table 2"),
            Published(CHAIN, "Markov", "MRR@20", 0.2, "figure 4", certain=False),
            Published(CHAIN, "Markov", "MRR@20", 0.2, "figure 5", certain=False, not_comparable="other items"),
        ]
        amend(tmp_path, "little", published=[value.to_json() for value in published])
        return build(tmp_path, "little")

    def test_the_paper_comes_first_and_each_source_has_its_rows(self, judged):
        table = blocks(judged, "verdicts")["published"]
        assert [(r.kind, r.entries[0].text) for r in table.rows] == [
            ("group", "In the paper itself"), ("", "GRU"), ("", "Markov"), ("", "Markov"),
            ("group", "Further source: another library"), ("", "GRU"),
        ]  # fmt: skip
        assert csv_lines(table)[1][1][0][0] == "In the paper itself"
        assert "Further source" in str(to_latex(table))

    def test_an_uncertain_number_has_a_ratio_and_no_verdict(self, judged):
        table = blocks(judged, "verdicts")["published"]
        shown, other = (row for row in table.rows if row.kind == "" and row.entries[0].text == "Markov")
        mean = values(blocks(judged, "comparison")["standing-1"], "MRR@20")["Markov"].value
        assert table.entry(shown, "outcome").text == "NOT JUDGED"
        assert table.entry(shown, "ratio").value == pytest.approx(mean / 0.2)
        assert table.entry(shown, "interval").text == "–"
        assert table.entry(other, "outcome").text == "NOT COMPARABLE"
        assert table.entry(other, "ratio").value is None
        drawn = blocks(judged, "verdicts")["levels-figure"].data["rows"]
        assert [(row["judged"], "(another library)" in row["name"]) for row in drawn] == [
            (False, False), (True, False), (True, True),
        ]  # fmt: skip
        assert "1 not judged, since the published number is uncertain" in judged.sections[0].blocks[0].paragraphs[0]

    def test_the_terminal_names_the_sources(self, judged):
        console = Console(record=True, width=120, color_system=None, file=open("/dev/null", "w"))  # noqa: PTH123, SIM115
        print_report(judged, console)
        assert "Further source: another library" in console.export_text()


def test_the_picture_of_published_numbers_tells_protocols_apart():
    cells = [{"dataset": "clicks", "protocol": name, "model": "GRU"} for name in ("in time", "shuffled (seed 0)")]
    labels = [{"dataset": "clicks", "protocol": "shuffled (seed 0)", "label": "shuffled"}]
    results = SimpleNamespace(record={"cells": cells, "labels": labels}, cells=[], failures=[])
    index = RunIndex.of(results)

    def level(dataset, protocol=""):
        return SimpleNamespace(about=SimpleNamespace(dataset=dataset), protocol=protocol)

    protocols = [level("clicks", cell["protocol"]) for cell in cells]
    assert list(short_places(index, protocols).values()) == ["in time", "shuffled"]
    cells.append({"dataset": "films", "protocol": "in time", "model": "GRU"})
    several = short_places(RunIndex.of(results), [*protocols, level("films", "in time")])
    assert list(several.values()) == ["clicks, in time", "clicks, shuffled", "films"]
    assert len(short_places(index, [level("clicks"), level("clicks")])) == 1, "one place needs no name"


def test_a_claim_of_a_suites_own_kind_is_shown_as_it_was_stored(tmp_path, make_store):
    make_store(tmp_path, published=False)
    amend(tmp_path, "little", paper=None)
    verdict = Verdict("GRU is fast", Outcome.REPRODUCED, "It is.", kind="Fast", claimed="≤ 3 s", estimate=2.5,
                      dataset=CHAIN, protocol="per user 90/5/5", models=("GRU",))  # fmt: skip
    claim = {"kind": "Fast", "text": "GRU is fast", "place": "", "requested": [], "verdicts": [verdict.to_json()]}
    amend(tmp_path, "little", claims=[claim])
    report = build(tmp_path, "little")
    table = blocks(report, "verdicts")["claims"]
    (row,) = table.rows
    shown = {key: table.entry(row, key).text for key in ("subject", "outcome", "claimed", "estimate", "reason")}
    assert shown == {"subject": "GRU is fast", "outcome": "SUPPORTED", "claimed": "≤ 3 s", "estimate": "2.500",
                     "reason": "It is."}  # fmt: skip
    assert table.entry(row, "estimate").link.startswith("runs-")
    said = report.sections[0].blocks[0].paragraphs[0]
    assert said == "Of 1 claim, 1 supported."
    assert report.section("verdicts").blocks[0].paragraphs[0] == "Supported: “GRU is fast”."


def test_a_changed_cell_changes_cached_results(tmp_path, make_store):
    make_store(tmp_path, published=False)
    first = build(tmp_path, "little")
    cell = next(c for c in read_suite(tmp_path, "little").cells if c.model == "Markov")
    worse = dataclasses.replace(cell.ranks, greater=np.minimum(cell.ranks.greater + 30, 399))
    worse.write(cell.folder / "ranks.parquet")
    seal_again(cell.folder)
    again = build(tmp_path, "little")
    for section, anchor, key in (("comparison", "standing-1", "MRR@20"), ("beyond", "beyond-1", "UserCoverage@20"),
                                 ("slices", "cut-1-table", "20")):  # fmt: skip
        before, after = (values(blocks(report, section)[anchor], key)["Markov"].value for report in (first, again))
        assert after < before


def test_the_certificate_is_part_of_the_provenance(tmp_path, make_store):
    record = make_store(tmp_path, published=False)
    assert "certificate" not in blocks(build(tmp_path, "little"), "provenance")
    cell = {k: record["cells"][0][k] for k in ("dataset", "protocol", "model", "seed", "key")}
    rows = [cell | {"state": "same", "reason": "", "rows": 360},
            cell | {"state": "different", "reason": "greater: first at row 3", "rows": 360, "key": "gone"},
            cell | {"state": "not compared", "reason": "the code changed", "rows": 0, "key": None}]  # fmt: skip
    path = tmp_path / "suites" / "little" / "certificate.json"
    write_sealed(path, {"suite": "little", "created": "2026-03-02T10:00:00Z", "cells": rows})
    table = blocks(build(tmp_path, "little"), "provenance")["certificate"]
    assert [table.entry(row, "state").text for row in table.rows] == ["same", "different", "not compared"]
    assert table.entry(table.rows[1], "reason").text == "greater: first at row 3"
    said = " ".join(blocks(build(tmp_path, "little"), "provenance")[""].paragraphs)
    assert "1 same, 1 different and 1 not compared" in said
    assert "2 of these are no longer" in said


@pytest.mark.parametrize("stopped, marks", [
    ("patience", ()), ("epoch limit", ("open",)), ("iteration limit", ("open",)), ("time limit", ("open",)),
])  # fmt: skip
def test_a_fit_that_a_limit_ended_is_marked_as_open(tmp_path, make_store, stopped, marks):
    make_store(tmp_path, published=False)
    for path in tmp_path.glob("cells/*/cell.json"):
        record = json.loads(path.read_text())
        if record["stopped"]:
            change_sealed(path, stopped=stopped)
    table = blocks(build(tmp_path, "little"), "training")["fits-1"]
    assert {(table.entry(row, "stopped").text, table.entry(row, "stopped").marks) for row in table.rows} == {
        (stopped, marks)
    }


@pytest.mark.parametrize(("asked", "shown"), [([0, 1, 2], "0, 1, 2"), ([0, 1, 2, 3, 4], "0, 1, 2 (of 0, 1, 2, 3, 4)")])
def test_the_head_names_the_seeds_that_have_results(tmp_path, asked, shown):
    build_store(tmp_path)
    amend(tmp_path, "little", seeds=asked)
    assert dict(build(tmp_path, "little").facts)["Seeds"] == shown
