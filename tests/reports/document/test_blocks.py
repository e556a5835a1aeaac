import re

import pytest

from reports.document.blocks import Table, TableCell, caveat_badge


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
