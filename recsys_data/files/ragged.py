"""Read files with one sequence of whole numbers per line, without a loop over lines."""

from __future__ import annotations

import numpy as np

_BLANKS = b"\t\v\f"  # which NumPy skips, as it skips a blank
_ENDS = (-(2**63), 2**63 - 1)  # the least and the largest number of 64 bits


def read_ragged(data: bytes, where: str, separators: bytes = b" ") -> tuple[np.ndarray, np.ndarray]:
    """The numbers of all lines, (K,) int64, and the count of each line, (L,) int64, 0 for empty lines.

    Every byte of ``separators``, a blank or a tab separates two numbers. Raises ValueError that names the line of any
    other text.
    """
    data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    blanks = separators + _BLANKS
    data = data.translate(bytes.maketrans(blanks, b" " * len(blanks)))
    if not data.endswith(b"\n"):
        data += b"\n"
    try:
        values = np.fromstring(data, dtype=np.int64, sep=" ")
    except ValueError as error:  # NumPy does not report the line
        line, token = _first_bad(data)
        raise ValueError(f"{where}: line {line} holds {token!r}; expected whole numbers only") from error
    if np.isin(values, _ENDS).any():  # NumPy writes every number beyond 64 bits as the largest
        line, token = _first_bad(data)
        if line:
            raise ValueError(f"{where}: line {line} holds {token!r}, beyond 64 bits; number the items anew")
    raw = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(raw == ord("\n"))
    blank = (raw == ord(" ")) | (raw == ord("\n"))
    # a number starts at each non-blank byte after a blank (or at the beginning)
    starts = np.cumsum(~blank & np.r_[True, blank[:-1]])
    lengths = np.diff(starts[ends], prepend=0)
    return values, lengths


def _first_bad(data: bytes) -> tuple[int, str]:
    """The first line with a token that is not a whole number of 64 bits, and the token; 0 where there is none."""
    for number, line in enumerate(data.split(b"\n"), start=1):
        for token in line.split():
            if not token.removeprefix(b"-").isdigit() or not _ENDS[0] <= int(token) <= _ENDS[1]:
                return number, token.decode(errors="replace")
    return 0, ""
