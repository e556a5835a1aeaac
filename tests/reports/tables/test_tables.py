import csv
import io
import re

import pytest

from reports.document.blocks import Column, Row, Table, TableCell, row
from reports.tables.as_csv import csv_lines, to_csv
from reports.tables.as_latex import escape_latex, to_latex
from reports.tables.as_markdown import to_markdown
from reports.tables.export import write_tables


def small(**changes):
    """A table with one of everything."""
    rows = (
        Row((TableCell("Group & co"),), "g", "group"),
        Row(
            (
                TableCell("a_b", caveats=("NOT CONVERGED: 6 epochs",)),
                TableCell(".12", 0.1234, 0.1, 0.2, marks=("best",)),
            )
        ),
        Row((TableCell("<i>|$x$"), TableCell("better", marks=("good",)))),
    )
    fields = {"notes": ("50 % of it",), **changes}
    return Table("t", "A 5 % table", (Column("name", "Name"), Column("x", "X@20", True)), rows, **fields)


def test_csv_has_unrounded_values_intervals_groups_and_caveats():
    head, rows = csv_lines(small(about=(("dataset", "D"),)))
    assert head == ["dataset", "group", "name", "x", "x_low", "x_high", "caveats"]
    assert rows == [
        [],
        [["D", "Group & co", "a_b", 0.1234, 0.1, 0.2, "NOT CONVERGED: 6 epochs"]],
        [["D", "Group & co", "<i>|$x$", None, None, None, ""]],  # "better" is no number
    ]


def test_a_line_per_metric_and_no_column_that_repeats_an_interval():
    columns = (Column("model", "Model"), *(Column(f"{m}{rest}", m, True, metric=m)
               for m in ("A@5", "B@5") for rest in ("", " interval", " sd")))  # fmt: skip
    value, printed, fixed = TableCell(".1", 0.1, 0.0, 0.2), TableCell("[.0, .2]", 0.2), TableCell("fixed")
    rows = (Row((TableCell("GRU"), value, printed, TableCell(".01", 0.01), value, printed, fixed)),
            Row((TableCell("POP"), value, printed, fixed, *[TableCell("–")] * 3)))  # fmt: skip
    assert csv_lines(Table("t", "T", columns, rows)) == (
        ["model", "metric", "mean", "mean_low", "mean_high", "sd"],
        [[["GRU", "A@5", 0.1, 0.0, 0.2, 0.01], ["GRU", "B@5", 0.1, 0.0, 0.2, None]],
         [["POP", "A@5", 0.1, 0.0, 0.2, None]]],
    )  # fmt: skip


def test_every_table_is_written_and_read_back(report, tmp_path):
    write_tables(report, tmp_path / "csv")
    tidy = {"seeds", "means", "differences", "verdicts"}
    assert {p.stem for p in (tmp_path / "csv").glob("*.csv")} == {t.anchor for t in report.tables()} | tidy
    index = (tmp_path / "csv" / "README.md").read_text(encoding="utf-8")
    assert "an apostrophe before a text" in index
    assert all(f"- `{table.anchor}.csv`: {table.caption}" in index.splitlines() for table in report.tables())
    with (tmp_path / "csv" / "standing-1.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    table = next(t for t in report.tables() if t.anchor == "standing-1")
    gru = next(r for r in rows if (r["model"], r["metric"]) == ("GRU", "MRR@20"))
    assert (gru["dataset"], gru["protocol"]) == ("Markov chain", "per user 90/5/5")
    entry = table.entry(next(r for r in table.rows if r.entries[0].text == "GRU"), "MRR@20")
    assert float(gru["mean"]) == entry.value  # to the last bit
    assert float(gru["mean_low"]) == entry.low
    assert gru["caveats"].startswith("NOT CONVERGED")
    assert {r["model"] for r in rows} >= {"<script>alert(1)</script>", "kNN_{50%} $k$"}


@pytest.mark.parametrize(("text", "latex"), [
    ("50 % & a_b #1", r"50 \% \& a\_b \#1"), ("{$k$}", r"\{\$k\$\}"), ("a\\b", r"a\textbackslash{}b"),
    ("~^", r"\textasciitilde{}\textasciicircum{}"), ("−.01 ± 2", r"$-$.01 $\pm$ 2"), ("Café", "Café"),
    ("ﬁne", "fine"), ("日", "U+65E5"),
    ('"ŧ', "''t"), ("Ęq", "Eq"), ("a|b", "a$|$b"),
])  # fmt: skip
def test_latex_prints_text_as_it_is(text, latex):
    assert escape_latex(text) == latex


def test_latex_tables_have_rules_marks_and_notes():
    text = str(to_latex(small()))
    assert text.startswith("% \\usepackage{amssymb,array,booktabs,graphicx}\n")
    for wanted in (r"\toprule", r"\midrule", r"\bottomrule", r"\multicolumn{2}{l}{\textbf{Group \& co}} \\",
                   r"a\_b\dag{} & \textbf{.12}$^{\star}$ \\", r"$\checkmark$~better \\", r"\begin{tabular}{lr}",
                   r"50 \% of it \dag{} NOT CONVERGED: 6 epochs."):  # fmt: skip
        assert wanted in text, wanted


def test_latex_tables_are_balanced_and_in_latin_letters(report):
    for table in report.tables():
        text = str(to_latex(table))
        for name in re.findall(r"\\begin\{(\w+)\}", text):
            assert text.count(rf"\begin{{{name}}}") == text.count(rf"\end{{{name}}}")
        bare = re.sub(r"\\[{}]", "", text)
        assert bare.count("{") == bare.count("}")
        kinds = re.sub(r">\{[^}]*\}p\{\d+pt\}", "l", text)
        columns = len(re.search(r"\\begin\{(?:tabular|longtable)\}\{([lr]+)\}", kinds).group(1))
        for line in text.splitlines():
            if line.endswith(r"\\") and "multicolumn" not in line and "caption" not in line:
                assert len(re.findall(r"(?<!\\)&", line)) == columns - 1, line
        assert all(ord(c) < 0x180 for c in text)


@pytest.mark.parametrize("write", [to_csv, to_latex, to_markdown])
def test_a_text_has_one_part_for_each_row(write):
    text = write(small())
    assert len(text.rows) == len(small().rows)
    assert all(row is None or row.endswith("\n") for row in text.rows)
    assert str(text) == text.head + "".join(row or "" for row in text.rows) + text.foot


@pytest.mark.parametrize("text, written", [
    ("=1+1", "'=1+1"), ("@SUM(A1)", "'@SUM(A1)"), ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"), ("-x", "'-x"),
    ("\t=1", "'\t=1"), ("\r=1", "'\r=1"), ("＝1", "'＝1"), ("+3.2 %", "'+3.2 %"),
    ("-1.5", "-1.5"), ("+2e-3", "+2e-3"), ("−.0011", "−.0011"), ("plain = text", "plain = text"), (-1.5, "-1.5"),
])  # fmt: skip
def test_no_text_is_a_formula_and_numbers_stay_numbers(text, written):
    cell = TableCell(text) if isinstance(text, str) else TableCell("text", value=text)
    table = Table("t", "T", (Column("=key", "Key"),), (row([cell]),))
    [head], [found] = csv.reader(io.StringIO(str(to_csv(table)), newline=""))
    assert (head, found) == ("'=key", written)
