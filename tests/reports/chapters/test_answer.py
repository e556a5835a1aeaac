"""The first screen: the verdicts as a bar, the best model against the best baseline, one picture; footnotes."""

import dataclasses
import json

import pytest

from evaluation.comparison.compare import compare_suite
from evaluation.results.suite_results import read_suite
from reports.chapters.findings.answer import lead_sentence, lead_table, leads
from reports.document.blocks import Column, Row, Table, TableCell
from reports.document.run_index import RunIndex
from reports.report import build
from tests.stored_records import write_sealed

CHAIN, GRU, MARKOV = "Markov chain", "GRU", "Markov"


def summary(report):
    return {getattr(block, "anchor", ""): block for block in report.section("summary").blocks}


@pytest.fixture(scope="module")
def found(store):
    results = read_suite(store, "little")
    index = RunIndex.of(results)
    return leads(index, compare_suite(results)), index


def test_the_bar_is_as_long_as_the_verdicts_are_many(report):
    tally = summary(report)["tally"]
    shown = [t.entry(row, "outcome").text.lower() for t in report.section("verdicts").tables for row in t.rows]
    assert {part.name: part.number for part in tally.parts} == {name: shown.count(name) for name in set(shown)}
    assert tally.total == 8
    assert {part.name: part.tone for part in tally.parts if part.name.endswith("reproduced")} == {
        "reproduced": "good", "not reproduced": "bad",
    }  # fmt: skip


def test_the_best_model_is_shown_with_its_lead_on_the_best_baseline(report, found):
    table = summary(report)["answer"]
    assert [row.entries[1].text for row in table.rows] == [lead.best.model for lead in found[0]]
    for row, lead in zip(table.rows, found[0], strict=True):
        declared = lead.table.pair(lead.best.model, lead.table.reference)
        assert table.entry(row, "other").text == lead.table.reference
        assert table.entry(row, "relative").value == pytest.approx(lead.best.mean / lead.other.mean - 1)
        ends = table.entry(row, "interval")
        assert (ends.low, ends.high) == declared.decision.interval
        assert table.entry(row, "finding").text == declared.decision.conclusion.value
        assert {entry.link for entry in row.entries[1:3]} == {row.entries[1].link}


def test_the_sentence_names_the_models_and_how_sure_it_is(found):
    both, index = found
    assert lead_sentence(both, index).startswith(f"Best in MRR@20: {both[0].best.model} on {CHAIN} and ")
    assert lead_sentence(both, index).partition(". ")[2].startswith("Every lead is") == all(lead.clear for lead in both)
    (said,) = [lead_sentence([lead], index) for lead in both if lead.table.dataset == CHAIN]
    assert said.startswith("GRU is best in MRR@20 (.4")
    [row] = lead_table([lead for lead in both if lead.table.dataset == CHAIN], index).rows
    assert f"({row.entries[1].text})" in said  # one number has one form
    assert "better than Markov, the best baseline; the difference is significant." in said
    many = [dataclasses.replace(both[n % 2], best=both[0].table.models[n % 5]) for n in range(10)]
    assert "others on 4. " in lead_sentence(many, index)
    named = [
        dataclasses.replace(lead, best=dataclasses.replace(lead.best, model=f"A, {n}")) for n, lead in enumerate(both)
    ]
    assert " A, 0 on " in lead_sentence(named, index) and "; A, 1 on " in lead_sentence(named, index)
    tied = dataclasses.replace(both[0], other=dataclasses.replace(both[0].other, mean=both[0].best.mean))
    assert lead_sentence([tied], index).startswith("No single model is best in MRR@20: ")
    assert "tied" in [entry.text for entry in lead_table([tied], index).rows[0].entries]
    alone = dataclasses.replace(both[0], other=None, pair=None)
    assert lead_sentence([alone], index).endswith("no other model has a result.")


def test_a_baseline_that_is_best_is_compared_with_the_best_other_model(found):
    both, index = found
    table = both[0].table
    worse = tuple(m if m.model == MARKOV else dataclasses.replace(m, mean=m.mean / 10) for m in table.models)
    (lead,) = leads(index, [dataclasses.replace(table, models=worse)])
    assert (lead.best.model, lead.is_baseline, lead.other.model) == (MARKOV, True, GRU)
    assert lead.pair == table.pair(GRU, MARKOV)
    captions = [lead_table([one], index).caption for one in (both[0], lead)]
    assert captions == [f"The best model on each data set, against the best baseline{other}: MRR@20"
                        for other in ("", ", or against the best other model where a baseline leads")]  # fmt: skip


