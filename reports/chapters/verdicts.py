"""Verdicts: each published number and each claim beside what came out, with the reason in words."""

from __future__ import annotations

from typing import Any

from evaluation.verdicts.claims import Compound, Cost, Gain, Outcome, Published, Ranking, Verdict
from reports.document.blocks import Column, Figure, Row, Section, Table, TableCell, Text, row
from reports.document.numbers import decimals, format_number, fraction, interval, p_value
from reports.document.run_index import ModelRuns, RunIndex

TONE = {Outcome.REPRODUCED: "good", Outcome.NOT_REPRODUCED: "bad", Outcome.CONTRADICTED: "bad",
        Outcome.INCONCLUSIVE: "open", Outcome.NOT_COMPARABLE: "quiet"}  # fmt: skip
_LONG = 60  # letters of a reason that is not told twice
_ROWS = 32  # of a figure: more do not fit on a page


def verdicts_section(index: RunIndex, verdicts: list[Verdict]) -> Section | None:
    """The one-look figures, the published numbers, the claims; None where nothing is judged."""
    levels = [v for v in verdicts if isinstance(v.about, Published)]
    claims = [v for v in verdicts if not isinstance(v.about, Published)]
    blocks: list[Any] = [*_figures(index, levels)]
    if levels:
        blocks.append(_levels(index, levels))
    if claims:
        blocks.append(_claims(index, claims))
    if not blocks:
        return None
    words = ("A number is reproduced if the 90 % interval of rerun ÷ published lies within ±5 % (strict) or ±10 % "
             "(lenient); a claim, if its adjusted test confirms its sign, and a gain its size as well. “Inconclusive” "
             "means that these runs cannot tell, not that they disagree. “Not comparable” means that the two numbers "
             "are different quantities.",)  # fmt: skip
    if any(isinstance(v.about, Ranking) and not unrun(v) for v in claims):
        words += ("That one model beats another is a question of the sign alone: such a difference may be sure and yet "
                  "too small to matter. Whether it matters is what the comparisons ask, by the margin.",)  # fmt: skip
    if any(uncertain(v) for v in levels):
        words += ("A published number that is not certain (hard to read off, told in two ways, or had at second "
                  "hand) is shown with its ratio and never judged.",)  # fmt: skip
    if len({v.about.source for v in levels}) > 1:
        words += ("Further sources published numbers for the same models and data: each stands under its name and is "
                  "judged by itself. Where they differ from each other, no rerun can reproduce all.",)  # fmt: skip
    return Section("verdicts", "Verdicts", (Text("", words), *blocks))


def uncertain(verdict: Verdict) -> bool:
    """Whether a published number is shown without a verdict, since its reading is not certain."""
    return isinstance(verdict.about, Published) and not verdict.about.certain and not verdict.about.not_comparable


def unrun(verdict: Verdict) -> bool:
    """Whether there is nothing to judge by, since what it speaks of has no result here."""
    if verdict.parts:
        return all(unrun(part) for part in verdict.parts)
    return verdict.outcome is Outcome.INCONCLUSIVE and verdict.estimate is None and verdict.rerun_value is None


def _ratio(verdict: Verdict) -> float | None:
    """The rerun over the published number, also where it is not judged; None where the two are no one quantity."""
    if verdict.estimate is not None or not uncertain(verdict):
        return verdict.estimate
    return verdict.rerun_value / verdict.about.value if verdict.rerun_value and verdict.about.value > 0 else None


