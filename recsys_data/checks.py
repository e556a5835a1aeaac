"""Checks of fields and names; an error says which, the rule and the value received."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from typing import Any


def check_range(
    owner: Any,
    *names: str,
    at_least: float | None = None,
    above: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
    finite: bool = False,
    unit: str = "",
    or_none: bool = False,
) -> None:
    """Raise ValueError for the first of the fields ``names`` of ``owner`` that is outside the bounds, or not a number.

    finite: refuse infinity too. unit: the unit of the bounds, for the message. or_none: accept None.
    """
    bounds = [("at least", at_least), ("above", above), ("below", below), ("at most", at_most)]
    rule = " and ".join(f"{word} {bound:g}" for word, bound in bounds if bound is not None)
    rule += f" {unit}" if unit else ""
    rule = " and ".join(filter(None, [rule, "finite" if finite else ""])) + (" or None" if or_none else "")
    for name in names:
        value = getattr(owner, name)
        if value is None and or_none:
            continue
        inside = (
            isinstance(value, int | float)
            and not math.isnan(value)
            and (at_least is None or value >= at_least)
            and (above is None or value > above)
            and (below is None or value < below)
            and (at_most is None or value <= at_most)
            and not (finite and math.isinf(value))
        )
        if not inside:
            raise ValueError(f"{name} must be {rule}, got {value!r}")


def check_choice(owner: Any, name: str, options: Collection[Any]) -> None:
    """Raise ValueError where the field ``name`` of ``owner`` is none of the ``options``."""
    value = getattr(owner, name)
    if value not in options:
        raise ValueError(f"{name} must be one of {', '.join(map(str, options))}, got {value!r}")


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "", *, closeness: float = 0.5) -> str:
    """The question that names the known name closest to an unknown one in any case; ``otherwise`` if none is close."""
    import difflib  # only for errors

    names = {each.lower(): each for each in known}
    close = difflib.get_close_matches(name.lower(), names, n=1, cutoff=closeness)
    return f"did you mean {names[close[0]]!r}?" if close else otherwise
