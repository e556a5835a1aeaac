import json
import subprocess
import sys
from pathlib import Path

import pytest

from evaluation.results.suite_results import read_suite
from reports.output.html import render_html
from reports.report import build
from tests.stored_records import write_sealed

ROOT = Path(__file__).resolve().parent.parent.parent


def anchors_and_links(report):
    anchors, links = set(), set()
    for section in report.sections:
        anchors.add(section.anchor)
        for block in section.blocks:
            anchors.add(block.anchor)
            for row in getattr(block, "rows", ()):
                anchors.add(row.anchor)
                links |= {entry.link for entry in row.entries if entry.link} | {anchor for anchor, _ in row.backlinks}
    return anchors, links


def table(report, anchor):
    return next(t for t in report.tables() if t.anchor == anchor)


def test_the_chapters_of_a_report(report):
    assert [s.anchor for s in report.sections] == [
        "summary", "verdicts", "missing", "comparison", "slices", "beyond", "cost", "training", "data", "methods",
        "provenance",
    ]  # fmt: skip
    assert report.caveats == ("TRIAL: not for citation",)
    assert "TRIAL" in report.page_header
    facts = dict(report.facts)
    assert facts["Runs"] == "16 done, 1 skipped, 1 failed"
    assert facts["Commit"] == "0ff3456789"


def test_every_link_leads_somewhere_and_runs_lead_back(report):
    anchors, links = anchors_and_links(report)
    assert links <= anchors
    groups = [row for row in table(report, "cells").rows if row.kind == "group"]
    assert len(groups) == 10  # 5 models on 2 data sets
    for group in groups:
        names = [name for _, name in group.backlinks]
        assert "Comparison" in names
        assert "Cost" in names


def test_every_measured_number_links_to_runs(report):
    """Apart from what was published, seeds of cells that failed, and the runs themselves."""
    unlinked = {
        (t.anchor, column.key)
        for t in report.tables() if t.anchor not in ("cells", "environments", "failures")
        for row in t.rows if row.kind != "group"
        for column, entry in zip(t.columns, row.entries, strict=True)
        if isinstance(entry.value, int | float) and not entry.link
    }  # fmt: skip
    assert unlinked == {("published", "published")}


def test_every_number_of_the_comparison_links_to_its_runs(report):
    standing = table(report, "standing-1")
    measured = [row for row in standing.rows if not row.kind]
    assert len(measured) == 5
    for row in measured:
        runs = row.entries[0].link
        assert runs.startswith("runs-")
        numbers = [entry for entry in row.entries if isinstance(entry.value, float)]
        assert len(numbers) >= 4
        assert {entry.link for entry in numbers} == {runs}


def test_the_mean_is_the_mean_of_the_stored_cells(store, report):
    results = read_suite(store, "little")
    values = [c.metrics["MRR@20"] for c in results.cells if (c.dataset, c.model) == ("Markov chain", "GRU")]
    assert len(values) == 3
    standing = table(report, "standing-1")
    row = next(r for r in standing.rows if r.entries[0].text == "GRU")
    entry = standing.entry(row, "MRR@20")
    assert entry.value == pytest.approx(sum(values) / 3, rel=1e-12)
    assert entry.low < entry.value < entry.high
    assert entry.marks == ("best",)
    sd = (sum((v - entry.value) ** 2 for v in values) / 2) ** 0.5
    assert standing.entry(row, "MRR@20 sd").value == pytest.approx(sd, rel=1e-9)


def test_known_bounds_are_below_the_models(report):
    assert [(r.entries[0].text, r.entries[1].value) for r in table(report, "standing-1").rows if r.kind] == [
        ("Best possible (expected)", 0.41), ("Chance (expected)", 0.009),
    ]  # fmt: skip
    assert any("expectations over draws of the test part" in note for note in table(report, "standing-1").notes)
    assert not any("expectations over draws" in note for note in table(report, "standing-2").notes)
    assert not [r for r in table(report, "standing-2").rows if r.kind]


def test_caveats_are_shown_with_every_number(report):
    for anchor in ("standing-1", "differences-1-1", "published", "cost-1", "fits-1", "cut-1-table", "cells"):
        entries = [entry for row in table(report, anchor).rows for entry in row.entries]
        assert any("NOT CONVERGED" in entry.badges for entry in entries), anchor
    assert not any(e.badges for r in table(report, "cost-2").rows for e in r.entries)
    drawn = {b.anchor: json.dumps(b.data, ensure_ascii=False) for s in report.sections for b in s.blocks
             if b.block == "figure"}  # fmt: skip
    assert "GRU † − Markov" in drawn["forest-1-1"]
    assert "GRU − Markov" in drawn["forest-2-1"]
    assert "†" in drawn["levels-figure"]


