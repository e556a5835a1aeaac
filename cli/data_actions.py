"""Actions of the data commands: find, fetch, verify, import, export and audit data sets."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.suites.request import LoadedSuite
from recsys_data.datasets.catalogue import DATASETS
from recsys_data.datasets.dataset import Dataset
from recsys_data.datasets.summary import summarise_dataset
from recsys_data.fetching.source import data_folder
from recsys_data.files.export import FORMATS, export_interactions
from recsys_data.files.interaction_file import InteractionFile
from recsys_data.interactions import Clock, Counts

FACTS = ("events", "users", "items", "sessions", "start", "end", "clock", "sha256")


def find_dataset(name: str, known: Mapping[str, Dataset] = DATASETS) -> Dataset:
    """The data set with this name, or the file at this path. Raises ValueError with the closest name."""
    if name in known:
        return known[name]
    if Path(name).expanduser().is_file():
        return InteractionFile(name)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    hint = f"did you mean {close[0]!r}?" if close else f"data sets are {', '.join(known)}"
    raise ValueError(f"no data set or file is called {name!r}: {hint}")


def fetch_dataset(dataset: Dataset, folder: Path | None) -> str:
    """Download a data set unless its files are present; return a message. Raises DataMissing."""
    if dataset.present(folder):
        return f"{dataset.name} is already in {data_folder(folder)}"
    dataset.load(folder)
    return f"{dataset.name} is now in {data_folder(folder)}, verified"


def verify_dataset(dataset: Dataset, folder: Path | None) -> str:
    """Compare a data set with its expected counts; return a message. Raises ValueError if they differ."""
    loaded = dataset.load(folder)
    found = Counts.of(loaded)
    if dataset.expected is not None and found != dataset.expected:
        raise ValueError(f"{dataset.name} holds {found.summary(loaded.unit)}; expected "
                         f"{dataset.expected.summary(loaded.unit)}")  # fmt: skip
    verdict = "as expected" if dataset.expected is not None else "no expected counts are known"
    return f"{dataset.name}: {found.summary(loaded.unit)}, {verdict}; SHA-256 {loaded.fingerprint}"


def import_file(
    source: InteractionFile, folder: Path | None, tell: Callable[[str], None] = lambda line: None
) -> InteractionFile:
    """Check a user's file, store it as Parquet in the data folder under its label, and return it as a data set.

    tell: called with each line about how the file was read.
    """
    name = source.label
    if not name.strip() or "/" in name or name.startswith("."):
        raise ValueError(f"--name {name!r} is not a valid name; use letters, digits, - and _")
    loaded, reading = source.read(folder)
    for line in reading.lines(loaded):
        tell(line)
    stored = Path("imported") / f"{name}.parquet"
    export_interactions(loaded, data_folder(folder) / stored, "parquet")
    timed = loaded.clock.has_gaps or loaded.clock.has_global_order
    clock = "" if loaded.clock is Clock.ABSOLUTE else loaded.clock.value
    return InteractionFile(str(stored), time_unit="s" if timed else "", clock=clock, label=name)


def export_file(dataset: Dataset, kind: str, path: Path | None, folder: Path | None) -> Path:
    """Write a data set as one file in a common format; return its path."""
    if kind not in FORMATS:
        raise ValueError(f"--format must be one of {', '.join(FORMATS)}, got {kind!r}")
    extension = {"sessions": "tsv"}.get(kind, kind)
    return export_interactions(dataset.load(folder), path or Path(f"{dataset.name}.{extension}"), kind)


def audit_rows(loaded_suite: LoadedSuite) -> Iterator[dict[str, Any]]:
    """The audit findings of a suite's splits, one record each; one record of level "skipped" per missing data set.

    Each record also holds the data set's counts, times, clock and SHA-256 (FACTS), None if it is missing.
    """
    from recsys_data.audit.leakage import audit
    from recsys_data.fetching.errors import DataMissing

    for experiment in loaded_suite.suite.experiments:
        labels = {"dataset": experiment.dataset.name, "protocol": experiment.protocol.name}
        try:
            loaded = experiment.dataset.load(loaded_suite.request.data)
        except DataMissing as error:
            yield {**labels, "level": "skipped", "name": "data", "value": None, "sentence": str(error),
                   **dict.fromkeys(FACTS)}  # fmt: skip
            continue
        split, facts = experiment.protocol.prepare(loaded), summarise_dataset(loaded)
        for finding in audit(split, experiment.protocol):
            yield {**labels, "level": finding.level, "name": finding.name, "value": finding.value,
                   "sentence": finding.sentence, **{key: facts[key] for key in FACTS}}  # fmt: skip
