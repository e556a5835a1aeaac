"""Tuning: how many trials each model gets, what may be chosen, and what trial n tries; the one home of optuna.

A trial's fields depend on the search's seed, the trial's number and, for sampler "tpe", on the trials before it; never
on time, on order or on another model. Nothing of the harness is imported here: this file is part of a tuned cell's key.
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

SAMPLERS = ("random", "tpe")


class Space(Protocol):
    """What a field may be: ``draw`` gives a point as JSON knows it, ``at`` the field's value there."""

    def draw(self, generator: np.random.Generator) -> int | float:
        """A random point."""

    def at(self, point: float) -> Any:
        """The value at a point."""

    def probes(self) -> Sequence[Any]:
        """The values that a model must accept: every option, or both ends."""


@dataclass(frozen=True, init=False)
class Choice:
    """One of these options, each as likely; a point is an option's number. Options may be values such as losses."""

    options: tuple[Any, ...]

    def __init__(self, *options: Any) -> None:
        if not options:
            raise ValueError("Choice needs at least one option, got none")
        object.__setattr__(self, "options", options)

    def draw(self, generator: np.random.Generator) -> int:
        """The number of an option."""
        return int(generator.integers(len(self.options)))

    def at(self, point: float) -> Any:
        """The option with this number."""
        return self.options[int(point)]

    def probes(self) -> Sequence[Any]:
        """Every option."""
        return self.options


@dataclass(frozen=True)
class Uniform:
    """A number between low and high, each as likely."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _check_range(self, -math.inf)

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
    """A positive number between low and high, its logarithm uniform."""

    def __post_init__(self) -> None:
        _check_range(self, 0.0)

    def draw(self, generator: np.random.Generator) -> float:
        """A number of the range."""
        drawn = math.exp(generator.uniform(math.log(self.low), math.log(self.high)))
        return min(max(drawn, self.low), self.high)


@dataclass(frozen=True)
class Whole:
    """A whole number from low to high, both included, each as likely."""

    low: int
    high: int

    def __post_init__(self) -> None:
        _check_range(self, -math.inf)

    def draw(self, generator: np.random.Generator) -> int:
        """A number of the range."""
        return int(generator.integers(self.low, self.high + 1))

    def at(self, point: float) -> int:
        """The point itself."""
        return int(point)

    def probes(self) -> Sequence[int]:
        """Both ends."""
        return (self.low, self.high)


def _check_range(space: Any, above: float) -> None:
    """Refuse a range without room, or one whose lower end is not above ``above``."""
    name = type(space).__name__
    if not space.low < space.high:
        raise ValueError(f"{name} needs low < high, got low={space.low} and high={space.high}")
    if not above < space.low or not math.isfinite(space.high):
        raise ValueError(f"{name} needs finite ends{' above 0' * (above == 0)}, got {space.low} and {space.high}")


@dataclass(frozen=True)
class Tuning:
    """An equal search for every model named in ``spaces`` (label → field → what it may be): ``trials`` each.

    A trial's model is judged on the validation part alone, by the suite's primary metric; the best (the earliest of
    equals) is what every seed of the model then runs with. sampler: "random" draws each trial by itself, so that the
    expected best of k trials is known from one search; "tpe" is optuna's, each trial led by those before it.
    """

    trials: int
    spaces: Mapping[str, Mapping[str, Space]]
    sampler: str = "random"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.trials < 1:
            raise ValueError(f"trials must be at least 1, got {self.trials}")
        if self.sampler not in SAMPLERS:
            raise ValueError(f"sampler must be one of {', '.join(SAMPLERS)}, got {self.sampler!r}")
        if not self.spaces:
            raise ValueError("spaces names no model: expected label → field → Choice(…), Uniform(…), LogUniform(…)")
        for label, space in self.spaces.items():
            if not space:
                raise ValueError(f"the space of {label!r} is empty: name at least one field, or leave the model out")
            for field, values in space.items():
                if not all(callable(getattr(values, verb, None)) for verb in ("draw", "at", "probes")):
                    raise ValueError(f"the space of {label}.{field} must be a Choice, Uniform, LogUniform or Whole, "
                                     f"got {values!r}")  # fmt: skip

    def without(self, label: str, field: str) -> Tuning | None:
        """The same search with one field of a model held fixed; None if nothing is left to search."""
        spaces = {name: {f: s for f, s in space.items() if (name, f) != (label, field)}
                  for name, space in self.spaces.items()}  # fmt: skip
        left = {name: space for name, space in spaces.items() if space}
        return dataclasses.replace(self, spaces=left) if left else None


def sampler_version(sampler: str) -> str:
    """The version of the library that draws, part of a search's key: numpy's is there already."""
    return f"optuna {importlib.metadata.version('optuna')}" if sampler == "tpe" else ""


def propose(sampler: str, space: Mapping[str, Space], seed: str, past: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The point of trial ``len(past)``: a number for each field, from the search's seed and the trials before it.

    past: for each earlier trial {"point", "score"}; score is higher for better, None for a trial that failed.
    """
    if sampler == "tpe":
        return _tpe_point(space, seed, past)
    number = len(past)
    return {field: values.draw(_generator(seed, f"trial {number}|{field}")) for field, values in space.items()}


def _generator(seed: str, purpose: str) -> np.random.Generator:
    """A generator of its own for one purpose of a search."""
    return np.random.default_rng(_number(seed, purpose))


def _number(seed: str, purpose: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}|{purpose}".encode()).digest()[:8], "big")


def _tpe_point(space: Mapping[str, Space], seed: str, past: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What optuna's TPE proposes after ``past``; a sampler seeded anew for each trial, so that a resumed search is one.

    One sampler for a whole study would begin its stream again after a resume.
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
    """A space as optuna knows it; an option is known by its number."""
    if isinstance(values, Choice):
        return kinds.CategoricalDistribution(range(len(values.options)))
    if isinstance(values, Whole):
        return kinds.IntDistribution(values.low, values.high)
    return kinds.FloatDistribution(values.low, values.high, log=isinstance(values, LogUniform))