def test_failures_and_skips_are_rows_with_their_reasons(report):
    found = {row.entries[3].text: (row.entries[4].text, row.entries[5].text) for row in table(report, "failures").rows}
    assert found["FAILED"][0] == "the loss became NaN in epoch 3 of <script>alert(1)</script>"
    assert found["SKIPPED"][0] == "the file is absent: put it in data/taps"
    assert found["FAILED"][1].startswith("python benchmark.py run little --only ")


def test_provenance_identifies_a_cell(store, report):
    cells = table(report, "cells")
    first = next(row for row in cells.rows if row.kind != "group")
    record = read_suite(store, "little").cells[0].record
    assert cells.entry(first, "key").value == record["key"]
    assert cells.entry(first, "data").value == record["fingerprints"]["data"]
    assert cells.entry(first, "commit").value == record["environment"]["commit"]
    assert cells.entry(first, "command").text == record["command"]
    assert cells.entry(first, "mlflow").value == "feedface" * 4
    assert cells.entry(first, "environment").text == "E1"
    versions = {row.entries[0].text: row.entries[1].text for row in table(report, "environments").rows}
    assert versions["torch"] == "2.13.0"
    assert versions["dirty"] == "no"


def test_the_paragraph_is_made_from_the_verdicts(report):
    outcomes = [table(report, name).entry(row, "outcome").text for name in ("published", "claims")
                for row in table(report, name).rows]  # fmt: skip
    said = report.sections[0].blocks[0].paragraphs[0]
    names = report.section("verdicts").blocks[0].paragraphs[0]
    assert len(outcomes) == 8
    assert said.startswith("Of 5 published numbers and 3 claims, ")
    assert f"{outcomes.count('NOT COMPARABLE')} not comparable" in said
    assert "“GRU beats popularity”" in names.split("Reproduced:")[1].split("Not reproduced:")[0]


def test_a_suite_without_any_finished_cell_still_has_a_report(tmp_path, make_store):
    record = make_store(tmp_path, published=False)
    for entry in record["cells"]:
        if entry["key"]:
            (tmp_path / "cells" / entry["key"] / "cell.json").unlink(missing_ok=True)
        entry |= {"state": "MISSING", "reason": "not computed yet"}
    write_sealed(tmp_path / "suites" / "little" / "suite.json", record)
    report = build(tmp_path, "little")
    rows = table(report, "failures").rows
    (told,) = [row.entries for row in rows if row.entries[3].text == "MISSING"]
    assert told[0].text == "2 data sets or protocols"
    assert int(told[1].text.split()[0]) + sum(row.entries[3].text == "FAILED" for row in rows) == len(record["cells"])
    assert report.section("verdicts") is None
    page = render_html(report)
    assert "No model has a result on these" in page
    assert "not computed yet" in page


def test_an_unknown_suite_is_one_sentence(store):
    with pytest.raises(FileNotFoundError, match="it holds little"):
        build(store, "large")


def test_the_same_results_give_the_same_report(store, report, html):
    again = build(store, "little")
    assert again == report
    assert render_html(again) == html


def test_a_report_needs_no_torch_no_mlflow_and_no_harness(store):
    program = (
        "import sys; from pathlib import Path\n"
        "from reports.report import build\nfrom reports.output.html import render_html\n"
        f"page = render_html(build(Path({str(store)!r}), 'little'))\n"
        "assert len(page) > 100_000\n"
        "bad = [n for n in ('torch', 'mlflow', 'harness', 'training') if n in sys.modules]\n"
        "assert not bad, bad\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_metrics_that_only_the_paper_names_have_their_own_table(report):
    assert [c.key for c in table(report, "standing-1-further").columns][:2] == ["model", "Recall@10"]
    assert "Recall@10" not in [c.key for c in table(report, "standing-1").columns]


def test_caveats_of_a_whole_data_set_are_on_tables_not_on_rows(tmp_path, make_store):
    record = make_store(tmp_path, published=False)
    for entry in record["cells"]:
        path = tmp_path / "cells" / (entry["key"] or "") / "cell.json"
        if entry["dataset"] == "Markov chain":
            cell = json.loads(path.read_text())
            cell["caveats"].append(cell["audit"][1]["sentence"])
            write_sealed(path, cell)
    report = build(tmp_path, "little")
    first, second = table(report, "standing-1"), table(report, "standing-2")
    assert first.badges == ["future"]  # the audit's name for it
    assert first.all_notes[0] == first.notes[0] == "future: 50 % of training events are later than some test event."
    assert {badge for row in first.rows for entry in row.entries for badge in entry.badges} == {"NOT CONVERGED"}
    assert len(first.all_notes) == len(first.notes)
    assert second.badges == []
    assert table(report, "cost-1").badges == table(report, "cut-1-table").badges == ["future"]
