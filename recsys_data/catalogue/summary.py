"""Summary of a data set: counts, times and histograms, for printing or JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from recsys_data.interactions import Clock, Interactions

_MONTH_FROM = 200.0  # days; a longer period is counted by month instead of by day
_GAP_EDGES = (60, 3_600, 86_400, 604_800, 2_592_000)  # seconds
_GAP_WORDS = ("none", "under a minute", "under an hour", "under a day", "under a week", "under 30 days", "longer")
_TITLES = {
    "events": "Events over time (UTC)",
    "popularity": "Items by their number of events",
    "lengths": "Histories by their number of events",
    "gaps": "Gaps between consecutive events of a history",
}


def summarise_dataset(interactions: Interactions) -> dict[str, Any]:
    """Summarise ``interactions``: counts, times, clock and fingerprint, ready for JSON.

    events, users, items: numbers; sessions: the number of sessions where the unit is a session (users is then None),
    else None; start and end: UTC in ISO 8601 where the clock is absolute, else None; clock: its value; sha256: the
    fingerprint; name, edition; shortest, median and longest history; repeats: the share of events whose item occurs
    earlier in the history; histograms: as of histograms().
    """
    lengths = np.diff(interactions.offsets)
    start, end = (None, None)
    if interactions.clock is Clock.ABSOLUTE:
        start, end = (_iso(value) for value in (interactions.timestamps.min(), interactions.timestamps.max()))
    sessions = interactions.unit == "session"
    pairs = interactions.users.astype(np.int64) * interactions.num_items + interactions.items
    return {
        "name": interactions.name,
        "events": len(interactions),
        "users": None if sessions else interactions.num_users,
        "items": interactions.num_items,
        "sessions": interactions.num_users if sessions else None,
        "start": start,
        "end": end,
        "clock": interactions.clock.value,
        "sha256": interactions.fingerprint,
        "edition": interactions.edition,
        "shortest": int(lengths.min()),
        "median": float(np.median(lengths)),
        "longest": int(lengths.max()),
        "repeats": 1.0 - len(np.unique(pairs)) / len(pairs),
        "histograms": histograms(interactions),
    }


def histograms(interactions: Interactions) -> dict[str, list[dict[str, Any]]]:
    """Four lists of {"from": label, "count": number}, empty where the clock is too weak.

    events: events per month (UTC), or per day where the data span at most 200 days; popularity: items by their number
    of events, lengths: histories by their length, both in doubling classes (1, 2–3, 4–7, …); gaps: the time between
    consecutive events of a history, in classes from none to longer than 30 days.
    """
    lengths = np.diff(interactions.offsets)
    between = gaps(interactions)
    found = []
    if between is not None:
        places = np.where(between > 0, 1 + np.searchsorted(_GAP_EDGES, between, side="right"), 0)
        found = _classes(_GAP_WORDS, np.bincount(places, minlength=len(_GAP_WORDS)))
    return {
        "events": _classes(*events_over_time(interactions)),
        "popularity": _doubling(np.bincount(interactions.items, minlength=interactions.num_items)),
        "lengths": _doubling(lengths),
        "gaps": found,
    }


def histogram_text(found: dict[str, list[dict[str, Any]]], width: int = 40) -> str:
    """The histograms as text, one bar per class, the longest of each list ``width`` characters wide."""
    lines = []
    for name, title in _TITLES.items():
        lines += ["", title]
        if not found[name]:
            lines.append("  unknown: the clock of these data is too weak")
        most = max((entry["count"] for entry in found[name]), default=1)
        for entry in found[name]:
            bar = "█" * max(round(width * entry["count"] / most), int(entry["count"] > 0))
            lines.append(f"  {entry['from']:>15} {entry['count']:>12,} {bar}".rstrip())
    return "\n".join(lines[1:])


def events_over_time(interactions: Interactions) -> tuple[list[str], np.ndarray]:
    """The months (or days) from first to last event, in UTC, and the events in each (P,); empty without dates."""
    if interactions.clock is not Clock.ABSOLUTE:
        return [], np.empty(0, dtype=np.int64)
    moments = interactions.timestamps.astype("datetime64[s]")
    long = np.ptp(interactions.timestamps) > _MONTH_FROM * 86_400
    periods = moments.astype("datetime64[M]" if long else "datetime64[D]")
    first, last = periods.min(), periods.max()
    counts = np.bincount((periods - first).astype(np.int64))
    return [str(first + step) for step in range(int((last - first).astype(np.int64)) + 1)], counts


def gaps(interactions: Interactions) -> np.ndarray | None:
    """The seconds between consecutive events of a history, (E − histories,) float64; None without durations."""
    if not interactions.clock.has_gaps:
        return None
    same = interactions.users[1:] == interactions.users[:-1]
    return np.diff(interactions.timestamps)[same]


def _doubling(numbers: np.ndarray) -> list[dict[str, Any]]:
    """Count how many of ``numbers`` are 1, 2–3, 4–7 and so on; ignore numbers below 1."""
    numbers = numbers[numbers > 0].astype(np.int64)
    counts = np.bincount(np.frexp(numbers)[1] - 1)  # frexp's exponent of n is the number of binary digits of n
    labels = ["1", *(f"{2**k}–{2 ** (k + 1) - 1}" for k in range(1, len(counts)))]
    return _classes(labels, counts)


def _classes(labels: Any, counts: np.ndarray) -> list[dict[str, Any]]:
    """One record per class, ready for JSON."""
    return [{"from": label, "count": int(count)} for label, count in zip(labels, counts, strict=True)]


def _iso(seconds: float) -> str:
    """Unix seconds as UTC in ISO 8601."""
    return datetime.fromtimestamp(float(seconds), UTC).isoformat(timespec="seconds")