def test_the_picture_is_of_published_numbers_or_else_of_differences(report, tmp_path, make_store):
    assert summary(report)["answer-figure"].kind == "levels"
    make_store(tmp_path, published=False)
    report = build(tmp_path, "little")
    figure = summary(report)["answer-figure"]
    assert figure.kind == "forest"
    values = [row["value"] for row in figure.data["rows"]]
    assert values == sorted(values, reverse=True)
    table = next(t for t in report.tables() if t.anchor == "differences-1-1")
    assert [table.entry(row, "difference").value for row in table.rows] == values


def test_a_caveat_without_a_badge_is_a_footnote_said_once(tmp_path, make_store):
    make_store(tmp_path)
    for path in tmp_path.glob("cells/*/cell.json"):
        cell = json.loads(path.read_text())
        if cell["dataset"] == CHAIN:
            cell["caveats"].append(cell["audit"][1]["sentence"])
            write_sealed(path, cell)
    report = build(tmp_path, "little")
    (table,) = [t for t in report.tables() if t.anchor == "published"]
    (footnote,) = table.footnotes.items()
    assert footnote == ("future: 50 % of training events are later than some test event.", "a")
    reasons = [table.entry(row, "reason").text for row in table.rows]
    assert not any("Caveat" in reason for reason in reasons)
    assert all("GRU: NOT CONVERGED" in note or "future" not in note for note in table.notes)


def test_footnotes_are_lettered_in_their_order():
    cells = [TableCell(str(n), caveats=(f"leak {n}", "SLOW: yes")) for n in range(28)]
    marks = Table("t", "T", (Column("c", "C"),), tuple(Row((cell,)) for cell in cells)).footnotes
    assert [marks["leak 0"], marks["leak 25"], marks["leak 26"], marks["leak 27"]] == ["a", "z", "aa", "ab"]
    assert "SLOW: yes" not in marks


def test_a_reason_leaves_out_the_numbers_of_other_columns_and_has_them_in_its_tooltip(report):
    published, claims = (next(t for t in report.tables() if t.anchor == name) for name in ("published", "claims"))
    judged = [row for row in published.rows if published.entry(row, "ratio").low]
    assert len(judged) == 3
    for row in judged:
        reason = published.entry(row, "reason")
        assert "ratio" not in reason.text
        assert reason.exact.startswith("Rerun .")
        assert f"ratio {published.entry(row, 'ratio').text} [" in reason.exact
        assert reason.exact.lower().endswith(reason.text.lower())
    shown = {claims.entry(row, "subject").text: claims.entry(row, "reason") for row in claims.rows}
    assert shown["GRU beats popularity"].text == ""
    assert shown["popularity beats <script>alert(1)</script>"].text == "Significant in the other direction."
    assert "adjusted p < .0001" in shown["popularity beats <script>alert(1)</script>"].exact


def test_differences_and_ratios_of_claims_have_columns_of_their_own(report):
    claims = next(t for t in report.tables() if t.anchor == "claims")
    titles = {column.key: column.title for column in claims.columns}
    assert (titles["difference"], titles["estimate"]) == ("Difference", "Ratio")
    for row in claims.rows:
        is_gain = "12 %" in row.entries[0].text
        assert (claims.entry(row, "difference").value is None) == is_gain
        assert (claims.entry(row, "estimate").value is None) == (not is_gain)


def test_a_reason_of_several_rows_and_a_badge_of_all_data_sets_are_said_once(tmp_path, make_store):
    record = make_store(tmp_path, caveats=("SMOKE RUN: 60 users",))
    for path in tmp_path.glob("cells/*/cell.json"):
        cell = json.loads(path.read_text())
        cell["caveats"].append(f"SMOKE RUN: 60 of {600 if cell['dataset'] == CHAIN else 900} users")
        write_sealed(path, cell)
    (table,) = [t for t in build(tmp_path, "little").tables() if t.anchor == "published"]
    assert len(record["published"]) == len(table.rows)
    assert table.badges == ["SMOKE RUN"]
    assert not any("SMOKE RUN" in entry.badges for row in table.rows for entry in row.entries)
    assert {f"{CHAIN}: SMOKE RUN: 60 of 600 users.", "Clicks & <b>taps</b> 50%: SMOKE RUN: 60 of 900 users."} <= set(
        table.notes
    )
    said = "SMOKE RUN: 60 users: a published number is judged on the whole data only."
    why = [table.entry(row, "reason") for row in table.rows]
    assert [(entry.text, entry.caveats) for entry in why if entry.exact == said] == [("see", (f"Why: {said}",))] * 3
    assert f"Why: {said}" in table.footnotes
