"""What a command line changes about a suite: fields of models, which cells, which seeds, how many users."""

from __future__ import annotations

import ast
import dataclasses
import difflib
import fnmatch
import math
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.spec import Cell, Experiment, Suite, expand
from recsys_data.datasets.subsample import LimitUsers

FEW = 12  # rows that a sentence lists whole
MOST_SEEDS = 10_000


class BadOverride(ValueError):
    """A change that cannot be made, in one sentence."""


class NotHere(BadOverride):
    """A change of a model or field that this suite does not have."""


@dataclass(frozen=True)
class Overrides:
    """Changes to a suite, as given: plain, so that they travel to workers and into the suite's record."""

    sets: tuple[str, ...] = ()
    only: str = ""
    seeds: tuple[int, ...] | None = None
    limit_users: int | None = None
    protocol: str = ""

    @property
    def chooses(self) -> bool:
        """Whether a part of the suite's cells is meant."""
        return bool(self.only or self.protocol)

    def apply(self, suite: Suite) -> Suite:
        """The suite with fields, seeds and users changed; ``only`` and ``protocol`` are applied by ``chosen``."""
        experiments = list(suite.experiments)
        for text in self.sets:
            experiments = set_field(experiments, text)
        if self.limit_users is not None:
            experiments = [replace(e, dataset=LimitUsers(e.dataset, self.limit_users)) for e in experiments]
        return replace(suite, experiments=experiments, seeds=list(suite.seeds if self.seeds is None else self.seeds))

    def chosen(self, suite: Suite) -> list[bool]:
        """For each cell of ``expand(suite)``, whether it is left in. Raises BadOverride if none is."""
        cells = list(expand(suite))
        named = [matches(cell, self.only) for cell in cells]
        if not any(named):
            raise BadOverride(f"--only {self.only!r} matches {_none_of(cells, self.only)}")
        kept = [name and _fits(cell.protocol, self.protocol) for name, cell in zip(named, cells, strict=True)]
        if not any(kept):
            rules = dict.fromkeys(cell.protocol for name, cell in zip(named, cells, strict=True) if name)
            of = f" of {self.only!r}" if self.only else ""
            raise BadOverride(f"--protocol {self.protocol!r} matches none of the protocols{of}: {'; '.join(rules)}")
        return kept

    def words(self, only: str | None = None, seeds: str | None = None, protocol: str | None = None) -> list[str]:
        """The command-line words that make these changes again, with another choice of cells if given."""
        words = [word for text in self.sets for word in ("--set", text)]
        for option, own, other in (("--only", self.only, only), ("--protocol", self.protocol, protocol)):
            chosen = own if other is None else other
            words += [option, chosen] if chosen else []
        counted = seeds if seeds is not None else None if self.seeds is None else seeds_text(self.seeds)
        words += ["--seeds", counted] if counted is not None else []
        return words + (["--limit-users", str(self.limit_users)] if self.limit_users is not None else [])


def matches(cell: Cell, pattern: str) -> bool:
    """Whether a pattern means this cell: on dataset/model, or without a slash on either of the two."""
    names = [f"{cell.dataset}/{cell.model_name}"] if "/" in pattern else [cell.dataset, cell.model_name]
    return any(_fits(name, pattern) for name in names)


def _fits(name: str, pattern: str) -> bool:
    """Whether a name fits a pattern, in large or small letters; no pattern fits all."""
    return not pattern or fnmatch.fnmatchcase(name.lower(), pattern.lower())


def _none_of(cells: Sequence[Cell], pattern: str) -> str:
    """What a pattern fits none of: all rows where they are few, else the nearest."""
    labels = list(dict.fromkeys(f"{cell.dataset}/{cell.model_name}" for cell in cells))
    if len(labels) <= FEW:
        return f"none of {', '.join(labels)}"
    names = labels if "/" in pattern else [*dict.fromkeys(n for c in cells for n in (c.dataset, c.model_name))]
    small = {name.lower(): name for name in names}
    near = [small[name] for name in difflib.get_close_matches(pattern.lower(), small, n=3, cutoff=0.0)]
    return f"none of {len(labels)} rows; the nearest are {', '.join(near)}"


