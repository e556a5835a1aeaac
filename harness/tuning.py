"""Tuning: the number of trials per model, the search spaces, and the point that each trial tries.

A trial's fields depend on the search's seed, the trial's number and, for sampler "tpe", on the earlier trials; never
on time, order or another model. This file is part of a tuned cell's key, so it imports nothing of the harness.
"""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.metadata
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from recsys_data.checks import check_choice, check_range

SAMPLERS = ("random", "tpe")


class Space(Protocol):
    """The values that a field may take: ``draw`` returns a point (a JSON number), ``at`` the field's value there."""

    def draw(self, generator: np.random.Generator) -> int | float:
        """Draw a random point."""

    def at(self, point: float) -> Any:
        """The value at a point."""

    def probes(self) -> Sequence[Any]:
        """The values that a model must accept: all options, or both ends."""


@dataclass(frozen=True, init=False)
class Choice:
    """One of several equally likely options, which may be values such as losses; a point is an option's index."""

    options: tuple[Any, ...]

    def __init__(self, *options: Any) -> None:
        if not options:
            raise ValueError("Choice needs at least one option, got none")
        object.__setattr__(self, "options", options)

    def draw(self, generator: np.random.Generator) -> int:
        """Draw the index of an option."""
        return int(generator.integers(len(self.options)))

    def at(self, point: float) -> Any:
        """The option with this index."""
        return self.options[int(point)]

    def probes(self) -> Sequence[Any]:
        """All options."""
        return self.options


@dataclass(frozen=True)
class Uniform:
    """A number uniform between low and high."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_ends(self, -math.inf)

    def draw(self, generator: np.random.Generator) -> float:
        """A number of the range."""
        return float(generator.uniform(self.low, self.high))

    def at(self, point: float) -> float:
        """The point itself."""
        return float(point)

    def probes(self) -> Sequence[float]:
        """Both ends."""
        return (self.low, self.high)


@dataclass(frozen=True)
class LogUniform(Uniform):
    """A positive number between low and high with a uniform logarithm."""

    def __post_init__(self) -> None:
        _check_ends(self, 0.0)

    def draw(self, generator: np.random.Generator) -> float:
        """A number of the range."""
        drawn = math.exp(generator.uniform(math.log(self.low), math.log(self.high)))
        return min(max(drawn, self.low), self.high)


@dataclass(frozen=True)
class IntUniform:
    """A whole number uniform from low to high, both included."""

    low: int
    high: int

    def __post_init__(self) -> None:
        _check_ends(self, -math.inf)

    def draw(self, generator: np.random.Generator) -> int:
        """A number of the range."""
        return int(generator.integers(self.low, self.high + 1))

    def at(self, point: float) -> int:
        """The point itself."""
        return int(point)

    def probes(self) -> Sequence[int]:
        """Both ends."""
        return (self.low, self.high)


def _check_ends(space: Any, above: float) -> None:
    """Raise ValueError for an empty range, or one whose lower end is not above ``above``."""
    name = type(space).__name__
    if not space.low < space.high:
        raise ValueError(f"{name} needs low < high, got low={space.low} and high={space.high}")
    if not above < space.low or not math.isfinite(space.high):
        raise ValueError(f"{name} needs finite ends{' above 0' * (above == 0)}, got {space.low} and {space.high}")


@dataclass(frozen=True)
class Tuning:
    """A search of ``trials`` trials for every model named in ``spaces`` (label → field → space).

    A trial is scored on the validation part alone, by the suite's primary metric; every seed of the model then runs
    with the best trial's fields (the earliest of equals). sampler: "random" draws the trials independently, so that one
    search tells the expected best of k trials; "tpe" is optuna's, where the earlier trials guide each trial.
    """

    trials: int
    spaces: Mapping[str, Mapping[str, Space]]
    sampler: str = "random"
    seed: int = 0

    def __post_init__(self) -> None:
        check_range(self, "trials", at_least=1)
        check_choice(self, "sampler", SAMPLERS)
        if not self.spaces:
            raise ValueError("spaces names no model: expected label → field → Choice(…), Uniform(…), LogUniform(…)")
        for label, space in self.spaces.items():
            if not space:
                raise ValueError(f"the space of {label!r} is empty: name at least one field, or leave the model out")
            for field, values in space.items():
                if not all(callable(getattr(values, verb, None)) for verb in ("draw", "at", "probes")):
                    raise ValueError(f"the space of {label}.{field} must be a Choice, Uniform, LogUniform or "
                                     f"IntUniform, got {values!r}")  # fmt: skip

    def without(self, label: str, field: str) -> Tuning | None:
        """The same search without one field of a model; None if nothing is left to search."""
        spaces = {name: {f: s for f, s in space.items() if (name, f) != (label, field)}
                  for name, space in self.spaces.items()}  # fmt: skip
        remaining = {name: space for name, space in spaces.items() if space}
        return dataclasses.replace(self, spaces=remaining) if remaining else None


def sampler_version(sampler: str) -> str:
    """The sampler's library version, part of a search's key; numpy's version is a part already."""
    return f"optuna {importlib.metadata.version('optuna')}" if sampler == "tpe" else ""


def propose(sampler: str, space: Mapping[str, Space], seed: str, past: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The point of trial ``len(past)``: a number for each field, from the search's seed and the earlier trials.

    past: for each earlier trial {"point", "score"}; a higher score is better, None is a failed trial.
    """
    if sampler == "tpe":
        return _tpe_point(space, seed, past)
    number = len(past)
    return {field: values.draw(_generator(seed, f"trial {number}|{field}")) for field, values in space.items()}


def _generator(seed: str, purpose: str) -> np.random.Generator:
    """The random generator for one purpose of a search."""
    return np.random.default_rng(_number(seed, purpose))


def _number(seed: str, purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}|{purpose}".encode()).digest()[:8], "big")


def _tpe_point(space: Mapping[str, Space], seed: str, past: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The point that optuna's TPE proposes after ``past``.

    Each trial has a sampler with a seed of its own; a single sampler would restart its stream after a resume.
    """
    import optuna

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    ranges = {field: _distribution(optuna.distributions, values) for field, values in space.items()}
    sampler = optuna.samplers.TPESampler(seed=_number(seed, f"trial {len(past)}") % 2**32)
    study = optuna.create_study(direction="maximize", sampler=sampler)
    for trial in past:
        state = optuna.trial.TrialState.FAIL if trial["score"] is None else optuna.trial.TrialState.COMPLETE
        study.add_trial(optuna.trial.create_trial(
            params=trial["point"], distributions=ranges, value=trial["score"], state=state))  # fmt: skip
    return dict(study.ask(ranges).params)


def _distribution(kinds: Any, values: Any) -> Any:
    """The optuna distribution of a space; an option is represented by its index."""
    if isinstance(values, Choice):
        return kinds.CategoricalDistribution(range(len(values.options)))
    if isinstance(values, IntUniform):
        return kinds.IntDistribution(values.low, values.high)
    return kinds.FloatDistribution(values.low, values.high, log=isinstance(values, LogUniform))
