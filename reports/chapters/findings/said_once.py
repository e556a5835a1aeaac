"""Reasons and badges that several rows of a table of verdicts share, so that each is said once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from reports.document.blocks import Row, TableCell, caveat_badge, has_badge
from reports.document.run_index import ModelRuns

LONG = 60  # characters; a longer reason is given in full once only


def common_caveats(found: list[ModelRuns]) -> tuple[str, ...]:
    """The caveats of the first data set whose badge all data sets have, for the caption."""
    groups = [runs.group.caveats for runs in found]
    badges = [{caveat_badge(c) for c in caveats if has_badge(c)} for caveats in groups]
    return tuple(c for c in groups[0] if all(caveat_badge(c) in of for of in badges)) if groups else ()


def without_badges(line: Row, badges: set[str]) -> Row:
    """The row without the caveats that its table's caption has."""
    entries = (replace(e, caveats=tuple(c for c in e.caveats if caveat_badge(c) not in badges)) for e in line.entries)
    return replace(line, entries=tuple(entries))


def each_reason_once(rows: Iterable[Row]) -> list[Row]:
    """The rows, whose last but one entry is a reason, with each long one that several give as a footnote."""
    rows = list(rows)
    given = Counter(line.entries[-2].text for line in rows if not line.kind)

    def once(entry: TableCell) -> TableCell:
        if given[entry.text] < 2 or len(entry.text) <= LONG:
            return entry
        return replace(entry, text="see", exact=entry.exact or entry.text, caveats=(f"Why: {entry.text}",))

    return [r if r.kind else replace(r, entries=(*r.entries[:-2], once(r.entries[-2]), r.entries[-1])) for r in rows]
