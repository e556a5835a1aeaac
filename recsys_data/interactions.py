"""Interactions: events of users with items at times, in one fixed order."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from recsys_data.vocabulary import encode_ids

if TYPE_CHECKING:
    import pandas as pd

_YEARS = (0.0, 4_133_980_800.0)  # Unix seconds: 1970 to 2100; other times are mistakes of the unit


class Clock(enum.Enum):
    """The meaning of a data set's timestamps; a protocol or model that needs a stronger clock raises an error.

    ABSOLUTE: seconds since 1970, comparable between users. RELATIVE: seconds since the user's first event: true gaps,
    not comparable between users. BETWEEN: positions that order whole sessions and the events in them, no durations.
    WITHIN: positions in one sequence only. NONE: no order at all.
    """

    ABSOLUTE = "absolute"
    RELATIVE = "relative"
    BETWEEN = "order between sessions"
    WITHIN = "order inside a sequence"
    NONE = "no order"

    @property
    def has_gaps(self) -> bool:
        """Whether the time between two events of one user is known."""
        return self in (Clock.ABSOLUTE, Clock.RELATIVE)

    @property
    def has_global_order(self) -> bool:
        """Whether events of different users (or sessions) can be ordered."""
        return self in (Clock.ABSOLUTE, Clock.BETWEEN)

    @property
    def has_order(self) -> bool:
        """Whether the events of one user are in order."""
        return self is not Clock.NONE


@dataclass(frozen=True, eq=False)
class Interactions:
    """Events in the fixed order user, time, source row; ids are encoded as 0 … n − 1 in the order of the raw ids.

    users (E,) int32, items (E,) int32, timestamps (E,) float64 (their meaning is ``clock``), ratings (E,) float32 or
    None; user_ids (num_users,) and item_ids (num_items,) hold the raw ids. ``unit``: "user", or "session" for anonymous
    data. ``parts`` (num_users,) int8 or None: the part of each user (or session) in the published split: 0 training,
    1 validation, 2 test. ``event_types`` (E,) int32 or None: what happened (view, cart, buy), as places in the sorted
    ``event_type_names``. Build it with ``from_events``.
    """

    name: str
    users: np.ndarray
    items: np.ndarray
    timestamps: np.ndarray
    clock: Clock
    user_ids: np.ndarray
    item_ids: np.ndarray
    ratings: np.ndarray | None = None
    unit: str = "user"
    edition: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    parts: np.ndarray | None = None
    event_types: np.ndarray | None = None
    event_type_names: np.ndarray | None = None

    @classmethod
    def from_events(
        cls,
        name: str,
        users: Any,
        items: Any,
        timestamps: Any | None,
        *,
        clock: Clock,
        ratings: Any | None = None,
        unit: str = "user",
        edition: str = "",
        facts: dict[str, Any] | None = None,
        parts: Any | None = None,
        event_types: Any | None = None,
    ) -> Interactions:
        """Build events from raw columns of equal length in source order; ties in time keep the source order.

        users and items: raw ids in any form that vocabulary.encode_ids accepts. timestamps: None (clocks without
        durations) uses the position of each event in its user's rows. parts: the published part of each event, the same
        for all events of a user. event_types: of each event, in any form of raw ids. Raises ValueError for no events,
        unequal lengths, a time that is not finite, or a user in two parts.
        """
        enuser_codes, enitem_codes = encode_ids(users), encode_ids(items)
        if enuser_codes.size == 0:
            raise ValueError(f"{name}: no events; expected at least one (user, item) row")
        if enuser_codes.size != enitem_codes.size:
            raise ValueError(
                f"{name}: {enuser_codes.size} users but {enitem_codes.size} items; expected one of each per row"
            )
        user_ids, user_codes = enuser_codes.ids, enuser_codes.codes
        item_ids, item_codes = enitem_codes.ids, enitem_codes.codes
        if timestamps is None:
            order = np.argsort(user_codes, kind="stable")
            times = _positions(user_codes[order])
        else:
            times = np.asarray(timestamps, dtype=np.float64)
            if times.shape != user_codes.shape:
                raise ValueError(f"{name}: {user_codes.size} events but {times.size} timestamps")
            if not np.isfinite(times).all():
                row = int(np.flatnonzero(~np.isfinite(times))[0])
                raise ValueError(f"{name}: the timestamp of event {row} is {times[row]}; expected a finite number")
            order = np.lexsort((times, user_codes))  # lexsort is stable: ties keep the source row
            times = times[order]
        kinds = None if event_types is None else encode_ids(event_types)
        rated = None if ratings is None else _ratings(name, ratings)
        return cls(
            name=name,
            users=user_codes[order].astype(np.int32),
            items=item_codes[order].astype(np.int32),
            timestamps=times,
            clock=clock,
            user_ids=user_ids,
            item_ids=item_ids,
            ratings=None if rated is None else rated[order],
            unit=unit,
            edition=edition,
            facts=dict(facts or {}),
            parts=None if parts is None else _part_of_users(name, user_ids, user_codes, np.asarray(parts)),
            event_types=None if kinds is None else kinds.codes[order].astype(np.int32),
            event_type_names=None if kinds is None else kinds.ids,
        )

    @classmethod
    def from_frame(
        cls,
        name: str,
        frame: pd.DataFrame,
        *,
        user: str = "user",
        item: str = "item",
        timestamp: str | None = "timestamp",
        rating: str | None = None,
        event_type: str | None = None,
        clock: Clock | None = None,
        unit: str = "user",
    ) -> Interactions:
        """Build events from the named columns of a pandas frame; the order of its rows settles ties in time.

        timestamp: dates, or numbers: Unix seconds unless ``clock`` says otherwise; None where the rows alone have an
        order (WITHIN) or none (NONE). Raises ValueError naming the column, the row and the value that cannot be used.
        """
        columns = {"user": user, "item": item, "timestamp": timestamp, "rating": rating, "event_type": event_type}
        for role, column in columns.items():
            if column is not None and list(frame.columns).count(column) != 1:
                found = ", ".join(map(repr, frame.columns))
                raise ValueError(f"{name}: the frame needs one {role} column {column!r}, and it has {found}; name the "
                                 f"column with {role}=…")  # fmt: skip
        if clock is None and timestamp is None:
            raise ValueError(f"{name}: without a timestamp column, say clock=Clock.WITHIN if the rows of a {unit} are "
                             "in order, or clock=Clock.NONE")  # fmt: skip
        clock = clock or Clock.ABSOLUTE
        for role, column in columns.items():
            missing = np.flatnonzero(frame[column].isna()) if column is not None else ()
            if len(missing):
                raise ValueError(f"{name}: row {missing[0]} of the frame has no {role} ({column!r}); fill it in or "
                                 "leave the row out with frame.dropna()")  # fmt: skip
        return cls.from_events(
            name,
            _ids_of(name, frame[user]),
            _ids_of(name, frame[item]),
            None if timestamp is None else _seconds_of(name, frame[timestamp], clock),
            clock=clock,
            ratings=None if rating is None else frame[rating].to_numpy(),
            event_types=None if event_type is None else _ids_of(name, frame[event_type]),
            unit=unit,
        )

    def to_frame(self) -> pd.DataFrame:
        """The events as a pandas frame with raw ids, in the fixed order; times stay numbers, as ``clock`` says.

        Columns: user, item, timestamp and, where there are any, rating, event_type and part.
        """
        import pandas as pd

        columns = {"user": self.user_ids[self.users], "item": self.item_ids[self.items], "timestamp": self.timestamps}
        if self.ratings is not None:
            columns["rating"] = self.ratings
        if self.event_types is not None:
            columns["event_type"] = self.event_type_names[self.event_types]
        if self.parts is not None:
            columns["part"] = self.parts[self.users]
        return pd.DataFrame(columns)

    def __len__(self) -> int:
        """The number of events E."""
        return len(self.users)

    @property
    def num_users(self) -> int:
        """The number of encoded users, with or without events."""
        return len(self.user_ids)

    @property
    def num_items(self) -> int:
        """The number of encoded items, with or without events."""
        return len(self.item_ids)

    @cached_property
    def offsets(self) -> np.ndarray:
        """The first event of each user, (num_users + 1,) int64; user u owns events offsets[u] : offsets[u + 1]."""
        return np.concatenate([[0], np.cumsum(np.bincount(self.users, minlength=self.num_users))]).astype(np.int64)

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the content (ids, codes, times, ratings, clock, parts, event types), the same on every machine."""
        digest = hashlib.sha256(f"{self.clock.value}|{self.unit}|{self.num_users}|{self.num_items}".encode())
        for ids in (self.user_ids, self.item_ids):
            digest.update("\n".join(map(str, ids.tolist())).encode())
        for array, dtype in ((self.users, "<i4"), (self.items, "<i4"), (self.timestamps, "<f8"), (self.ratings, "<f4")):
            if array is not None:
                digest.update(np.ascontiguousarray(array, dtype=dtype).tobytes())
        if self.parts is not None:
            digest.update(b"parts" + self.parts.astype("<i1").tobytes())
        if self.event_types is not None and self.event_type_names is not None:
            digest.update(f"event types|{'|'.join(map(str, self.event_type_names.tolist()))}|".encode())
            digest.update(self.event_types.astype("<i4").tobytes())
        return digest.hexdigest()

    def keep(self, mask: np.ndarray, **changes: Any) -> Interactions:
        """Keep the events where ``mask`` (E,) is true; ids without events disappear."""
        users, items = self.users[mask], self.items[mask]
        kept_users, user_codes = np.unique(users, return_inverse=True)
        kept_items, item_codes = np.unique(items, return_inverse=True)
        if self.event_types is not None and self.event_type_names is not None:
            kept_types, types = np.unique(self.event_types[mask], return_inverse=True)
            changes = {"event_types": types.astype(np.int32), "event_type_names": self.event_type_names[kept_types],
                       **changes}  # fmt: skip
        return replace(
            self,
            users=user_codes.astype(np.int32),
            items=item_codes.astype(np.int32),
            timestamps=self.timestamps[mask],
            ratings=None if self.ratings is None else self.ratings[mask],
            parts=None if self.parts is None else self.parts[kept_users],
            user_ids=self.user_ids[kept_users],
            item_ids=self.item_ids[kept_items],
            **changes,
        )


