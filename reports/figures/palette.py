"""Palette: the colour, marker and sign of each model, the same everywhere."""

from __future__ import annotations

# Found by search: every two differ by at least 20 in CIELAB as normal, deuteranopic and protanopic eyes see them, and
# each contrasts with its ground (white; #14171c) by at least 4.5 : 1, so that names can be written in them. The two
# that are nearly black stand apart, and in the dark the two oranges, since neighbours in a suite are often compared.
COLORS = ("#0279bb", "#af6203", "#11805a", "#511857", "#c1003d", "#5765f3", "#343701", "#747589")
DARK = ("#9ae8ed", "#e57325", "#56ea93", "#b85fbc", "#ffd324", "#5e73fd", "#ba715a", "#a0a0a0")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
SIGNS = ("●", "■", "▲", "◆", "▼", "✚", "✖", "★")  # the same markers as characters, for the tables
INK = "#010203"  # stands for the page's own text colour and is replaced by currentColor


def color(number: int | None) -> str:
    """The colour of the model with this number."""
    return INK if number is None else COLORS[number % len(COLORS)]


def marker(number: int) -> str:
    """The marker of the model with this number; after eight models colour and marker part ways."""
    return MARKERS[(number + number // len(MARKERS)) % len(MARKERS)]


def sign(number: int) -> str:
    """The marker as a character."""
    return SIGNS[(number + number // len(SIGNS)) % len(SIGNS)]
