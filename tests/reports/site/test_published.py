"""Published results: each verdict has a line, a redraw gives the same bytes, a damaged bundle is named."""

import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmark import app
from reports.output.bundle import open_bundle
from reports.report import build
from reports.site.contents import SiteSuite
from reports.site.published import draw, readme
from reports.tables.as_markdown import escape_markdown
from reports.tables.export import write_tables

PUBLISHED = Path(__file__).resolve().parents[3] / "published"


@pytest.fixture(scope="module")
def folder(tmp_path_factory, make_store):
    """A folder of one shared bundle, drawn once."""
    root = tmp_path_factory.mktemp("results")
    make_store(root, "first", queries=120)
    folder = tmp_path_factory.mktemp("out") / "published"
    (folder / "bundles").mkdir(parents=True)
    packed = folder / "bundles" / "first.zip"
    found = CliRunner().invoke(app, ["bundle", "first", "--results", str(root), "--share", "-o", str(packed)])
    assert found.exit_code == 0, found.output
    assert draw(folder) == []
    return folder


def files(folder):
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_every_verdict_has_a_line_with_its_outcome_interval_and_reason(folder):
    lines = (folder / "README.md").read_text().splitlines()
    with open_bundle(folder / "bundles" / "first.zip") as (root, name):
        verdicts = SiteSuite.of(build(root, name)).verdicts
    assert verdicts
    for verdict in verdicts:
        (line,) = [line for line in lines if line.startswith(f"| {escape_markdown(verdict.subject)} | ")]
        assert f" | {verdict.outcome_text} | " in line
        assert line.endswith(f" | {escape_markdown(verdict.reason)} |")


def test_drawing_again_gives_the_same_bytes(folder, tmp_path):
    again = tmp_path / "published"
    shutil.copytree(folder / "bundles", again / "bundles")
    draw(again)
    first, second = files(folder), files(again)
    assert [name for name in first if first[name] != second.get(name)] == []
    assert first.keys() == second.keys()
    assert Path("site/suites/first/report.pdf") in first


def test_a_damaged_bundle_is_named_and_the_others_are_drawn(folder, tmp_path):
    shutil.copytree(folder / "bundles", tmp_path / "bundles")
    data = bytearray((tmp_path / "bundles" / "first.zip").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "bundles" / "second.zip").write_bytes(data)
    (problem,) = draw(tmp_path)
    assert problem.startswith("second.zip is left out: ")
    assert escape_markdown(problem) in (tmp_path / "README.md").read_text()


@pytest.mark.parametrize("path", sorted(PUBLISHED.glob("bundles/*.zip")), ids=lambda path: path.stem)
def test_the_checksums_of_a_published_bundle_hold(path):
    with open_bundle(path) as (root, name):
        assert (root / "suites" / name).is_dir()


def test_the_published_tables_of_a_small_suite_are_redrawn_byte_by_byte(tmp_path):
    with open_bundle(PUBLISHED / "bundles" / "quickstart.zip") as (root, name):
        write_tables(SiteSuite.of(build(root, name)).report, tmp_path)
    again, kept = files(tmp_path), files(PUBLISHED / "site" / "suites" / "quickstart" / "tables")
    assert kept
    assert again == kept


def test_the_page_has_a_section_for_each_bundle():
    page = (PUBLISHED / "README.md").read_text()
    names = [path.stem for path in PUBLISHED.glob("bundles/*.zip")]
    assert [name for name in names if f"`python benchmark.py run {name}`" not in page] == []


def test_the_page_tells_protocols_apart_and_counts_what_has_no_result():
    with open_bundle(PUBLISHED / "bundles" / "time_lstm.zip") as (root, name):
        text = readme([SiteSuite.of(build(root, name))], [])
    section = text[text.index("## Time-LSTM") :]
    assert section in (PUBLISHED / "README.md").read_text()
    assert "`python benchmark.py run time_lstm`" in section, "without the folder of results"
    assert "36 published numbers and claims without a result here" in section
    claims = [line.split(" | ") for line in section.splitlines() if line.startswith("| Time-LSTM 1 is superior")]
    assert [claim[1] for claim in claims] == [
        "citeulike-hcrnn, official split, 100 sampled items",
        "citeulike-hcrnn, random test users, all items",
    ]
    assert {claim[6] for claim in claims} == {"3"}, "seeds of the parts of a compound claim"
    assert "MISSING" not in section
