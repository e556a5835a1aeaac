"""Answer: the best model of each data set against the best baseline, for the first screen of a report."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from evaluation.comparison.table import ComparisonTable, ModelRow, PairRow
from evaluation.printed_numbers import decimals, fraction, interval, join_words, percent
from evaluation.statistics.effects import Conclusion
from reports.chapters.findings.comparison import TONE
from reports.document.blocks import Column, Figure, Row, Section, Table, TableCell
from reports.document.run_index import RunIndex

_FEW = 3  # data sets or models that a sentence names
_ROWS = 6  # of the figure and of the table, to fit on the first screen
_COLUMNS = (
    Column("dataset", "Data set"),
    Column("best", "Best model"),
    Column("value", "Value", True, "mean over seeds"),
    Column("other", "Against", hint="the best baseline; where that is the best model, the best other model"),
    Column("other_value", "Its value", True, "mean over seeds"),
    Column("relative", "Ahead by", True, "relative difference"),
    Column(
        "interval", "Difference, 95\u00a0%", True, "interval of the absolute difference; excludes 0 where adj. p < .05"
    ),
    Column("finding", "Conclusion"),
)


@dataclass(frozen=True)
class Lead:
    """The best model of one table and the model it is compared with; pair: the declared test of the two, if any."""

    table: ComparisonTable
    best: ModelRow
    other: ModelRow | None
    pair: PairRow | None

    @property
    def is_baseline(self) -> bool:
        """Whether the best model is the best baseline."""
        return self.best.model == self.table.reference

    @property
    def places(self) -> int:
        """The decimals of the values."""
        return decimals((model.interval[1] - model.interval[0]) / 2 for model in self.table.models if model.interval)

    @property
    def tied(self) -> bool:
        """Whether the two have the same value."""
        return self.other is not None and self.best.mean == self.other.mean

    @property
    def clear(self) -> bool:
        """Whether the difference is significant and beyond the relevance margin."""
        return self.pair is not None and self.pair.decision.conclusion in (Conclusion.BETTER, Conclusion.WORSE)

    @property
    def relative(self) -> float | None:
        """By how much the best model is better, as a share of the other's value."""
        if self.other is None or not self.other.mean:
            return None
        return abs(self.best.mean - self.other.mean) / abs(self.other.mean)


def leads(index: RunIndex, comparisons: list[ComparisonTable]) -> list[Lead]:
    """The lead on each data set and protocol in the primary metric, in the suite's order."""
    metric = index.results.record["metrics"][0]
    tables = {(t.dataset, t.protocol): t for t in comparisons if t.metric == metric and t.models}
    return [_lead(tables[key]) for key in index.groups if key in tables]


def _lead(table: ComparisonTable) -> Lead:
    sign = -1 if table.higher_is_better else 1
    first, *rest = sorted(table.models, key=lambda m: sign * m.mean)
    rest = [model for model in rest if model.reference] or rest
    other = rest[0] if rest else None
    return Lead(table, first, other, None if other is None else table.pair(first.model, other.model))


def lead_sentence(found: list[Lead], index: RunIndex) -> str:
    """Which model is best, by how much and how sure, in one sentence."""
    if len(found) == 1:
        return _sentence(found[0])
    metric, clear = found[0].table.metric, sum(lead.clear for lead in found)
    where: dict[str, list[str]] = {}
    for lead in found:
        where.setdefault("no single model" if lead.tied else lead.best.model, []).append(
            index.heading(lead.table.dataset, lead.table.protocol)
        )
    ranked = sorted(where.items(), key=lambda item: -len(item[1]))
    named = [f"{model} on {len(places)}" for model, places in ranked]
    if len(found) <= _FEW:
        apart = any("," in place for _, places in ranked for place in places)
        named = [f"{model} ({'; '.join(places)})" if apart else f"{model} on {join_words(places)}"
                 for model, places in ranked]  # fmt: skip
    rest = sum(len(places) for _, places in ranked[_FEW:])
    named = named[:_FEW] + ([f"others on {rest}"] if rest else [])
    shown = "; ".join(named) if any("," in model for model, _ in ranked) else join_words(named)
    of = "" if len(found) <= _FEW else f" on {len(found)} data sets or protocols"
    part = f"{clear} of {len(found)} leads {'is' if clear == 1 else 'are'}"
    sure = "Every lead is" if clear == len(found) else part if clear else "No lead is"
    return f"Best in {metric}{of}: {shown}. {sure} significant and larger than the relevance margin."


