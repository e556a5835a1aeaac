"""Packing of a suite: its records, results, report and sources in one zip file, in one of three forms.

full: with the ranks, enough to recompute every statistic. share: what may be published (reports.bundles.share).
Either can be anonymous. No form holds an absolute path: texts keep the name of the file alone.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from evaluation.results.kept import FILE_NAME as KEPT
from evaluation.results.suite_results import CellResult, SuiteResults, read_suite
from evaluation.results.tuning_results import LEDGER_FILE, SEARCH_FILE
from evaluation.stored_files import SCHEMAS, checked_bytes, read_record, safe_part
from recsys_data.atomic_write import atomic_write
from recsys_data.printable import map_texts
from recsys_data.sealed_json import parse_object, read_sealed, sealed_line, sealed_text, sha256, unseal
from reports.bundles import crate, readme
from reports.bundles.paths import Machine
from reports.bundles.share import SharedCells, with_kept_verdicts
from reports.output.bundle import MANIFEST, SCHEMA
from reports.output.html import write_html
from reports.output.pdf import OutputUnavailable, write_pdf
from reports.output.whole_file_sum import SUM_LENGTH, seal_file
from reports.report import build
from reports.tables.export import write_tables

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date of the zip format, so that the same results give the same bytes
_STORED = (".parquet", ".pdf")  # compressed already
_TEXTS = (".json", ".jsonl", ".txt", ".html", ".csv", ".md", ".py")
_IDENTIFYING = ("host_hash", "commit")  # of an environment


@dataclass(frozen=True)
class Form:
    """The purpose of a bundle. share: to be published; anonymous: for a review that does not know the authors."""

    share: bool = False
    anonymous: bool = False


@dataclass(frozen=True)
class PackedBundle:
    """The names packed, what a reader of the command's output should know, and the number of pooled users.

    pooled: over all test sets; None for a store of merged bundles where an earlier version did not tell it.
    """

    names: list[str]
    pooled: int | None
    notes: list[str]


def write_bundle(
    root: Path,
    suite: str,
    path: Path,
    form: Form = Form(),
    *,
    sources: Mapping[str, bytes] | None = None,
    folders: Iterable[Path] = (),
) -> PackedBundle:
    """Pack the results of ``suite`` in the store ``root`` into ``path``.

    sources: the suite's file and its modules, by name. folders: further folders whose paths must not be packed. Raises
    FileNotFoundError if the store holds no such suite, and ValueError naming a stored file that was changed, or a path
    or name that is left.
    """
    with tempfile.TemporaryDirectory(prefix="encore-pack-") as folder:
        machine = Machine.here([Path(root), *folders])
        packing = _Packing(Path(root), read_suite(root, suite), Path(folder), form, machine)
        packing.fill(sources or {})
        with atomic_write(path) as aside:
            _write_archive(aside, packing.stage, suite, packing.names)
    return PackedBundle(packing.names, packing.pooled, packing.notes)


def _write_archive(path: Path, stage: Path, suite: str, names: Iterable[str]) -> None:
    sums: dict[str, list[Any]] = {}
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            data = (stage / name).read_bytes()
            sums[name] = [len(data), sha256(data)]
            _add(archive, name, data)
        _add(archive, MANIFEST, sealed_text({"schema": SCHEMA, "suite": suite, "files": sums}).encode())
        archive.comment = b"0" * SUM_LENGTH
    seal_file(path)


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Add a member with a fixed date."""
    member = zipfile.ZipInfo(name, _EPOCH)
    member.external_attr = 0o644 << 16
    archive.writestr(member, data, zipfile.ZIP_STORED if name.endswith(_STORED) else zipfile.ZIP_DEFLATED)