def _figures(index: RunIndex, levels: list[Verdict]) -> list[Figure]:
    """Published against rerun, one row a number, as many figures as it takes for each to find room on a page."""
    drawn = [v for v in levels if _ratio(v) is not None and _runs(index, v) is not None]
    rows, sources = [], _sources(drawn)
    several = len({v.about.dataset for v in drawn}) > 1
    for verdict in sorted(drawn, key=lambda v: sources.index(v.about.source)):
        about, runs, ratio = verdict.about, _runs(index, verdict), _ratio(verdict)
        low, high = verdict.interval or (None, None)
        dagger = " †" if runs.caveats or runs.shared else ""
        source = f" ({about.source})" if about.source != "paper" and len(sources) > 1 else ""
        name = f"{about.model}{dagger}, {about.metric}" + (f", {about.dataset}" if several else "") + source
        rows.append({"name": name, "color": runs.color, "ratio": ratio, "low": low, "high": high,
                     "outcome": _said(verdict), "judged": about.certain, "published": _printed(about),
                     "rerun": format_number(verdict.rerun_value, 4)})  # fmt: skip
    parts = [rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS)]
    caption = "Rerun ÷ published with 90 % intervals. Within the dark band: ±5 %, within the light one: ±10 %."
    if len(sources) == 1 and sources[0] != "paper":
        caption += f" All published by {sources[0]}."
    if any(not item["judged"] for item in rows):
        caption += " Hollow marks: the published value is not certain, so it is not judged."
    if any(item["judged"] and item["low"] is None for item in rows):
        caption += " A full mark without an interval is of one seed, which tells nothing of its noise."
    return [
        Figure("levels-figure" if n == 0 else f"levels-figure-{n + 1}", "levels",
                "Rerun divided by published, with 90 % intervals, on a log axis", caption, {"rows": part})
        for n, part in enumerate(parts)
    ]  # fmt: skip


def _sources(levels: list[Verdict]) -> list[str]:
    """Where the numbers were published, the paper first."""
    return sorted(dict.fromkeys(v.about.source for v in levels), key=lambda source: source != "paper")


def _runs(index: RunIndex, verdict: Verdict) -> ModelRuns | None:
    """The runs that a published number is set against."""
    return index.find(verdict.about.dataset, verdict.about.model, verdict.protocol or None)


def _printed(about: Published) -> str:
    """The published number as it was printed."""
    return fraction(about.value, about.digits)


def _levels(index: RunIndex, levels: list[Verdict]) -> Table:
    """One row a published number, of each source first those that have a rerun beside them."""
    columns = (
        Column("subject", "Model"),
        Column("dataset", "Data set"),
        Column("metric", "Metric"),
        Column("published", "Published", True),
        Column("rerun", "Rerun", True, "mean over seeds"),
        Column("seeds", "Seeds", True, "how many ran; fixed: none changes anything"),
        Column("ratio", "Ratio", True, "rerun ÷ published"),
        Column("interval", "90 % interval", True),
        Column("outcome", "Verdict"),
        Column("reason", "Why", wide=True),
        Column("place", "Where"),
    )
    sources, told = _sources(levels), set()
    levels = sorted(levels, key=lambda v: v.rerun_value is None)
    rows: list[Row] = []
    for source in sources:
        if len(sources) > 1:
            heading = "In the paper itself" if source == "paper" else f"Further source: {source}"
            rows.append(Row((TableCell(heading),), kind="group"))
        rows += [row(_level(index, verdict, told)) for verdict in levels if verdict.about.source == source]
    found = [r for v in levels if (r := _runs(index, v))]
    return Table("published", "Published numbers", columns, tuple(rows), _caveats(found), small=True)


def _level(index: RunIndex, verdict: Verdict, told: set[str]) -> list[TableCell]:
    """One published number."""
    about, runs, ratio = verdict.about, _runs(index, verdict), _ratio(verdict)
    link = runs.anchor if runs else ""
    low, high = verdict.interval or (None, None)
    seeds = "–" if runs is None or not runs.cells else "fixed" if runs.deterministic else str(len(runs.cells))
    places = max(about.digits, 4)
    heading = index.heading(about.dataset, verdict.protocol) if verdict.protocol else about.dataset
    doubt = () if about.certain else ("uncertain: the reading of this published number is not certain",)
    return [
        TableCell(about.model, link=link, caveats=runs.caveats if runs else (), color=runs.color if runs else None),
        TableCell(heading, caveats=runs.shared if runs else ()),
        TableCell(about.metric), TableCell(_printed(about), about.value, caveats=doubt),
        TableCell(fraction(verdict.rerun_value, places), verdict.rerun_value, link=link),
        TableCell(seeds, None if runs is None else len(runs.cells), link=link),
        TableCell(fraction(ratio, 3), ratio, low, high, link, marks=("quiet",) if uncertain(verdict) else ()),
        TableCell(interval(low, high, 3), None if low is None else high - low, link=link),
        _outcome(verdict), TableCell(_reason(index, verdict, told)), TableCell(_place(about.place, about.source)),
    ]  # fmt: skip


