"""How a user's file was read: what was decided, the columns left out, and the first events as read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from recsys_data.interactions import Clock, Counts, Interactions

_YEAR = 31_536_000.0  # seconds
_WITHOUT_TIMES = "WITHOUT TIMES: the order of the rows is taken for the order of each {unit}'s events"


@dataclass(frozen=True)
class FileReading:
    """The file's ``name`` and ``layout``; the ``roles`` of its columns; ``notes``, one decision each; first events."""

    name: str
    layout: str
    roles: str = ""
    notes: tuple[str, ...] = ()
    first: tuple[str, ...] = ()

    def edition(self) -> str:
        """The decisions in one line, for the edition of the data."""
        sentences = [f"the user's file {self.name}, read with {self.layout}", self.roles, *self.notes]
        return "; ".join(sentence for sentence in sentences if sentence)

    def lines(self, interactions: Interactions) -> Iterator[str]:
        """The decisions, the first events and the counts, one line each."""
        yield f"{self.name} read with {self.layout}"
        if self.roles:
            yield f"columns: {self.roles}"
        yield from (f"NOTE: {note}" for note in self.notes)
        if self.first:
            yield f"the first {len(self.first)} events as read:"
            yield from (f"  {event}" for event in self.first)
        yield Counts.of(interactions).summary(interactions.unit)
        times = interactions.timestamps
        if interactions.clock is Clock.ABSOLUTE:
            yield f"first time {iso_time(times.min())}, last time {iso_time(times.max())}"
        else:
            yield f"clock: {interactions.clock.value}"


def time_notes(interactions: Interactions, timed: bool, written: bool) -> tuple[str, ...]:
    """Notes on the times of a file. timed: whether it has any; written: whether the user gave their unit."""
    if not timed:
        return (_WITHOUT_TIMES.format(unit=interactions.unit),) if interactions.clock is Clock.WITHIN else ()
    times = interactions.timestamps
    if interactions.clock is not Clock.ABSOLUTE or written:
        return ()
    if times.max() < _YEAR:
        return ("all times lie in 1970; if they are not seconds since 1970, say --time-unit, --time-format or --clock",)
    zero = int((times == 0).sum())
    return (f"{zero:,} events have the time 0, which is 1970-01-01",) if zero else ()


def event_type_notes(interactions: Interactions) -> tuple[str, ...]:
    """The event types with their numbers of events, the most frequent first, and how to choose among them."""
    if interactions.event_types is None or interactions.event_type_names is None:
        return ()
    counts = np.bincount(interactions.event_types).tolist()
    pairs = sorted(zip(counts, map(str, interactions.event_type_names.tolist()), strict=True), key=lambda p: -p[0])
    found = ", ".join(f"{name} {count:,}" for count, name in pairs[:8]) + (", …" if len(pairs) > 8 else "")
    chosen = f"; the filter EventTypes(({pairs[0][1]!r},)) of a protocol keeps some" if len(pairs) > 1 else ""
    return (f"event types, all kept: {found}{chosen}",)


def iso_time(seconds: float) -> str:
    """Unix seconds as UTC in ISO 8601."""
    return datetime.fromtimestamp(float(seconds), UTC).isoformat(timespec="seconds")
