import re
from html.parser import HTMLParser

import pytest

from reports.output.html import css_string


class Page(HTMLParser):
    """What a browser would see: tags, ids, links, text."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.ids, self.attributes, self.open, self.text = [], [], [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(tag, k, v or "") for k, v in attrs]
        self.ids += [v for k, v in attrs if k == "id"]
        if tag not in ("meta", "input", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes += [(tag, k, v or "") for k, v in attrs]
        self.ids += [v for k, v in attrs if k == "id"]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text.append(data)


@pytest.fixture(scope="module")
def page(html):
    return Page(html)


def test_elements_are_closed_and_ids_are_unique(page):
    assert page.open == []
    assert len(page.ids) == len(set(page.ids))


def test_names_from_data_are_escaped(html, page):
    assert page.tags.count("script") == 1  # our own
    assert "<script>alert" not in html
    assert html.count("&lt;script&gt;alert(1)&lt;/script&gt;") > 20
    assert "b" not in page.tags
    assert "Clicks & <b>taps</b> 50%" in "".join(page.text)
    assert not [a for a in page.attributes if a[1].startswith("on")]


def test_nothing_is_loaded_from_outside(html, page, store):
    loading = [a for a in page.attributes if a[1] in ("src", "srcset", "data", "action", "poster")]
    assert loading == []
    assert not {"link", "iframe", "object", "embed", "img", "base"} & set(page.tags)
    assert "@import" not in html
    outside = {v for _, k, v in page.attributes if k == "href" and not v.startswith("#")}
    folders = {link for link in outside if link.startswith("../")}
    assert outside - folders == {"https://example.org/paper"}  # a link to follow, not a thing to load
    assert len(folders) == 16
    assert all((store / "little" / link / "cell.json").resolve().is_file() for link in folders)
    assert re.findall(r"url\((?!#)", html) == []


def test_internal_links_resolve(page):
    wanted = {v[1:] for _, k, v in page.attributes if k == "href" and v.startswith("#")}
    assert wanted <= set(page.ids)


def test_the_answer_comes_before_facts_and_contents(html):
    places = [html.index(part) for part in ('id="summary"', 'id="tally"', 'id="answer"', 'id="answer-figure"',
                                            'class="facts"', "<nav", 'id="verdicts"', 'id="missing"')]  # fmt: skip
    assert places == sorted(places)


def test_it_is_small(html):
    assert len(html.encode()) < 1_000_000


def test_tables_have_captions_headings_and_scopes(page, report):
    tables = page.tags.count("table")
    assert tables == len(list(report.tables()))
    assert page.tags.count("caption") == tables
    scopes = [v for tag, k, v in page.attributes if k == "scope"]
    assert scopes.count("col") == sum(len(t.without_empty_columns().columns) for t in report.tables())
    assert scopes.count("row") == sum(r.kind != "group" for t in report.tables() for r in t.rows)


def test_pictures_have_names_and_follow_the_page(page, html):
    svgs = [i for i, a in enumerate(page.attributes) if a[0] == "svg" and a[1] == "role"]
    labels = [a for a in page.attributes if a[0] == "svg" and a[1] == "aria-label" and a[2]]
    assert len(svgs) == len(labels) == page.tags.count("svg") > 10
    assert "currentColor" in html
    assert "#010203" not in html
    assert "var(--m0)" in html


def test_hover_shows_the_unrounded_number(html):
    assert re.search(r'data-exact="0\.\d{6,} \(seeds 0: 0\.\d+, 1: 0\.\d+, 2: 0\.\d+\)"', html)


def test_a_css_string_cannot_be_left():
    assert css_string('a"}</style>\n') == '"a\\22 \\7d \\3c \\2f style\\3e \\a "'