def _positions(sorted_users: np.ndarray) -> np.ndarray:
    """The position of each event within its user's run of events, from 0."""
    starts = np.flatnonzero(np.r_[True, sorted_users[1:] != sorted_users[:-1]])
    lengths = np.diff(np.r_[starts, len(sorted_users)])
    return (np.arange(len(sorted_users)) - np.repeat(starts, lengths)).astype(np.float64)


def _ids_of(name: str, column: pd.Series) -> np.ndarray:
    """A frame's column of ids as whole numbers or texts; ValueError for any other type."""
    if column.dtype.kind in "iu":
        return column.to_numpy(column.dtype.name.lower())  # pandas' own Int64 becomes int64
    values = column.to_numpy(dtype=object)
    for row, value in enumerate(values.tolist()):
        if isinstance(value, bool) or not isinstance(value, str | int | np.integer):
            raise ValueError(f"{name}: row {row} of the column {column.name!r} holds {value!r}; ids must be whole "
                             "numbers or texts: convert the column with astype(int) or astype(str)")  # fmt: skip
    return values


def _seconds_of(name: str, column: pd.Series, clock: Clock) -> np.ndarray:
    """A frame's column of times as numbers; dates as Unix seconds, those without a zone as UTC."""
    if column.dtype.kind == "M":
        whole = column.dt.tz_convert("UTC").dt.tz_localize(None) if column.dt.tz is not None else column
        values = whole.to_numpy().astype("datetime64[us]").astype(np.int64) / 1e6
    elif column.dtype.kind in "iuf":
        values = column.to_numpy().astype(np.float64)
    else:
        raise ValueError(f"{name}: the column {column.name!r} holds {column.dtype}; expected numbers or dates: convert "
                         "it with pandas.to_datetime")  # fmt: skip
    wrong = np.flatnonzero(~((values >= _YEARS[0]) & (values < _YEARS[1]))) if clock is Clock.ABSOLUTE else ()
    if len(wrong):
        raise ValueError(f"{name}: row {wrong[0]} of the column {column.name!r} holds {column.iloc[wrong[0]]}, as Unix "
                         "seconds outside 1970 to 2100; convert it with pandas.to_datetime(column, unit=…), or say "
                         "clock=… where the times are no Unix times")  # fmt: skip
    return values


