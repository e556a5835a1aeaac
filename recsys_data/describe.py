"""What a data set holds, as plain facts that a command prints or writes as JSON."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from recsys_data.interactions import Clock, Interactions


def describe(interactions: Interactions) -> dict[str, Any]:
    """The counts, times, clock and fingerprint of ``interactions``, ready for JSON.

    events, users, items: numbers; sessions: the number of sessions where the unit is a session, else None (and users
    is None where it is); start and end: UTC in ISO 8601 where the clock is absolute, else None; clock: its words;
    sha256: the fingerprint. Further: name, edition, shortest, median and longest history, and repeats, the share of
    events whose item the same history already holds.
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
    }


def _iso(seconds: float) -> str:
    """Unix seconds as UTC in ISO 8601."""
    return datetime.fromtimestamp(float(seconds), UTC).isoformat(timespec="seconds")
