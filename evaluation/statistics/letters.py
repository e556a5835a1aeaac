"""Compact letter display: groups of methods that cannot be told apart (insert and absorb, Piepho 2004)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def letter_groups(names: Sequence[str], different: Iterable[tuple[str, str]]) -> list[tuple[str, ...]]:
    """The groups, each in the order of ``names``: two names share a group exactly if they are not different.

    different: the pairs that a test tells apart. The groups come in the order of their first members.
    """
    groups = [frozenset(names)]
    for a, b in different:
        split = [part for group in groups for part in ((group - {a}, group - {b}) if {a, b} <= group else (group,))]
        groups = [g for n, g in enumerate(split) if not any(g < h or (g == h and m < n) for m, h in enumerate(split))]
    order = {name: place for place, name in enumerate(names)}
    return sorted((tuple(sorted(g, key=order.__getitem__)) for g in groups), key=lambda g: [order[name] for name in g])


def letters(names: Sequence[str], different: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The letters of each name: those of its groups, such as "ab"."""
    groups = letter_groups(names, different)
    return {name: "".join(_letter(place) for place, group in enumerate(groups) if name in group) for name in names}


def _letter(place: int) -> str:
    """A to z, then a1 to z1 and so on."""
    return chr(ord("a") + place % 26) + (str(place // 26) if place >= 26 else "")
