"""Comparison: the value of every model on each data set, and the tests of the differences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from evaluation.comparison.table import ComparisonTable, ModelRow, PairRow
from evaluation.printed_numbers import (
    count,
    decimals,
    format_number,
    fraction,
    interval,
    join_words,
    p_value,
    percent,
    pluralize,
)
from evaluation.results.cache import ResultCache
from evaluation.statistics.effects import Conclusion
from reports.chapters.findings.all_pairs import across_blocks, heat_map
from reports.document.blocks import Column, Figure, Row, Section, Table, TableCell, Text, as_sentence, row
from reports.document.run_index import ModelRuns, RunIndex

INTERVAL = "users × seeds where there are two seeds or more; else cluster bootstrap"
_MANY = 12  # pairs; of more, only clear conclusions are stated in sentences
BOUNDS = (("best", "Best possible (expected)"), ("chance", "Chance (expected)"))
_ACROSS = 2  # metrics per table, to fit the width of a page
TONE = {Conclusion.BETTER: "good", Conclusion.WORSE: "bad", Conclusion.EQUAL: "quiet", Conclusion.INCONCLUSIVE: "open"}


def comparison_section(index: RunIndex, comparisons: list[ComparisonTable], cache: ResultCache) -> Section:
    """All models, then the declared differences of each metric with their forest plot."""
    blocks: list[Any] = []
    empty: list[str] = []
    alone: list[str] = []
    for group in index.groups.values():
        tables = [t for t in comparisons if (t.dataset, t.protocol) == (group.dataset, group.protocol) and t.models]
        heading, place = group.heading, group.number
        if not tables:
            (alone if group.finished else empty).append(heading)
            continue
        runs = {r.model: r for r in group.runs}
        declared = index.results.record["metrics"]
        main, named = ([t for t in tables if (t.metric in declared) is wanted] for wanted in (True, False))
        blocks += [Text(heading, (_size(tables[0]),)), *standings(main, runs, heading, f"{place}")]
        if named:  # metrics that only published numbers or claims name
            blocks += standings(named, runs, f"{heading}, further metrics of the paper", f"{place}-further")
        for number, table in enumerate(tables, start=1):
            if table.pairs and (table in main or any(pair.why == "claimed" for pair in table.pairs)):
                blocks += differences(table, runs, heading, f"{place}-{number}")
            if table is main[0]:
                blocks += heat_map(table, heading, f"{place}-{number}", _shared(runs))
    blocks += across_blocks(index, comparisons, cache)
    if empty:
        blocks.append(Text("", (f"No model has a result on these, so nothing is compared: {'; '.join(empty)}.",)))
    if alone:
        reason = "The test part of these has one user only, so the variation between users is unknown: "
        blocks.append(Text("", (f"{reason}{'; '.join(alone)}.",)))
    return Section("comparison", "Comparison", tuple(blocks))


def _about(runs: dict[str, ModelRuns]) -> tuple[tuple[str, str], ...]:
    """Data set and protocol of a table."""
    return next(iter(runs.values())).group.about


def _shared(runs: dict[str, ModelRuns]) -> tuple[str, ...]:
    """Caveats of a whole data set."""
    return next(iter(runs.values())).group.caveats


def _size(table: ComparisonTable) -> str:
    """The size of the test set."""
    unit = table.unit or "user"
    return f"The test set has {count(table.num_events)} queries of {count(table.num_clusters)} {unit}s."


def standings(tables: list[ComparisonTable], runs: dict[str, ModelRuns], heading: str, place: str) -> list[Table]:
    """Tables of all models in all metrics, as many metrics per table as fit on a page."""
    made = []
    for start in range(0, len(tables), _ACROSS):
        part = tables[start : start + _ACROSS]
        which = f" in {join_words([table.metric for table in part])}" if len(tables) > _ACROSS else ""
        made.append(standing(part, runs, heading + which, f"{place}-{start + 1}" if start else place))
    return made


def standing(tables: list[ComparisonTable], runs: dict[str, ModelRuns], heading: str, place: str) -> Table:
    """Table of all models in some metrics, the best first, with known bounds below."""
    columns = [Column("model", "Model")]
    for table in tables:
        m = table.metric
        columns += [Column(m, m, True, "mean over seeds", metric=m),
                    Column(f"{m} interval", "95 % interval", True, INTERVAL, metric=m),
                    Column(f"{m} sd", "Seed SD", True, "standard deviation over seeds", metric=m)]  # fmt: skip
        if table.reference is not None:
            columns += [
                Column(f"{m} relative", f"vs {table.reference}", True, "relative difference", metric=m),
                Column(f"{m} p", "Adj. p", True, "Holm over the family; users × seeds where seeds allow", metric=m),
            ]
    order = sorted(tables[0].models, key=lambda r: -r.mean if tables[0].higher_is_better else r.mean)
    rows = [Row((runs[model.model].name_cell(), *_numbers(tables, model.model, runs))) for model in order]
    rows += _bounds(tables, runs)
    shared = _shared(runs)
    return Table(f"standing-{place}", f"All models: {heading}", tuple(columns), tuple(rows), _notes(tables, runs),
                 small=len(columns) > 8, caveats=shared, about=_about(runs))  # fmt: skip


def _numbers(tables: list[ComparisonTable], name: str, runs: dict[str, ModelRuns]) -> Iterable[TableCell]:
    """Cells of one model, metric by metric."""
    link = runs[name].anchor
    for table in tables:
        model = table.model(name)
        places = _places(table)
        width = 3 if table.reference is None else 5
        if model is None:
            yield from (TableCell("–") for _ in range(width))
            continue
        low, high = model.interval or (None, None)
        marks = ("best",) if model.best else ("level",) if model.matches_best else ()
        yield TableCell(fraction(model.mean, places), model.mean, low, high, link, _seeds(model), marks)
        yield TableCell(interval(low, high, places), None if low is None else high - low, link=link,
                    exact="" if low is None else f"[{low:.8g}, {high:.8g}]")  # fmt: skip
        fixed = "fixed" if model.deterministic else "–"
        yield TableCell(fixed if model.sd is None else fraction(model.sd, places + 1), model.sd, link=link,
                    exact=_seeds(model))  # fmt: skip
        if table.reference is not None:
            yield from _against(table, name, link)


def _places(table: ComparisonTable) -> int:
    """Decimals for the means of one table."""
    return decimals(None if m.interval is None else (m.interval[1] - m.interval[0]) / 2 for m in table.models)


def _seeds(model: ModelRow) -> str:
    """The mean and every seed's value in full."""
    values = ", ".join(f"{seed}: {value:.6g}" for seed, value in model.seed_values.items())
    return f"{model.mean:.8g} (seeds {values})" if len(model.seed_values) > 1 else f"{model.mean:.8g}"


