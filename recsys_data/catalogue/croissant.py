"""Croissant 1.0 metadata of a data set: its terms, its raw files with checksums, and its events.

The events are described in the form of ``data export NAME --format csv``: put that file beside the metadata, and any
Croissant reader loads them. See https://docs.mlcommons.org/croissant.
"""

from __future__ import annotations

import csv
import hashlib
import tempfile
from pathlib import Path
from typing import Any

from recsys_data.catalogue.summary import summarise_dataset
from recsys_data.datasets.cache import raw_files
from recsys_data.datasets.dataset import Dataset
from recsys_data.fetching.source import data_folder
from recsys_data.files.export import export_interactions
from recsys_data.interactions import Interactions

_TERMS = [
    "citeAs", "column", "equivalentProperty", "extract", "field", "fileProperty", "fileObject", "fileSet", "format",
    "includes", "isLiveDataset", "jsonPath", "key", "md5", "parentField", "path", "recordSet", "references", "regex",
    "repeated", "replace", "samplingRate", "separator", "source", "subField", "transform",
]  # fmt: skip
_CONTEXT = {  # as the format prescribes it
    "@language": "en", "@vocab": "https://schema.org/", "sc": "https://schema.org/", "dct": "http://purl.org/dc/terms/",
    "cr": "http://mlcommons.org/croissant/", "rai": "http://mlcommons.org/croissant/RAI/",
    "conformsTo": "dct:conformsTo", "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "examples": {"@id": "cr:examples", "@type": "@json"},
    **{term: f"cr:{term}" for term in _TERMS},
}  # fmt: skip
_MEANINGS = {
    "user": "The raw id of the user", "session": "The raw id of the session", "item": "The raw id of the item",
    "rating": "The rating", "event_type": "The type of the event",
    "published_part": "The part of the published split: train, validation or test",
}  # fmt: skip
_TIMES = {
    "absolute": "Seconds since 1970 (UTC)", "relative": "Seconds since the user's first event",
    "order between sessions": "Position that orders sessions and their events; no duration",
}  # fmt: skip
_TEXTS = ("user", "session", "item", "event_type", "published_part")


def croissant_metadata(dataset: Dataset, folder: Path | None) -> dict[str, Any]:
    """Return the Croissant metadata of a data set as JSON data. Raises DataMissing where its files are missing."""
    interactions = dataset.load(folder)
    events, columns = _events_file(dataset.name, interactions)
    raw = [_raw_file(path, folder) for path in raw_files(dataset, folder) or ()]
    source = getattr(dataset, "source", None)
    home = getattr(source, "home", "") or next(iter(getattr(source, "urls", ())), "")
    facts = summarise_dataset(interactions)
    unit = interactions.unit
    description = (
        f"{dataset.title}, edition: {interactions.edition or 'as read by Encore'}. {facts['events']:,} events of "
        f"{facts[f'{unit}s']:,} {unit}s on {facts['items']:,} items. Fingerprint of the interactions (SHA-256): "
        f"{facts['sha256']}. The events are in the form that data export {dataset.name} --format csv writes."
    )
    return {
        "@context": _CONTEXT, "@type": "sc:Dataset", "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": dataset.name, "alternateName": dataset.title, "description": description,
        "license": dataset.licence, "citeAs": dataset.citation, "isLiveDataset": False,
        **({"url": home} if home else {}), "distribution": [events, *raw],
        "recordSet": [{
            "@type": "cr:RecordSet", "@id": "events", "name": "events",
            "description": f"One event of a {unit} per row.",
            "field": [_field(name, interactions) for name in columns],
        }],
    }  # fmt: skip


def _events_file(name: str, interactions: Interactions) -> tuple[dict[str, Any], list[str]]:
    """The file that an export writes, and the names of its columns."""
    with tempfile.TemporaryDirectory(prefix="encore-croissant-") as aside:
        path = export_interactions(interactions, Path(aside) / f"{name}.csv", "csv")
        with path.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
        size = path.stat().st_size
        with path.open(encoding="utf-8", newline="") as opened:
            columns = next(csv.reader(opened))
    made = {"@type": "cr:FileObject", "@id": f"{name}.csv", "name": f"{name}.csv", "encodingFormat": "text/csv",
            "description": f"Written by data export {name} --format csv", "contentUrl": f"{name}.csv",
            "contentSize": f"{size} B", "sha256": digest}  # fmt: skip
    return made, columns


def _raw_file(path: Path, folder: Path | None) -> dict[str, Any]:
    """A raw file by its name under the data folder, with the checksum of the file as it lies there."""
    root = data_folder(folder)
    name = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return {"@type": "cr:FileObject", "@id": f"raw/{name}", "name": name, "description": "A raw file that Encore reads",
            "encodingFormat": "application/x-xz" if path.suffix == ".xz" else "application/octet-stream",
            "contentUrl": name, "contentSize": f"{path.stat().st_size} B", "sha256": digest}  # fmt: skip


def _field(name: str, interactions: Interactions) -> dict[str, Any]:
    """A column of the events; ids are texts whatever they look like."""
    meaning = _TIMES.get(interactions.clock.value, "Time") if name == "timestamp" else _MEANINGS.get(name, name)
    return {"@type": "cr:Field", "@id": f"events/{name}", "name": name, "description": meaning,
            "dataType": "sc:Text" if name in _TEXTS else "sc:Float",
            "source": {"fileObject": {"@id": f"{interactions.name}.csv"}, "extract": {"column": name}}}  # fmt: skip
