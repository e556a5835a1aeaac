"""Actions of the data commands: find, fetch, verify, import, remove, export and audit data sets."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.suites.request import LoadedSuite
from recsys_data.catalogue.all_datasets import DATASETS
from recsys_data.catalogue.summary import summarise_dataset
from recsys_data.checks import did_you_mean
from recsys_data.columns.open_choice import OpenChoice
from recsys_data.datasets.dataset import Dataset
from recsys_data.datasets.imported import (
    Imported,
    check_name,
    imported_datasets,
    refuse_taken,
    remove_imported,
    store_imported,
)
from recsys_data.fetching.source import data_folder
from recsys_data.files.export import FORMATS, export_interactions
from recsys_data.files.interaction_file import InteractionFile
from recsys_data.files.open_choices import UnsettledFile, find_open_choices
from recsys_data.interactions import Counts
from recsys_data.protocols.filters import DropDuplicates
from recsys_data.protocols.per_user import SplitProtocol

FACTS = ("events", "users", "items", "sessions", "start", "end", "clock", "sha256")


def known_datasets(folder: Path | None) -> dict[str, Dataset]:
    """The built-in data sets and those imported into the data folder, by name."""
    return {**DATASETS, **{name: each for name, each in imported_datasets(folder).items() if name not in DATASETS}}


def find_dataset(name: str, known: Mapping[str, Dataset] = DATASETS) -> Dataset:
    """The data set with this name, or the file at this path. Raises ValueError with the closest name."""
    if name in known:
        return known[name]
    if Path(name).expanduser().exists():
        return InteractionFile(name)
    hint = did_you_mean(name, known, f"data sets are {', '.join(known)}")
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
    source: InteractionFile, folder: Path | None, tell: Callable[[str], None] = lambda line: None, *,
    replace: bool = False,
) -> Imported:  # fmt: skip
    """Check a user's file, store it in the data folder under its label, and return it as a data set.

    tell: called with each line about how the file was read. Raises ValueError for a name that is invalid, built in, or
    taken; ``replace`` allows one that is taken by imported data. Raises UnsettledFile for a file with open choices.
    """
    try:
        check_name(source.label)
    except ValueError as error:
        raise ValueError(f"--name {error}") from error
    if source.label in DATASETS:
        raise ValueError(f"--name {source.label!r} is a built-in data set; choose another name")
    if not replace:
        refuse_taken(source.label, folder)
    try:
        loaded, reading = source.read(folder)
    except OpenChoice as error:
        raise UnsettledFile(find_open_choices(source, folder)) from error
    for line in reading.lines(loaded):
        tell(line)
    if loaded.clock.has_gaps and (repeated := int((~DropDuplicates().mask(loaded)).sum())):
        tell(f"NOTE: {repeated:,} events repeat the {loaded.unit}, item and time of an earlier row and are kept; the "
             "filter DropDuplicates() of a protocol leaves them out")  # fmt: skip
    return store_imported(loaded, folder, replace=replace)


def remove_dataset(name: str, folder: Path | None) -> str:
    """Remove an imported data set; return a message. Raises ValueError for a built-in one, DataMissing for no data."""
    if name in DATASETS:
        raise ValueError(f"{name} is a built-in data set; only imported ones are removed")
    return f"removed {remove_imported(name, folder)}"


def export_file(dataset: Dataset, kind: str, path: Path | None, folder: Path | None) -> Path:
    """Write a data set as one file in a common format; return its path."""
    if kind not in FORMATS:
        raise ValueError(f"--format must be one of {', '.join(FORMATS)}, got {kind!r}")
    extension = {"sessions": "tsv"}.get(kind, kind)
    target = path or Path(f"{dataset.name}.{extension}")
    if path is None and target.is_file():  # perhaps the very file that was imported
        raise ValueError(f"{target} exists already; name the file to write with --out")
    return export_interactions(dataset.load(folder), target, kind)


def export_split(
    dataset: Dataset, protocol: str, kind: str, folder: Path | None, data: Path | None, *, asked: bool
) -> str:
    """Write the split of a data set under a protocol, given as text, to a new folder; return a message."""
    from recsys_data.protocols.by_name import protocol_named
    from recsys_data.split_files.write import check_destination, write_split

    if not asked:
        raise ValueError("--protocol is for a split: give --split, too")
    if not protocol:
        raise ValueError("--split needs a protocol: give --protocol, such as --protocol LeaveLastOut")
    chosen = protocol_named(protocol)
    target = folder or Path(f"{dataset.name}-split")
    check_destination(target, kind)
    split = chosen.prepare(dataset.load(data))
    write_split(split, target, kind, dataset=dataset.name, protocol=chosen.name)
    return (f"{target}: {dataset.name} under {chosen.name}, {len(split.train):,} training events, "
            f"{len(split.validation):,} validation and {len(split.test):,} test queries; fingerprint "
            f"{split.fingerprint[:12]}…; see {target / 'README.md'}")  # fmt: skip


def audit_rows(loaded_suite: LoadedSuite) -> Iterator[dict[str, Any]]:
    """The audit findings of a suite's splits, as in audit_splits."""
    pairs = [(experiment.dataset, experiment.protocol) for experiment in loaded_suite.suite.experiments]
    return audit_splits(pairs, loaded_suite.request.data)


def audit_splits(pairs: Iterable[tuple[Dataset, SplitProtocol]], folder: Path | None) -> Iterator[dict[str, Any]]:
    """The audit findings of data sets under protocols, one record each; level "skipped" for a missing data set.

    Each record also holds the data set's counts, times, clock and SHA-256 (FACTS), None if it is missing.
    """
    from recsys_data.audit.leakage import audit
    from recsys_data.fetching.errors import DataMissing

    for dataset, protocol in pairs:
        labels = {"dataset": dataset.name, "protocol": protocol.name}
        try:
            loaded = dataset.load(folder)
        except DataMissing as error:
            yield {**labels, "level": "skipped", "name": "data", "value": None, "sentence": str(error),
                   **dict.fromkeys(FACTS)}  # fmt: skip
            continue
        split, facts = protocol.prepare(loaded), summarise_dataset(loaded)
        for finding in audit(split, protocol):
            yield {**labels, "level": finding.level, "name": finding.name, "value": finding.value,
                   "sentence": finding.sentence, **{key: facts[key] for key in FACTS}}  # fmt: skip