def _against(table: ComparisonTable, name: str, link: str) -> tuple[TableCell, TableCell]:
    """The relative difference from the reference with its adjusted p."""
    pair = table.pair(name, table.reference)
    if name == table.reference:
        return TableCell("reference", marks=("quiet",)), TableCell("")
    if pair is None or pair.a != name:
        return TableCell("not declared", marks=("quiet",)), TableCell("")
    p = pair.decision.p_adjusted
    exact = f"{p:.4g}, {_subject(pair)}; alone {pair.decision.p:.4g}"
    return _relative(pair, link), TableCell(p_value(p), p, link=link, exact=exact)


def _relative(pair: PairRow, link: str) -> TableCell:
    """The relative difference with the interval that agrees with the adjusted p."""
    low, high = pair.decision.relative_interval
    exact = f"{percent(pair.relative, 3)} [{percent(low, 3)}, {percent(high, 3)}]"
    return TableCell(percent(pair.relative), pair.relative, low, high, link, exact)


def _subject(pair: PairRow) -> str:
    """To what the test of a pair applies."""
    return "methods" if pair.decision.of_methods else "trained models"


def _bounds(tables: list[ComparisonTable], runs: dict[str, ModelRuns]) -> list[Row]:
    """Rows of the best possible value and the chance value, both expectations, where the data set knows them."""
    first = next((r for r in runs.values() if r.cells), None)
    facts = (first.cells[0].record.get("facts") or {}) if first else {}
    rows = []
    for key, title in BOUNDS:
        values = facts.get(key) or {}
        if not any(table.metric in values for table in tables):
            continue
        entries = [TableCell(title)]
        for table in tables:
            value = values.get(table.metric)
            text = "–" if value is None else fraction(value, _places(table))
            entries.append(TableCell(text, value, link=first.anchor))
            entries += [TableCell("") for _ in range(2 if table.reference is None else 4)]
        rows.append(Row(tuple(entries), kind="reference"))
    return rows


def _notes(tables: list[ComparisonTable], runs: dict[str, ModelRuns]) -> tuple[str, ...]:
    """Notes: the marks, those of the tables, and every caveat in full."""
    notes = [*map(as_sentence, _shared(runs)), *dict.fromkeys(table.notes[0] for table in tables)]
    notes += ["★ best mean; ≈ not significantly different from it: adjusted p of .05 or more, of the declared "
              "comparison with it, or else of Holm over all models against it (post hoc)."]  # fmt: skip
    if _bounds(tables, runs):
        notes += ["Best possible and chance are expectations over draws of the test part. This test part is one draw, "
                  "so a value may lie above the best possible one."]  # fmt: skip
    notes += dict.fromkeys(note for table in tables for note in table.notes[1:])
    by_caveat: dict[str, list[str]] = {}
    for caveat, model in ((caveat, r.model) for r in runs.values() for caveat in r.caveats):
        by_caveat.setdefault(caveat, []).append(model)
    return (*notes, *(f"{join_words(models)}: {caveat}." for caveat, models in by_caveat.items()))


