"""The site: every link leads somewhere, boards join suites, groups are those of the tests, nothing is overwritten."""

import json
import re
import shutil
from html import unescape
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
from typer.testing import CliRunner

from benchmark import app
from reports.report import build
from reports.site.contents import SiteSuite
from reports.site.leaderboards import leaderboards
from reports.site.pages import NAMES


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture(scope="module")
def two_suites(tmp_path_factory, make_store):
    """A store with two suites that share the cells of one data set."""
    root = tmp_path_factory.mktemp("results")
    make_store(root, "first", queries=120)
    shutil.rmtree(root / "cells")
    make_store(root, "second", queries=120, published=False)
    return root


@pytest.fixture(scope="module")
def site(two_suites, tmp_path_factory):
    folder = tmp_path_factory.mktemp("out") / "site"
    result = call("site", "--results", two_suites, "-o", folder)
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[-1] == str(folder / "index.html")
    return folder


class Links(HTMLParser):
    """The addresses and anchors of a page, and whether anything is loaded."""

    def __init__(self, text):
        super().__init__()
        self.links, self.anchors, self.loaded = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        values = dict(attrs)
        self.anchors.add(values.get("id"))
        self.links += [values["href"]] if tag == "a" else []
        self.loaded += [values[name] for name in ("src", "data") if name in values] + (
            ["link"] if tag == "link" else []
        )


def test_every_link_of_every_page_leads_to_a_place(site):
    pages = {path: Links(path.read_text()) for path in site.rglob("*.html")}
    assert {path.name for path in site.glob("*.html")} == set(NAMES)
    assert len(pages) == 5
    for path, page in pages.items():
        assert page.loaded == []
        for link in page.links:
            if link.startswith("http"):
                continue
            file, _, anchor = link.partition("#")
            target = (path.parent / unquote(file)).resolve() if file else path
            assert target in {each.resolve() for each in pages}, link
            found = next(found for each, found in pages.items() if each.resolve() == target.resolve())
            assert not anchor or anchor in found.anchors, link


def test_each_page_begins_with_its_contents_and_names_each_table_once(site):
    for path in site.glob("*.html"):
        text = path.read_text()
        assert text.index('id="contents"') < text.index("<section")
        captions = re.findall(r"<caption[^>]*>(.*?)</caption>", text, re.DOTALL)
        assert captions and len(set(captions)) == len(captions)
    text = (site / "suites" / "first" / "report.html").read_text()
    assert text.index("<section") < text.index('id="contents"')  # the answer comes first


def test_the_table_to_search_in_is_not_written_a_second_time_for_buttons(site):
    html = (site / "index.html").read_text()
    texts = json.loads(re.search(r"const tableTexts = (\{.*?\});?\n", html).group(1))
    assert 'id="everything"' in html
    assert "suites" in texts
    assert "everything" not in texts


def test_letters_of_groups_are_not_those_of_footnotes(site):
    text = (site / "leaderboards.html").read_text()
    assert "Models that share a capital letter" in text and "★" not in re.sub(r"<script>.*", "", text, flags=re.DOTALL)
    assert re.search(r"<td[^>]*>A</td>", text)


def test_verdicts_stand_under_their_paper(site):
    text = unescape((site / "verdicts.html").read_text())
    assert text.count("On small things") >= 2  # a paper per suite
    assert "GRU beats popularity" in text
    assert re.search(r'class="good"[^>]*>reproduced<', text)


def test_a_board_shows_cells_that_suites_share_once(two_suites):
    suites = [SiteSuite.of(build(two_suites, name)) for name in ("first", "second")]
    boards = leaderboards(suites)
    assert [board.dataset for board in boards] == ["Markov chain", "Clicks & <b>taps</b> 50%"]
    for board in boards:
        assert len(board.table.models) == 5
        assert {len(found) for found in board.sources.values()} == {2}
        different = {frozenset((pair.a, pair.b)) for pair in board.table.exploratory if pair.q < 0.05}
        for a in board.letters:
            for b in board.letters:
                if a != b:
                    shared = bool(set(board.letters[a]) & set(board.letters[b]))
                    assert shared == (frozenset((a, b)) not in different)


def test_names_are_escaped(site):
    for path in site.rglob("*.html"):
        assert "<script>alert" not in path.read_text()


def test_a_second_site_replaces_the_first_and_nothing_else(two_suites, site, tmp_path):
    (site / "suites" / "old").mkdir()
    assert call("site", "--results", two_suites, "-o", site).exit_code == 0
    assert not (site / "suites" / "old").exists()
    (tmp_path / "thesis.txt").write_text("precious")
    result = call("site", "--results", two_suites, "-o", tmp_path)
    assert result.exit_code == 2
    assert "holds other files" in result.stderr
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_a_damaged_suite_is_left_out_and_named(two_suites, tmp_path):
    root = shutil.copytree(two_suites, tmp_path / "damaged")
    record = root / "suites" / "second" / "suite.json"
    record.write_text(record.read_text().replace("A little suite", "A changed suite"))
    result = call("site", "--results", root, "-o", tmp_path / "site")
    assert result.exit_code == 1
    assert "second is left out" in result.stderr
    assert (tmp_path / "site" / "suites" / "first" / "report.html").is_file()
    assert "second is left out" in (tmp_path / "site" / "index.html").read_text()


def test_no_store_is_one_sentence(tmp_path):
    for words in (("--results", tmp_path / "none"), ("--from", tmp_path)):
        result = call("site", *words, "-o", tmp_path / "site")
        assert result.exit_code == 2
        assert len(result.stderr.splitlines()) == 1
        assert not (tmp_path / "site").exists()