def _sentence(lead: Lead) -> str:
    table, best, other = lead.table, lead.best, lead.other
    value = fraction(best.mean, lead.places)
    text = f"{best.model} is best in {table.metric} ({value})"
    if lead.tied:
        return f"No single model is best in {table.metric}: {best.model} and {other.model} both have {value}."
    if other is None:
        return f"{text}; no other model has a result."
    role = ", the best baseline" if other.reference else ""
    ahead = "better" if lead.relative is None else f"{percent(lead.relative, sign=False)} better"
    text += f", {ahead} than {other.model}{role}"
    if lead.pair is None:
        return f"{text}; no test of the two is declared."
    decision = lead.pair.decision
    sure = "significant" if decision.significant else "not statistically significant"
    if decision.significant and not lead.clear:
        sure = f"significant, but {_finding(lead)}"
    return f"{text}; the difference is {sure}."


def _finding(lead: Lead) -> str:
    """The conclusion from the side of the best model."""
    found = lead.pair.decision.conclusion
    return Conclusion.BETTER.value if lead.clear else found.value


def lead_table(found: list[Lead], index: RunIndex) -> Table | None:
    """One row per data set; None without any."""
    if not found:
        return None
    metric = found[0].table.metric
    rows = tuple(_row(lead, index) for lead in found[:_ROWS])
    columns = [dataclasses.replace(c, title=metric) if c.key == "value" else c for c in _COLUMNS]
    drop = {"dataset"} if len(found) == 1 else set()
    keep = [n for n, column in enumerate(columns) if column.key not in drop]
    rows = tuple(dataclasses.replace(r, entries=tuple(r.entries[n] for n in keep)) for r in rows)
    more = (f"{len(found) - _ROWS} more in the chapter Comparison.",) if len(found) > _ROWS else ()
    other = ", or against the best other model where a baseline leads" if any(x.is_baseline for x in found) else ""
    caption = f"The best model on each data set, against the best baseline{other}: {metric}"
    return Table("answer", caption, tuple(columns[n] for n in keep), rows, more, small=True)


def _row(lead: Lead, index: RunIndex) -> Row:
    table, best, other = lead.table, lead.best, lead.other
    places = lead.places
    runs = index.find(table.dataset, best.model, table.protocol)
    entries = [
        TableCell(runs.group.heading, link=f"data-{runs.group.number}"),
        runs.name_cell(), TableCell(fraction(best.mean, places), best.mean, *best.interval, runs.anchor),
    ]  # fmt: skip
    if other is None:
        return Row((*entries, *(TableCell("–") for _ in range(5))))
    rival = index.find(table.dataset, other.model, table.protocol)
    entries += [
        rival.name_cell(),
        TableCell(fraction(other.mean, places), other.mean, *other.interval, rival.anchor),
        TableCell("tied" if lead.tied else percent(lead.relative, sign=False), lead.relative, link=runs.anchor),
    ]
    if lead.pair is None:
        return Row((*entries, TableCell("–"), TableCell("not tested", marks=("quiet",))))
    low, high = lead.pair.decision.interval
    if lead.pair.a != best.model:
        low, high = -high, -low
    finding = _finding(lead)
    tone = "good" if lead.clear else TONE[lead.pair.decision.conclusion]
    return Row((*entries, TableCell(interval(low, high, places, sign=True), high - low, low, high, runs.anchor),
                TableCell(finding, marks=(tone,), link=runs.anchor)))  # fmt: skip


def answer_figure(verdicts: Section | None, comparison: Section | None) -> Figure | None:
    """One picture: published against rerun, or the first differences where nothing was published."""
    figures = [b for s in (verdicts, comparison) if s is not None for b in s.blocks if isinstance(b, Figure)]
    found = next((f for kind in ("levels", "forest") for f in figures if f.kind == kind), None)
    if found is None:
        return None
    rows, of = _spread(found.data["rows"]), len(found.data["rows"])
    caption = found.caption if found.kind == "levels" else f"{found.label}. An interval beyond 0 is significant."
    if len(rows) < of:
        where = "Verdicts" if found.kind == "levels" else "Comparison"
        caption += f" {len(rows)} of {of} rows, from the highest to the lowest; all are in the chapter {where}."
    return dataclasses.replace(found, anchor="answer-figure", caption=caption, data=found.data | {"rows": rows})


def _spread(rows: list) -> list:
    """At most ``_ROWS`` of some sorted rows, evenly from the first to the last."""
    last = len(rows) - 1
    return rows if last < _ROWS else [rows[round(n * last / (_ROWS - 1))] for n in range(_ROWS)]
