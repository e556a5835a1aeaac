"""The command rerun: a bundle's cells from the packed suite alone, compared bit for bit."""

import re
import shutil
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import benchmark
from evaluation.results.suite_results import read_suite
from harness.running.rerun import labels_of, other_processors, rerun_rows
from reports.output.bundle import open_bundle
from tests.stored_records import change_sealed


def call(*words):
    return CliRunner().invoke(benchmark.app, [str(word) for word in words])


@pytest.fixture(scope="module")
def bundles(tmp_path_factory, tiny_text):
    """The full and the shared bundle of a suite of a user, whose folder no longer exists."""
    home, folder = tmp_path_factory.mktemp("home"), tmp_path_factory.mktemp("bundles")
    (home / "tiny.py").write_text("from beside import LENGTH\n" + tiny_text)
    (home / "beside.py").write_text("LENGTH = 25\n")
    (home / "unused.py").write_text("raise RuntimeError('nobody imports this')\n")
    words = ("run", home / "tiny.py", "--results", home / "results", "--no-mlflow", "--no-report")
    assert (result := call(*words)).exit_code == 0, result.output
    for name, options in {"full": (), "shared": ("--share", "--anonymous")}.items():
        result = call("bundle", "tiny", "--results", home / "results", "-o", folder / f"{name}.zip", *options)
        assert result.exit_code == 0, result.output
    (home / "tiny.py").unlink()
    result = call("bundle", "tiny", "--results", home / "results", "-o", folder / "bare.zip")
    assert "the file of tiny is not at hand" in result.stderr
    shutil.rmtree(home)
    return folder


