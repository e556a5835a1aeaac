import pytest

from reports.document.blocks import TableCell
from reports.output.table_html import full_value


@pytest.mark.parametrize(("entry", "said"), [
    (TableCell(".0625", 0.06251234), "0.06251234"), (TableCell(".1", 0.1234, 0.1, 0.2), "0.1234 [0.1, 0.2]"),
    (TableCell("5", 5), ""), (TableCell("12", 12, exact="twelve"), "twelve"), (TableCell("a", "a"), ""),
    (TableCell("–"), ""), (TableCell("1,234", 1234), ""),
])  # fmt: skip
def test_full_value_is_empty_where_the_text_is_complete(entry, said):
    assert full_value(entry) == said
