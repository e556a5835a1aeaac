"""Exported tables: the table of a paper, tidy files, and the same texts as the copy buttons of the page."""

import csv
import io
import json
import re
import shutil
import subprocess

import pandas as pd
import pytest
from typer.testing import CliRunner

from benchmark import app
from evaluation.comparison.compare import compare_suite
from evaluation.results.suite_results import read_suite
from reports.document.blocks import Column, Row, Table, TableCell
from reports.report import build
from reports.tables.as_latex import to_latex
from reports.tables.export import TEXTS, export_text, write_tables
from reports.tables.latex_layout import LINES
from reports.tables.paper_table import PaperCell, PaperColumn, PaperRow, PaperTable, paper_table
from reports.tables.paper_text import paper_latex

NUMBERS = {
    "seeds": {"seed", "value"},
    "means": {"mean", "low", "high", "sd", "seeds"},
    "differences": {"difference", "low", "high", "relative", "relative_low", "relative_high", "p", "p_adjusted"},
    "verdicts": {"published", "rerun", "estimate", "low", "high", "p_adjusted"},
}


@pytest.fixture(scope="module")
def tables(report, tmp_path_factory):
    folder = tmp_path_factory.mktemp("tables")
    write_tables(report, folder)
    return folder


def test_the_main_table_marks_best_second_and_significance(report, store):
    made = paper_table(report.inputs)
    tables = compare_suite(read_suite(store, "little"))
    assert [column.metric for column in made.columns] == [table.metric for table in tables]
    for number, table in enumerate(tables):
        means = {m.model: m.mean for m in table.models}
        ranked = sorted(means, key=means.get, reverse=True)
        for row in made.rows:
            cell = row.cells[number]
            assert float(cell.value) == pytest.approx(means[row.model], abs=0.005)
            assert cell.place == {ranked[0]: 1, ranked[1]: 2}.get(row.model, 0)
            pair = table.pair(row.model, table.reference)
            sure = pair is not None and pair.decision.p_adjusted < 0.05
            ahead = means[row.model] > means[table.reference]
            assert cell.sign == ("" if not sure else "*" if ahead else "−")
    assert {cell.sign for row in made.rows for cell in row.cells} == {"", "*", "−"}
    assert [row.baseline for row in made.rows] == [True, True, False, False, False]
    notes = " ".join(made.notes)
    assert "over 2 or 3 seeds; ± standard deviation" in notes
    assert "best baseline (Markov)" in notes
    assert "† NOT CONVERGED: GRU." in notes


@pytest.mark.parametrize(
    ("uncertainty", "shown"),
    [("sd", r" \$\\pm\$ \.\d+ "), ("interval", r" \[\.\d+, \.\d+\]"), ("none", r"& \.\d+")],
)
def test_latex_and_markdown_show_the_uncertainty_that_was_chosen(report, uncertainty, shown):
    latex = export_text(report, "latex", "main", uncertainty)
    assert re.search(shown, latex)
    assert ("pm" in latex, "[." in latex) == (uncertainty == "sd", uncertainty == "interval")
    assert latex.count(r"\textbf{") == latex.count(r"\underline{") == 4  # a column each
    markdown = export_text(report, "markdown", "main", uncertainty)
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {6}
    assert "**" in lines[2] + lines[3] + lines[4] + lines[5] + lines[6]


FAULT = re.compile(r"Overfull|Float too large")


