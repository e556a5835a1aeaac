"""All suites in one command, and bundles: run all, plan all, bundle, report --from."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.parse import unquote

import pytest
from typer.testing import CliRunner

import benchmark

ROOT = Path(__file__).resolve().parent.parent
ABSENT = "from recsys_data.datasets.movielens import MovieLens1MOrdered\n"
WITHOUT_TORCH = "import sys; sys.modules['torch'] = None; import benchmark; benchmark.app(sys.argv[1:])"


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    for name in ("ENCORE_RESULTS", "ENCORE_DATA", "ENCORE_REQUIRE_DATA", "MLFLOW_TRACKING_URI"):
        monkeypatch.delenv(name, raising=False)


def call(*words):
    return CliRunner().invoke(benchmark.app, [str(word) for word in words])


@pytest.fixture(scope="module")
def suites(tmp_path_factory, tiny_text):
    """Three suite files: a broken one, tiny, and one of the same cells with more data, which are absent."""
    folder = tmp_path_factory.mktemp("suites")
    texts = {
        "broken": "SUITE = (\n",
        "tiny": tiny_text,
        "wanting": ABSENT + tiny_text.replace('name="tiny"', 'name="wanting"').replace(
            "experiments=[", "experiments=[Experiment(MovieLens1MOrdered(), PerUserFractions(), MODELS), "
        ),
    }  # fmt: skip
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    return [str(folder / f"{name}.py") for name in texts]


@pytest.fixture
def all_suites(suites, monkeypatch):
    monkeypatch.setattr("cli.run.named_suites", lambda suite: suites)


@pytest.fixture(scope="module")
def stored(suites, tmp_path_factory):
    """The results folder and the output of ``run all`` with an empty data folder."""
    results = tmp_path_factory.mktemp("all") / "results"
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("ENCORE_DATA", raising=False)
        patch.setattr("cli.run.named_suites", lambda suite: suites)
        output = call("run", "all", "--results", results, "--data", results.parent, "--no-mlflow")
    return results, output


def test_run_all_goes_on_after_a_suite_fails_and_ends_with_every_report(stored, suites):
    results, output = stored
    assert output.exit_code == 1, output.output
    assert f"FAILED {suites[0]}: {suites[0]}, line 1: '(' was never closed" in output.stderr
    reports = [str(results / name / f"report.{kind}") for name in ("tiny", "wanting") for kind in ("html", "pdf")]
    assert output.stdout.splitlines()[-4:] == reports
    assert all(Path(path).stat().st_size > 10_000 for path in reports)


def test_a_cell_that_suites_share_is_computed_once(stored):
    results, output = stored
    assert output.stdout.count("MRR@20 0.") >= 3
    assert sum("[3/3]" in line for line in output.stdout.splitlines()) == 1, "only the first suite computed anything"
    assert "3 skipped, 3 cached; nothing to compute" in output.stdout
    assert len(list((results / "cells").iterdir())) == 3
    summary = output.stdout[output.stdout.rindex("All suites") :].splitlines()
    counts = [[int(w) for w in line.split() if w.isdigit()] for line in summary if " done " in line]
    assert counts == [[3, 3, 0, 0, 0], [6, 0, 3, 3, 0]], "cells, computed, cached, skipped, failed"
    assert any("FAILED" in line for line in summary)


def test_missing_data_are_reported_once_per_data_set(stored):
    _, output = stored
    assert output.stderr.count("SKIPPED ml-1m-ordered, 3 cells: MovieLens 1M (ordered): ") == 1
    assert output.stderr.count("not found under") == 1
    assert "ml-1m-ordered, 3 cells: Popularity and GRU: " in output.stdout


@pytest.mark.usefixtures("all_suites")
def test_plan_all_shows_states_missing_data_and_costs(stored, tmp_path):
    results, _ = stored
    words = ("--results", results, "--data", tmp_path, "--set", "epochs=4")
    output = call("plan", "all", *words)
    assert output.exit_code == 1, "a suite is broken"
    missing = "SKIPPED ml-1m-ordered, 3 cells: MovieLens 1M (ordered): ml-1m/ratings-file-order.tsv not found"
    assert missing in output.stdout
    assert "2 to compute, about " in output.stdout.splitlines()[-1]
    [row] = [line for line in output.stdout.splitlines() if line.split()[:2] == ["tiny@epochs=4", "markov-30x25"]]
    assert "1 cached, 2" in row, row
    assert {"2", "other"} <= set(row.split()), "the basis of the estimates: other fields, by events"
    rows = json.loads(call("plan", "all", *words, "--json").stdout)
    states = {suite: [r["state"] for r in rows if r["suite"] == f"{suite}@epochs=4"] for suite in ("tiny", "wanting")}
    assert states["tiny"] == ["cached", "stale", "stale"]
    assert states["wanting"] == ["skipped"] * 3 + ["cached", "shared", "shared"]
    stale = rows[1]
    assert stale["seconds"] > 0 and stale["memory_mb"] > 10 and stale["disk_mb"] > 0
    assert stale["basis"].startswith("other fields of GRU, by events from markov-30x25 (")
    assert sorted(path.name for path in (results / "cells").iterdir()) == sorted({r["key"] for r in json.loads(
        call("show", "tiny", "--results", results, "--json").stdout)})  # fmt: skip


@pytest.mark.usefixtures("all_suites")
def test_a_pattern_that_matches_no_suite_is_refused(stored):
    output = call("plan", "all", "--results", stored[0], "--only", "nothing")
    assert output.exit_code == 2
    assert "--only 'nothing' matches none of markov-30x25/Popularity" in output.stderr


def store_links(folder):
    """The links of a report to files outside of it."""
    return re.findall(r'href="([^"#]*cells/[^"]*)"', (folder / "report.html").read_text(encoding="utf-8"))


def test_a_report_elsewhere_links_to_its_cells(stored, tmp_path):
    results, _ = stored
    elsewhere = tmp_path / "my paper" / "report"
    output = call("report", "tiny", "--results", results, "--out", elsewhere)
    assert output.exit_code == 0, output.output
    links = store_links(elsewhere)
    assert len(links) == 3
    assert all((elsewhere / unquote(link) / "cell.json").is_file() for link in links)


def test_a_bundle_gives_the_same_report_without_torch_data_or_store(stored, suites, tmp_path):
    results, _ = stored
    zipped = tmp_path / "x.zip"
    output = call("bundle", "tiny", "--results", results, "-o", zipped)
    assert output.exit_code == 0, output.output
    with zipfile.ZipFile(zipped) as archive:
        names = archive.namelist()
    assert sum(name.endswith("ranks.parquet") for name in names) == 3
    assert "tiny/report.html" in names and not any("prepared" in name or name.endswith(".npy") for name in names)
    words = [sys.executable, "-c", WITHOUT_TORCH, "report", "--from", str(zipped), "--out", str(tmp_path / "redrawn")]
    done = subprocess.run(words, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert "the new report is identical to the packed one" in done.stdout
    assert "GRU beats popularity" in done.stdout
    assert not store_links(tmp_path / "redrawn")  # the cells stay in the bundle
    # the commands of the first page name folders, and LaTeX allows line breaks in them; no bundle does
    html, page = (
        (folder / "report.html").read_text(encoding="utf-8").replace(r"\\allowbreak{}", "")
        for folder in (tmp_path / "redrawn", results / "tiny")
    )
    for folder in {Path(suites[-1]).parent, results.parent}:
        page = page.replace(f"{folder}/", "").replace(str(folder), folder.name)
    page = re.sub(
        r'<a href="\.\./cells/[^"]*" (data-exact="[^"]*")>(\w+)</a>', r'<span \1 tabindex="0">\2</span>', page
    )
    assert html == page
    assert list((tmp_path / "redrawn" / "tables").glob("*.csv"))


def test_a_changed_byte_of_a_bundle_is_named_by_the_command(stored, tmp_path):
    results, _ = stored
    call("bundle", "tiny", "--results", results, "-o", tmp_path / "x.zip")
    data = bytearray((tmp_path / "x.zip").read_bytes())
    with zipfile.ZipFile(tmp_path / "x.zip") as archive:
        member = next(m for m in archive.infolist() if m.filename.endswith("ranks.parquet"))
    data[member.header_offset + 30 + len(member.filename) + 60] ^= 1
    (tmp_path / "x.zip").write_bytes(data)
    output = call("report", "--from", tmp_path / "x.zip")
    assert output.exit_code == 2
    assert f"{member.filename} was changed after packing" in output.stderr
    assert not (tmp_path / "x").exists()


def test_report_needs_a_suite_that_matches_the_bundle(stored, tmp_path):
    results, _ = stored
    call("bundle", "tiny", "--results", results, "-o", tmp_path / "x.zip")
    for words, sentence in [
        (["report"], "error: SUITE is missing: give the name of a suite, or a bundle with --from"),
        (["report", "ml1m", "--from", tmp_path / "x.zip"], "holds the suite 'tiny', not 'ml1m'"),
        (["report", "--from", tmp_path / "none.zip"], "error: no bundle at"),
        (["bundle", "nothing", "--results", results], "error: no results of suite 'nothing'"),
    ]:
        output = call(*words)
        assert output.exit_code == 2 and sentence in output.stderr


def test_a_test_part_of_one_user_is_reported(tmp_path, tiny_text):
    path = tmp_path / "lonely.py"
    path.write_text(
        tiny_text.replace('name="tiny"', 'name="lonely"')
        .replace(
            "recsys_data.protocols.per_user import PerUserFractions",
            "recsys_data.protocols.by_user import DisjointUsers",
        )
        .replace("PerUserFractions(train=0.8, validation=0.1, test=0.1)", "DisjointUsers(test=1, validation=1)")
        .replace("epochs=3, patience=3", "epochs=1, patience=1")
    )
    output = call("run", path, "--results", tmp_path / "results", "--no-mlflow")
    assert output.exit_code == 0, output.output
    html = (tmp_path / "results" / "lonely" / "report.html").read_text(encoding="utf-8")
    assert "The test part of these has one user only, so the variation between users is unknown: " in html
    assert "the test part of markov-30x25 has one user only" in html, "the claim says why it is not judged"


def test_suites_are_listed_with_the_data_they_lack(tmp_path):
    rows = {row["name"]: row for row in json.loads(call("list", "suites", "--data", tmp_path, "--json").stdout)}
    assert rows["quickstart"]["present"] == ["markov-600x200"]
    assert rows["quickstart"]["missing"] == ["ml-100k"]
    assert rows["quickstart"]["cells"] == 19
