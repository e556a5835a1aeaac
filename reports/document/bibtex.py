"""BibTeX of what a report rests on: the paper, the data and Encore."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from evaluation.results.suite_results import SuiteResults

_SPECIAL = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
            **{sign: f"\\{sign}" for sign in "&%$#_"}}  # fmt: skip
_NO_CITATION = ("", "none")  # how the citation of generated and of a user's own data begins
ENCORE = ("encore", "software", {
    "author": "{The Encore authors}", "year": "2026",
    "title": "{Encore: reruns of published experiments in sequential recommendation}",
})  # fmt: skip


def references(results: SuiteResults) -> Iterator[tuple[str, str]]:
    """Each cited work and its BibTeX entry: the paper, each data set with a citation, and Encore."""
    paper = results.record.get("paper")
    if paper:
        yield "the paper", _paper(paper)
    seen: dict[str, str] = {}
    for cell in results.cells:
        citation = str(cell.record.get("citation") or "")
        if citation.partition(":")[0].split(" ")[0] not in _NO_CITATION:
            seen.setdefault(citation, cell.dataset)
    for citation, dataset in seen.items():
        yield f"the data {dataset}", _data(dataset, citation)
    kind, fields = ENCORE[1], ENCORE[2]
    yield "Encore", _entry(kind, ENCORE[0], fields)


def bibtex_file(results: SuiteResults) -> str:
    """All entries as one file."""
    return "\n".join(entry for _, entry in references(results))


def _paper(paper: Mapping[str, Any]) -> str:
    """The entry of a suite's paper."""
    names = str(paper["authors"]).partition(";")[0].replace(" et al.", ", others")  # after a semicolon: other sources
    authors = [name.strip() for name in re.split(r",? and | & |, ", names)]
    surname = re.sub(r"\W", "", authors[0].split(" ")[-1]).lower() or "paper"
    fields = {"author": " and ".join(map(escape, authors)), "title": f"{{{escape(str(paper['title']))}}}",
              "booktitle": escape(str(paper["venue"])), "year": str(paper["year"]),
              "doi": str(paper.get("doi") or ""), "url": str(paper.get("url") or "")}  # fmt: skip
    return _entry("inproceedings", f"{surname}{paper['year']}", fields)


def _data(dataset: str, citation: str) -> str:
    """The entry of a data set: its citation as a note, with the year and the DOI that it names."""
    doi = re.search(r"\b10\.\d{4,9}/[^\s,;]+", citation)
    year = re.search(r"\b(?:19|20)\d\d\b", citation.replace(doi[0], "") if doi else citation)
    key = re.sub(r"[^\w-]", "", dataset) or "data"
    fields = {"title": f"{{{escape(dataset)}}}", "year": year[0] if year else "",
              "doi": doi[0].rstrip(".)") if doi else "", "note": escape(citation)}  # fmt: skip
    return _entry("misc", f"data-{key}", fields)


def _entry(kind: str, key: str, fields: Mapping[str, str]) -> str:
    lines = [f"  {name} = {{{value}}},\n" for name, value in fields.items() if value]
    return f"@{kind}{{{key},\n{''.join(lines)}}}\n"


def escape(text: str) -> str:
    """Text in which no sign has a meaning for LaTeX."""
    return "".join(_SPECIAL.get(sign, sign) for sign in " ".join(text.split()))
