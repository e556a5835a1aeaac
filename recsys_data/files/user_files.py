"""A user's own files as a data set, and the files that map numbers back to raw ids."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from recsys_data.fetching.compressed import read_bytes
from recsys_data.fetching.source import data_folder

_WHOLE = re.compile("[+-]?[0-9]+")


@dataclass(frozen=True)
class UserFiles:
    """A user's own folder (or file), at ``path`` or at ``path`` under the data folder."""

    path: str
    label: str = ""
    licence: str = "unknown: the user's own files"
    citation: str = "none given"

    expected: ClassVar[None] = None

    @property
    def name(self) -> str:
        """The label, or the name of the folder (or file)."""
        return self.label or Path(self.path).name

    @property
    def title(self) -> str:
        """The name."""
        return self.name

    def locate(self, folder: Path | None) -> Path:
        """The folder (or file), relative to the working directory or to the data folder."""
        path = Path(self.path).expanduser()
        return path if path.is_absolute() or path.exists() else data_folder(folder) / path


def whole_number(text: str) -> int:
    """The whole number that a text of ASCII digits holds. ValueError for another text, OverflowError beyond 64 bits."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"holds {text!r}")
    if len(text) > 20 or not -(2**63) <= int(text) < 2**63:
        raise OverflowError(f"holds {text!r}, beyond 64 bits; import a CSV file of events, where ids may be texts")
    return int(text)


def finite_number(text: str) -> float:
    """The finite number that a text holds. Raises ValueError for another text."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number) or "_" in text:
        raise ValueError(f"holds {text!r}")
    return number


def read_lines(path: Path) -> list[str]:
    """The lines of a text in UTF-8, plain or compressed. Raises ValueError with the line of another byte."""
    data = read_bytes(path)
    try:
        return data.decode("utf-8").rstrip("\r\n").split("\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise ValueError(
            f"{path}: line {line} holds the byte 0x{data[error.start]:02x}, which is not UTF-8; save the file as UTF-8"
        ) from error


def write_ids(path: Path, ids: np.ndarray) -> None:
    """Write the file ``path``: the header original_id, new_id, then one line per raw id with a tab and its number.

    Raises ValueError for an id with a tab or a line break.
    """
    lines = ["original_id\tnew_id"]
    for number, raw in enumerate(ids.tolist()):
        if any(character in str(raw) for character in "\t\r\n"):
            raise ValueError(
                f"the id {raw!r} has a tab or a line break, which {path.name} cannot hold; export as csv or parquet"
            )
        lines.append(f"{raw}\t{number}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def restore_ids(numbers: np.ndarray, path: Path) -> np.ndarray:
    """The raw ids (E,) as text of ``numbers`` (E,), read from the file ``path``; the numbers themselves without it.

    The header gives the order of the two columns. Raises ValueError for a number that the file lacks.
    """
    if not path.is_file():
        return numbers
    header, *lines = (line.rstrip("\r") for line in read_lines(path))
    if sorted(header.split("\t")) != ["new_id", "original_id"]:
        raise ValueError(f"{path}: the first line is {header[:80]!r}; expected original_id, a tab, new_id")
    new = header.split("\t").index("new_id")
    pairs = [line.split("\t") for line in lines]
    raw = {int(pair[new]): pair[1 - new] for pair in pairs if len(pair) == 2 and pair[new].isdecimal()}
    missing = next((int(number) for number in np.unique(numbers) if int(number) not in raw), None)
    if missing is not None or len(raw) != len(pairs):
        lack = f"no id for {missing}" if missing is not None else "a line that is not an id, a tab and a number"
        raise ValueError(f"{path}: has {lack}; it belongs to other data or is damaged")
    unique, codes = np.unique(numbers, return_inverse=True)
    names = np.empty(len(unique), dtype=object)
    names[:] = [raw[int(number)] for number in unique]
    return names[codes]
