"""Pictures as SVG: each drawn once for screen and paper, and not again where a memo knows it."""

from __future__ import annotations

import functools
import json
from dataclasses import asdict

from evaluation.results.cache import Memo, Question
from reports.document.blocks import Picture


def picture_question(picture: Picture) -> Question:
    """What is asked of a memo for one picture."""
    told = json.dumps(asdict(picture), sort_keys=True)
    return Question("picture", told, functools.partial(_draw, told))


def drawn(picture: Picture, memo: Memo) -> str:
    """The <svg> element of a picture."""
    return _drawn(picture_question(picture).inputs, memo)


@functools.lru_cache(maxsize=512)
def _drawn(told: str, memo: Memo) -> str:
    return memo.answer("picture", told, functools.partial(_draw, told))


def _draw(told: str) -> str:
    from reports.figures import draw  # here, since matplotlib takes a second to load

    fields = json.loads(told)
    fields.pop("block")
    return draw.draw(Picture(**fields))
