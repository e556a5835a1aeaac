"""Time-LSTM's three .lst files: items, gaps to the next event, seconds since the first; one user per line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys_data.fetching.errors import DataMissing
from recsys_data.files.user_files import UserFiles, finite_number, read_lines, restore_ids, whole_number, write_ids
from recsys_data.interactions import Clock, Interactions
from recsys_data.split import TEST, TRAIN

ITEMS, GAPS, SINCE = "user-item.lst", "user-item-delta-time.lst", "user-item-accumulate-time.lst"
PREFIXES = {TRAIN: "tr_", TEST: "te_"}
_MAP = "item_id_mapping"


@dataclass(frozen=True)
class LstFiles(UserFiles):
    """A folder with user-item.lst, user-item-delta-time.lst and user-item-accumulate-time.lst, or tr_ and te_ of each.

    A line is a user, a comma, and the user's items, oldest first, separated by blanks; in the second file the seconds
    to the next event (0 for the last), in the third the seconds since the first event. If the six files of the split
    exist, they are read, and the users of te_ are the published test part. item_id_mapping, which write_lst_files
    adds, restores the raw ids.
    """

    def _prefixes(self, folder: Path | None) -> dict[int, str]:
        """The prefix of each part: both parts if they exist, else the whole files, else none."""
        for prefixes in (PREFIXES, {TRAIN: ""}):
            names = [prefix + name for prefix in prefixes.values() for name in (ITEMS, GAPS, SINCE)]
            if all((self.locate(folder) / name).is_file() for name in names):
                return prefixes
        return {}

    def present(self, folder: Path | None) -> bool:
        """Whether the three files, or the six, exist."""
        return bool(self._prefixes(folder))

    def load(self, folder: Path | None = None) -> Interactions:
        """Load the events with the clock RELATIVE; DataMissing, or ValueError that names an inconsistent line."""
        prefixes = self._prefixes(folder)
        if not prefixes:
            raise DataMissing(
                f"{self.name}: no folder with {ITEMS}, {GAPS} and {SINCE} (or tr_ and te_) at {self.path}"
            )
        place = self.locate(folder)
        columns = [_read(place, prefix) for prefix in prefixes.values()]
        users, items, since = (np.concatenate(column) for column in zip(*columns, strict=True))
        return Interactions.from_events(
            self.name,
            users,
            restore_ids(items, place / _MAP),
            since,
            clock=Clock.RELATIVE,
            edition="Time-LSTM's .lst files: seconds since each user's first event, no absolute times",
            parts=np.repeat(list(prefixes), [len(column[0]) for column in columns]) if len(prefixes) > 1 else None,
        )


def write_lst_files(interactions: Interactions, folder: Path) -> Path:
    """Write the three files, shortest histories first as in the official script, and item_id_mapping to ``folder``.

    Items are numbered from 0 by decreasing popularity (ties by raw id), because those programs cut the vocabulary by
    number. Data with parts get tr_ (training and validation) and te_ files too. Raises ValueError for data without
    durations, and for a user id with a comma, a blank or a line break.
    """
    if not interactions.clock.has_gaps:
        raise ValueError(f"{interactions.name} has the clock {interactions.clock.value}; .lst files need durations")
    bad = next((raw for raw in map(str, interactions.user_ids.tolist()) if not raw or {*", \t\r\n"} & {*raw}), None)
    if bad is not None:
        raise ValueError(f"{interactions.name}: an .lst file cannot hold the user id {bad!r}; export as csv")
    folder.mkdir(parents=True, exist_ok=True)
    counts = np.bincount(interactions.items, minlength=interactions.num_items)
    order = np.argsort(-counts, kind="stable")
    numbers = np.empty_like(order)
    numbers[order] = np.arange(len(order))
    write_ids(folder / _MAP, interactions.item_ids[order])
    lines: dict[str, list[str]] = {ITEMS: [], GAPS: [], SINCE: []}
    by_length = np.argsort(np.diff(interactions.offsets), kind="stable").tolist()
    for user in by_length:
        events = slice(interactions.offsets[user], interactions.offsets[user + 1])
        times = interactions.timestamps[events]
        for name, values in (
            (ITEMS, numbers[interactions.items[events]]),
            (GAPS, np.append(np.diff(times), 0.0)),
            (SINCE, times - times[:1]),
        ):
            lines[name].append(f"{interactions.user_ids[user]}," + " ".join(map(_number_text, values.tolist())))
    chosen = {"": range(len(by_length))}
    if interactions.parts is not None:
        test = (interactions.parts[by_length] == TEST).tolist()
        for part, prefix in PREFIXES.items():
            chosen[prefix] = [place for place, is_test in enumerate(test) if is_test == (part == TEST)]
    for prefix, places in chosen.items():
        for name, texts in lines.items():
            text = "".join(texts[place] + "\n" for place in places)
            (folder / f"{prefix}{name}").write_text(text, encoding="utf-8")
    return folder


def _read(place: Path, prefix: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The user (E,) text, item (E,) int64 and seconds since the first event (E,) float64 of each event."""
    users, items, since, lengths = [], [], [], []
    names = [f"{prefix}{name}" for name in (ITEMS, GAPS, SINCE)]
    texts = [read_lines(place / name) for name in names]
    if len({len(lines) for lines in texts}) > 1:
        found = ", ".join(f"{len(lines)} in {name}" for lines, name in zip(texts, names, strict=True))
        raise ValueError(f"{place}: the files have different numbers of lines ({found}); they do not belong together")
    for number, lines in enumerate(zip(*texts, strict=True), start=1):
        owners, values = zip(*(line.split(",", 1) if "," in line else ("", line) for line in lines), strict=True)
        where = f"{place}: line {number} of the {prefix}*.lst files"
        if len(set(owners)) > 1 or not owners[0]:
            raise ValueError(f"{where} starts with {', '.join(map(repr, owners))}; expected one user and a comma")
        try:
            row = np.array([whole_number(token) for token in values[0].split()], dtype=np.int64)
            gaps, times = (np.array([finite_number(token) for token in value.split()]) for value in values[1:])
        except OverflowError as error:
            raise ValueError(f"{where}, user {owners[0]}, {error}") from error
        except ValueError as error:
            raise ValueError(
                f"{where}, user {owners[0]}: not a number ({error}); expected whole numbers for items, and numeric "
                "gaps and times"
            ) from error
        if not len(row) == len(gaps) == len(times) or not len(row):
            raise ValueError(
                f"{where}, user {owners[0]}, has {len(row)} items, {len(gaps)} gaps and {len(times)} times; expected "
                "as many of each"
            )
        if not np.allclose(np.diff(times), gaps[:-1], rtol=1e-9, atol=1e-3):
            raise ValueError(f"{where}, user {owners[0]}: the times are not the sums of the gaps to the next event; "
                             "expected each to be the one before plus its gap")  # fmt: skip
        users.append(owners[0])
        items.append(row)
        since.append(times)
        lengths.append(len(row))
    owned = np.empty(len(users), dtype=object)
    owned[:] = users
    return np.repeat(owned, lengths), np.concatenate(items), np.concatenate(since)


def _number_text(value: float) -> str:
    """A number without a trailing .0, otherwise exact."""
    return str(int(value)) if float(value).is_integer() else repr(value)
