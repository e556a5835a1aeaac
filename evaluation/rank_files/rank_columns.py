"""Ranks of targets from the columns ``rank``, or ``greater`` and ``tied``, and ``candidates``: misses and ties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evaluation.rank_files.tables import QRELS, FileTable, InvalidRankFile

UNKNOWN_CANDIDATES = np.iinfo(
    np.int32
).max  # candidates where a file has no such column: only written misses are misses
MISS_TEXTS = "an empty value, inf, -1 or a rank above the candidates"


@dataclass(frozen=True, eq=False)
class Ranks:
    """greater, tied and candidates (R,) int64 as in a RankTable, and notes on what was read as what."""

    greater: np.ndarray
    tied: np.ndarray
    candidates: np.ndarray
    notes: tuple[str, ...] = ()


def read_ranks(file: FileTable) -> Ranks:
    """Read the ranks of a file's rows: greater and tied where it has them, since a rank alone knows no ties.

    Raises InvalidRankFile.
    """
    counts = [column for column in ("greater", "tied") if column in file.columns]
    if len(counts) == 2:
        greater, tied, missed = _from_counts(file)
        halves = np.zeros(len(greater), dtype=bool)
        if "rank" in file.columns:
            _refuse_other_rank(file, greater, tied, missed)
    elif "rank" in file.columns and counts:
        raise InvalidRankFile(
            f"{file.name} has columns rank and {counts[0]}: expected greater and tied, or rank alone, since the length "
            "of a tie cannot be told from these"
        )
    elif "rank" in file.columns:
        greater, tied, missed, halves = _from_rank(file)
    else:
        lists = f"; lists of items with scores need the true items: {QRELS}" if "score" in file.columns else ""
        raise InvalidRankFile(
            f"{file.name} has no column rank, nor greater and tied: it has {', '.join(file.columns)}{lists}"
        )
    if "candidates" in file.columns:
        candidates = file.whole_numbers("candidates", 1)
        missed = missed | (greater >= candidates)
        tied_beyond = ~missed & (greater + tied >= candidates)
        file.refuse("candidates", file.texts, tied_beyond, "must be above the number of items that rank before or tie")
    else:
        candidates = np.where(missed, 0, greater + tied) + UNKNOWN_CANDIDATES
    greater, tied = np.where(missed, candidates, greater), np.where(missed, 0, tied)
    return Ranks(greater, tied, candidates, _notes(file, missed, halves & ~missed))


def _from_rank(file: FileTable) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return greater, tied, whether each row is a miss, and whether its rank is half between two."""
    numbers = file.numbers("rank")
    missed = _missed(file, "rank", numbers) | (numbers == -1)
    found = np.where(missed | ~np.isfinite(numbers), 0, numbers)
    halves = found % 1 == 0.5
    file.refuse(
        "rank", file.texts, ~missed & (~(found >= 1) | ~halves & (found % 1 != 0)),
        "must be a whole number of at least 1",
        advice="; a tie of two may be half between their ranks, and a miss empty, inf or -1",
    )  # fmt: skip
    greater = file.exact("rank", np.where(missed, 1, np.floor(found))) - 1
    return greater, halves.astype(np.int64), missed, halves


def _from_counts(file: FileTable) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return greater, tied, and whether each row is a miss, from the columns of these names."""
    found = {}
    numbers = file.numbers("greater")
    missed = _missed(file, "greater", numbers)
    for column in ("greater", "tied"):
        numbers = np.where(missed, 0, file.numbers(column))
        wrong = ~(numbers >= 0) | (numbers != np.floor(numbers)) | ~np.isfinite(numbers)
        file.refuse(column, file.texts, wrong, "must be a whole number of at least 0")
        found[column] = file.exact(column, numbers)
    return found["greater"], found["tied"], missed


def _refuse_other_rank(file: FileTable, greater: np.ndarray, tied: np.ndarray, missed: np.ndarray) -> None:
    """Refuse a rank beside greater and tied that is not a place of the tie."""
    ranks = file.numbers("rank")
    outside = ~missed & ~((ranks >= greater + 1) & (ranks <= greater + tied + 1))
    file.refuse("rank", file.texts, outside, "must be a place from greater + 1 to greater + tied + 1")


def _missed(file: FileTable, column: str, numbers: np.ndarray) -> np.ndarray:
    """Return whether each value is empty or infinite, (R,)."""
    missed = numbers == np.inf
    unread = np.flatnonzero(np.isnan(numbers))
    if len(unread):
        missed[unread] = file.texts(column)[unread] == ""
    return missed


def _notes(file: FileTable, missed: np.ndarray, halves: np.ndarray) -> tuple[str, ...]:
    """Say how many rows were read as misses and as ties."""
    notes = []
    if missed.any():
        notes.append(
            f"{file.name}: {missed.sum():,} of {len(missed):,} targets are misses ({MISS_TEXTS}), which count 0, and "
            "in MeanRank as all candidates."
        )
    if halves.any():
        low = int(file.numbers("rank")[np.argmax(halves)])
        notes.append(
            f"{file.name}: {halves.sum():,} ranks are half between two and are read as ties of two ({low}.5 as {low} "
            f"or {low + 1}); columns greater and tied describe longer ties."
        )
    return tuple(notes)
