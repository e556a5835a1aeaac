"""PaperTable: the table of a paper, models × (data sets × metrics), as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluation.comparison.table import ComparisonTable, ModelRow
from evaluation.printed_numbers import decimals, fraction, interval, join_words
from reports.document.blocks import as_sentence, caveat_badge, has_badge
from reports.document.run_index import RunIndex
from reports.report import ReportInputs

UNCERTAINTIES = ("sd", "interval", "none")
_BETTER, _WORSE = "*", "−"


@dataclass(frozen=True)
class PaperCell:
    """A model's value in one column. place: 1 for the best value of the column, 2 for the second, else 0.

    sign: whether it differs significantly from the best baseline: "*" better, "−" worse, "" not, or not tested.
    """

    value: str
    uncertainty: str = ""
    place: int = 0
    sign: str = ""


@dataclass(frozen=True)
class PaperColumn:
    """One metric on one data set."""

    dataset: str
    metric: str


@dataclass(frozen=True)
class PaperRow:
    """One model; baseline: whether the suite declares it as one. has_caveat: whether a note has a caveat of it."""

    model: str
    baseline: bool
    has_caveat: bool
    cells: tuple[PaperCell | None, ...]


@dataclass(frozen=True)
class PaperTable:
    """The table of a paper: the suite's baselines first, then the other models, both in the suite's order."""

    label: str
    caption: str
    columns: tuple[PaperColumn, ...]
    rows: tuple[PaperRow, ...]
    notes: tuple[str, ...]


def paper_table(inputs: ReportInputs, uncertainty: str = "sd") -> PaperTable:
    """The main table of a suite in its own metrics.

    uncertainty: one of UNCERTAINTIES: over seeds, the 95 % interval, or none. Raises ValueError where no model has a
    result that can be compared.
    """
    index, record = inputs.index, inputs.index.results.record
    tables = [table for table in inputs.comparisons if table.metric in inputs.metrics and table.models]
    if not tables:
        raise ValueError(f"{record['name']} has no result to compare: no model is finished, or each test part has one "
                         "user only")  # fmt: skip
    metrics = join_words(list(dict.fromkeys(table.metric for table in tables)))
    models = list(dict.fromkeys(runs.model for runs in index.runs))
    columns = [_cells(table, uncertainty) for table in tables]
    rows = [
        PaperRow(model, model in record["baselines"], bool(_caveats(index, model)),
                 tuple(column.get(model) for column in columns))
        for model in sorted(models, key=lambda model: model not in record["baselines"])
        if any(model in column for column in columns)
    ]  # fmt: skip
    title = record["title"]
    return PaperTable(
        label=f"tab:{record['name']}",
        caption=f"{title}{'' if title.endswith(('?', '!', '.')) else ':'} {metrics} on the test part",
        columns=tuple(PaperColumn(index.heading(t.dataset, t.protocol), t.metric) for t in tables),
        rows=tuple(rows),
        notes=tuple(_notes(index, tables, uncertainty)),
    )


def _cells(table: ComparisonTable, uncertainty: str) -> dict[str, PaperCell]:
    """The cells of one column by model."""
    places = decimals((m.interval[1] - m.interval[0]) / 2 for m in table.models if m.interval)
    shown = {m.model: fraction(m.mean, places) for m in table.models}
    ranked = list(dict.fromkeys(sorted((m.mean for m in table.models), reverse=table.higher_is_better)))
    place = {mean: number for number, mean in enumerate(ranked[:2], start=1)} if len(table.models) > 1 else {}
    return {
        m.model: PaperCell(shown[m.model], _uncertainty(m, uncertainty, places), place.get(m.mean, 0), _sign(table, m))
        for m in table.models
    }


def _uncertainty(model: ModelRow, uncertainty: str, places: int) -> str:
    if uncertainty == "sd":
        return "" if model.sd is None else f"± {fraction(model.sd, places)}"
    return interval(*model.interval, places) if uncertainty == "interval" and model.interval else ""


def _sign(table: ComparisonTable, model: ModelRow) -> str:
    """Whether a model is significantly better or worse than the best baseline."""
    pair = None if table.reference is None else table.pair(model.model, table.reference)
    if pair is None or model.reference or not pair.decision.significant:
        return ""
    ahead = (pair.difference > 0) == (pair.a == model.model)
    return _BETTER if ahead == table.higher_is_better else _WORSE


def _notes(index: RunIndex, tables: Sequence[ComparisonTable], uncertainty: str) -> list[str]:
    """The meaning of numbers, styles and signs, and every caveat."""
    seeds = sorted({len(m.seed_values) for table in tables for m in table.models if not m.deterministic})
    over = "" if not seeds or seeds == [1] else f" over {join_words([f'{n:,}' for n in seeds], 'or')} seeds"
    shown = {"sd": "; ± standard deviation over seeds, not given for one seed and for deterministic models",
             "interval": "; [95 % interval]", "none": ""}[uncertainty]  # fmt: skip
    if uncertainty == "sd" and all(m.sd is None for table in tables for m in table.models):
        shown = ""
    values = f"Mean{over}{shown}. " if over or shown else ""
    notes = [f"{values}Bold: best; underlined: second best."]
    baselines: dict[str, list[str]] = {}
    for table in tables:
        if table.reference is not None:
            baselines.setdefault(table.reference, []).append(index.heading(table.dataset, table.protocol))
    if baselines:
        where = [name if len(baselines) == 1 else f"{name} on {join_words(list(dict.fromkeys(places)))}"
                 for name, places in baselines.items()]  # fmt: skip
        notes.append(f"{_BETTER} significantly better, {_WORSE} significantly worse than the best baseline "
                     f"({'; '.join(where)}): p < .05, adjusted by Holm's procedure over the comparisons of a "
                     "column.")  # fmt: skip
        notes.append(_tested([pair.decision.of_methods for table in tables for pair in table.pairs]))
    notes += [as_sentence(caveat) for caveat in index.results.record.get("caveats", ())]
    by_caveat: dict[str, list[str]] = {}
    for model in dict.fromkeys(runs.model for runs in index.runs):
        for caveat in _caveats(index, model):
            by_caveat.setdefault(caveat, []).append(model)
    return [*notes, *(f"† {caveat}: {join_words(found)}." for caveat, found in by_caveat.items())]


def _tested(of_methods: Sequence[bool]) -> str:
    """The units that the tests compare."""
    methods, trained = "the methods (users × seeds)", "these trained models (users only)"
    if all(of_methods):
        return f"Tests are of {methods}."
    return f"Tests are of {methods if any(of_methods) else trained}" + (
        f" where every learner has two seeds or more, else of {trained}." if any(of_methods) else "."
    )


def _caveats(index: RunIndex, model: str) -> list[str]:
    """The heads of a model's own caveats, such as NOT CONVERGED."""
    found = (caveat for runs in index.runs if runs.model == model for caveat in runs.caveats)
    return list(dict.fromkeys(caveat_badge(caveat) for caveat in found if has_badge(caveat)))
