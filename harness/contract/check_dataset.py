"""Check of one data set: it loads, the same events each time, under a name that can be used everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.contract.check import BROKEN, NOT_CHECKED, Outcome, explained
from harness.spec import written_form
from recsys_data.datasets.imported import check_name
from recsys_data.interactions import Counts, Interactions


def check_dataset(dataset: Any, folder: Path | None) -> Iterator[Outcome]:
    """Check the name, the fields and two loads of a data set."""
    yield Outcome.of("has a name and fields that keys can hold", _names(dataset))
    rule = "loads the same events each time"
    try:
        if not dataset.present(folder):
            yield Outcome(rule, NOT_CHECKED, ("its files are not in the data folder, and a check downloads nothing",))
            return
        first, second = dataset.load(folder), dataset.load(folder)
    except (Exception, SystemExit) as error:  # a user's code may raise anything
        yield Outcome(rule, BROKEN, (explained(error, type(dataset)),))
        return
    yield Outcome.of(rule, _loads(dataset, first, second))


def _names(dataset: Any) -> Iterator[str]:
    """Faults of the name, the texts and the fields."""
    try:
        check_name(dataset.name)
    except (ValueError, TypeError, AttributeError) as error:
        yield f"its name cannot be used: {error}"
    for text in ("title", "licence", "citation"):
        if not isinstance(getattr(dataset, text, None), str):
            yield f"it has no {text}: add a text of one line, which reports print"
    for member in ("expected", "present"):
        if not hasattr(dataset, member):
            yield f"it has no {member}: see Dataset in recsys_data/datasets/dataset.py"
    try:
        written_form(dataset)
    except TypeError as error:
        yield f"it has a field that no key can hold: {error}"


def _loads(dataset: Any, first: Any, second: Any) -> Iterator[str]:
    """Faults of what two loads returned."""
    if not isinstance(first, Interactions):
        yield f"load must return Interactions (build them with Interactions.from_events), got {type(first).__name__}"
        return
    if first.name != dataset.name:
        yield f"load returns events named {first.name!r}, and the data set is named {dataset.name!r}: use one name"
    if first.fingerprint != second.fingerprint:
        yield "two loads give different events: draw random numbers from a generator with a fixed seed"
    found = Counts.of(first)
    if dataset.expected is not None and dataset.expected != found:
        yield f"load finds {found.summary(first.unit)}, but expected is {dataset.expected.summary(first.unit)}"
