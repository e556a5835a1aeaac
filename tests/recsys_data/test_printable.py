"""Texts to show hold no character that a terminal obeys, a page hides or XML forbids."""

import unicodedata
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys_data.printable import map_texts, printable, printable_lines

ANY = st.text(st.characters(codec=None), max_size=20)  # surrogates too


@pytest.mark.parametrize("text, expected", [
    ("plain, with spaces\u2009and\u00a0more", None),
    ("用户 🙂 👩\u200d🔬 ❤\ufe0f Ünïcôde", None),
    ("\x1b[31mred\x1b[0m", r"\x1b[31mred\x1b[0m"),
    ("two\nlines\r\tand\0more", r"two\nlines\r\tand\x00more"),
    ("\x9b31m\x85", r"\x9b31m\x85"),
    ("abc\u202egnp.exe\u2066\u200e", r"abc\u202egnp.exe\u2066\u200e"),
    ("a\u2028b\ufeffc\u200bd\ue000e\ufffef\ud800", r"a\u2028b\ufeffc\u200bd\ue000e\ufffef\ud800"),
])  # fmt: skip
def test_invisible_characters_become_codes(text, expected):
    assert printable(text) == (text if expected is None else expected)


@given(ANY)
def test_no_text_keeps_a_control_character(text):
    shown = printable(text)
    left = {unicodedata.category(c) for c in shown if c not in "\u200c\u200d"}
    assert not any(category[0] == "C" or category in ("Zl", "Zp") for category in left)
    shown.encode("utf-8")
    assert printable(shown) == shown
    assert printable_lines(f"{text}\n{text}".replace("\n", "")) == printable(f"{text}\n{text}".replace("\n", ""))


def test_lines_are_kept_where_there_are_several():
    assert printable_lines("a\x1b\n\tb") == "a\\x1b\n\\tb"


@dataclass(frozen=True)
class Pair:
    """A text and what is inside it."""

    name: str
    inner: object


def test_texts_are_changed_wherever_they_are():
    clean = Pair("a", ["b", ({"c": "d"}, 1.5, None)])
    assert map_texts(printable, clean) is clean
    dirty = Pair("\0", ["b", ({"\x1b": "\n"}, 1.5, None)])
    assert map_texts(printable, dirty) == Pair("\\x00", ["b", ({"\\x1b": "\\n"}, 1.5, None)])
