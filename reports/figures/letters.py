"""Drawn letters of a figure as text: readers can search and copy it, and the file is far smaller."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

from reports.figures.fonts import MAIN, advance, characters
from reports.figures.svg import as_html

_SCALE = re.compile(r" ?scale\(([\d.]+) -\1\)$")  # letters are drawn upside down, in hundredths of the font's size
_LETTER = re.compile(rf"#.*-{MAIN.replace(' ', '')}-([0-9a-f]+)")
_SIZE = 100


def letters_as_text(svg: str, *, any_font: bool = False) -> str:
    """Replace each line of drawn letters by a <text>, which takes the page's font.

    With ``any_font`` a line is as wide as it was drawn, whichever font the page has; without it the page's font must be
    the figure's. A line with a letter that the figure's font lacks stays drawn.
    """
    root = ElementTree.fromstring(svg)
    drawn = {path.get("id", ""): path for defs in root.iter("defs") for path in defs}
    for parent in list(root.iter()):
        parent[:] = [_as_text(child, any_font) for child in parent]
    kept = {path.get("id", "") for defs in root.iter("defs") for path in defs}
    used = {node.get("href", "")[1:] for node in root.iter("use")}
    lost = ElementTree.Element("defs")
    lost.extend([drawn[name] for name in sorted(used - kept)])
    root.insert(0, lost)
    return as_html(root)


def _as_text(node: ElementTree.Element, any_font: bool) -> ElementTree.Element:
    """A <text> for a group of letters of the main font; any other element as it is."""
    place = _SCALE.search(node.get("transform", "")) if node.tag == "g" else None
    letters = [child for child in node if child.tag != "defs"]
    found = [_LETTER.fullmatch(letter.get("href", "")) for letter in letters]
    if place is None or not found or None in found or any({*letter.attrib} - {"href", "x"} for letter in letters):
        return node
    scale = float(place.group(1))
    glyphs = [int(match.group(1), 16) for match in found if match]
    first, last = (float(letter.get("x", 0)) for letter in (letters[0], letters[-1]))
    attributes = {"transform": node.get("transform", "")[: place.start()], "font-size": f"{scale * _SIZE:g}",
                  "x": f"{scale * first:g}"}  # fmt: skip
    if any_font and len(glyphs) > 1:
        width = last - first + advance(glyphs[-1], _SIZE)
        attributes |= {"textLength": f"{scale * width:.2f}", "lengthAdjust": "spacingAndGlyphs"}
    text = ElementTree.Element("text", node.attrib | attributes)
    if text.get("style") == "fill:currentColor":  # what a text has on its own: svg {fill: currentColor}
        del text.attrib["style"]
    text.text = "".join(characters()[glyph] for glyph in glyphs)
    return text
