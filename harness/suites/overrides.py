"""Changes to a suite from the command line: model fields, selected cells, seeds, number of users."""

from __future__ import annotations

import dataclasses
import difflib
import fnmatch
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.spec import Cell, Experiment, Suite, expand, has_one_seed, written_form
from harness.suites.parse_overrides import InvalidOverride, format_seeds, parse_field
from recsys_data.checks import did_you_mean
from recsys_data.datasets.subsample import LimitUsers

MAX_LISTED = 12  # labels in one message


class NotInSuite(InvalidOverride):
    """A change of a model or field that this suite does not have."""


@dataclass(frozen=True)
class Overrides:
    """Changes to a suite as plain values, for workers and the suite's record.

    sets: texts such as "GRU.dim=64". only, protocol: patterns that select cells, with | between alternatives; empty
    selects all. seeds: those of the suite's seeds to compute, or other seeds in their place; None keeps the suite's.
    limit_users: None keeps all users. cells: data set, protocol, model and seed of the cells to choose from; None for
    all of the suite.
    """

    sets: tuple[str, ...] = ()
    only: str = ""
    seeds: tuple[int, ...] | None = None
    limit_users: int | None = None
    protocol: str = ""
    cells: frozenset[tuple[str, str, str, int]] | None = None

    def apply(self, suite: Suite) -> Suite:
        """The suite with its fields, users and, if some are not its own, seeds changed; ``selection`` does the rest."""
        experiments = _with_fields(suite.experiments, self.sets)
        if self.limit_users is not None:
            experiments = [replace(e, dataset=LimitUsers(e.dataset, self.limit_users)) for e in experiments]
        return replace(suite, experiments=experiments, seeds=list(self.other_seeds(suite) or suite.seeds))

    def other_seeds(self, suite: Suite) -> tuple[int, ...] | None:
        """The seeds in place of the suite's; None where all of them are the suite's own, or none is given."""
        return None if self.seeds is None or set(self.seeds) <= set(suite.seeds) else self.seeds

    def variant(self, suite: Suite) -> list[str]:
        """The changes of what the suite's cells are, in one order of the fields where their order has no effect."""
        sets = _in_one_order(suite.experiments, self.sets)
        limit = [] if self.limit_users is None else [f"limit-users={self.limit_users}"]
        seeds = self.other_seeds(suite)
        return [*sets, *limit, *([] if seeds is None else [f"seeds={format_seeds(seeds)}"])]

    def selection(self, suite: Suite) -> list[bool]:
        """For each cell of ``expand(suite)``, whether it is selected. Raises InvalidOverride if none is."""
        cells = list(expand(suite))
        for pattern in _alternatives(self.only):
            if not any(_matches_cell(cell, pattern) for cell in cells):
                raise InvalidOverride(f"--only {pattern!r} matches {_none_of(cells, pattern)}")
        named = [_matches_cell(cell, self.only) for cell in cells]
        selected = [name and _matches_protocol(cell, self.protocol) for name, cell in zip(named, cells, strict=True)]
        if not any(selected):
            protocols = dict.fromkeys(c.experiment.short_protocol for name, c in zip(named, cells, strict=True) if name)
            of = f" of {self.only!r}" if self.only else ""
            raise InvalidOverride(
                f"--protocol {self.protocol!r} matches none of the protocols{of}: {'; '.join(protocols)}"
            )
        seeds = suite.seeds if self.seeds is None else self.seeds
        return [s and (has_one_seed(c.model) or c.seed in seeds) and (self.cells is None or
                tuple(c.labels.values()) in self.cells) for s, c in zip(selected, cells, strict=True)]  # fmt: skip

    def cli_args(self, only: str | None = None, seeds: str | None = None, protocol: str | None = None) -> list[str]:
        """The command-line arguments for these changes; the parameters replace the selection of cells."""
        args = [arg for text in self.sets for arg in ("--set", text)]
        for option, own, other in (("--only", self.only, only), ("--protocol", self.protocol, protocol)):
            value = own if other is None else other
            args += [option, value] if value else []
        if seeds is None and self.seeds is not None:
            seeds = format_seeds(self.seeds)
        args += ["--seeds", seeds] if seeds else []
        return args + (["--limit-users", str(self.limit_users)] if self.limit_users is not None else [])


def _with_fields(experiments: Sequence[Experiment], sets: Sequence[str]) -> list[Experiment]:
    """The experiments with fields of their models changed, one after the other."""
    for text in sets:
        experiments = set_field(experiments, text)
    return list(experiments)


def _in_one_order(experiments: Sequence[Experiment], sets: Sequence[str]) -> list[str]:
    """The changes sorted and without repetitions if the models are then the same, else as given."""

    def models(texts: Sequence[str]) -> Any:
        changed = _with_fields(experiments, texts)
        return [(written_form(dict(e.models)), written_form(e.tuning)) for e in changed]

    ordered = sorted(set(sets))
    try:
        return ordered if ordered == list(sets) or models(ordered) == models(sets) else list(sets)
    except InvalidOverride:  # of a field of a value that a later text sets
        return list(sets)


def _matches_cell(cell: Cell, pattern: str) -> bool:
    """Whether an alternative of a pattern matches dataset/model or, if it has no slash, either of the two."""
    if not pattern:  # as for most plans
        return True
    whole, parts = [f"{cell.dataset}/{cell.model_name}"], [cell.dataset, cell.model_name]
    return any(_matches(name, each) for each in _alternatives(pattern) for name in (whole if "/" in each else parts))


def _matches_protocol(cell: Cell, pattern: str) -> bool:
    """Whether an alternative of a pattern matches the protocol's name or the label of the experiment."""
    if not pattern:
        return True
    names = (cell.protocol, cell.experiment.label)
    return any(_matches(name, each) for each in _alternatives(pattern) for name in names)