def parse_seeds(text: str) -> tuple[int, ...]:
    """Seeds from "5" (five: 0 to 4), "0" (seed 0 alone) or a list such as "0,3,7" ("7," is seed 7 alone)."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words or not all(word.isascii() and word.isdigit() for word in words):
        raise BadOverride(f"--seeds {text!r} is not understood: give how many (5) or which (0,3,7)")
    numbers = [int(word) for word in words]
    if len(set(numbers)) != len(numbers):
        raise BadOverride(f"--seeds {text!r} names a seed twice")
    if "," not in text and numbers[0] > MOST_SEEDS:
        raise BadOverride(
            f"--seeds {text!r} asks for more than {MOST_SEEDS:,} seeds; that seed alone is {text.strip()},"
        )
    return tuple(range(max(1, numbers[0]))) if "," not in text else tuple(numbers)


def seeds_text(seeds: Sequence[int]) -> str:
    """What ``parse_seeds`` reads as exactly these seeds."""
    return ",".join(map(str, seeds)) + ("," if len(seeds) == 1 else "")


def set_field(experiments: Sequence[Experiment], text: str) -> list[Experiment]:
    """The experiments with one field of their models changed: "GRU.dim=64", "GRU.loss.margin=1", or "dim=64" for all.

    A field that is set is not tuned any more.
    Raises NotHere for an unknown model or field (with the nearest name), BadOverride for a value of another type.
    """
    path, equals, value = text.partition("=")
    if not equals or not path.strip():
        raise BadOverride(f"--set {text!r} is not understood: expected MODEL.FIELD=VALUE or FIELD=VALUE")
    labels = list(dict.fromkeys(name for e in experiments for name in e.models))
    label = next((name for name in sorted(labels, key=len, reverse=True) if path.startswith(f"{name}.")), None)
    names = (path[len(label) + 1 :] if label else path).split(".")
    if label is None and len(names) > 1 and not _any_has(experiments, names[0]):
        close = difflib.get_close_matches(names[0], labels, n=1, cutoff=0.4)
        hint = f"did you mean {close[0]!r}?" if close else f"models are {', '.join(labels)}"
        raise NotHere(f"--set {text!r}: no model is called {names[0]!r}: {hint}")
    changed = 0
    result = []
    for experiment in experiments:
        models: dict[str, Any] = {}
        tuning = experiment.tuning
        for name, model in experiment.models.items():
            wanted = name == label or (label is None and _has(model, names[0]))
            models[name] = _replaced(model, names, value, text) if wanted else model
            changed += wanted
            if wanted and tuning is not None:  # what is set is not searched
                tuning = tuning.without(name, names[0])
        result.append(replace(experiment, models=models, tuning=tuning))
    if not changed:
        fields = sorted({f.name for e in experiments for m in e.models.values() for f in _fields(m)})
        raise NotHere(f"--set {text!r}: no model of this suite has a field {names[0]!r}{_near(names[0], fields)}")
    return result


def fitting(experiments: Sequence[Experiment], sets: Sequence[str]) -> tuple[tuple[str, ...], list[NotHere]]:
    """The changes that some model of these experiments can take, and why the others cannot be made here."""
    kept, unfit = [], []
    for text in sets:
        try:
            experiments = set_field(experiments, text)
        except NotHere as error:
            unfit.append(error)
        else:
            kept.append(text)
    return tuple(kept), unfit


def _any_has(experiments: Sequence[Experiment], name: str) -> bool:
    """Whether any model has a field of that name."""
    return any(_has(model, name) for e in experiments for model in e.models.values())


def _fields(value: Any) -> list[dataclasses.Field]:
    """The fields of a dataclass value that its constructor takes."""
    return [f for f in dataclasses.fields(value) if f.init] if dataclasses.is_dataclass(value) else []


def _has(value: Any, name: str) -> bool:
    return any(f.name == name for f in _fields(value))


def _near(name: str, known: Sequence[str]) -> str:
    """A hint at the right name."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f": did you mean {close[0]!r}?" if close else f"; fields are {', '.join(known) or 'none'}"


