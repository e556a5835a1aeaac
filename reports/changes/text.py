"""A diff as text: the headline, the counts, the recorded differences, and what did not stay equal."""

from __future__ import annotations

from collections.abc import Iterator

from evaluation.changes.changes import CellChange, Change, Changes, NumberChange
from evaluation.printed_numbers import pluralize
from reports.changes.page import headline, ordered

SHOWN = 40  # lines of one kind


def diff_text(changes: Changes) -> str:
    """The diff in lines; the results with equal bits are counted, not listed."""
    return "\n".join(_lines(changes))


def _lines(changes: Changes) -> Iterator[str]:
    yield f"A: {changes.before}"
    yield f"B: {changes.after}"
    yield headline(changes)
    for name, found in (("cells", changes.cells), ("numbers of tables", changes.numbers)):
        counts = ", ".join(f"{number:,} {change}" for change, number in changes.counts(found).items())
        yield f"{name}: {counts or 'none'}"
    recorded = changes.recorded()
    if recorded:
        yield "recorded differences:"
        yield from _first([f"  {text} ({pluralize(len(cells), 'cell')}, "
                           f"{sum(c.change is not Change.SAME for c in cells):,} not equal)"
                           for text, cells in recorded.items()])  # fmt: skip
    cells = [_cell_line(each) for each in ordered(changes.cells) if each.change is not Change.SAME]
    numbers = [_number_line(each) for each in ordered(changes.numbers) if each.change is not Change.SAME]
    for name, lines in (("cells that are not equal:", cells), ("numbers that are not equal:", numbers)):
        if lines:
            yield name
            yield from _first(lines)


def _first(lines: list[str]) -> list[str]:
    left = len(lines) - SHOWN
    return lines if left <= 0 else [*lines[:SHOWN], f"  and {left:,} more (give --out FILE.html to see all)"]


def _cell_line(each: CellChange) -> str:
    place = "/".join([*([each.suite] if each.suite else []), each.dataset, each.model, str(each.seed)])
    recorded = f"; with {'; '.join(each.recorded)}" if each.recorded else ""
    return f"  {each.change.value}: {place} ({each.protocol}){_values(each)}; {each.detail}{recorded}"


def _number_line(each: NumberChange) -> str:
    place = "/".join([*([each.suite] if each.suite else []), each.dataset, each.model])
    return f"  {each.change.value}: {place} ({each.protocol}){_values(each)}"


def _values(each: CellChange | NumberChange) -> str:
    if each.before is None or each.after is None:
        return ""
    noise = "" if each.noise is None else f", seeds explain {each.noise:.5f}"
    return f", {each.metric} {each.before:.5f} → {each.after:.5f} ({each.after - each.before:+.5f}{noise})"
