"""A plan is shown whatever the state of the results folder, and makes nothing there that it needs."""

import errno
import json

import pytest
from typer.testing import CliRunner

import benchmark


def plan(suite, results):
    result = CliRunner().invoke(benchmark.app, ["plan", str(suite), "--results", str(results), "--json"])
    assert result.exit_code == 0, result.output
    return [(row["state"], row["key"]) for row in json.loads(result.stdout)]


@pytest.fixture
def own_suite(tiny_suite):
    """A suite whose data are prepared here for the first time: preparations stay in memory."""
    tiny_suite.write_text(tiny_suite.read_text().replace("users=30", "users=31"))
    return tiny_suite


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_plan_needs_no_room(own_suite, tmp_path, monkeypatch, number):
    expected = plan(own_suite, tmp_path / "writable")
    assert {state for state, _ in expected} == {"new"}

    def closed(path, *_, **__):
        raise OSError(number, "closed", str(path))

    for place in ("harness.preparation.write_bytes_atomically", "recsys_data.datasets.cache.write_bytes_atomically",
                  "tempfile.TemporaryFile", "pathlib.Path.mkdir"):  # fmt: skip
        monkeypatch.setattr(place, closed)
    assert plan(own_suite, tmp_path / "closed") == expected
    assert not (tmp_path / "closed").exists()


def test_a_plan_in_a_place_where_nothing_can_be_created(own_suite, tmp_path):
    assert plan(own_suite, "/proc/encore") == plan(own_suite, tmp_path / "writable")


def test_a_file_in_the_way_of_results_is_named(own_suite, tmp_path):
    (tmp_path / "file").write_text("")
    result = CliRunner().invoke(benchmark.app, ["plan", str(own_suite), "--results", str(tmp_path / "file")])
    assert result.exit_code == 2
    assert "is in the way" in result.stderr
