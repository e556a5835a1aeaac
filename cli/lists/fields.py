"""The fields of a class with their types, defaults and meanings, as its docstrings give them."""

from __future__ import annotations

import dataclasses
import re
import sys
from collections.abc import Iterator, Set
from typing import Any

_USUAL = {  # fields that mean the same wherever they occur
    "seed": "of the random choice",
    "dim": "size of the vectors",
    "epochs": "passes over the training events, at most",
    "learning_rate": "size of a step",
    "weight_decay": "pull of every weight towards 0",
    "init_scale": "size of the first weights",
    "num_negatives": "how many other items are drawn for each target",
    "sampling": "how these are drawn: see training.losses.sampling",
    "train": "share of the events that train",
    "validation": "share that validates",
    "test": "share that tests",
    "filters": "which events are left out first: see recsys_data.protocols.filters",
    "candidates": "which items a target is ranked among: see recsys_data.protocols.candidates",
    "target_rule": "which held-out events are targets: see recsys_data.protocols.targets",
    "unseen": "held-out items that training has not seen: drop, miss or candidate",
    "rounding": "of the places where histories are cut: floor, nearest or ceil",
    "expose_query_times": "whether a model is told the time of the event to predict",
    "neighbours": "how many are kept for each item; None keeps all",
    "popularity_back_off": "whether items without a score are ordered by popularity",
    "dataset": "name of the data set",
    "model": "label of the model in the suite",
    "metric": "name of the metric, such as MRR@20",
    "value": "the printed number",
    "place": "where it is printed",
    "source": "who printed it",
}
_HEAD = re.compile(r"[\w`]+(?:(?:, | and |, and )[\w`]+)*(?: \([^)]*\))?")  # "weight_decay", "dim and max_len"


def field_rows(kind: type) -> list[dict[str, Any]]:
    """One record per field that the constructor accepts: name, type, default ("required" without one), meaning."""
    if not dataclasses.is_dataclass(kind):
        return []
    return [
        {"field": f.name, "type": _type_text(f.type), "default": _default(f), "meaning": meaning(kind, f.name)}
        for f in dataclasses.fields(kind)
        if f.init
    ]


def meaning(kind: type, name: str) -> str:
    """The meaning of a field by the docstrings of its class, of the bases and of their modules; else its usual meaning.

    An entry "name: text" comes before a sentence that mentions the field, and a class before its bases.
    """
    fields = {f.name for f in dataclasses.fields(kind)}
    mention = re.compile(rf"(?<![\w.]){re.escape(name)}(?!\w)")
    own = [vars(base).get("__doc__") or "" for base in kind.__mro__]
    modules = [sys.modules[base.__module__].__doc__ or "" for base in kind.__mro__ if base is not object]
    for docs, named in ((own, True), (modules, True), (own, False)):
        for doc in docs:
            for head, text in _entries(doc, fields):
                if mention.search(head if named else text):
                    return text
    if name in _USUAL:
        return _USUAL[name]
    mentions = [text for doc in modules for _, text in _entries(doc, fields) if mention.search(text)]
    return mentions[0] if mentions else ""


def _entries(doc: str, fields: Set[str]) -> Iterator[tuple[str, str]]:
    """The parts of a docstring: the names before a colon (empty without any), and the text.

    A list of fields without a colon, such as "learning_rate, batch_size (windows per step)", is one entry for each.
    """
    words = " ".join(doc.replace("``", "").split())
    for part in re.split(r"(?<=\S)[.;] (?![^(]*\))", words):
        head, colon, text = part.partition(": ")
        if colon and all(_HEAD.fullmatch(name.strip()) for name in head.split(", ") if name.strip()):
            yield head, text.rstrip(".")
        elif all(piece.partition(" (")[0] in fields for piece in part.rstrip(".").split(", ")):
            for piece in part.rstrip(".").split(", "):
                name, _, more = piece.partition(" (")
                yield name, more.rstrip(")") or name.replace("_", " ")
        else:
            yield "", part.rstrip(".")


def _type_text(declared: Any) -> str:
    return declared if isinstance(declared, str) else getattr(declared, "__name__", str(declared))


def _default(field: dataclasses.Field) -> str:
    """A field's default as Python writes it."""
    if field.default is not dataclasses.MISSING:
        return repr(field.default)
    return repr(field.default_factory()) if field.default_factory is not dataclasses.MISSING else "required"
