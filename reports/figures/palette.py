"""Palette: colour and marker of each model, the same in figures and tables."""

from __future__ import annotations

# Found by search: each pair differs by at least 20 in CIELAB under normal, deuteranopic and protanopic vision, and each
# colour has a contrast of at least 4.5 : 1 with its background (white; #14171c), enough for text. The two nearly black
# colours are not adjacent, nor are the two oranges of the dark scheme: adjacent models are often compared.
COLORS = ("#0279bb", "#af6203", "#11805a", "#511857", "#c1003d", "#5765f3", "#343701", "#747589")
DARK = ("#9ae8ed", "#e57325", "#56ea93", "#b85fbc", "#ffd324", "#5e73fd", "#ba715a", "#a0a0a0")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
MARKER_CHARS = ("●", "■", "▲", "◆", "▼", "✚", "✖", "★")  # the same markers as characters, for the tables
INK = "#010203"  # placeholder of the page's text colour; becomes currentColor


def color(number: int | None) -> str:
    """The colour of the model with this number."""
    return INK if number is None else COLORS[number % len(COLORS)]


def marker(number: int) -> str:
    """The marker of the model with this number; beyond eight models the pairs of colour and marker change."""
    return MARKERS[(number + number // len(MARKERS)) % len(MARKERS)]


def marker_char(number: int) -> str:
    """The marker as a character."""
    return MARKER_CHARS[(number + number // len(MARKER_CHARS)) % len(MARKER_CHARS)]
