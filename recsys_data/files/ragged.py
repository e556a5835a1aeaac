"""Files with one sequence of whole numbers a line, read without a loop over lines."""

from __future__ import annotations

import numpy as np


def read_ragged(data: bytes, where: str, separators: bytes = b" ") -> tuple[np.ndarray, np.ndarray]:
    """The numbers of all lines, (K,) int64, and how many each line has, (L,) int64; empty lines have none.

    Every byte of ``separators`` separates two numbers. Raises ValueError naming the line that holds something else.
    """
    if len(separators) > 1 or separators != b" ":
        data = data.translate(bytes.maketrans(separators, b" " * len(separators)))
    data = data.replace(b"\r\n", b"\n")
    if not data.endswith(b"\n"):
        data += b"\n"
    try:
        values = np.fromstring(data, dtype=np.int64, sep=" ")
    except ValueError as error:  # numpy does not say where
        line, token = _first_bad(data)
        raise ValueError(f"{where}: line {line} holds {token!r}; expected whole numbers only") from error
    raw = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(raw == ord("\n"))
    blank = (raw == ord(" ")) | (raw == ord("\n"))
    # a number starts wherever a byte that is no blank follows a blank (or the beginning)
    starts = np.cumsum(~blank & np.r_[True, blank[:-1]])
    lengths = np.diff(starts[ends], prepend=0)
    return values, lengths


def _first_bad(data: bytes) -> tuple[int, str]:
    """The first line with a token that is no whole number, and the token."""
    for number, line in enumerate(data.split(b"\n"), start=1):
        for token in line.split():
            if not token.removeprefix(b"-").isdigit():
                return number, token.decode(errors="replace")
    return 0, ""