def _ratings(name: str, ratings: Any) -> np.ndarray:
    """The ratings (E,) float32; ValueError for one that is not finite in this type."""
    with np.errstate(over="ignore"):
        found = np.asarray(ratings, dtype=np.float32)
    if not np.isfinite(found).all():
        row = int(np.flatnonzero(~np.isfinite(found))[0])
        raise ValueError(f"{name}: the rating of event {row} is {np.asarray(ratings)[row]}; expected a finite number "
                         "of single precision")  # fmt: skip
    return found


def _part_of_users(name: str, user_ids: np.ndarray, users: np.ndarray, parts: np.ndarray) -> np.ndarray:
    """The one part of each user, (num_users,) int8, from the part of each event (E,)."""
    of_users = np.empty(len(user_ids), dtype=np.int8)
    of_users[users] = parts
    different = np.flatnonzero(of_users[users] != parts)
    if len(different):
        raise ValueError(f"{name}: {user_ids[users[different[0]]]} is in more than one part of the published split; "
                         "expected one part per user")  # fmt: skip
    return of_users


@dataclass(frozen=True)
class Counts:
    """The numbers of events, users (or sessions) and items of a data set."""

    events: int
    users: int
    items: int

    @classmethod
    def of(cls, interactions: Interactions) -> Counts:
        """The counts of a loaded data set."""
        return cls(len(interactions), interactions.num_users, interactions.num_items)

    def summary(self, unit: str) -> str:
        """The counts in words, for messages."""
        return f"{self.events:,} events, {self.users:,} {unit}s, {self.items:,} items"
