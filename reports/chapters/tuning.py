"""Tuning: the best validation score against the number of trials, every tuned model on one axis; what was chosen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from evaluation.results.tuning_results import SearchResult
from reports.document.blocks import Column, Figure, Row, Table, TableCell, Text, row
from reports.document.numbers import MISSING, format_number, format_seconds, fraction, is_known, join_words, pluralize
from reports.document.run_index import ModelRuns

_MOST = 6  # pairs that a sentence names
_COLUMNS = (
    Column("model", "Model"),
    Column("trials", "Trials", True, "How many were drawn; fields drawn again are counted, not fitted again"),
    Column("failed", "Failed", True, "Trials that gave no validation score"),
    Column("expected", "Expected at 1", True, "The expected best validation score of one trial: the trials' mean"),
    Column("best", "Best", True, "The best validation score of all trials"),
    Column("rank_first", "Rank at 1", True, "Place among the tuned models after one trial"),
    Column("rank_last", "Rank at all", True, "Place among the tuned models after all trials"),
    Column("chosen", "Chosen", wide=True),
    Column("seconds", "Search time", True, "Wall time of all trials, with the first one's loading of libraries"),
)


def tuning_blocks(group: Sequence[ModelRuns], heading: str) -> list[Any]:
    """A picture, a table and what they say of the order of models, for one data set; nothing if no model was tuned."""
    searches = {runs.model: found for runs in group if (found := _search(runs)) is not None and found.best is not None}
    if not searches:
        return []
    tuned = [runs for runs in group if runs.model in searches]
    courses = {model: course(found) for model, found in searches.items()}
    first, place = next(iter(searches.values())), group[0].place
    rows = tuple(_row(runs, searches, courses) for runs in tuned)
    notes = ["Search time is beside the time of training that the chapter on cost tells: that is of the chosen fields."]
    rest = [runs.model for runs in group if runs.cells and runs.model not in searches]
    notes += [f"Not tuned: {join_words(rest)}."] if rest else []
    return [
        _figure(tuned, searches, courses, heading),
        Table(f"tuning-{place}", f"What {pluralize(len(first.trials), 'trial')} chose on validation: {heading}", _COLUMNS,
              rows, notes=tuple(notes), small=True, caveats=group[0].shared),
        Text(f"Does the order change with the budget? {heading}", (order_words(courses, first.higher_is_better),),
              anchor=f"budget-{place}"),
    ]  # fmt: skip


def _search(runs: ModelRuns) -> SearchResult | None:
    """The search that these runs rest on, the same for every seed."""
    return next((found for cell in runs.cells if (found := cell.search) is not None), None)


def course(found: SearchResult) -> list[float | None]:
    """The score by budget, for k = 1 … trials: expected under random search, else as the one search found it."""
    return found.expected_best() if found.record["sampler"] == "random" else found.best_so_far()


def _figure(
    tuned: list[ModelRuns], searches: Mapping[str, SearchResult], courses: Mapping[str, list], heading: str
) -> Any:
    """One line a model: the expected best, and dotted what the search found."""
    metric, most = searches[tuned[0].model].metric, max(len(found.trials) for found in searches.values())
    expected = [r for r in tuned if searches[r.model].record["sampler"] == "random"]
    lines = [
        {"model": r.model, "color": r.color, "has_caveat": bool(r.caveats), "values": _padded(courses[r.model], most),
         "found": _padded(searches[r.model].best_so_far(), most) if r in expected else []}
        for r in tuned
    ]  # fmt: skip
    told = [f"Best validation {metric} against the number of trials on {heading}."]
    told += ["Lines: expected of that many random trials; dotted: as the search found it."] if expected else []
    told += ["Where trials were not random, the line is what was found."] if len(expected) < len(tuned) else []
    return Figure(f"budget-figure-{tuned[0].place}", "lines", f"Best validation score by trials on {heading}",
                   " ".join(told), {"metric": f"best validation {metric}", "axis": "trials", "lines": lines,
                                     "bins": [str(k) for k in range(1, most + 1)]}, tuned[0].shared)  # fmt: skip


def _padded(values: list, length: int) -> list:
    return [*values, *[None] * (length - len(values))]


def _row(runs: ModelRuns, searches: Mapping[str, SearchResult], courses: Mapping[str, list]) -> Row:
    """One model's search."""
    found, link = searches[runs.model], runs.anchor
    best, values = found.best, courses[runs.model]
    places = [_ranks(courses, searches, k) for k in (0, -1)]
    said = ", ".join(chosen_words(best["fields"], found.record["space"]))
    return row([
        runs.label(),
        TableCell(str(len(found.trials)), len(found.trials), link=link),
        TableCell(str(found.failed), found.failed, link=link, exact=_reasons(found)),
        TableCell(fraction(values[0]), values[0], link=link),
        TableCell(fraction(best["validation"]), best["validation"], link=link, exact=f"trial {best['trial'] + 1}"),
        *(TableCell(str(p[runs.model]), p[runs.model]) if runs.model in p else TableCell(MISSING) for p in places),
        TableCell(said), TableCell(format_seconds(found.seconds), found.seconds, link=link),
    ])  # fmt: skip


