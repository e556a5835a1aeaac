"""Sealed JSON: what is read is what was written, or an error."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys_data.sealed_json import SealBroken, parse_object, read_sealed, sealed_line, sealed_text

NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(st.none() | st.booleans() | NUMBERS | st.text(), lambda inner: st.lists(inner) | st.dictionaries(
    st.text(), inner), max_leaves=8)  # fmt: skip
RECORDS = st.dictionaries(st.text().filter(lambda name: name != "sha256"), VALUES, max_size=4)


@given(RECORDS, st.text(max_size=3))
def test_a_record_is_read_as_it_was_written_and_nowhere_else(record, place):
    for text in (sealed_text(record, place), sealed_line(record, place)):
        assert read_sealed(text.encode(), place) == record
        with pytest.raises(SealBroken, match="does not match its checksum"):
            read_sealed(text, f"{place} elsewhere")
    assert sealed_line(record).count("\n") == 1


@given(RECORDS, st.data())
def test_a_changed_byte_is_an_error_or_changes_nothing(record, data):
    text = sealed_text(record).encode()
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + bytes([text[at] ^ 1 << data.draw(st.integers(0, 7))]) + text[at + 1 :]
    try:
        found = read_sealed(changed)
    except ValueError:
        return
    assert json.dumps(found) == json.dumps(json.loads(json.dumps(record))), "a blank became another blank"


@pytest.mark.parametrize(("text", "said"), [
    ("[]", "an object"), ("3", "an object"), ("[" * 100_000, "nested too deeply"), ('{"a": 1}', "no checksum"),
    ('{"a": 1, "sha256": 3}', "does not match"), ('{"a": NaN, "sha256": "0"}', "not match"),
])  # fmt: skip
def test_what_was_never_sealed_is_an_error(text, said):
    with pytest.raises(SealBroken, match=said):
        read_sealed(text)
    with pytest.raises(ValueError):
        parse_object(b"\xff\xfe half")


def test_numbers_that_are_not_finite_are_refused_unless_allowed():
    with pytest.raises(ValueError, match="not JSON compliant"):
        sealed_text({"a": float("nan")})
    assert str(read_sealed(sealed_text({"a": float("inf")}, allow_nan=True))["a"]) == "inf"
