"""The page of a diff: a summary, the recorded differences, and every cell and number with how far it moved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evaluation.changes.changes import CellChange, Change, Changes, NumberChange
from evaluation.changes.noise import LEVEL
from evaluation.printed_numbers import fraction, pluralize
from recsys_data.printable import map_texts, printable
from reports.document.blocks import Column, Section, Table, TableCell, Tally, TallyPart, Text, row
from reports.report import Report

_TONES = {
    Change.SAME: "good",
    Change.NEAR: "good",
    Change.WITHIN: "open",
    Change.BEYOND: "bad",
    Change.MISSING: "quiet",
}
_ORDER = (Change.BEYOND, Change.MISSING, Change.WITHIN, Change.NEAR, Change.SAME)
MEANINGS = (
    "Equal bits: the same test rows, ranks and kept lists, bit for bit.",
    "Near-ties: no rank moves by more than one place, and no metric by more than 0.1 %.",
    f"Within seed noise: the two values differ no more than two draws of seeds do, at {100 * LEVEL:g} % over all "
    "results that moved (Student's t, standard deviation pooled over both sides). Draws are taken to be independent.",
    "Beyond seed noise: everything else; a model without seeds, or with one, has no noise that could explain a move.",
)


def headline(changes: Changes) -> str:
    """One sentence on the changes."""
    moved = [each for each in changes.cells if each.change in (Change.BEYOND, Change.WITHIN)]
    if not moved and not changes.beyond:
        lacking = sum(each.change is Change.MISSING for each in changes.cells)
        compared = len(changes.cells) - lacking
        rest = f"; {pluralize(lacking, 'cell')} on one side alone" if lacking else ""
        return f"Nothing moved in {pluralize(compared, 'cell')} that both sides have{rest}."
    beyond = dict.fromkeys(f"{each.dataset}/{each.model}" for each in moved if each.change is Change.BEYOND)
    numbers = sum(each.change is Change.BEYOND for each in changes.numbers)
    if not beyond and not numbers:
        return f"{pluralize(len(moved), 'cell')} moved, none beyond the noise of seeds."
    names = ", ".join(list(beyond)[:4]) + (f" and {len(beyond) - 4} more" if len(beyond) > 4 else "")
    cells = sum(each.change is Change.BEYOND for each in moved)
    return (f"{pluralize(cells, 'cell')} and {pluralize(numbers, 'number')} of tables moved beyond the noise of seeds"
            f"{': ' if names else ''}{names}.")  # fmt: skip


def diff_report(changes: Changes) -> Report:
    """The page as a report, which every format of reports can write."""
    sections = [_summary(changes), *_recorded(changes), _cells(changes.cells), *_numbers(changes.numbers)]
    return Report(
        suite="", title=f"What changed: {changes.before} → {changes.after}", paper="", paper_url="", created="",
        command="", caveats=(), facts=(("A", changes.before), ("B", changes.after)), metrics=(), kind="Encore diff",
        sections=tuple(map_texts(printable, sections)),
    )  # fmt: skip


def ordered(found: Iterable[CellChange] | Iterable[NumberChange]) -> list:
    """The results that moved furthest first."""
    return sorted(found, key=lambda each: _ORDER.index(each.change))


def _summary(changes: Changes) -> Section:
    parts = [
        TallyPart(change.value, number, _TONES[change])
        for change in _ORDER
        if (number := changes.counts(changes.cells).get(change.value))
    ]
    tally = (Tally("cells-tally", tuple(parts)),) if parts else ()
    return Section("summary", "Summary", (Text("", (headline(changes),)), *tally, Text("Meaning", MEANINGS)))


def _recorded(changes: Changes) -> list[Section]:
    """The recorded differences with the number of cells that have them, and of those that moved."""
    found = changes.recorded()
    if not found:
        return []
    columns = (Column("difference", "Recorded difference", wide=True), Column("cells", "Cells", numeric=True),
               Column("moved", "Not equal", numeric=True))  # fmt: skip
    rows = []
    for text, cells in found.items():
        moved = sum(each.change is not Change.SAME for each in cells)
        rows.append(row([TableCell(text, text), TableCell(str(len(cells)), len(cells)), TableCell(str(moved), moved)]))
    table = Table("recorded-table", "What else differs between the two sides", columns, tuple(rows))
    return [Section("recorded", "Recorded differences", (table,))]


def _cells(cells: Sequence[CellChange]) -> Section:
    several = len({each.suite for each in cells}) > 1
    columns = (*([Column("suite", "Suite")] if several else []), Column("dataset", "Data set"),
               Column("protocol", "Protocol"), Column("model", "Model"), Column("seed", "Seed", numeric=True),
               Column("change", "Change"), Column("metric", "Metric"), Column("before", "A", numeric=True),
               Column("after", "B", numeric=True), Column("difference", "B − A", numeric=True),
               Column("noise", "Noise", numeric=True, hint="The largest difference that seeds explain"),
               Column("detail", "Ranks", wide=True), Column("with", "With", wide=True))  # fmt: skip
    rows = []
    for each in ordered(cells):
        labels = [*([each.suite] if several else []), each.dataset, each.protocol, each.model]
        rows.append(row([
            *(TableCell(text, text) for text in labels), TableCell(str(each.seed), each.seed), _change(each.change),
            TableCell(each.metric, each.metric), *_values(each), TableCell(each.detail, each.detail),
            TableCell("; ".join(each.recorded), "; ".join(each.recorded)),
        ]))  # fmt: skip
    return Section("cells", "Cells", (Table("cells-table", "Every cell", columns, tuple(rows), small=True),))


def _numbers(numbers: Sequence[NumberChange]) -> list[Section]:
    if not numbers:
        return []
    several = len({each.suite for each in numbers}) > 1
    columns = (*([Column("suite", "Suite")] if several else []), Column("dataset", "Data set"),
               Column("protocol", "Protocol"), Column("model", "Model"), Column("metric", "Metric"),
               Column("change", "Change"), Column("before", "A", numeric=True), Column("after", "B", numeric=True),
               Column("difference", "B − A", numeric=True), Column("noise", "Noise", numeric=True))  # fmt: skip
    rows = []
    for each in ordered(numbers):
        labels = [*([each.suite] if several else []), each.dataset, each.protocol, each.model, each.metric]
        rows.append(row([*(TableCell(text, text) for text in labels), _change(each.change), *_values(each)]))
    table = Table("numbers-table", "Every number: means over seeds", columns, tuple(rows), small=True)
    return [Section("numbers", "Numbers of tables", (table,))]


def _change(change: Change) -> TableCell:
    return TableCell(change.value, change.value, marks=(_TONES[change],))


def _values(each: CellChange | NumberChange) -> list[TableCell]:
    """The cells of the two values, their difference and the noise."""
    difference = None if each.before is None or each.after is None else each.after - each.before
    return [
        TableCell(fraction(each.before, 5), each.before), TableCell(fraction(each.after, 5), each.after),
        TableCell("0" if difference == 0 else fraction(difference, 5, sign=True), difference),
        TableCell(fraction(each.noise, 5), each.noise),
    ]  # fmt: skip