def _alternatives(pattern: str) -> list[str]:
    """The alternatives of a pattern, which | separates; [|] is a | of a name."""
    return re.split(r"(?<!\[)\|", pattern)


def _matches(name: str, pattern: str) -> bool:
    """Whether a name matches a pattern, ignoring case; the empty pattern matches every name."""
    return not pattern or fnmatch.fnmatchcase(name.lower(), pattern.lower())


def _none_of(cells: Sequence[Cell], pattern: str) -> str:
    """The labels that a pattern fails to match, or their number and the closest if they are many."""
    labels = list(dict.fromkeys(f"{cell.dataset}/{cell.model_name}" for cell in cells))
    names = labels if "/" in pattern else [*dict.fromkeys(n for c in cells for n in (c.dataset, c.model_name))]
    if len(labels) <= MAX_LISTED:
        return "; ".join(filter(None, [f"none of {', '.join(labels)}", did_you_mean(pattern, names, closeness=0.6)]))
    lower = {name.lower(): name for name in names}
    close = [lower[name] for name in difflib.get_close_matches(pattern.lower(), lower, n=3, cutoff=0.0)]
    return f"none of {len(labels)} dataset/model labels; the closest names are {', '.join(close)}"


def set_field(experiments: Sequence[Experiment], text: str) -> list[Experiment]:
    """The experiments with one field of their models changed: "GRU.dim=64", "GRU.loss.margin=1", or "dim=64" for all.

    A field that is set is no longer tuned. Raises NotInSuite for an unknown model or field (with the closest name),
    InvalidOverride for a value of another type.
    """
    path, equals, value = text.partition("=")
    if not equals or not path.strip():
        raise InvalidOverride(f"--set {text!r} is not understood: expected MODEL.FIELD=VALUE or FIELD=VALUE")
    labels = list(dict.fromkeys(name for e in experiments for name in e.models))
    label = next((name for name in sorted(labels, key=len, reverse=True) if path.startswith(f"{name}.")), None)
    names = (path[len(label) + 1 :] if label else path).split(".")
    if label is None and len(names) > 1 and not _any_has(experiments, names[0]):
        hint = did_you_mean(names[0], labels, f"models are {', '.join(labels)}")
        raise NotInSuite(f"--set {text!r}: no model is called {names[0]!r}: {hint}")
    changed = 0
    result = []
    for experiment in experiments:
        models: dict[str, Any] = {}
        tuning = experiment.tuning
        for name, model in experiment.models.items():
            targeted = name == label or (label is None and _has(model, names[0]))
            models[name] = _replaced(model, names, value, text) if targeted else model
            changed += targeted
            if targeted and tuning is not None:
                tuning = tuning.without(name, names[0])
        result.append(replace(experiment, models=models, tuning=tuning))
    if not changed:
        fields = sorted({f.name for e in experiments for m in e.models.values() for f in _fields(m)})
        raise NotInSuite(f"--set {text!r}: no model of this suite has a field {names[0]!r}{_hint(names[0], fields)}")
    return result


def applicable_sets(experiments: Sequence[Experiment], sets: Sequence[str]) -> tuple[tuple[str, ...], list[NotInSuite]]:
    """The changes that some model of these experiments accepts, and an error for each of the others."""
    applicable, errors = [], []
    for text in sets:
        try:
            experiments = set_field(experiments, text)
        except NotInSuite as error:
            errors.append(error)
        else:
            applicable.append(text)
    return tuple(applicable), errors


def _any_has(experiments: Sequence[Experiment], name: str) -> bool:
    """Whether any model has a field of that name."""
    return any(_has(model, name) for e in experiments for model in e.models.values())


def _fields(value: Any) -> list[dataclasses.Field]:
    """The fields of a dataclass value that its constructor accepts."""
    return [f for f in dataclasses.fields(value) if f.init] if dataclasses.is_dataclass(value) else []


def _has(value: Any, name: str) -> bool:
    return any(f.name == name for f in _fields(value))


def _hint(name: str, known: Sequence[str]) -> str:
    """The end of a message: the closest known name, or all of them."""
    hint = did_you_mean(name, known)
    return f": {hint}" if hint else f"; fields are {', '.join(known) or 'none'}"


def _replaced(value: Any, names: Sequence[str], new_text: str, override: str) -> Any:
    """A copy of a dataclass value with the field at path ``names`` parsed from ``new_text``."""
    name, rest = names[0], names[1:]
    kind = type(value)
    if not _has(value, name):
        hint = _hint(name, [f.name for f in _fields(value)])
        raise InvalidOverride(f"--set {override!r}: {kind.__name__} has no field {name!r}{hint}")
    if rest:
        new = _replaced(getattr(value, name), rest, new_text, override)
    try:
        return replace(value, **{name: new if rest else parse_field(kind, name, new_text)})
    except (ValueError, TypeError) as error:
        raise InvalidOverride(f"--set {override!r}: {error}") from error


def only_pattern(cell: Cell) -> str:
    """The ``--only`` pattern that selects this data set and model alone, even if their names hold pattern signs."""
    return f"{_escape(cell.dataset)}/{_escape(cell.model_name)}"


def protocol_pattern(cell: Cell, suite: Suite) -> str:
    """The ``--protocol`` pattern that selects this cell among those of its name; empty if there is one protocol."""
    experiments = [e for e in suite.experiments if e.dataset.name == cell.dataset and cell.model_name in e.models]
    protocols = {experiment.protocol.name for experiment in experiments}
    return _escape(cell.experiment.short_protocol) if len(protocols) > 1 else ""


def _escape(name: str) -> str:
    return "".join(f"[{sign}]" if sign in "*?[|" else sign for sign in name)