def _replaced(value: Any, names: Sequence[str], given: str, text: str) -> Any:
    """A copy of a dataclass value with the field at path ``names`` set to the parsed ``given``."""
    name, rest = names[0], names[1:]
    kind = type(value).__name__
    if not _has(value, name):
        hint = _near(name, [f.name for f in _fields(value)])
        raise BadOverride(f"--set {text!r}: {kind} has no field {name!r}{hint}")
    inner = getattr(value, name)
    new = _replaced(inner, rest, given, text) if rest else _parsed(type(value), name, given, text)
    try:
        return replace(value, **{name: new})
    except (ValueError, TypeError) as error:
        raise BadOverride(f"--set {text!r}: {error}") from error


def _parsed(kind: type, name: str, given: str, text: str) -> Any:
    """The text ``given`` as a value of the field's declared type."""
    try:
        declared = typing.get_type_hints(kind).get(name, str)
    except NameError as error:
        raise BadOverride(
            f"--set {text!r}: {kind.__name__} declares a type that its module does not know ({error})"
        ) from error
    for choice in _choices(declared):
        value = _as(choice, given)
        if value is not _MISFIT:
            return value
    raise BadOverride(f"--set {text!r}: {kind.__name__}.{name} is {_type_words(declared)}, got {given!r}")


_MISFIT = object()


def _choices(declared: Any) -> list[Any]:
    """The alternatives of a type: a union's members, else itself; text last, since anything is text."""
    if typing.get_origin(declared) in (typing.Union, types.UnionType):
        return sorted((c for part in typing.get_args(declared) for c in _choices(part)), key=lambda c: c is str)
    return [declared]


def _as(declared: Any, given: str) -> Any:
    """``given`` as a ``declared``, or _MISFIT."""
    if declared is str:
        return given
    if declared is type(None):
        return None if given.lower() == "none" else _MISFIT
    if declared is bool:
        return {"true": True, "false": False}.get(given.lower(), _MISFIT)
    if typing.get_origin(declared) is typing.Literal:
        return next((option for option in typing.get_args(declared) if str(option) == given), _MISFIT)
    if _makes_itself(declared):
        return declared() if given.lower() == declared.__name__.lower() else _MISFIT
    if declared in (int, float):
        try:
            value = declared(given)
        except ValueError:
            return _MISFIT
        return _MISFIT if math.isnan(value) else value
    if typing.get_origin(declared) in (tuple, list):
        try:
            value = ast.literal_eval(given)
        except (ValueError, SyntaxError):
            return _MISFIT
        return typing.get_origin(declared)(value) if isinstance(value, list | tuple) else _MISFIT
    return _MISFIT


def _makes_itself(declared: Any) -> bool:
    """Whether this is a dataclass that needs no arguments, so that its name alone stands for a value."""
    missing = dataclasses.MISSING
    return (
        isinstance(declared, type)
        and dataclasses.is_dataclass(declared)
        and not any(f.default is missing and f.default_factory is missing for f in _fields(declared))
    )


def _type_words(declared: Any) -> str:
    """A declared type in a reader's words."""
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "text", type(None): "none"}
    parts = []
    for choice in _choices(declared):
        if typing.get_origin(choice) is typing.Literal:
            parts.append("one of " + ", ".join(map(str, typing.get_args(choice))))
        else:
            parts.append(words.get(choice, getattr(choice, "__name__", str(choice))))
    return " or ".join(parts)


def only_for(cell: Cell) -> str:
    """The ``--only`` pattern that means this data set and model alone, whatever signs are in their names."""
    return f"{_escape(cell.dataset)}/{_escape(cell.model_name)}"


def protocol_for(cell: Cell, suite: Suite) -> str:
    """The ``--protocol`` pattern that tells this cell from its namesakes under other protocols; empty without any."""
    places = [e for e in suite.experiments if e.dataset.name == cell.dataset and cell.model_name in e.models]
    rules = {experiment.protocol.name for experiment in places}
    return _escape(cell.protocol) if len(rules) > 1 else ""


def _escape(name: str) -> str:
    return "".join(f"[{sign}]" if sign in "*?[" else sign for sign in name)


def options_record(overrides: Overrides) -> Mapping[str, Any]:
    """What the suite's record keeps of the overrides that change its cells, not which of them."""
    return {
        "set": list(overrides.sets),
        "limit_users": overrides.limit_users,
        "seeds": None if overrides.seeds is None else list(overrides.seeds),
    }
