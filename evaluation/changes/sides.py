"""Side: the results on one side of a diff, read from a store, one suite's record or one cell's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from evaluation.results.suite_results import CellResult, SuiteResults, read_suite, stored_names
from evaluation.stored_files import read_record


@dataclass(frozen=True, eq=False)
class Side:
    """Suites by name, under the name of the folder or file that they come from."""

    name: str
    suites: dict[str, SuiteResults]


def read_side(path: Path, suite: str = "", name: str = "") -> Side:
    """Read a results folder, a folder ``suites/NAME`` of one (or its suite.json), or a folder of a cell.

    suite: the only suite to read. Raises ValueError saying what was expected for any other path.
    """
    folder, name = path.parent if path.name == "suite.json" else path, name or str(path)
    if (folder / "suite.json").is_file():
        return Side(name, {folder.name: read_suite(folder.parent.parent, folder.name)})
    if (folder / "cell.json").is_file():
        return Side(name, {"": _one_cell(folder)})
    if not path.exists():
        raise ValueError(f"{path} does not exist: expected a results folder, a bundle (.zip), RESULTS/suites/SUITE, "
                         "or a cell's folder RESULTS/cells/KEY")  # fmt: skip
    if not (folder / "suites").is_dir():
        raise ValueError(f"{path} holds no results: expected a results folder, a bundle (.zip), RESULTS/suites/SUITE, "
                         "or a cell's folder RESULTS/cells/KEY")  # fmt: skip
    stored = stored_names(folder)
    if suite and suite not in stored:
        raise ValueError(f"{path} has no suite {suite!r}: it holds {', '.join(stored) or 'none'}")
    if not stored:
        raise ValueError(f"{path} holds no suite")
    return Side(name, {each: read_suite(folder, each) for each in ([suite] if suite else stored)})


def _one_cell(folder: Path) -> SuiteResults:
    """A cell's folder as the results of a suite of one cell."""
    record = (
        read_record(folder / "cell.json", ["key", "files", "metrics", "dataset", "protocol", "model", "seed"]) or {}
    )
    labels = {name: record[name] for name in ("dataset", "protocol", "model", "seed")}
    cell = CellResult(folder=folder, record=record, **labels)
    return SuiteResults(folder.parent.parent, {"name": "", "metrics": list(record["metrics"])}, [cell])


def matched_suites(before: Side, after: Side) -> list[tuple[str, SuiteResults | None, SuiteResults | None]]:
    """The suites of both sides by name, in order; two sides of one suite each are matched whatever their names."""
    if len(before.suites) == len(after.suites) == 1:
        ((first, a),), ((second, b),) = before.suites.items(), after.suites.items()
        return [(first if first == second else f"{first} → {second}".strip(" →"), a, b)]
    names = dict.fromkeys([*before.suites, *after.suites])
    return [(name, before.suites.get(name), after.suites.get(name)) for name in names]
