"""RO-Crate 1.1 metadata of a bundle: what each file is, with its size and SHA-256, for archives such as Zenodo."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

FILE_NAME = "ro-crate-metadata.json"
_CONTEXT = ["https://w3id.org/ro/crate/1.1/context", {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}]
_PROFILE = "https://w3id.org/ro/crate/1.1"
_TYPES = {
    ".json": "application/json", ".jsonl": "application/jsonl", ".parquet": "application/vnd.apache.parquet",
    ".html": "text/html", ".pdf": "application/pdf", ".csv": "text/csv", ".py": "text/x-python", ".txt": "text/plain",
    ".md": "text/markdown",
}  # fmt: skip
_NAMES = {
    "suite.json": "The suite's record: published values, claims and cells", "certificate.json": "Cells computed again",
    "kept.json": "Results that need what the bundle withholds", "cell.json": "Record of a cell",
    "ranks.parquet": "Ranks of all test targets", "items.parquet": "Training events of each item",
    "lists.parquet": "Recommended lists", "sums.parquet": "Metrics summed by user", "curve.jsonl": "Training curve",
    "failure.json": "Record of a failed cell", "traceback.txt": "Traceback of a failed cell",
    "search.json": "Hyper-parameter search", "ledger.jsonl": "Trials of a search", "report.html": "Report",
    "report.pdf": "Report for printing", "README.txt": "How to read and rerun this bundle",
}  # fmt: skip


def crate_metadata(record: Mapping[str, Any], files: Mapping[str, Sequence[Any]], licences: Sequence[str]) -> str:
    """The text of ro-crate-metadata.json. record: the suite's; files: size and SHA-256 of each file by name."""
    title, paper = str(record["title"]), record.get("paper") or {}
    used = "; ".join(dict.fromkeys(licences)) or "not stated"
    root = {
        "@id": "./", "@type": "Dataset", "name": f"Results of {title}",
        "datePublished": record.get("created") or "1980-01-01",
        "description": f"Results of the suite {record['name']} ({title}), packed by Encore: records, statistics and "
        "report, each file with its checksum.",
        "license": {"@id": "#licence"}, "hasPart": [{"@id": name} for name in files],
    }  # fmt: skip
    rights = {"@id": "#licence", "@type": "CreativeWork", "name": "Terms of the data sets that were used",
              "description": f"No data set is included. Terms of the data sets that were used: {used}."}  # fmt: skip
    parts = [_file(name, size, digest) for name, (size, digest) in files.items()]
    graph: list[dict[str, Any]] = [
        {"@id": FILE_NAME, "@type": "CreativeWork", "about": {"@id": "./"}, "conformsTo": {"@id": _PROFILE}},
        root, rights,
    ]  # fmt: skip
    if paper.get("title"):
        link = paper.get("url") or (f"https://doi.org/{paper['doi']}" if paper.get("doi") else "#paper")
        root["citation"] = {"@id": link}
        graph.append({"@id": link, "@type": "ScholarlyArticle", "name": paper["title"],
                      "datePublished": str(paper.get("year", ""))})  # fmt: skip
    return json.dumps({"@context": _CONTEXT, "@graph": [*graph, *parts]}, indent=1, ensure_ascii=False)


def _file(name: str, size: int, digest: str) -> dict[str, Any]:
    path = PurePosixPath(name)
    shown = _NAMES.get(path.name, f"Table {path.stem} of the report" if path.suffix == ".csv" else path.name)
    kind: str | list[str] = ["File", "SoftwareSourceCode"] if path.suffix == ".py" else "File"
    return {"@id": name, "@type": kind, "name": shown, "contentSize": str(size), "sha256": digest,
            "encodingFormat": _TYPES.get(path.suffix, "application/octet-stream")}  # fmt: skip
