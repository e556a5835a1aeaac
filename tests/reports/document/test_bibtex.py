"""BibTeX: entries are well formed whatever the names hold, and say whom to cite."""

import re
from pathlib import Path

import pytest

from cli.info import VERSION
from evaluation.results.suite_results import read_suite
from reports.document.bibtex import _data, bibtex_file, escape, references
from reports.output.write import write_references

ROOT = Path(__file__).resolve().parents[3]


def fields(entry):
    """The kind, key and fields of one entry; braces must balance."""
    head = re.match(r"@(\w+)\{([^,\s]+),\n", entry)
    found = dict(re.findall(r"^  (\w+) = \{(.*)\},$", entry, re.MULTILINE))
    for value in found.values():
        plain = re.sub(r"\\.", "", value)
        assert plain.count("{") == plain.count("}")
    return head[1], head[2], found


def test_paper_data_and_encore(store):
    entries = dict(references(read_suite(store, "little")))
    assert list(entries) == ["the paper", "the data Markov chain", "Encore"]
    kind, key, found = fields(entries["the paper"])
    assert (kind, key) == ("inproceedings", "author2017")
    assert found == {"author": "A. Author and B. <Writer>", "title": "{On small things}", "booktitle": "RecSys",
                     "year": "2017", "doi": "10.1000/182", "url": "https://example.org/paper"}  # fmt: skip
    assert fields(entries["Encore"])[2]["author"] == "{The Encore authors}"


def test_data_have_the_year_and_doi_that_their_citation_names():
    text = "F. Harper, J. Konstan: The MovieLens Datasets. ACM TiiS 5(4), 2015, doi 10.1145/2827872"
    assert fields(_data("ml-100k", text)) == (
        "misc", "data-ml-100k", {"title": "{ml-100k}", "year": "2015", "doi": "10.1145/2827872", "note": text},
    )  # fmt: skip


@pytest.mark.parametrize(("text", "escaped"), [("50% & {x}_$", r"50\% \& \{x\}\_\$"), ("a\\b~^#", None)])
def test_no_sign_has_a_meaning(text, escaped):
    found = escape(text)
    assert escaped in (None, found)
    assert not re.search(r"(?<!\\)[&%$#_]", found)


def test_a_file_beside_the_report(report, store, tmp_path):
    write_references(report, tmp_path / "references.bib")
    assert (tmp_path / "references.bib").read_text() == bibtex_file(read_suite(store, "little"))


def test_the_report_cites(html):
    assert "@inproceedings{author2017," in html and "@software{encore," in html


def test_versions_agree():
    assert f'version: "{VERSION}"' in (ROOT / "CITATION.cff").read_text()
