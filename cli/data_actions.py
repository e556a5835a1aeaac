"""What ``benchmark.py data`` does: find a data set by name or file, fetch, verify, import, export, audit."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.suites.request import LoadedSuite
from recsys_data.datasets.dataset import Dataset
from recsys_data.datasets.summary import summarise_dataset
from recsys_data.fetching.source import data_folder
from recsys_data.files.export import FORMATS, export_interactions
from recsys_data.files.interaction_file import InteractionFile
from recsys_data.interactions import Clock, Counts

COUNTED = ("events", "users", "items", "sessions", "start", "end", "clock", "sha256")


def dataset_named(name: str, known: Mapping[str, Dataset]) -> Dataset:
    """The data set of that name, or a user's file at that path. Raises ValueError with near names."""
    if name in known:
        return known[name]
    if Path(name).expanduser().is_file():
        return InteractionFile(name)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(known)}"
    raise ValueError(f"no data set or file is called {name!r}: {hint}")


def fetch(dataset: Dataset, folder: Path | None) -> str:
    """One sentence: the data set is there, after fetching it where it was not. Raises DataMissing."""
    if dataset.present(folder):
        return f"{dataset.name} is already in {data_folder(folder)}"
    dataset.load(folder)
    return f"{dataset.name} is now in {data_folder(folder)}, checked"


def verify(dataset: Dataset, folder: Path | None) -> str:
    """One sentence: what was found is what is expected. Raises ValueError where it is not."""
    loaded = dataset.load(folder)
    found = Counts.of(loaded)
    if dataset.expected is not None and found != dataset.expected:
        raise ValueError(f"{dataset.name} holds {found.summary(loaded.unit)}; expected "
                         f"{dataset.expected.summary(loaded.unit)}")  # fmt: skip
    known = "as expected" if dataset.expected is not None else "nothing is known beforehand to check it against"
    return f"{dataset.name}: {found.summary(loaded.unit)}, {known}; SHA-256 {loaded.fingerprint}"


def import_file(file: Path, columns: tuple[str, ...], name: str, clock: str, folder: Path | None) -> InteractionFile:
    """The user's file as a data set: read and checked, and kept as Parquet in the data folder."""
    if not name.strip() or "/" in name or name.startswith("."):
        raise ValueError(f"--name {name!r} cannot name a data set; use letters, digits, - and _")
    loaded = InteractionFile(str(file), columns, clock=clock, label=name).load(folder)
    kept = Path("imported") / f"{name}.parquet"
    export_interactions(loaded, data_folder(folder) / kept, "parquet")
    return InteractionFile(str(kept), clock="" if loaded.clock is Clock.ABSOLUTE else loaded.clock.value, label=name)


def export_file(dataset: Dataset, kind: str, path: Path | None, folder: Path | None) -> Path:
    """The data set written as one file of a kind that others read."""
    if kind not in FORMATS:
        raise ValueError(f"format must be one of {', '.join(FORMATS)}, got {kind!r}")
    ending = {"sessions": "tsv"}.get(kind, kind)
    return export_interactions(dataset.load(folder), path or Path(f"{dataset.name}.{ending}"), kind)


def audited(audited_suite: LoadedSuite) -> Iterator[dict[str, Any]]:
    """The leakage audit of each of a suite's experiments, a record a finding; a data set that is absent says so.

    Each record also holds the data set's counts, times, clock and SHA-256 (COUNTED), None where it is absent.
    """
    from recsys_data.audit.leakage import audit
    from recsys_data.fetching.errors import DataMissing

    for experiment in audited_suite.suite.experiments:
        labels = {"dataset": experiment.dataset.name, "protocol": experiment.protocol.name}
        try:
            loaded = experiment.dataset.load(audited_suite.request.data)
        except DataMissing as error:
            yield {**labels, "level": "skipped", "name": "data", "value": None, "sentence": str(error),
                   **dict.fromkeys(COUNTED)}  # fmt: skip
            continue
        split, facts = experiment.protocol.prepare(loaded), summarise_dataset(loaded)
        for finding in audit(split, experiment.protocol):
            yield {**labels, "level": finding.level, "name": finding.name, "value": finding.value,
                   "sentence": finding.sentence, **{key: facts[key] for key in COUNTED}}  # fmt: skip