def _reasons(found: SearchResult) -> str:
    """Why trials failed, each reason once."""
    return "; ".join(dict.fromkeys(t["reason"] for t in found.trials if t["validation"] is None))


def _ranks(courses: Mapping[str, list], searches: Mapping[str, SearchResult], k: int) -> dict[str, int]:
    """Each model's place at one budget, 1 the best; models that had no score there have none."""
    turn = 1 if next(iter(searches.values())).higher_is_better else -1
    have = {model: turn * values[k] for model, values in courses.items() if is_known(values[k])}
    return {model: 1 + sum(other > value for other in have.values()) for model, value in have.items()}


def order_words(courses: Mapping[str, list], higher: bool) -> str:
    """Which models change places between one trial and all, and from how many trials on."""
    turn, budget = 1 if higher else -1, min(len(values) for values in courses.values())
    passed, pairs = [], 0
    for one, other in combinations(courses, 2):
        leads = [
            turn * (a - b) for a, b in zip(courses[one], courses[other], strict=False) if is_known(a) and is_known(b)
        ]
        pairs += 1
        if not leads or leads[0] * leads[-1] >= 0:
            continue
        ahead, behind = (one, other) if leads[-1] > 0 else (other, one)
        since = max(k for k, lead in enumerate(leads) if lead * leads[-1] <= 0)
        passed.append(f"{ahead} passes {behind} from {len(courses[one]) - len(leads) + since + 2} trials on")
    if budget < 2 or not pairs:
        return "One trial, or one tuned model, leaves no order to change."
    found = (f"Between 1 and {budget} trials {len(passed)} of {pluralize(pairs, 'pair')} of tuned models "
             f"{'changes' if len(passed) == 1 else 'change'} places")  # fmt: skip
    more = f"; and {len(passed) - _MOST} more" if len(passed) > _MOST else ""
    told = f": {'; '.join(passed[:_MOST])}{more}." if passed else "."
    return (f"{found}{told} These are validation scores of one search each, without an interval; what the chosen "
            "fields come to on the test part stands in the comparison.")  # fmt: skip


def chosen_words(fields: Mapping[str, Any], space: Mapping[str, Any]) -> list[str]:
    """Each field with its value; of a nested value only what differs between the options."""
    words = []
    for name, value in fields.items():
        options = [option for option in space[name].get("options", ()) if isinstance(option, Mapping)]
        if not isinstance(value, Mapping):
            words.append(f"{name} {_value(value)}")
        elif differing := _differing(value, options):
            words += [f"{name}.{path} {_value(inner)}" for path, inner in differing.items()]
        else:
            words.append(f"{name} {_value(value['type'])}")
    return words


def _differing(value: Mapping[str, Any], options: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The parts of a nested value, by dotted path, in which not all options are equal."""
    found: dict[str, Any] = {}
    for name, inner in value.items():
        others = [option.get(name) for option in options]
        if all(other == inner for other in others):
            continue
        if isinstance(inner, Mapping) and all(isinstance(o, Mapping) and o["type"] == inner["type"] for o in others):
            found |= {f"{name}.{path}": deep for path, deep in _differing(inner, others).items()}
        elif isinstance(inner, Mapping):
            found[name] = inner["type"]
        else:
            found[name] = inner
    return found


def _value(value: Any) -> str:
    """A value to three digits; a type by its last name."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, float):
        text = format_number(value, 3)
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value).rpartition(".")[2] if isinstance(value, str) else str(value)
