"""The determinism certificate, where cells were computed again and compared bit for bit."""

from __future__ import annotations

from collections import Counter
from typing import Any

from evaluation.stored_files import read_record
from reports.document.blocks import Column, Entry, Table, Words, row
from reports.document.numbers import count, listed
from reports.document.run_index import Roster

_TONE = {"same": "good", "different": "bad", "not compared": "open"}


def certificate_blocks(roster: Roster) -> list[Words | Table]:
    """What the certificate says of each cell; empty where there is none."""
    path = roster.results.root / "suites" / roster.results.name / "certificate.json"
    record = read_record(path, ["cells", "made"], "remove it, verify the suite")
    if record is None:
        return []
    held = {cell.key for cell in roster.results.cells}
    tally = Counter(cell["state"] for cell in record["cells"])
    said = listed([f"{number} {state}" for state, number in tally.items()])
    made = str(record["made"])[:16].replace("T", " ")
    words = (
        f"On {made} UTC cells were computed again from nothing and compared with the stored ones bit for bit (ranks, "
        f"counts of items, kept lists, losses and validation scores of every epoch; times are not compared): {said}.",
    )
    lost = sum(cell["key"] not in held for cell in record["cells"])
    if lost:
        words += (f"{count(lost)} of these are no longer among the cells of this report.",)
    return [Words("Determinism certificate", words), _table(record["cells"], roster)]


def _table(cells: list[dict[str, Any]], roster: Roster) -> Table:
    """One row a cell."""
    columns = (
        Column("model", "Model"), Column("dataset", "Data set"), Column("seed", "Seed", True),
        Column("state", "Computed again"), Column("rows", "Ranks compared", True), Column("key", "Key"),
        Column("reason", "What differs, or why it was not compared", wide=True),
    )  # fmt: skip
    rows = []
    for cell in cells:
        runs = roster.find(cell["dataset"], cell["model"], cell["protocol"])
        rows.append(row([
            Entry(cell["model"], link=runs.anchor if runs else "", color=runs.color if runs else None),
            Entry(roster.heading(cell["dataset"], cell["protocol"])), Entry(str(cell["seed"]), cell["seed"]),
            Entry(cell["state"], marks=(_TONE.get(cell["state"], "quiet"),)),
            Entry(count(cell["rows"]) if cell["rows"] else "–", cell["rows"]),
            Entry((cell["key"] or "–")[:10], cell["key"], exact=cell["key"] or "", marks=("code",)),
            Entry(cell["reason"] or "nothing"),
        ]))  # fmt: skip
    return Table("certificate", "Cells computed again", columns, tuple(rows), small=True)
