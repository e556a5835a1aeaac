"""Figures as SVG, each drawn once for screen and paper and cached between reports."""

from __future__ import annotations

import functools
import json
from dataclasses import asdict

from evaluation.results.cache import CachedCall, ResultCache
from reports.document.blocks import Figure


def figure_call(figure: Figure) -> CachedCall:
    """The cached drawing of one figure."""
    record = json.dumps(asdict(figure), sort_keys=True)
    return CachedCall("figure", record, functools.partial(_draw, record))


def figure_svg(figure: Figure, cache: ResultCache) -> str:
    """The <svg> element of a figure."""
    return _cached_svg(figure_call(figure).inputs, cache)


@functools.lru_cache(maxsize=512)
def _cached_svg(record: str, cache: ResultCache) -> str:
    return cache.get("figure", record, functools.partial(_draw, record))


def _draw(record: str) -> str:
    from reports.figures import draw  # lazy: matplotlib takes a second to load

    fields = json.loads(record)
    fields.pop("block")
    return draw.draw(Figure(**fields))
