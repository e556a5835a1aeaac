"""SVG files of matplotlib as small elements of a page, with unique ids, tooltips and the page's text colour."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from html import escape

_SVG, _LINK = "{http://www.w3.org/2000/svg}", "{http://www.w3.org/1999/xlink}href"
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_MOVED = re.compile(r"translate\((-?[\d.]+)(?: 0)?\)")
_COORDINATES = ("d", "x", "y", "width", "height", "points", "transform")


def inline_svg(svg: str, *, anchor: str, label: str, tooltips: Sequence[str], ink: str) -> str:
    """Convert a file to an <svg role="img"> element named ``label``.

    Ids begin with ``anchor``; mark number n shows tooltips[n]; ``ink`` becomes the page's text colour.
    """
    root = ElementTree.fromstring(svg)
    for child in list(root):
        if child.tag == f"{_SVG}metadata":
            root.remove(child)
    _tidy(root, anchor, tooltips, ink)
    left, top, width, height = root.get("viewBox").split()
    body = "".join(as_html(child) for child in root)
    return (f'<svg viewBox="{left} {top} {width} {height}" width="{float(width):.0f}pt" height="{float(height):.0f}pt" '
            f'role="img" aria-label="{escape(label)}" stroke-linejoin="round">{body}</svg>')  # fmt: skip


def remove_transparency(svg: str) -> str:
    """Replace transparent black by the equal grey on white.

    Some viewers draw all text too bold on a page with transparency.
    """
    svg = re.sub(r"fill-opacity:0(?=[;\"])", "fill:none", svg)  # a hollow mark
    return re.sub(r'style="[^"]*opacity:[^"]*"', _opaque, svg).replace("currentColor", "#000000")


def _opaque(found: re.Match[str]) -> str:
    style = found.group()
    opacity = float(re.search(r"opacity:([\d.]+)", style).group(1))
    grey = "#" + 3 * f"{round(255 * (1 - opacity)):02x}"
    style = re.sub(r"(?:fill-|stroke-)?opacity:[\d.]+;?", "", style)
    return style.replace("currentColor", grey)


def _tidy(node: ElementTree.Element, anchor: str, tooltips: Sequence[str], ink: str) -> None:
    """Drop elements that draw nothing, flatten groups without attributes, shorten and rename; children first."""
    kept: list[ElementTree.Element] = []
    for child in list(node):
        _tidy(child, anchor, tooltips, ink)
        name = child.get("id", "")
        if name.startswith("tip") and name[3:].isdigit():
            child.attrib = {"class": "tip"}
            title = ElementTree.Element(f"{_SVG}title")
            title.text = tooltips[int(name[3:])]
            child.insert(0, title)
        elif child.tag == f"{_SVG}g":
            child.attrib.pop("id", None)
        if child.tag == f"{_SVG}style" or child.get("style") == "fill: none":
            continue
        if child.tag in (f"{_SVG}g", f"{_SVG}defs") and len(child) == 0:
            continue
        kept += list(child) if child.tag == f"{_SVG}g" and not child.attrib else [child]
        _shorten(child, anchor, ink)
    node[:] = kept


def _shorten(node: ElementTree.Element, anchor: str, ink: str) -> None:
    """Round attributes to two decimals; set ids of this figure and the page's colour."""
    if node.tag == f"{_SVG}use" and (moved := _MOVED.fullmatch(node.get("transform", ""))):
        del node.attrib["transform"]
        node.set("x", moved.group(1))
    for name, value in list(node.attrib.items()):
        if name == "id":
            value = f"{anchor}-{value}"
        elif name == _LINK:
            value = f"#{anchor}-{value[1:]}"
        elif name in _COORDINATES and "scale(0.015625)" not in value:
            value = _LONG_NUMBER.sub(lambda m: f"{float(m.group()):.2f}".rstrip("0").rstrip("."), value)
            value = " ".join(value.split())
        value = value.replace("url(#", f"url(#{anchor}-").replace(ink, "currentColor")
        node.set(name, value.replace("; ", ";").replace(": ", ":") if name == "style" else value)
    node.text = node.text.strip() if node.text and node.tag != f"{_SVG}title" else node.text
    node.tail = None


def as_html(node: ElementTree.Element) -> str:
    """The element as HTML, without namespaces."""
    tag = node.tag.removeprefix(_SVG)
    attributes = "".join(f' {"href" if k == _LINK else k}="{escape(v)}"' for k, v in node.attrib.items())
    inner = escape(node.text or "", quote=False) + "".join(as_html(child) for child in node)
    return f"<{tag}{attributes}>{inner}</{tag}>" if inner else f"<{tag}{attributes}/>"
