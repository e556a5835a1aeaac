"""Tuning: best validation score by number of trials for every tuned model, and the chosen hyper-parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from evaluation.printed_numbers import MISSING, format_number, format_seconds, fraction, is_known, join_words, pluralize
from evaluation.results.tuning_results import SearchResult
from reports.document.blocks import Column, Figure, Row, Table, TableCell, Text, row
from reports.document.run_index import ModelRuns, RunGroup

_MAX_PAIRS = 6  # named in a sentence
_COLUMNS = (
    Column("model", "Model"),
    Column("trials", "Trials", True, "number of trials; a repeated draw counts but is not fitted again"),
    Column("failed", "Failed", True, "trials without a validation score"),
    Column("expected", "Expected at 1", True, "expected best validation score after one trial: the mean over trials"),
    Column("best", "Best", True, "best validation score of all trials"),
    Column("rank_first", "Rank at 1", True, "rank among the tuned models after one trial"),
    Column("rank_last", "Rank at all", True, "rank among the tuned models after all trials"),
    Column("chosen", "Chosen", wide=True),
    Column("seconds", "Search time", True, "wall-clock time of all trials, including loading libraries in the first"),
)


@dataclass(frozen=True)
class _Tuned:
    """A tuned model: its runs, the search shared by all its seeds, and the score by number of trials."""

    runs: ModelRuns
    search: SearchResult
    scores: list[float | None]

    @property
    def random(self) -> bool:
        """Whether trials are independent draws, so that an expected score exists."""
        return self.search.record["sampler"] == "random"


def tuning_blocks(group: RunGroup) -> list[Any]:
    """Figure, table and summary of tuning on one data set; empty if no model was tuned."""
    found = [(runs, search) for runs in group.runs if (search := _search(runs)) is not None and search.best is not None]
    tuned = [_Tuned(runs, search, score_by_trials(search)) for runs, search in found]
    if not tuned:
        return []
    first = tuned[0].search
    notes = ["Search time excludes the training time in the Cost chapter, which is of the chosen fields only."]
    rest = [runs.model for runs in group.finished if runs not in [one.runs for one in tuned]]
    notes += [f"Not tuned: {join_words(rest)}."] if rest else []
    caption = f"Best of {pluralize(len(first.trials), 'trial')} on validation: {group.heading}"
    scores = {one.runs.model: one.scores for one in tuned}
    return [
        _figure(tuned, group),
        Table(f"tuning-{group.number}", caption, _COLUMNS, tuple(_row(one, tuned) for one in tuned),
              notes=tuple(notes), small=True, caveats=group.caveats, about=group.about),
        Text(f"Does the ranking change with the number of trials? {group.heading}",
             (ranking_changes(scores, first.higher_is_better),), anchor=f"budget-{group.number}"),
    ]  # fmt: skip


def _search(runs: ModelRuns) -> SearchResult | None:
    """The search of these runs, the same for every seed; None if untuned."""
    return next((search for cell in runs.cells if (search := cell.search) is not None), None)


def score_by_trials(search: SearchResult) -> list[float | None]:
    """Best validation score after k = 1 … trials: expected value under random search, else as observed."""
    return search.expected_best() if search.record["sampler"] == "random" else search.best_so_far()


def _figure(tuned: list[_Tuned], group: RunGroup) -> Figure:
    """One line per model: the expected best, and dotted the observed best."""
    metric, longest = tuned[0].search.metric, max(len(one.search.trials) for one in tuned)
    lines = [
        {"model": one.runs.model, "color": one.runs.color, "has_caveat": bool(one.runs.caveats),
         "values": _padded(one.scores, longest),
         "found": _padded(one.search.best_so_far(), longest) if one.random else []}
        for one in tuned
    ]  # fmt: skip
    caption = f"Best validation {metric} by number of trials on {group.heading}."
    if any(one.random for one in tuned):
        caption += " Solid: expected best of that many random trials; dotted: best of the trials in their order."
    if not all(one.random for one in tuned):
        caption += " Where trials are not random, the solid line is the best of the trials in their order."
    data = {"metric": f"best validation {metric}", "axis": "trials", "lines": lines,
            "bins": [str(k) for k in range(1, longest + 1)]}  # fmt: skip
    label = f"Best validation score by number of trials on {group.heading}"
    return Figure(f"budget-figure-{group.number}", "lines", label, caption, data, group.caveats)


def _padded(values: list, length: int) -> list:
    return [*values, *[None] * (length - len(values))]


def _row(one: _Tuned, tuned: list[_Tuned]) -> Row:
    """The row of one model's search."""
    search, link, scores = one.search, one.runs.anchor, one.scores
    best, chosen = search.best, ", ".join(chosen_fields(search.best["fields"], search.record["space"]))
    return row([
        one.runs.name_cell(),
        TableCell(str(len(search.trials)), len(search.trials), link=link),
        TableCell(str(search.failed), search.failed, link=link, exact=_reasons(search)),
        TableCell(fraction(scores[0]), scores[0], link=link),
        TableCell(fraction(best["validation"]), best["validation"], link=link, exact=f"trial {best['trial'] + 1}"),
        *(TableCell(MISSING) if rank is None else TableCell(str(rank), rank, link=link)
          for rank in (_rank(one, tuned, k) for k in (0, -1))),
        TableCell(chosen), TableCell(format_seconds(search.seconds), search.seconds, link=link),
    ])  # fmt: skip


