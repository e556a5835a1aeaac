"""Run all over real suites, small: shared cells once, changes where they can be made, nothing left to compute again."""

import json

import pytest
from typer.testing import CliRunner

import benchmark
from harness.suites.load import load_suite

SUITES = ("ml1m", "quickstart", "session_baselines", "zoo")
SMALL = ("--limit-users", "1000", "--set", "epochs=1", "--no-mlflow", "--no-report")


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """The results folder and what two runs of all said: popularity of four suites, on the data that are there."""
    results = tmp_path_factory.mktemp("all")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ENCORE_OFFLINE", "1")
        patch.delenv("ENCORE_REQUIRE_DATA", raising=False)
        patch.setattr("cli.run.named_suites", lambda suite: list(SUITES))
        said = [
            CliRunner().invoke(
                benchmark.app, ["run", "all", "--only", "*/Popularity", *SMALL, "--results", str(results)]
            )
            for _ in range(2)
        ]
    return results, said


def places(name):
    """Data set and protocol of each popularity row whose data are there."""
    return {
        (e.dataset.name, e.protocol.name)
        for e in load_suite(name).experiments
        if "Popularity" in e.models and e.dataset.present(None)
    }


def summary(said):
    """The numbers of each suite's row of the last table: cells, computed, cached, skipped, failed."""
    rows = [line.split() for line in said.stdout[said.stdout.rindex("All suites") :].splitlines()]
    named = [(row[0].split("@")[0], row) for row in rows if row]  # the name of a run with overrides lists them after @
    return {name: [int(word) for word in row[2:7]] for name, row in named if name in SUITES}


def test_every_suite_has_its_rows_and_a_shared_cell_is_computed_once(twice):
    results, (first, _) = twice
    assert first.exit_code == 0, first.output[-2000:]
    found, seen = summary(first), set()
    for name in SUITES:
        mine = places(name)
        cells, computed, cached, skipped, failed = found[name]
        assert (computed, cached, failed) == (len(mine - seen), len(mine & seen), 0), name
        assert cells == computed + cached + skipped
        (path,) = (results / "suites").glob(f"{name}*/suite.json")
        record = json.loads(path.read_text())
        done = {(c["dataset"], c["protocol"]) for c in record["cells"] if c["state"] == "DONE"}
        assert done == mine
        seen |= mine
    assert places("quickstart") & places("zoo") or not places("zoo"), "two of these suites share a cell"
    assert len(list((results / "cells").iterdir())) == len(seen)


def test_a_suite_without_such_a_field_runs_all_the_same(twice):
    _, (first, _) = twice
    assert "session_baselines runs without --set epochs=1: it has no such model or field" in first.stderr
    assert "NOT SELECTED" not in first.stderr


def test_a_second_run_computes_nothing(twice):
    _, (_, second) = twice
    assert second.exit_code == 0
    assert second.stdout.count("nothing to compute") == len(SUITES)
    assert all(computed == 0 for _, computed, *_ in summary(second).values())