@pytest.fixture(autouse=True)
def a_process_of_its_own(monkeypatch):
    """Leave what each test imports to that test: a rerun is a command, and one process runs one command."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    forget_imports()
    yield
    forget_imports()


def forget_imports():
    sys.path[:] = [place for place in sys.path if Path(place).name != "source"]
    for name in ("beside", "user_suite_tiny"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("name", ["full", "shared"])
def test_every_cell_has_the_same_bits(bundles, tmp_path, name):
    report = ["--no-report"] if name == "full" else []
    result = call("rerun", "--from", bundles / f"{name}.zip", "--results", tmp_path / "again", *report)
    assert result.exit_code == 0, result.output
    assert re.search(r"3 of 3 cells of .* have the same bits; different: 0, not compared: 0", result.stdout)
    assert sorted(path.name for path in (tmp_path / "again" / "source").iterdir()) == ["beside.py", "tiny.py"]
    assert (tmp_path / "again" / "tiny" / "report.html").is_file() != bool(report)


def test_cells_that_could_not_be_compared_with_a_shared_bundle_are_not_computed(bundles, tmp_path, tiny_text):
    """Its users are numbered anew, which the report would refuse after hours of computing."""
    suite, place = tmp_path / "tiny.py", ("--results", tmp_path / "results")
    suite.write_text("LENGTH = 25\n" + tiny_text)
    assert call("merge", bundles / "shared.zip", *place).exit_code == 0
    other = ("--set", "GRU.dim=6", *place)
    planned, refused = call("plan", suite, *other), call("run", suite, *other, "--no-mlflow")
    assert planned.exit_code == 0 and refused.exit_code == 2
    for output in (planned.stderr, refused.stderr):
        assert "could not be compared with markov" in output and "Choose another folder with --results" in output
    assert len(list((tmp_path / "results" / "cells").iterdir())) == 3
    elsewhere = call("plan", suite, "--set", "GRU.dim=6", "--results", tmp_path / "new")
    anew = call("plan", suite, *other, "--fresh")  # no cell of the bundle is kept
    for found in (elsewhere, anew):
        assert found.exit_code == 0 and "could not be compared" not in found.stderr, found.output
    assert '"Popularity"' in tiny_text
    suite.write_text(suite.read_text().replace('"Popularity"', '"Most popular"'))
    assert "could not be compared" in call("plan", suite, *other).stderr, "its key, and so its result, is the same"


def test_a_comparison_of_cells_without_ranks_says_where_ranks_come_from(bundles, tmp_path):
    assert call("merge", bundles / "shared.zip", "--results", tmp_path / "results").exit_code == 0
    refused = call("compare", *sorted((tmp_path / "results" / "cells").iterdir())[:2])
    assert refused.exit_code == 2 and "has sums by user and no ranks" in refused.stderr
    assert "remove its folder" not in refused.stderr


def test_cells_without_a_result_in_the_bundle_are_not_computed(tmp_path, tiny_text):
    suite = tmp_path / "tiny.py"
    suite.write_text(tiny_text)
    words = ("--results", tmp_path / "part", "--only", "GRU", "--seeds", "1,")
    assert call("run", suite, *words, "--no-mlflow", "--no-report").exit_code == 0
    assert call("bundle", suite, "--results", tmp_path / "part", "-o", tmp_path / "part.zip").exit_code == 0
    again = ("rerun", "--from", tmp_path / "part.zip", "--results", tmp_path / "again", "--no-report")
    assert "1 of 1 cells" in call(*again).stdout
    assert len(list((tmp_path / "again" / "cells").iterdir())) == 1, "the bundle has one result of three cells"
    refused = call(*again, "--only", "Popularity")
    assert refused.exit_code != 0
    assert "the bundle has no result of a cell that --only" in refused.stderr + refused.stdout


@pytest.mark.parametrize("form", ["full", "shared"])
def test_the_bundles_own_run_is_no_rerun(bundles, tmp_path, form):
    place = ("--results", tmp_path / "results")
    assert call("merge", bundles / f"{form}.zip", *place).exit_code == 0
    result = call("rerun", "--from", bundles / f"{form}.zip", *place, "--no-report")
    assert result.exit_code == 1
    assert result.stdout.count("not compared: ") == 3 + 1 and "take another folder" in result.stdout
    assert re.search(r"0 of 3 cells of .* have the same bits; different: 0, not compared: 3", result.stdout)


def test_ranks_that_do_not_enter_a_shared_store_are_told(bundles, tmp_path):
    place = ("--results", tmp_path / "results")
    assert "has ranks of cells" not in call("merge", bundles / "shared.zip", *place).stderr
    again = call("merge", bundles / "full.zip", *place)
    assert again.exit_code == 0
    assert again.stderr.count("has ranks of cells that are here without them") == 1, again.output


def test_a_sample_of_cells_is_drawn_by_a_seed_that_is_printed(bundles, tmp_path):
    words = ("rerun", "--from", bundles / "shared.zip", "--no-report", "--sample", 2)
    first = call(*words, "--results", tmp_path / "first")
    assert first.exit_code == 0 and "2 of 2 cells of" in first.stdout, first.output
    seed = re.search(r"2 of 3 cells, drawn with --draw (\d+)", first.stdout)[1]
    forget_imports()
    again = call(*words, "--results", tmp_path / "again", "--draw", seed)
    assert again.exit_code == 0, again.output
    forget_imports()
    cells = [sorted(path.name for path in (tmp_path / name / "cells").iterdir()) for name in ("first", "again")]
    assert again.exit_code == 0 and cells[0] == cells[1] and len(cells[0]) == 2
    few = call(*words, "--results", tmp_path / "few", "--only", "Popularity")
    assert "1 of 1 cells, drawn" in few.stdout and "1 of 1 cells of" in few.stdout
    alone = call("rerun", "--from", bundles / "shared.zip", "--draw", 3)
    assert alone.exit_code == 2 and "add --sample N" in alone.stderr


def test_it_runs_the_packed_source_whatever_is_in_the_folder(bundles, tmp_path):
    words = ("rerun", "--from", bundles / "full.zip", "--results", tmp_path, "--only", "Popularity", "--no-report")
    assert "1 of 1 cells" in call(*words).stdout
    source = tmp_path / "source" / "beside.py"
    source.write_text("raise RuntimeError('edited')\n")
    assert call(*words).exit_code == 0
    assert source.read_text() == "LENGTH = 25\n"


def test_another_result_is_told_by_its_values(bundles, tmp_path):
    with open_bundle(bundles / "shared.zip") as (root, name), open_bundle(bundles / "full.zip") as (full, _):
        cells = read_suite(root, name).cells
        change_sealed(cells[0].folder / "cell.json", withheld=cells[0].record["withheld"] | {"ranks": "0" * 64})
        for cell in read_suite(full, name).cells:
            change_sealed(cell.folder / "cell.json", finished="2026-01-01T00:00:00.000Z")  # another run
        rows = rerun_rows(read_suite(root, name), read_suite(full, name), {labels_of(cell) for cell in cells})
    assert [row["state"] for row in rows] == ["different", "same", "same"]
    value = cells[0].metrics["MRR@20"]
    assert rows[0]["reason"] == f"the ranks, which the bundle withholds; MRR@20: {value:.6f} before, {value:.6f} again"


def test_a_difference_on_another_processor_is_explained(bundles):
    with open_bundle(bundles / "shared.zip") as (root, name), open_bundle(bundles / "full.zip") as (full, _):
        packed = read_suite(root, name)
        first, second = packed.cells[:2]
        change_sealed(
            (full / "cells" / first.key) / "cell.json", environment=first.record["environment"] | {"cpu": "X 9"}
        )
        again = read_suite(full, name)
        assert other_processors(packed, again, {labels_of(second)}) == ""
        note = other_processors(packed, again, {labels_of(first), labels_of(second)})
    here = first.record["environment"]["cpu"]
    assert note.startswith(f"different cells of the bundle were computed on {here}, now on X 9; another kind of")


def test_a_bundle_without_source_is_refused(bundles, tmp_path):
    result = call("rerun", "--from", bundles / "bare.zip", "--results", tmp_path / "again")
    assert result.exit_code == 2
    assert "the bundle has no source/tiny.py, since the file was not at hand when it was packed" in result.stderr
