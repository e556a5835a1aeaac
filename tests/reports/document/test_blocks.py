import re

import pytest

from reports.document.blocks import Column, Row, Table, TableCell, caveat_badge
from reports.tables.as_latex import to_latex
from reports.tables.as_markdown import to_markdown


def test_badges_of_caveats():
    assert caveat_badge("NOT CONVERGED: reached its limit") == "NOT CONVERGED"
    assert caveat_badge("this was a run on far too few users") == "this was a run …"
    assert caveat_badge("a caveat") == "a caveat"
    assert TableCell("x", caveats=("A: b",)).badges == ["A"]


def test_columns_are_found_by_key():
    some = Table("t", "c", (), ())
    with pytest.raises(KeyError):
        some.column("absent")
    assert re.fullmatch(r"[a-z]+", some.block)


def test_columns_that_are_empty_in_every_row_are_left_out():
    columns = tuple(Column(key, key) for key in ("name", "empty", "dash", "noted"))
    cells = (TableCell(""), TableCell(""), TableCell("–"), TableCell("", caveats=("A: b",)))
    other = (TableCell("x"), *cells[1:3], TableCell(""))
    table = Table("t", "c", columns, (Row((TableCell("group"),), kind="group"), Row(cells), Row(other)))
    shown = table.without_empty_columns()
    assert [column.key for column in shown.columns] == ["name", "noted"]
    assert [len(row.entries) for row in shown.rows] == [1, 2, 2]
    assert shown.without_empty_columns() is shown
    nothing = Table("t", "c", columns, ())
    assert nothing.without_empty_columns() is nothing


def test_a_heading_above_missing_rows_alone_is_not_shown():
    kinds = ("group", "missing", "group", "", "missing", "group", "group", "reference", "group")
    rows = tuple(Row((TableCell(f"{n}"),), kind=kind) for n, kind in enumerate(kinds))
    table = Table("t", "c", (Column("name", "Name"),), rows)
    assert table.empty_headings == {0, 5, 8}
    for write in (to_latex, to_markdown):
        assert [n for n, text in enumerate(write(table).rows) if text is not None] == [2, 3, 6, 7]
