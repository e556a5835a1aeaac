"""Sequence files of Devooght and Bersini's programs: one user per line, user item rating item rating …."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from recsys_data.fetching.errors import DataMissing
from recsys_data.files.user_files import UserFiles, finite_number, read_lines, restore_ids, whole_number, write_ids
from recsys_data.interactions import Clock, Interactions
from recsys_data.split import TEST, TRAIN, VALIDATION

PARTS = {TRAIN: "train_set_sequences", VALIDATION: "val_set_sequences", TEST: "test_set_sequences"}
_MAPS = ("user_id_mapping", "item_id_mapping")


@dataclass(frozen=True)
class SequenceFiles(UserFiles):
    """A folder with train_set_sequences and optionally val_set_sequences and test_set_sequences; or one such file.

    A line is a user, then alternating items and ratings, oldest first, separated by blanks. The three files are the
    published parts (protocol AsPublished); one file alone has none. train_set_sequences+ repeats halves of the other
    files and is not read. user_id_mapping and item_id_mapping in the same folder restore the raw ids.
    """

    def _files(self, folder: Path | None) -> dict[int, Path]:
        """The existing files by part."""
        place = self.locate(folder)
        if place.is_file():
            return {TRAIN: place}
        files = {part: place / name for part, name in PARTS.items() if (place / name).is_file()}
        return files if TRAIN in files else {}

    def present(self, folder: Path | None) -> bool:
        """Whether the file, or the folder with its training file, exists."""
        return bool(self._files(folder))

    def load(self, folder: Path | None = None) -> Interactions:
        """Load the events with ratings and the clock WITHIN; DataMissing, or ValueError that names a wrong line."""
        files = self._files(folder)
        if not files:
            raise DataMissing(f"{self.name}: no file and no folder with {PARTS[TRAIN]} at {self.path}")
        columns = [_read(path) for path in files.values()]
        users, items, ratings = (np.concatenate(column) for column in zip(*columns, strict=True))
        parts = np.repeat(list(files), [len(column[0]) for column in columns]) if len(files) > 1 else None
        home = next(iter(files.values())).parent
        return Interactions.from_events(
            self.name,
            restore_ids(users, home / _MAPS[0]),
            restore_ids(items, home / _MAPS[1]),
            None,
            clock=Clock.WITHIN,
            ratings=ratings,
            edition="sequence files of Devooght's kind: order inside a sequence, no times",
            parts=parts,
        )


def write_sequence_files(interactions: Interactions, folder: Path) -> Path:
    """Write the three files (only the training file for data without parts) and both mappings to ``folder``.

    Users and items are written as numbers 0 … n − 1, which those programs require; data without ratings get the rating
    1, as there. Times are not written. Raises ValueError for data without order.
    """
    if not interactions.clock.has_order:
        raise ValueError(f"{interactions.name} has no order, which sequence files require")
    folder.mkdir(parents=True, exist_ok=True)
    ratings = ["1"] * len(interactions)
    if interactions.ratings is not None:
        ratings = [str(rating).removesuffix(".0") for rating in interactions.ratings.tolist()]
    items, offsets = interactions.items.tolist(), interactions.offsets.tolist()
    parts = np.zeros(interactions.num_users, dtype=np.int8) if interactions.parts is None else interactions.parts
    for part, name in PARTS.items():
        users = np.flatnonzero(parts == part).tolist()
        if not users and part != TRAIN:
            continue
        lines = []
        for user in users:
            events = range(offsets[user], offsets[user + 1])
            lines.append(" ".join([str(user), *(f"{items[event]} {ratings[event]}" for event in events)]))
        (folder / name).write_text("\n".join(lines) + "\n")
    for name, ids in zip(_MAPS, (interactions.user_ids, interactions.item_ids), strict=True):
        write_ids(folder / name, ids)
    return folder


def _read(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The user, item (E,) int64 and rating (E,) float64 of each event of a file."""
    users, items, ratings, lengths = [], [], [], []
    for number, line in enumerate(read_lines(path), start=1):
        tokens = line.split()
        if not tokens:
            continue
        if len(tokens) % 2 == 0 or len(tokens) < 3:
            raise ValueError(
                f"{path}: line {number} has {len(tokens)} numbers; expected a user, then alternating items and ratings"
            )
        try:
            users.append(whole_number(tokens[0]))
            items.extend(map(whole_number, tokens[1::2]))
            ratings.extend(map(finite_number, tokens[2::2]))
        except OverflowError as error:
            raise ValueError(f"{path}: line {number} {error}") from error
        except ValueError as error:
            raise ValueError(
                f"{path}: line {number} {error}; expected whole numbers for user and items, and numeric ratings"
            ) from error
        lengths.append(len(tokens) // 2)
    return np.repeat(np.array(users, np.int64), lengths), np.array(items, np.int64), np.array(ratings)
