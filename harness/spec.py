"""Suite, Experiment and Cell; the expansion of a suite into cells in a fixed order."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evaluation.ranking.recommender import Recommender
from harness.system.limits import parse_seconds
from harness.system.sources import field_names
from harness.tuning import Tuning

_PLAIN = (bool, int, float, str)
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True)


@dataclass(frozen=True)
class Citation:
    """The publication that a suite reruns."""

    authors: str
    title: str
    venue: str
    year: int
    doi: str = ""
    url: str = ""


@dataclass(frozen=True, eq=False)
class Experiment:
    """One data set under one protocol, with the models to run on it.

    dataset: has ``name`` and ``load(folder)``; protocol: has ``name`` and ``prepare(interactions)``; models: label →
    recommender. ``max_padded_events``: padded slots per batch in evaluation, fixed because it can move near-ties.
    ``tuning``: which models are tuned first, on the validation part, each by the same number of trials. ``timeout``:
    the longest time of one cell with its search, such as 90 (seconds), "10m" or "2h"; no limit by default. ``label``:
    a short name of the protocol, for a suite that uses a data set under several.
    """

    dataset: Any
    protocol: Any
    models: Mapping[str, Recommender]
    max_padded_events: int = 65536
    tuning: Tuning | None = None
    timeout: float | str | None = None
    label: str = ""

    @property
    def short_protocol(self) -> str:
        """The label, or the protocol's name where there is none."""
        return self.label or self.protocol.name

    @property
    def timeout_seconds(self) -> float | None:
        """The time limit of a cell in seconds. Raises ValueError for one that cannot be read."""
        return None if self.timeout is None else parse_seconds(self.timeout)


@dataclass(frozen=True, eq=False)
class Suite:
    """Experiments with their seeds and metrics, and the published values and claims to test.

    ``metrics``: the first is the primary one. ``comparisons``: pairs of model labels (a, b) to test besides the
    declared claims; empty means every model against the best baseline. ``notes``: sentences for the reader.
    """

    name: str
    title: str
    experiments: Sequence[Experiment]
    seeds: Sequence[int]
    metrics: Sequence[Any]
    paper: Citation | None = None
    published: Sequence[Any] = ()
    claims: Sequence[Any] = ()
    comparisons: Sequence[tuple[str, str]] = ()
    baselines: Sequence[str] = ()
    notes: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Cell:
    """One (experiment, model, seed).

    model: as the suite defines it; the search of a tuned model replaces its tuned fields before the fit.
    """

    experiment: Experiment
    model_name: str
    model: Recommender
    seed: int

    @property
    def space(self) -> Mapping[str, Any]:
        """The search space of this model, by field; empty for a model that is not tuned."""
        tuning = self.experiment.tuning
        return {} if tuning is None else tuning.spaces.get(self.model_name, {})

    @property
    def dataset(self) -> str:
        """The data set's name."""
        return self.experiment.dataset.name

    @property
    def protocol(self) -> str:
        """The protocol's name."""
        return self.experiment.protocol.name

    @property
    def labels(self) -> dict[str, Any]:
        """The names of data set, protocol and model, and the seed, as records hold them."""
        return {"dataset": self.dataset, "protocol": self.protocol, "model": self.model_name, "seed": self.seed}

    @property
    def label(self) -> str:
        """The cell's name in messages: data set/model/seed, and the protocol's label where the suite gives one."""
        label = self.experiment.label
        return f"{self.dataset}/{self.model_name}/{self.seed}" + (f" ({label})" if label else "")

    def identity(self, split_fingerprint: str) -> dict[str, Any]:
        """The source of this cell's random streams: split, model fields and seed; not the code, not the names."""
        return {"split": split_fingerprint, "model": written_form(self.model), "seed": self.seed}

    def random_seed(self, split_fingerprint: str) -> int:
        """The seed from which all random generators of this cell are derived."""
        digest = hashlib.sha256(canonical(self.identity(split_fingerprint)).encode()).digest()
        return int.from_bytes(digest[:8], "big") >> 1


def written_form(value: Any) -> Any:
    """The JSON data of a value in keys and records: dataclasses as {"type", fields…}, enums by value, tuples as lists.

    Raises TypeError for any other type, so that no key is silently incomplete.
    """
    if value is None or isinstance(value, _PLAIN):
        return value
    if isinstance(value, enum.Enum):
        return value.value
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {name: written_form(getattr(value, name)) for name in field_names(type(value))}
        return {"type": written_name(type(value)), **fields}
    if isinstance(value, Mapping):
        return {str(k): written_form(v) for k, v in value.items()}
    if isinstance(value, list | tuple | range | set | frozenset):
        items = [written_form(v) for v in value]
        return sorted(items, key=str) if isinstance(value, set | frozenset) else items
    raise TypeError(f"a field of type {type(value).__name__} cannot be part of a cell's key: {value!r}")


def written_name(kind: type) -> str:
    """The name of a class in keys and seeds: its own ``written_name``, else its qualified name.

    The module is not part of it, so that moving a file changes no random stream. A subclass does not inherit the name.
    """
    return vars(kind).get("written_name", kind.__qualname__)


def has_one_seed(model: Any) -> bool:
    """Whether a model has one cell whatever the seeds: it is deterministic, or one run of other code."""
    return model.deterministic or getattr(model, "one_run", False)


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return _ENCODER.encode(value)


def expand(suite: Suite, seeds: Sequence[int] | None = None) -> Iterator[Cell]:
    """All cells of a suite in a fixed order: experiment, model, seed; a model of one seed has 0 only."""
    chosen = list(suite.seeds if seeds is None else seeds)
    for experiment in suite.experiments:
        for name, model in experiment.models.items():
            for seed in [0] if has_one_seed(model) else chosen:
                yield Cell(experiment, name, model, seed)
