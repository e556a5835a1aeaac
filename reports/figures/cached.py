"""Pictures as SVG: each drawn once for screen and paper, and not again where the cache knows it."""

from __future__ import annotations

import functools
import json
from dataclasses import asdict

from evaluation.results.cache import CachedCall, ResultCache
from reports.document.blocks import Figure


def figure_call(figure: Figure) -> CachedCall:
    """What is asked of the cache for one figure."""
    told = json.dumps(asdict(figure), sort_keys=True)
    return CachedCall("figure", told, functools.partial(_draw, told))


def drawn(figure: Figure, cache: ResultCache) -> str:
    """The <svg> element of a figure."""
    return _drawn(figure_call(figure).inputs, cache)


@functools.lru_cache(maxsize=512)
def _drawn(told: str, cache: ResultCache) -> str:
    return cache.get("figure", told, functools.partial(_draw, told))


def _draw(told: str) -> str:
    from reports.figures import draw  # here, since matplotlib takes a second to load

    fields = json.loads(told)
    fields.pop("block")
    return draw.draw(Figure(**fields))
