"""Files that say which raw id a number stands for, so that data written with numbers come back as they were."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from recsys_data.fetching.source import read_bytes


def write_ids(path: Path, ids: np.ndarray) -> None:
    """The file ``path``: the header original_id, new_id, then a raw id, a tab and its number a line.

    Raises ValueError for an id with a tab or a line break.
    """
    lines = ["original_id\tnew_id"]
    for number, raw in enumerate(ids.tolist()):
        if any(sign in str(raw) for sign in "\t\r\n"):
            raise ValueError(f"the id {raw!r} cannot stand in {path.name}; export as csv or parquet")
        lines.append(f"{raw}\t{number}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def restored(numbers: np.ndarray, path: Path) -> np.ndarray:
    """The raw ids (E,) as texts for ``numbers`` (E,), by the file ``path``; the numbers themselves where it is not.

    The columns may stand in either order, as the header says. Raises ValueError for a number that the file lacks.
    """
    if not path.is_file():
        return numbers
    header, *lines = (line.rstrip("\r") for line in read_bytes(path).decode("utf-8").rstrip("\r\n").split("\n"))
    if sorted(header.split("\t")) != ["new_id", "original_id"]:
        raise ValueError(f"{path}: the first line is {header[:80]!r}; expected original_id and new_id, tab between")
    new = header.split("\t").index("new_id")
    pairs = [line.split("\t") for line in lines]
    raw = {int(pair[new]): pair[1 - new] for pair in pairs if len(pair) == 2 and pair[new].isdecimal()}
    missing = next((int(number) for number in np.unique(numbers) if int(number) not in raw), None)
    if missing is not None or len(raw) != len(pairs):
        lack = f"no id for {missing}" if missing is not None else "a line that is not an id, a tab and a number"
        raise ValueError(f"{path}: has {lack}; it belongs to other data or is damaged")
    kinds, codes = np.unique(numbers, return_inverse=True)
    names = np.empty(len(kinds), dtype=object)
    names[:] = [raw[int(kind)] for kind in kinds]
    return names[codes]
