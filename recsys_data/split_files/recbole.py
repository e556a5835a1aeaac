"""RecBole's benchmark files: a row per training step or query, with the history as a list of items."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np

from recsys_data.split import HeldOut, Split
from recsys_data.split_files.event_files import write_table

LONGEST = 50  # of a written history: RecBole's default MAX_ITEM_LIST_LENGTH
_HEADER = ("user_id:token", "item_id_list:token_seq", "item_id:token")


def write_benchmark_files(split: Split, folder: Path, name: str) -> None:
    """Write NAME/NAME.train.inter, .valid.inter and .test.inter; queries and targets are in the order of the queries.

    Histories are cut to their last LONGEST items. A target outside the catalogue is left out: a model cannot know it.
    """
    rows = {"train": _steps(split), "valid": _queries(split, split.validation), "test": _queries(split, split.test)}
    for part, columns in rows.items():
        if columns[0]:
            values = dict(zip(_HEADER, map(np.array, columns), strict=True))
            write_table(folder / name / f"{name}.{part}.inter", values, "\t")


def _steps(split: Split) -> tuple[list[str], list[str], list[str]]:
    """Each training event after the first of its sequence, with what precedes it."""
    users, histories, targets = [], [], []
    sequences = split.train.sequences
    items = split.item_ids[sequences.items].astype(str)
    owners = split.user_ids[split.train_clusters].astype(str)
    for owner, (start, stop) in zip(owners, itertools.pairwise(sequences.offsets.tolist()), strict=True):
        for place in range(start + 1, stop):
            users.append(owner)
            histories.append(" ".join(items[max(start, place - LONGEST) : place]))
            targets.append(items[place])
    return users, histories, targets


def _queries(split: Split, held_out: HeldOut) -> tuple[list[str], list[str], list[str]]:
    """Each target of each query, with the query's history."""
    users, histories, targets = [], [], []
    sequences = held_out.sequences
    items = split.item_ids[sequences.items].astype(str)
    for query, (sequence, length) in enumerate(zip(held_out.sequence_of, held_out.history_lengths, strict=True)):
        stop = sequences.offsets[sequence] + length
        history = " ".join(items[max(sequences.offsets[sequence], stop - LONGEST) : stop])
        for target in held_out.targets[held_out.target_offsets[query] : held_out.target_offsets[query + 1]]:
            if target >= 0:
                users.append(str(split.user_ids[held_out.clusters[sequence]]))
                histories.append(history)
                targets.append(str(split.item_ids[target]))
    return users, histories, targets
