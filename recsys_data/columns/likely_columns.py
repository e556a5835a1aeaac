"""Likely columns of users, items and times, for a proposal that the user confirms."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Collection, Sequence

from recsys_data.columns.column_names import compact_name, names_another_moment
from recsys_data.columns.id_columns import MISSING_WORDS
from recsys_data.columns.time_columns import times_in

_USERS = ("user", "customer", "client", "member", "visitor", "reviewer", "reader", "listener", "buyer", "account")
_ITEMS = ("item", "product", "stock", "article", "sku", "isbn", "asin", "track", "song", "book", "video", "movie",
          "title", "game", "venue", "content", "page", "url")  # fmt: skip


def likely_columns(
    names: Sequence[str], samples: Sequence[Sequence[str]], taken: Collection[int] = (), roles: Collection[str] = ()
) -> dict[str, int]:
    """The likely places of the columns of users, items and times; a role that is not likely anywhere is left out.

    Names decide before contents: the ids of users come again in neighbouring rows, those of items are many. taken: the
    places of the columns whose ``roles`` are known.
    """
    columns = {place: [v.strip() for v in samples[place] if v.strip() not in MISSING_WORDS]
               for place in range(len(names)) if place not in taken}  # fmt: skip
    times = [place for place, values in columns.items() if times_in(values)]
    ids = {place: values for place, values in columns.items() if place not in times and _may_be_ids(values)}
    found: dict[str, int] = {}
    if not {"user", "session"} & set(roles) and ids:
        found["user"] = _best(names, ids, _USERS, _ITEMS, _repeats)
        del ids[found["user"]]
    if "item" not in roles and ids:
        found["item"] = _best(names, ids, _ITEMS, _USERS, lambda values: len(set(values)))
    if "timestamp" not in roles and times:
        found["timestamp"] = min(times, key=lambda place: names_another_moment(names[place]))
    return found


def _may_be_ids(values: Sequence[str]) -> bool:
    """Whether values may be ids: not all alike, no amounts such as 18,89, no numbers of the rows."""
    amounts = sum(re.fullmatch(r"-?\d+[.,]\d+", value) is not None for value in values)
    whole = [int(value) for value in values if re.fullmatch(r"\d{1,18}", value)]
    numbered = len(whole) == len(values) and all(0 < b - a <= 3 for a, b in itertools.pairwise(whole))
    return len(set(values)) > 1 and 2 * amounts < len(values) and not numbered


def _repeats(values: Sequence[str]) -> int:
    """The number of values that equal the value before."""
    return sum(a == b for a, b in itertools.pairwise(values))


def _best(
    names: Sequence[str],
    columns: dict[int, list[str]],
    words: Sequence[str],
    others: Sequence[str],
    size: Callable[[Sequence[str]], int],
) -> int:
    """The column that the words name, else the one of the largest size; the first of equals."""

    def key(place: int) -> tuple[bool, bool, int]:
        name = compact_name(names[place])
        return any(w in name for w in words), not any(w in name for w in others), size(columns[place])

    return max(columns, key=key)
