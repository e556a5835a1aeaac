"""Styles that the figures of a page repeat, as classes: a heat map has one style in hundreds of places."""

from __future__ import annotations

import re
from collections import Counter

_SVG = re.compile(r"<svg .*?</svg>", re.DOTALL)
_STYLED = re.compile(r'(<[a-z]+(?:(?! class=)[^<>])*?) style="([^"]*)"(?=[^<>]*>)')
_OFTEN = 4  # fewer places would not repay the rule


def share_styles(page: str) -> str:
    """The page with a class for each style of its figures that occurs four times or more, in a style sheet."""
    found = Counter(style for svg in _SVG.findall(page) for _, style in _STYLED.findall(svg))
    names = {style: f"s{number}" for number, style in enumerate(s for s, times in found.items() if times >= _OFTEN)}

    def classed(styled: re.Match[str]) -> str:
        before, style = styled.groups()
        return f'{before} class="{names[style]}"' if style in names else styled.group()

    page = _SVG.sub(lambda svg: _STYLED.sub(classed, svg.group()), page)
    rules = "\n".join(f".{name} {{ {style} }}" for style, name in names.items())
    return page.replace("</head>", f"<style>\n{rules}\n</style>\n</head>", 1) if rules else page
