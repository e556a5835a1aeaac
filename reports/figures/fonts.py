"""Fonts of figures and of the PDF: one that is always there, and those of this machine for the letters it lacks."""

from __future__ import annotations

import functools
import unicodedata

from matplotlib.font_manager import findfont, fontManager, get_font
from matplotlib.ft2font import FT2Font, LoadFlags

MAIN = "DejaVu Sans"  # comes with matplotlib
_OTHERS = (  # for letters that MAIN lacks, where they are installed; none of them needs colours
    "Noto Sans CJK SC", "Noto Sans CJK JP", "Noto Sans CJK KR", "Noto Sans CJK TC", "Source Han Sans SC",
    "Source Han Sans JP", "Noto Sans SC", "Noto Sans JP", "Noto Sans KR", "PingFang SC", "Hiragino Sans",
    "Hiragino Sans GB", "Apple SD Gothic Neo", "Microsoft YaHei", "SimHei", "Yu Gothic", "MS Gothic", "Malgun Gothic",
    "IPAexGothic", "IPAGothic", "TakaoGothic", "WenQuanYi Zen Hei", "WenQuanYi Micro Hei", "Droid Sans Fallback",
    "NanumGothic", "Arial Unicode MS", "Noto Sans", "Noto Sans Devanagari", "Noto Sans Bengali", "Noto Sans Tamil",
    "Noto Sans Thai", "Noto Sans Ethiopic", "Noto Emoji", "Symbola", "Segoe UI Emoji", "Segoe UI Symbol",
)  # fmt: skip


@functools.cache
def families() -> list[str]:
    """The fonts to draw with, the one for most letters first."""
    installed = {font.name for font in fontManager.ttflist}
    return [MAIN, *(name for name in _OTHERS if name in installed)]


@functools.cache
def _drawable_characters() -> frozenset[int]:
    """The characters that at least one of the fonts has."""
    files = (findfont(name, fallback_to_default=False) for name in families())
    return frozenset(code for file in files for code in get_font(file).get_charmap())


def drawable(text: str, keep: str = "") -> str:
    r"""Text with a code such as \u7528 for each character that no font can draw, except for those of ``keep``."""
    if text.isascii():
        return text
    known = _drawable_characters()
    codes = {ord(c): c.encode("unicode_escape").decode() for c in set(text) if ord(c) > 127 and ord(c) not in known}
    return text.translate({code: written for code, written in codes.items() if chr(code) not in keep})


@functools.cache
def characters() -> dict[int, str]:
    """The character of each glyph of the main font; the letters of a ligature, such as ff."""
    charmap = get_font(findfont(MAIN, fallback_to_default=False)).get_charmap()
    ligatures = range(0xFB00, 0xFB07)
    return {glyph: unicodedata.normalize("NFKC", chr(code)) if code in ligatures else chr(code)
            for code, glyph in charmap.items()}  # fmt: skip


@functools.cache
def advance(glyph: int, size: int) -> float:
    """How far a glyph of the main font moves the next one, in the unit of ``size``."""
    font = FT2Font(findfont(MAIN, fallback_to_default=False))
    font.set_size(size, 72)
    return font.load_glyph(glyph, flags=LoadFlags.NO_HINTING).linearHoriAdvance / 65536


def files() -> dict[str, bytes]:
    """Font files for the PDF, which come with matplotlib: regular, bold and monospaced."""
    names = {"regular": MAIN, "bold": f"{MAIN}:bold", "mono": "DejaVu Sans Mono"}
    found = {}
    for role, name in names.items():
        with open(findfont(name, fallback_to_default=False), "rb") as file:  # noqa: PTH123
            found[role] = file.read()
    return found