def _reasons(search: SearchResult) -> str:
    """Why trials failed, each reason once."""
    return "; ".join(dict.fromkeys(t["reason"] for t in search.trials if t["validation"] is None))


def _rank(one: _Tuned, tuned: list[_Tuned], k: int) -> int | None:
    """The model's rank at index ``k`` of the scores, 1 the best; None without a score there."""
    if not is_known(one.scores[k]):
        return None
    sign = 1 if tuned[0].search.higher_is_better else -1
    return 1 + sum(is_known(o.scores[k]) and sign * o.scores[k] > sign * one.scores[k] for o in tuned)


def ranking_changes(scores: Mapping[str, list], higher: bool) -> str:
    """Which pairs of models swap ranks between one trial and all trials, and from how many trials on."""
    sign, budget = 1 if higher else -1, min(len(values) for values in scores.values())
    swaps, pairs = [], list(combinations(scores, 2))
    for one, other in pairs:
        both = [(a, b) for a, b in zip(scores[one], scores[other], strict=False) if is_known(a) and is_known(b)]
        leads = [sign * (a - b) for a, b in both]
        if not leads or leads[0] * leads[-1] >= 0:
            continue
        ahead, behind = (one, other) if leads[-1] > 0 else (other, one)
        since = max(k for k, lead in enumerate(leads) if lead * leads[-1] <= 0)
        swaps.append(f"{ahead} overtakes {behind} from trial {len(scores[one]) - len(leads) + since + 2} on")
    if budget < 2 or not pairs:
        return "With one trial or one tuned model, no ranking can change."
    found = (f"Between 1 and {budget} trials, {len(swaps)} of {pluralize(len(pairs), 'pair')} of tuned models "
             f"{'swaps' if len(swaps) == 1 else 'swap'} ranks")  # fmt: skip
    more = f"; and {len(swaps) - _MAX_PAIRS} more" if len(swaps) > _MAX_PAIRS else ""
    detail = f": {'; '.join(swaps[:_MAX_PAIRS])}{more}." if swaps else "."
    return (f"{found}{detail} These are validation scores of one search per model, without an interval; the Comparison "
            "chapter shows the test results of the chosen fields.")  # fmt: skip


def chosen_fields(fields: Mapping[str, Any], space: Mapping[str, Any]) -> list[str]:
    """Each field with its value; of a nested value only the parts that differ between the options."""
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
    """The parts of a nested value, by dotted path, in which the options differ."""
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
    """A value to three significant digits; a type by its last name."""
    if isinstance(value, bool) or value is None:
        return str(value).lower()
    if isinstance(value, float):
        text = format_number(value, 3)
        return text.rstrip("0").rstrip(".") if "." in text else text
    return str(value).rpartition(".")[2] if isinstance(value, str) else str(value)
