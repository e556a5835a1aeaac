"""Separators of text files: split lines, and find the separator that gives every line the same number of fields."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence

BLANKS = r"\s+"  # any run of blanks and tabs, as pandas writes it
MOST = 0.9  # the share of lines that decides where some lines are broken
SEPARATORS = ("::", "\t", ",", ";", "|", " ", BLANKS)
NAMES = {"::": "'::'", "\t": "tab", " ": "blank", BLANKS: "blanks"}


def split_lines(lines: Sequence[str], separator: str, quoted: bool) -> list[list[str]]:
    """The fields of each row; without the quotes around a field where ``quoted``, and a quoted field may span lines.

    Raises csv.Error for a field beyond the limit of the csv module, as a quote that nothing closes makes one.
    """
    if separator == BLANKS:
        lines, separator = [re.sub(r"[ \t]+", " ", line.strip(" \t")) for line in lines], " "
    if quoted and len(separator) == 1:
        return list(csv.reader((line + "\n" for line in lines), delimiter=separator))
    return [line.split(separator) for line in lines]


def guess_separator(lines: Sequence[str], where: str, wanted: int = 0) -> str:
    """The first of SEPARATORS that splits every line into the same number of fields, at least two.

    If none does, one by which only the first line of names lacks a field, that of the row numbers, as R writes it; else
    one that splits nearly every line alike. wanted: the number of columns that the user named; a separator that gives
    it comes first. Raises ValueError with the first line where none does.
    """
    even, without_row_names, uneven = {}, {}, {}
    for separator in SEPARATORS:
        for quoted in (True, False):
            try:
                counts = list(map(len, split_lines(lines, separator, quoted)))
            except csv.Error:  # a quote that nothing closes
                continue
            [(usual, times)] = Counter(counts).most_common(1)
            if usual < 2:
                continue
            if times == len(counts):
                even.setdefault(separator, usual)
            elif times == len(counts) - 1 and counts[0] == usual - 1:
                without_row_names.setdefault(separator, usual)
            elif times >= MOST * len(counts) and counts[0] == usual and separator not in (" ", BLANKS):
                uneven.setdefault(separator, usual)
    if found := even or without_row_names:
        return next((separator for separator, count in found.items() if count == wanted), next(iter(found)))
    for separator in SEPARATORS:  # texts may contain the separator: at least two fields in every line
        if min(len(line.split(separator)) for line in lines) >= 2 and separator not in (" ", BLANKS):
            return separator
    if uneven:
        return next(iter(uneven))
    raise ValueError(
        f"{where}: no separator splits its lines into columns; the first line is {lines[0][:80]!r}; name the separator "
        "with --separator (tab, blank, comma, semicolon, bar or any text)"
    )


def has_quotes(lines: Sequence[str], separator: str) -> bool:
    """Whether texts may be in quotes: in comma and semicolon files, and where all fields of a column are in quotes."""
    if separator in (",", ";"):
        return True
    if len(separator) > 1 and separator != BLANKS:
        return False
    rows = split_lines(lines[1:] or lines, separator, quoted=False)
    width = min(map(len, rows), default=0)
    return any(all(len(row[place]) > 1 and row[place][0] == row[place][-1] == '"' for row in rows)
               for place in range(width))  # fmt: skip