class _Packing:
    """A store of one suite on its way into a bundle: ``stage`` is the folder that is packed, ``names`` its files."""

    def __init__(
        self,
        root: Path,
        results: SuiteResults,
        stage: Path,
        form: Form,
        machine: Machine,
    ) -> None:
        self.root, self.results, self.stage, self.form, self.machine = root, results, stage, form, machine
        self.names: list[str] = []
        self.notes: list[str] = []
        self.changed = form.share or form.anonymous
        self._shared = SharedCells(results) if form.share else None
        self._pooled: dict[str, int | None] = {}  # by the order of the users of a test set

    @property
    def pooled(self) -> int | None:
        """The number of pooled users; None where a record of withheld ranks does not tell it."""
        numbers = [number for number in self._pooled.values() if number is not None]
        return sum(numbers) if len(numbers) == len(self._pooled) else None

    def fill(self, sources: Mapping[str, bytes]) -> None:
        """Write every file of the bundle but its manifest into the stage."""
        for name, data in sources.items():
            self._add(f"source/{name}", self._clean_source(name, data))
        self._add_records()
        kept: dict[str, Any] = {}
        if self.changed:  # the report of the full results, so that all that needs ranks is computed from them
            build(self.root, self.results.name, seen=kept)
        if self.form.share:
            record = {"schema": SCHEMAS[KEPT], "suite": self.results.name, "results": map_texts(self._clean, kept)}
            self._add(f"suites/{self.results.name}/{KEPT}", sealed_text(record, allow_nan=True).encode())
        self._add_report(kept)
        record = parse_object((self.stage / "suites" / self.results.name / "suite.json").read_bytes())
        flags = {"shared": self.form.share, "anonymous": self.form.anonymous}
        self._add(readme.FILE_NAME, readme.readme(record, **flags, pooled=self.pooled, notes=self.notes).encode())
        licences = [str(cell.record["licence"]) for cell in self.results.cells if cell.record.get("licence")]
        sizes = {name: (len(data := (self.stage / name).read_bytes()), sha256(data)) for name in self.names}
        self._add(crate.FILE_NAME, crate.crate_metadata(record, sizes, licences).encode())
        self._refuse_leftovers()

    def _add(self, name: str, data: bytes) -> None:
        if name not in self.names:
            self.names.append(name)
            target = self.stage / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)

    def _clean(self, text: str) -> str:
        text = self.machine.clean(text)
        return self.machine.without_names(text) if self.form.anonymous else text

    def _record(
        self, name: str, change: Callable[[dict[str, Any]], dict[str, Any]] = lambda record: record
    ) -> dict[str, Any]:
        """Add a sealed record, sealed anew where its texts or ``change`` make it another; return it."""
        data = (self.root / name).read_bytes()
        record = unseal(parse_object(data))
        found = change(map_texts(self._clean, record))
        if self.form.anonymous and isinstance(found.get("environment"), dict):
            environment = {k: v for k, v in found["environment"].items() if k not in _IDENTIFYING}
            found = found | {"environment": environment}  # another object: found is the record where no text changed
        if found != record:
            self.changed = True
            data = sealed_text(found).encode()
        self._add(name, data)
        return found

    def _add_records(self) -> None:
        """Add the records of the suite, its cells, searches and failures, with their files."""
        suite = f"suites/{self.results.name}"
        self._record(f"{suite}/suite.json", self._suite_record)
        for name, change in (("mlflow.json", lambda record: record), ("certificate.json", self._certificate)):
            wanted = name != "mlflow.json" or not self.form.anonymous
            if wanted and read_record(self.root / suite / name, remedy="remove it") is not None:
                self._record(f"{suite}/{name}", change)
        for cell in self.results.cells:
            self._add_cell(cell)
            search = cell.record.get("tuning", {}).get("search")
            if search is not None and cell.search is not None:
                self._record(f"tuning/{search}/{SEARCH_FILE}")
                self._add_ledger(search)
        for failure in self.results.failures:
            record = None if failure.folder is None else read_record(failure.folder / "failure.json", ["files"])
            if record is not None:
                self._add_failure(failure.folder.name, record)

    def _suite_record(self, record: dict[str, Any]) -> dict[str, Any]:
        """Name the suite's file without its folder, and keep the verdicts that need the pairing of users."""
        changed = record | ({"file": PurePosixPath(record["file"]).name} if record.get("file") else {})
        if self.form.share:
            changed["claims"] = map_texts(self._clean, with_kept_verdicts(self.results))
        return changed

    def _certificate(self, record: dict[str, Any]) -> dict[str, Any]:
        """Drop the values in the first difference, which may be of a target."""
        if not self.form.share:
            return record
        return record | {"cells": [c | {"reason": c["reason"].partition(": first at")[0]} for c in record["cells"]]}

    def _add_cell(self, cell: CellResult) -> None:
        folder = f"cells/{cell.folder.name}"
        if self._shared is None or cell.withholds_ranks:
            record = self._record(f"{folder}/cell.json")
            files = {name: checked_bytes(cell.folder / safe_part(name), cell.files) for name in cell.files}
        else:
            with tempfile.TemporaryDirectory(prefix="encore-pack-") as aside:
                files, changes = self._shared.write(cell, Path(aside))
            record = self._record(f"{folder}/cell.json", lambda record: record | changes)
        if withheld := record.get("withheld"):
            order = withheld["numbering"]
            self._pooled[order] = withheld.get("pooled", self._pooled.get(order))
        for name, data in files.items():
            self._add(f"{folder}/{name}", data)

    def _add_ledger(self, search: str) -> None:
        name = f"tuning/{search}/{LEDGER_FILE}"
        lines = []
        for line in (self.root / name).read_bytes().splitlines():
            trial = read_sealed(line, search)
            found = map_texts(self._clean, trial)
            lines.append(line.decode() + "\n" if found == trial else sealed_line(found, search))
        self._add(name, "".join(lines).encode())

    def _add_failure(self, key: str, record: dict[str, Any]) -> None:
        """Add why a cell failed; a traceback may hold values of the data, which are not to be shared."""
        folder, files = self.root / "cells" / key, {}
        for name in record["files"] if not self.form.share else ():
            data = checked_bytes(folder / safe_part(name), record["files"])
            files[name] = self._clean(data.decode(errors="replace")).encode() if name.endswith(".txt") else data
        sums = {name: sha256(data) for name, data in files.items()}
        self._record(f"cells/{key}/failure.json", lambda found: found | {"files": sums})
        for name, data in files.items():
            self._add(f"cells/{key}/{name}", data)

    def _clean_source(self, name: str, data: bytes) -> bytes:
        """A source file whose texts hold no absolute path; each change becomes a note."""
        lines = data.decode("utf-8").split("\n")
        for number, line in enumerate(lines, start=1):
            if any(self.machine.found_in(line, names=False)):
                lines[number - 1] = self.machine.clean(line)
                self.notes.append(f"source/{name}, line {number}: an absolute path was replaced by the file's name")
        return "\n".join(lines).encode()

    def _add_report(self, kept: Mapping[str, Any]) -> None:
        """Add the report and its tables: as they are stored where nothing in the records changed, else made again."""
        name, source = self.results.name, self.root / self.results.name
        page = source / "report.html"
        if not self.changed and page.is_file():
            paths = [page, source / "report.pdf", *sorted((source / "tables").glob("*"))]
            self.changed = any(any(self._leftovers(path.read_bytes(), path.name)) for path in paths if path.is_file())
        elif not self.changed:
            return
        if self.changed:
            source = self.stage / name
            report = build(self.stage, name, kept=kept)
            source.mkdir(parents=True, exist_ok=True)
            write_html(report, source / "report.html")
            if not self.form.share:  # left out to keep it small: ``report --from`` writes it
                try:
                    write_pdf(report, source / "report.pdf")
                except OutputUnavailable as reason:
                    self.notes.append(str(reason))
            write_tables(report, source / "tables")
        for path in [source / "report.html", source / "report.pdf", *sorted((source / "tables").glob("*"))]:
            if path.is_file():
                self._add(f"{name}/{path.relative_to(source).as_posix()}", path.read_bytes())

    def _leftovers(self, data: bytes, name: str) -> Iterator[tuple[int, str]]:
        if not name.endswith(_TEXTS):
            return iter(())
        return self.machine.found_in(data.decode("utf-8", errors="replace"), names=self.form.anonymous)

    def _refuse_leftovers(self) -> None:
        """Raise ValueError naming the first place that still identifies the machine."""
        for name in self.names:
            for line, found in self._leftovers((self.stage / name).read_bytes(), name):
                what = "a folder" if "/" in found else "a name"
                raise ValueError(f"{name}, line {line}, holds {found!r}, {what} of this machine, which this form of "
                                 "bundle must not hold: remove it from the suite's file and run again")  # fmt: skip
