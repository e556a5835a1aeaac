"""Provenance: the run behind every number, environments, hyper-parameters and failures."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from evaluation.printed_numbers import format_seconds, fraction, join_words, pluralize
from evaluation.results.suite_results import CellResult, adoption_text
from evaluation.stored_files import read_record
from reports.chapters.background.certificate import certificate_blocks
from reports.document.bibtex import references
from reports.document.blocks import Column, Row, Section, Table, TableCell, Text, row
from reports.document.run_index import ModelRuns, RunIndex

_NAMED = 8  # models in one row
_MACHINE = ("device", "device_name", "threads", "engine")


def provenance_section(index: RunIndex, metrics: list[str]) -> Section:
    """Every cell with its key, seed, hashes, commit, MLflow run and command; environments; hyper-parameters."""
    tracked = _tracked(index)
    environments = _Environments()
    cells = _cells(index, metrics, environments, tracked)
    introduction = (
        "Every number in this report links to the runs it comes from. A run is identified by its key: a hash of data, "
        "split, protocol, model fields, seed, device, threads, precision, engine and source code.",
    )
    text = Text("", (*introduction, *_elsewhere(index), *_adopted(index)))
    blocks = [text, cells, *certificate_blocks(index), environments.table(), _fields(index), _references(index)]
    return Section("provenance", "Provenance", tuple(blocks))


def _references(index: RunIndex) -> Table:
    """The works to cite, as BibTeX; references.bib beside the report has the same entries."""
    columns = (Column("of", "To cite"), Column("bibtex", "BibTeX", wide=True))
    rows = [row([TableCell(what), TableCell(" ".join(entry.split()), marks=("code",))])
            for what, entry in references(index.results)]  # fmt: skip
    return Table("references", "What these results rest on", columns, tuple(rows))


def _elsewhere(index: RunIndex) -> tuple[str, ...]:
    """One sentence per model whose ranks other code computed, with its files."""
    sentences = []
    for runs in index.runs:
        found = [cell.record["elsewhere"] for cell in runs.cells if "elsewhere" in cell.record]
        files = join_words([f"{each['file']} (SHA-256 {each['sha256'][:12]}…)" for each in found])
        notes = dict.fromkeys(note for each in found for note in each["notes"])
        if found:
            name = f"{runs.group.heading} · {runs.model}"
            sentences.append(" ".join([f"{name} was computed elsewhere by {found[0]['by']}; its ranks were read from "
                                       f"{files} and joined on the test part query by query. How they were computed, "
                                       "and at what cost, is not known here.", *notes]))  # fmt: skip
    return tuple(sentences)


def _adopted(index: RunIndex) -> tuple[str, ...]:
    """One sentence per way in which results of earlier code came under the keys of the present one."""
    ways: dict[str, list[str]] = {}
    for runs in index.runs:
        for cell in runs.cells:
            ways.setdefault(adoption_text(cell.record), []).append(f"{runs.group.heading} · {runs.model} {cell.seed}")
    return tuple(f"{pluralize(len(c), 'run')} {text}: {_first_names(c)}." for text, c in ways.items() if text)


def failures_section(index: RunIndex) -> Section | None:
    """The cells without a result; None if all finished."""
    table = failures_table(index)
    return None if table is None else Section("missing", "Cells without a result", (table,))


def failures_table(index: RunIndex) -> Table | None:
    """Failed cells, each with its reason and command, and cells that never started; None if all finished.

    Cells without a result for the same reason share one row.
    """
    rows, skipped = [], {}
    for runs in index.runs:
        for failure in runs.failures:
            heading = runs.group.heading
            if not failure.failed:
                skipped.setdefault((failure.state, failure.reason), []).append((heading, runs.model))
                continue
            rows.append(row([
                TableCell(heading), TableCell(runs.model, link=runs.anchor, color=runs.color),
                TableCell(str(failure.seed), failure.seed),
                TableCell(failure.state, marks=("bad",)), TableCell(failure.reason),
                TableCell(failure.command, marks=("code",))]))  # fmt: skip
    for (state, reason), cells in skipped.items():
        places, models = (list(dict.fromkeys(names)) for names in zip(*cells, strict=True))
        where = places[0] if len(places) == 1 else f"{len(places)} data sets or protocols"
        what = f"{pluralize(len(cells), 'cell')}: {_first_names(models)}"
        rows.append(row([TableCell(where, exact=join_words(places)), TableCell(what), TableCell(""),
                         TableCell(state, marks=("open",)), TableCell(reason), TableCell("")]))  # fmt: skip
    if not rows:
        return None
    columns = (
        Column("dataset", "Data set"),
        Column("model", "Model"),
        Column("seed", "Seed", True),
        Column("state", "State"),
        Column("reason", "Reason", wide=True),
        Column("command", "Command to rerun", wide=True),
    )
    return Table("failures", "Cells without a result", columns, tuple(rows), small=True)


def _first_names(models: list[str]) -> str:
    """Some models by name, the others as a number."""
    more = len(models) - _NAMED
    return join_words([*models[:_NAMED], f"{more} more"] if more > 0 else models)


class _Environments:
    """The distinct environments of the cells, numbered in order of appearance."""

    def __init__(self) -> None:
        self.found: dict[str, tuple[str, dict[str, Any]]] = {}

    def name_of(self, cell: CellResult) -> str:
        """The name of a cell's environment: E1, E2 and so on."""
        if "elsewhere" in cell.record:  # what is recorded is where the file was read
            facts = {"computed elsewhere by": cell.record["elsewhere"]["by"]}
        else:
            facts = {k: cell.record[k] for k in _MACHINE if k in cell.record} | cell.record["environment"]
        known = self.found.setdefault(json.dumps(facts, sort_keys=True), (f"E{len(self.found) + 1}", facts))
        return known[0]

    def table(self) -> Table:
        """One column per environment."""
        environments = list(self.found.values())
        names = list(dict.fromkeys(k for _, facts in environments for k in facts))
        columns = (Column("property", "Property"), *(Column(name, name) for name, _ in environments))
        rows = tuple(
            row([TableCell(name.replace("_", " ")), *(TableCell(_text(facts.get(name))) for _, facts in environments)])
            for name in names
        )
        return Table("environments", "Environments: hardware, versions and settings", columns, rows)