def _caveats(found: list[ModelRuns]) -> tuple[str, ...]:
    """Every caveat of these runs in full: a model's own, and a data set's."""
    own = dict.fromkeys((runs.model, caveat) for runs in found for caveat in runs.caveats)
    shared = dict.fromkeys((runs.dataset, caveat) for runs in found for caveat in runs.shared)
    return tuple(f"{name}: {caveat}." for name, caveat in (*own, *shared))


def _outcome(verdict: Verdict) -> TableCell:
    """The verdict with its mark."""
    return TableCell(_said(verdict), marks=(TONE[verdict.outcome],))


def _said(verdict: Verdict) -> str:
    """The verdict's word; a number that is only shown has none of the judged ones."""
    return "NOT JUDGED" if uncertain(verdict) else verdict.outcome.value


def _place(place: str, source: str = "") -> str:
    """Where it stands, and in what if that is not the paper."""
    return ", ".join(part for part in (place, "" if source == "paper" else source) if part)


def _claims(index: RunIndex, claims: list[Verdict]) -> Table:
    """One row a claim; the parts of a compound claim follow it."""
    columns = (
        Column("subject", "Claim", wide=True),
        Column("outcome", "Verdict"),
        Column("estimate", "Found", True, "a difference for a ranking, a ratio for a gain or a cost"),
        Column("interval", "Interval", True, "95 % of a difference, 90 % of a ratio"),
        Column("p", "Adj. p", True, "users × seeds, Holm over all rankings and gains of the suite"),
        Column("reason", "Why", wide=True),
        Column("place", "Where"),
    )
    rows, told = [], set()
    for verdict in claims:
        rows.append(row(_claim(index, verdict, told)))
        rows += [row(_claim(index, part, told, "· ")) for part in verdict.parts]
    judged = [part for verdict in claims for part in (verdict, *verdict.parts)]
    notes = _caveats([runs for part in judged for runs in _claimed(index, part)])
    return Table("claims", "Claims", columns, tuple(rows), notes, small=True)


def _claimed(index: RunIndex, verdict: Verdict) -> list[ModelRuns]:
    """The runs that a claim speaks of, the one said to be better first; none for a compound claim."""
    about = verdict.about
    if isinstance(about, Compound):
        return []
    names = (about.first, about.second) if isinstance(about, Cost) else (about.better, about.worse)
    found = [index.find(about.dataset, name, verdict.protocol or None) for name in names]
    return [runs for runs in found if runs is not None]


def _reason(index: RunIndex, verdict: Verdict, told: set[str]) -> str:
    """Why, with what became of an absent cell in full where it is first told, and later where to read it."""
    said = verdict.reason
    for failure in index.results.failures:
        if failure.reason in said and len(failure.reason) > _LONG:
            if failure.reason in told:
                said = said.replace(f": {failure.reason}", ", as told above").replace(failure.reason, "as told above")
            told.add(failure.reason)
    return said


def _claim(index: RunIndex, verdict: Verdict, told: set[str], before: str = "") -> list[TableCell]:
    """One claim. What is found: a difference for a ranking, a ratio for a gain or a cost."""
    about, places = verdict.about, 3
    low, high = verdict.interval or (None, None)
    signed = not isinstance(about, Gain | Cost)
    if signed and low is not None:
        places = decimals([(high - low) / 2])
    runs = _claimed(index, verdict)
    link = runs[0].anchor if runs else ""
    caveats = tuple(dict.fromkeys(caveat for r in runs for caveat in r.caveats))
    said = TableCell(fraction(verdict.estimate, places, sign=signed), verdict.estimate, low, high, link,
                 caveats=caveats if verdict.estimate is not None else ())  # fmt: skip
    return [
        TableCell(before + verdict.subject, link=runs[1].anchor if len(runs) > 1 else link), _outcome(verdict), said,
        TableCell(interval(low, high, places, sign=signed), None if low is None else high - low, link=link),
        TableCell(p_value(verdict.p_adjusted), verdict.p_adjusted, link=link), TableCell(_reason(index, verdict, told)),
        TableCell(_place(getattr(about, "place", ""))),
    ]  # fmt: skip
