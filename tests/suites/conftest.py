"""Smoke runs: a suite end to end on at most 300 users of the real data, through the command line."""

import csv
import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

import benchmark
from harness.spec import Suite
from harness.suites.load import load_suite
from recsys_data.fetching.source import data_folder

SMALL = ("--limit-users", "300", "--seeds", "0,", "--set", "dim=8", "--set", "epochs=1", "--set", "batch_size=256")


@dataclass(frozen=True)
class Smoke:
    """A finished smoke run: the suite, its record, its report's folder, what was printed on stderr."""

    suite: Suite
    record: dict
    folder: Path
    stderr: str

    def rows(self, table: str) -> list[dict]:
        """The rows of a table of the report."""
        with (self.folder / "tables" / f"{table}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def states(self, present: bool) -> dict[str, set[str]]:
        """The states of the selected cells (seed 0) of each data set that is there (or is not)."""
        there = {e.dataset.name for e in self.suite.experiments if e.dataset.present(None)}
        states: dict[str, set[str]] = {}
        for cell in self.record["cells"]:
            if (cell["dataset"] in there) == present and cell["seed"] == 0:
                states.setdefault(cell["dataset"], set()).add(cell["state"])
        return states

    def check_every_row(self) -> None:
        """Every model of every experiment whose data are there has a finished cell, and nothing failed."""
        done = {(c["dataset"], c["protocol"], c["model"]) for c in self.record["cells"] if c["state"] == "DONE"}
        wanted = {
            (e.dataset.name, e.protocol.name, label)
            for e in self.suite.experiments
            if e.dataset.name in self.states(present=True)
            for label in e.models
        }
        assert done == wanted

    def check_absent(self) -> None:
        """Cells without data are skipped, with the name of the file and where to put it."""
        assert set().union(*self.states(present=False).values()) <= {"SKIPPED"}
        for cell in self.record["cells"]:
            if cell["state"] == "SKIPPED":
                assert "not found under" in cell["reason"] and "put it there by hand (from " in cell["reason"]

    def check_levels(self) -> None:
        """Every published number is in the report, and none is judged by its level."""
        rows = self.rows("published")
        assert Counter(row["subject"] for row in rows) == Counter(value.model for value in self.suite.published)
        only_shown = [value.model for value in self.suite.published if not (value.certain or value.not_comparable)]
        assert Counter(row["subject"] for row in rows if row["outcome"] == "NOT JUDGED") == Counter(only_shown)
        other = {value.not_comparable for value in self.suite.published} - {""}
        present = self.states(present=True)
        for row in rows:
            if row["outcome"] == "NOT JUDGED":
                continue
            if row["dataset"].split(",")[0] in present or row["reason"] in other:
                assert row["outcome"] == "NOT COMPARABLE", row
            else:
                assert row["outcome"] == "NO RESULT" and "SKIPPED" in row["reason"], row

    def check_report(self) -> None:
        """The two renderings are there and name every model."""
        html = (self.folder / "report.html").read_text(encoding="utf-8")
        assert "SMOKE RUN" in html
        for label in {label for e in self.suite.experiments for label in e.models}:
            assert label.replace("'", "&#39;") in html or label in html, label
        assert (self.folder / "report.pdf").read_bytes().startswith(b"%PDF")


@pytest.fixture(scope="module")
def smoke_run(tmp_path_factory):
    """Runs a suite small: a function of its name and further words, which gives a Smoke."""

    def run(name: str, *words: str) -> Smoke:
        suite = load_suite(name)
        if not any(e.dataset.present(None) for e in suite.experiments):
            pytest.skip(
                f"no data set of {name} is under {data_folder(None)}: set ENCORE_DATA to the folder that has it"
            )
        results = tmp_path_factory.mktemp(name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("ENCORE_OFFLINE", "1")
            patch.delenv("ENCORE_REQUIRE_DATA", raising=False)  # what is absent is part of what is tested
            small = SMALL[2:] if "--limit-users" in words else SMALL  # an option is given once
            called = ["run", name, "--results", str(results), "--no-mlflow", *small, *words]
            result = CliRunner().invoke(benchmark.app, called)
        assert result.exit_code == 0, result.output[-2000:] + result.stderr[-2000:]
        (path,) = (results / "suites").glob("*/suite.json")  # a run with overrides has a folder of its own
        return Smoke(suite, json.loads(path.read_text()), results / path.parent.name, result.stderr)

    return run