def differences(table: ComparisonTable, runs: dict[str, ModelRuns], heading: str, place: str) -> list[Any]:
    """Forest plot, summary in sentences, and table of the declared comparisons."""
    means = {model.model: model.mean for model in table.models}
    rows = [{"name": f"{p.a}{_dagger(runs[p.a])} − {p.b}{_dagger(runs[p.b])}", "color": runs[p.a].color,
             "value": p.difference, "low": p.decision.interval[0], "high": p.decision.interval[1],
             "margin": table.margin * abs(means[p.b])}
            for p in _by_difference(table)]  # fmt: skip
    label = f"Differences in {table.metric} on {heading} with 95 % intervals and the relevance margin"
    figure = Figure(f"forest-{place}", "forest", label,
                      f"Differences in {table.metric} on {heading} with 95 % intervals at the levels of Holm's "
                      f"procedure: an interval excludes 0 where the adjusted p is below .05. {table.notes[0]} "
                      f"The shaded band is the relevance margin of ±{100 * table.margin:g} %.",
                      {"rows": rows, "axis": f"difference in {table.metric}"}, _shared(runs))  # fmt: skip
    summary = Text(f"Summary of {table.metric}", _sentences(table), beside=True)
    return [figure, summary, _pairs(table, runs, heading, place)]


def _by_difference(table: ComparisonTable) -> list[PairRow]:
    """The declared comparisons, the largest difference first, in figure and table alike."""
    return sorted(table.pairs, key=lambda pair: -pair.difference)


def _sentences(table: ComparisonTable) -> tuple[str, ...]:
    """The conclusion on each pair; where they are many, only the pairs that are not inconclusive."""
    if len(table.pairs) <= _MANY:
        return tuple(pair.sentence for pair in table.pairs)
    clear = [pair.sentence for pair in table.pairs if pair.decision.conclusion is not Conclusion.INCONCLUSIVE]
    rest = len(table.pairs) - len(clear)
    return (*clear, *([f"Inconclusive (see the table below): {pluralize(rest, 'pair')}."] if rest else []))


def _dagger(runs: ModelRuns) -> str:
    return " †" if runs.caveats else ""


def _pairs(table: ComparisonTable, runs: dict[str, ModelRuns], heading: str, place: str) -> Table:
    """Table of the declared comparisons."""
    columns = (
        Column("a", "A"), Column("b", "B"), Column("difference", "A − B", True),
        Column("interval", "95 %, Holm", True,
               "at the level at which Holm's procedure tests the pair: excludes 0 where adj. p < .05"),
        Column("relative", "Relative", True),
        Column("p", "p", True, "users × seeds where seeds allow; else sign flips by cluster"),
        Column("p_holm", "Adj. p", True, "Holm over the family"),
        Column("subject", "Applies to", False, "methods where every learner has two seeds or more"),
        Column("shares", "Better / tied / worse", True, "shares of clusters"),
        Column("standardised", "Effect", True, "in standard deviations of a cluster's contribution"),
        Column("detectable", "Detectable", True, "smallest difference found with 80 % power"),
        Column("finding", "Conclusion"),
    )  # fmt: skip
    places = decimals((p.decision.interval[1] - p.decision.interval[0]) / 2 for p in table.pairs)
    rows = tuple(row(_pair(p, runs, places)) for p in _by_difference(table))
    why = join_words(list(dict.fromkeys(p.why for p in table.pairs)))
    notes = (table.notes[0],
             f"Declared: {why}. {table.flips:,} sign flips, {table.resamples:,} bootstrap resamples.")  # fmt: skip
    return Table(f"differences-{place}", f"Declared comparisons in {table.metric}: {heading}", columns, rows, notes,
                 small=True, caveats=_shared(runs), about=(*_about(runs), ("metric", table.metric)))  # fmt: skip


def _pair(pair: PairRow, runs: dict[str, ModelRuns], places: int) -> list[TableCell]:
    """One comparison."""
    link = runs[pair.a].anchor
    decision = pair.decision
    found, (low, high) = decision.conclusion, decision.interval
    alone = pair.interval if pair.method is None else pair.method.interval
    exact = f"{pair.difference:.8g} [{alone[0]:.6g}, {alone[1]:.6g}] for this pair alone"
    shares = pair.shares
    shown = " / ".join(f"{100 * s:.0f}" for s in (shares.better, shares.tied, shares.worse)) + " %"
    return [
        TableCell(pair.a, link=link, color=runs[pair.a].color, caveats=runs[pair.a].caveats),
        TableCell(pair.b, link=runs[pair.b].anchor, color=runs[pair.b].color, caveats=runs[pair.b].caveats),
        TableCell(fraction(pair.difference, places, sign=True), pair.difference, low, high, link, exact),
        TableCell(interval(low, high, places, sign=True), high - low, link=link, exact=f"[{low:.8g}, {high:.8g}]"),
        _relative(pair, link), TableCell(p_value(decision.p), decision.p, link=link),
        TableCell(p_value(decision.p_adjusted), decision.p_adjusted, link=link), TableCell(_subject(pair), link=link),
        TableCell(shown, shares.better - shares.worse, link=link, exact=shown),
        TableCell(format_number(pair.standardised, 2), pair.standardised, link=link),
        TableCell(fraction(pair.smallest_detectable, places), pair.smallest_detectable, link=link),
        TableCell(found.value, marks=(TONE[found],), link=link),
    ]  # fmt: skip