def _text(value: Any) -> str:
    """A recorded value as text."""
    if value is None:
        return "–"
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _tracked(index: RunIndex) -> dict[str, str]:
    """MLflow run ids by cell key, where the suite was tracked."""
    path = index.results.root / "suites" / index.results.name / "mlflow.json"
    record = read_record(path, ["runs"], "remove it, track the suite", {"suite": index.results.name})
    return {} if record is None else record["runs"]


def _cells(index: RunIndex, metrics: list[str], environments: _Environments, tracked: dict[str, str]) -> Table:
    """One group of rows per model, one row per cell."""
    columns = (
        Column("seed", "Seed", True),
        *(Column(m, m, True) for m in metrics),
        Column("fit", "Fit", True),
        Column("key", "Key", hint="the name of the run's folder in the store, under cells"),
        Column("data", "Data", hint="SHA-256 of the interactions"),
        Column("split", "Split", hint="SHA-256 of the split"),
        Column("commit", "Commit"),
        Column("environment", "Env."),
        Column("mlflow", "MLflow run"),
        Column("command", "Command", wide=True),
    )
    rows: list[Row] = []
    for runs in index.runs:
        name = TableCell(f"{runs.group.heading} · {runs.model}", color=runs.color, caveats=runs.group.caveats)
        rows.append(Row((name,), runs.anchor, "group"))
        rows += [_cell(cell, runs, metrics, environments, tracked) for cell in runs.cells]
        rows += _without_result(runs, num_blank=len(columns) - 3)
    return Table("cells", "All runs", columns, tuple(rows), small=True)


