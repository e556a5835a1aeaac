import pytest

from reports.document.blocks import Column, TableCell, row
from reports.output.table_html import full_value, row_html


@pytest.mark.parametrize(("entry", "said"), [
    (TableCell(".0625", 0.06251234), "0.06251234"), (TableCell(".1", 0.1234, 0.1, 0.2), "0.1234 [0.1, 0.2]"),
    (TableCell("5", 5), ""), (TableCell("12", 12, exact="twelve"), "twelve"), (TableCell("a", "a"), ""),
    (TableCell("–"), ""), (TableCell("1,234", 1234), ""),
])  # fmt: skip
def test_full_value_is_empty_where_the_text_is_complete(entry, said):
    assert full_value(entry) == said


def test_a_footnote_has_its_mark_a_badge_its_words_and_a_file_its_link_on_screens_only():
    cells = [TableCell("A", caveats=("late: 3 %", "SLOW: yes")), TableCell("k", href="../cells/k/")]
    columns = [Column("a", "A"), Column("b", "B")]
    screen, paper = (str(row_html(row(cells), columns, {"late: 3 %": "b"}, paper=p, sortable=False)) for p in (0, 1))
    assert '>A<sup class="note">b</sup> <span class="badge">SLOW</span></th>' in screen
    assert '<a href="../cells/k/">k</a>' in screen
    assert "href" not in paper
