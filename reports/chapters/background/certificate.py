"""Determinism certificate: cells that were rerun and compared bit for bit."""

from __future__ import annotations

from collections import Counter
from typing import Any

from evaluation.printed_numbers import count, join_words
from evaluation.stored_files import read_record
from reports.document.blocks import Column, Table, TableCell, Text, row
from reports.document.run_index import RunIndex

_MARKS = {"same": "good", "different": "bad", "not compared": "open"}


def certificate_blocks(index: RunIndex) -> list[Text | Table]:
    """Text and table of the certificate; empty without one."""
    path = index.results.root / "suites" / index.results.name / "certificate.json"
    record = read_record(path, ["cells", "created"], "remove it, verify the suite", {"suite": index.results.name})
    if record is None:
        return []
    held = {cell.key for cell in index.results.cells}
    tally = Counter(cell["state"] for cell in record["cells"])
    summary = join_words([f"{number} {state}" for state, number in tally.items()])
    created = str(record["created"])[:16].replace("T", " ")
    paragraphs = (
        f"On {created} UTC, cells were rerun from scratch and compared bit for bit with the stored ones (ranks, item "
        f"counts, stored lists, losses and validation scores of every epoch; times are not compared): {summary}.",
    )
    lost = sum(cell["key"] not in held for cell in record["cells"])
    if lost:
        paragraphs += (f"{count(lost)} of these are no longer among the cells of this report.",)
    return [Text("Determinism certificate", paragraphs), _table(record["cells"], index)]


def _table(cells: list[dict[str, Any]], index: RunIndex) -> Table:
    """One row per cell."""
    columns = (
        Column("model", "Model"), Column("dataset", "Data set"), Column("seed", "Seed", True),
        Column("state", "Rerun"), Column("rows", "Ranks compared", True), Column("key", "Key"),
        Column("reason", "Difference, or why it was not compared", wide=True),
    )  # fmt: skip
    rows = []
    for cell in cells:
        runs = index.find(cell["dataset"], cell["model"], cell["protocol"])
        rows.append(row([
            TableCell(cell["model"], link=runs.anchor if runs else "", color=runs.color if runs else None),
            TableCell(index.heading(cell["dataset"], cell["protocol"])), TableCell(str(cell["seed"]), cell["seed"]),
            TableCell(cell["state"], marks=(_MARKS.get(cell["state"], "quiet"),)),
            TableCell(count(cell["rows"]) if cell["rows"] else "–", cell["rows"], link=runs.anchor if runs else ""),
            TableCell((cell["key"] or "–")[:10], cell["key"], exact=cell["key"] or "", marks=("code",)),
            TableCell("; ".join(filter(None, (cell["reason"] or "nothing", cell.get("adopted"))))),
        ]))  # fmt: skip
    return Table("certificate", "Rerun cells", columns, tuple(rows), small=True)