def _without_result(runs: ModelRuns, num_blank: int) -> list[Row]:
    """The rows of cells without a result; the seeds that share a state and a reason share a row."""
    seeds: dict[tuple[str, str], list[int]] = {}
    for failure in runs.failures:
        seeds.setdefault((failure.state, failure.reason), []).append(failure.seed)
    blank = [TableCell("")] * num_blank
    return [
        row([_seeds(found), *blank, TableCell(state, marks=("bad",)), TableCell(reason)])
        for (state, reason), found in seeds.items()
    ]


def _seeds(seeds: list[int]) -> TableCell:
    """One seed with its value, or several as text."""
    return TableCell(join_words([str(seed) for seed in seeds]), seeds[0] if len(seeds) == 1 else None)


def _cell(
    cell: CellResult, runs: ModelRuns, metrics: list[str], environments: _Environments, tracked: dict[str, str]
) -> Row:
    """The row of one cell."""
    record, prints = cell.record, cell.record["fingerprints"]
    commit, dirty = record["environment"].get("commit") or "unknown", record["environment"].get("dirty")
    mlflow_run = tracked.get(cell.key, "")
    return row([
        TableCell(str(cell.seed), cell.seed, caveats=runs.own_caveats(cell)),
        *(TableCell(fraction(cell.metrics.get(m), 5), cell.metrics.get(m), exact=str(cell.metrics.get(m)))
          for m in metrics),
        _fit(record),
        dataclasses.replace(_hash(cell.key), href=f"../cells/{cell.key}/"),
        *(_hash(text) for text in (prints["data"], prints["split"])),
        TableCell("–") if "elsewhere" in record else _hash(commit, _how(dirty, record)),
        TableCell(environments.name_of(cell), link="environments"),
        _hash(mlflow_run) if mlflow_run else TableCell("not tracked", marks=("quiet",)),
        TableCell(record.get("command") or "–", marks=("code",)),
    ], anchor=f"{runs.anchor}-seed-{cell.seed}")  # fmt: skip


def _how(dirty: bool, record: dict[str, Any]) -> str:
    """The rest of a cell's commit: changed files, adoption."""
    return (" with changes" if dirty else "") + (", adopted" if adoption_text(record) else "")


def _fit(record: dict[str, Any]) -> TableCell:
    """The training time, or that it was spent elsewhere."""
    if "elsewhere" in record:
        return TableCell("computed elsewhere", marks=("quiet",))
    return TableCell(format_seconds(record["seconds"].get("fit")), record["seconds"].get("fit"))


def _hash(text: str, rest: str = "") -> TableCell:
    """The first ten digits; the full hash is the value."""
    return TableCell(text[:10] + rest, text, exact=text, marks=("code",))


def _fields(index: RunIndex) -> Table:
    """The hyper-parameters of every model, each set once with the data sets it was used on."""
    used: dict[tuple[str, str], list[str]] = {}
    for runs in index.finished():
        fields = dict(runs.cells[0].record["model_fields"])
        kind = str(fields.pop("type", "")).rsplit(".", 1)[-1]
        values = ", ".join(f"{k} = {_field(v)}" for k, v in fields.items())
        heading = runs.group.heading
        used.setdefault((runs.model, f"{kind}({values})"), []).append(heading)
    rows = tuple(
        row([TableCell(model), TableCell(fields, marks=("code",)), TableCell(join_words(where))])
        for (model, fields), where in used.items()
    )
    columns = (Column("model", "Model"), Column("fields", "Fields", wide=True), Column("datasets", "Data sets"))
    return Table("fields", "Hyper-parameters", columns, rows, small=True)


def _field(value: Any) -> str:
    """A field's value; a nested value as its type and fields."""
    if isinstance(value, dict) and "type" in value:
        inner = ", ".join(f"{k} = {_field(v)}" for k, v in value.items() if k != "type")
        return f"{str(value['type']).rsplit('.', 1)[-1]}({inner})"
    return json.dumps(value, ensure_ascii=False) if not isinstance(value, str) else value