def compiled(text, folder):
    """The last log of LaTeX on a document of a table alone; a longtable knows its widths from an earlier run."""
    page = rf"\documentclass{{article}}{packages_of(text)}\begin{{document}}{text}\end{{document}}"
    (folder / "t.tex").write_text(page, encoding="utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "t.tex"]
    for _ in range(4):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
        if "Rerun LaTeX" not in done.stdout:
            break
    return done


def check_compiled(text, folder):
    """Compile a table where LaTeX is installed."""
    if shutil.which("pdflatex"):
        done = compiled(text, folder)
        assert done.returncode == 0, done.stdout[-1500:]
        assert not FAULT.search(done.stdout)


def packages_of(text):
    named = sorted(set(re.findall(r"^% (\\usepackage.*)", text, re.MULTILINE)))
    return "\n".join(["", *named, ""])


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
@pytest.mark.parametrize("table", ["main", "verdicts", "all"])
def test_latex_compiles_with_the_packages_that_it_names(report, table, tmp_path):
    text = export_text(report, "latex", table, "interval")
    if table == "main":
        assert packages_of(text).strip() == r"\usepackage{booktabs}"
    done = compiled(text, tmp_path)
    assert done.returncode == 0, done.stdout[-1500:]
    assert not FAULT.search(done.stdout)


def test_the_main_table_is_no_wider_than_a_page(make_store, tmp_path):
    """Data sets and models with long names, in blocks of columns that fit."""
    datasets = tuple(f"Data set {'long name ' * 6}{n}" for n in range(4))
    models = {"Popularity": 0.0, "GRU": 1.0, f"A model {'with settings ' * 4}": 0.5}
    make_store(tmp_path, datasets=datasets, models=models, queries=60, published=False)
    text = export_text(build(tmp_path, "little"), "latex", "main", "interval")
    assert text.count(r"\begin{tabular}{lr") > 1
    for block in re.findall(r"\\toprule.*?\\bottomrule", text, re.DOTALL):
        for line in (re.sub(r"\$[^$]*\$|\\\w+", "", line) for line in block.splitlines() if "tabular}" not in line):
            assert len(line) < 130, line
    if shutil.which("pdflatex"):
        assert not FAULT.search(compiled(text, tmp_path).stdout)


def long_table(rows, metrics):
    """A table of the report with groups, numbers, words of any length, sentences and caveats."""
    columns = [Column("seed", "Seed", True), Column("key", "Key"), *(Column(m, m, True) for m in metrics),
               Column("where", "Where"), Column("command", "Command", wide=True)]  # fmt: skip
    lines = []
    for n in range(rows):
        if n % 3 == 0:
            lines.append(Row((TableCell(f"A model {'of many words ' * 12}{n}"),), kind="group"))
        caveats = (f"NOT CONVERGED: {n % 4} epochs", f"a reason with words {n % 2}")
        lines.append(Row((TableCell(f"{n}", n, caveats=caveats), TableCell("0a1b2c3d4e"),
                          *(TableCell("[.01234, .04567]", n) for _ in metrics),
                          TableCell("https://example.org/a_very/long-address_without/a.blank" if n % 2 else "Table 2"),
                          TableCell("python benchmark.py run " + "--only 'data/model' " * 5))))  # fmt: skip
    return Table("cells", "All runs", tuple(columns), tuple(lines), ("A note of some length. " * 9,))


@pytest.mark.parametrize(("rows", "metrics", "turned"), [(8, 3, None), (60, 2, False), (60, 5, True), (90, 30, None)])
def test_a_table_longer_than_a_page_repeats_its_heading(rows, metrics, turned, tmp_path):
    table = long_table(rows, [f"NDCG@{n}" for n in range(metrics)])
    text = str(to_latex(table))
    titles = text.count(" & ".join(["Seed", "Key", *(c.title for c in table.columns[2:4])]))
    assert ("longtable" in text, titles) == ((True, 2) if turned is not None else (False, 1))
    assert (r"\begin{landscape}" in text) == bool(turned)
    assert ("lscape" in packages_of(text), r"\resizebox" in text) == (bool(turned), turned is None)
    if turned is not None:  # a command has a line of its own
        assert text.count(r"\multicolumn{" + str(len(table.columns) - 1)) == 2 * 1 + 1 + rows + rows // 3
    check_compiled(text, tmp_path)


def test_a_main_table_of_more_rows_than_a_page_is_continued(tmp_path):
    cell = PaperCell(".1234", "± .0123", 1, "*")
    rows = [PaperRow(f"A model {'with settings ' * (n % 4)}{n}", n < 3, True, (cell,) * 12) for n in range(110)]
    columns = tuple(PaperColumn(f"data set {n // 3}", f"NDCG@{n}") for n in range(12))
    made = PaperTable("tab:many", "Many models", columns, tuple(rows), ("A note about each of the models. " * 80,))
    text = paper_latex(made)
    assert text.count(r"\begin{table}") == text.count(r"\caption{Many models") > 6
    assert all(text.count(f" {n}") >= 1 for n in range(110)) and text.count(r"\textbf{.1234}") == 110 * 12
    for block in re.findall(r"\\midrule\n(.*?)\\bottomrule", text, re.DOTALL):
        assert block.count(r"\\") <= 2 * LINES
    check_compiled(text, tmp_path)


@pytest.mark.parametrize("name", NUMBERS)
def test_tidy_files_have_numbers_in_their_columns_of_numbers(tables, name, report):
    frame = pd.read_csv(tables / f"{name}.csv")
    for column in NUMBERS[name]:
        assert frame[column].dtype.kind in "if", column
    assert {"dataset", "protocol", "metric"} <= set(frame)
    index = (tables / "README.md").read_text(encoding="utf-8")
    assert f"- `{name}.csv`: " in index
    assert "- `main.tex`, `main.md`: " in index
    records = json.loads(export_text(report, "json", name))
    assert len(records) == len(frame)
    assert list(records[0]) == list(frame)


def test_tidy_files_agree_with_each_other(tables):
    seeds, means = pd.read_csv(tables / "seeds.csv"), pd.read_csv(tables / "means.csv")
    keys = ["dataset", "protocol", "model", "metric"]
    assert not seeds.duplicated([*keys, "seed"]).any()
    joined = seeds.groupby(keys)["value"].agg(["mean", "std", "size"]).join(means.set_index(keys), rsuffix="_stored")
    pd.testing.assert_series_equal(joined["mean"], joined["mean_stored"], check_names=False, rtol=1e-9)
    learners = joined[joined["size"] > 1]
    pd.testing.assert_series_equal(learners["std"], learners["sd"], check_names=False, rtol=1e-6)


def test_columns_of_numbers_hold_nothing_else(report):
    for table in report.tables():
        numeric = {column.key for column in table.columns if column.numeric and not column.metric}
        for line in csv.DictReader(io.StringIO(str(TEXTS["csv"](table)))):
            for key in numeric & set(line):
                assert line[key] == "" or float(line[key]) == float(line[key]), (table.anchor, key)


def test_copy_buttons_and_export_give_the_same(report, html):
    texts = json.loads(re.search(r"const tableTexts = (\{.*?\});?\n", html).group(1))
    names = {"CSV": "csv", "LaTeX": "latex", "Markdown": "markdown"}
    for table in report.tables():
        for button, (head, rows, foot) in texts[table.anchor].items():
            copied = head + "".join(row or "" for row in rows) + foot
            assert copied == export_text(report, names[button], table.anchor), (table.anchor, button)


def test_the_command_writes_what_is_asked_for(store, tmp_path, report):
    def export(*options):
        return CliRunner().invoke(app, ["export", "little", "--results", str(store), *options])

    printed = export("--format", "markdown", "--table", "verdicts")
    assert printed.stdout == export_text(report, "markdown", "verdicts")
    assert export("-o", str(tmp_path / "t.tex")).stdout.strip() == str(tmp_path / "t.tex")
    assert (tmp_path / "t.tex").read_text() == export_text(report, "latex")
    assert export("--format", "csv", "--table", "all", "--out", str(tmp_path / "folder")).exit_code == 0
    assert (tmp_path / "folder" / "seeds.csv").read_bytes().decode() == export_text(report, "csv", "seeds")
    everything = json.loads(export("--format", "json", "--table", "all").stdout)
    assert {"seeds", "means", "differences", "verdicts", "standing-1"} <= set(everything)


@pytest.mark.parametrize(("options", "message"), [
    (["--format", "docx"], "the format is one of latex, markdown, csv, json, got 'docx'"),
    (["--uncertainty", "se"], "the uncertainty is one of sd, interval, none, got 'se'"),
    (["--table", "mian"], "little has no table 'mian': it has main, all, seeds, means, differences, verdicts, "),
    (["--table", "seeds"], "the table 'seeds' has a row per value: export it as csv or json"),
    (["--format", "csv", "--table", "all"], "all tables are several CSV files: name their folder with --out FOLDER"),
])  # fmt: skip
def test_what_cannot_be_exported_is_refused_in_one_sentence(store, options, message):
    done = CliRunner().invoke(app, ["export", "little", "--results", str(store), *options])
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.output
