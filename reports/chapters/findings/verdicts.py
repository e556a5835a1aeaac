"""Verdicts: each published number and each claim beside the result of the rerun, with the reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from evaluation.printed_numbers import (
    MISSING,
    decimals,
    format_number,
    fraction,
    interval,
    join_words,
    p_value,
    pluralize,
)
from evaluation.results.best_epochs import split_best_epoch
from evaluation.verdicts.claims import Outcome, Published, Verdict
from reports.chapters.findings.said_once import LONG, common_caveats, each_reason_once, without_badges
from reports.document.blocks import Column, Figure, Row, Section, Table, TableCell, Text, caveat_badge, has_badge, row
from reports.document.run_index import ModelRuns, RunIndex

TONE = {Outcome.REPRODUCED: "good", Outcome.NOT_REPRODUCED: "bad", Outcome.CONTRADICTED: "bad",
        Outcome.INCONCLUSIVE: "open", Outcome.NOT_COMPARABLE: "quiet", Outcome.NOT_JUDGED: "quiet"}  # fmt: skip
HEADINGS = {
    "REPRODUCED": "Reproduced", "SUPPORTED": "Supported", "NOT REPRODUCED": "Not reproduced",
    "CONTRADICTED": "Contradicted", "NOT SUPPORTED": "Not supported", "INCONCLUSIVE": "Inconclusive",
    "NOT COMPARABLE": "",
}  # fmt: skip
# the beginning of a reason that repeats the rerun, the ratio or difference, its interval and p
_SHOWN = re.compile(
    r"^(Rerun \S+ \([^)]*\), ratio \S+ \[[^\]]*\]: |.* = \S+ \[[^\]]*\], adjusted p [=<] [\d.]+\d(: |\.$))"
)
_NAMED = 6  # models in a sentence
_FOUND = ("difference", "difference_interval", "estimate", "interval")
_ROWS = 32  # of a figure, to fit on a page


def verdicts_section(index: RunIndex, verdicts: list[Verdict]) -> Section | None:
    """Figures, published numbers and claims; None where nothing is judged."""
    levels = [v for v in verdicts if isinstance(v.about, Published)]
    claims = [v for v in verdicts if not isinstance(v.about, Published)]
    blocks: list[Any] = [*_figures(index, levels)]
    if levels:
        blocks.append(_levels(index, levels))
    if claims:
        blocks.append(_claims(index, claims))
    if not blocks:
        return None
    words = (_names(verdicts),
             "A published number is reproduced if the 90 % interval of rerun ÷ published lies within ±5 % (strict) or "
             "±10 % (lenient). A ranking is reproduced if its adjusted test confirms the sign, and a gain if its size "
             "agrees as well. “Inconclusive” means that these runs do not decide, not that they disagree. “Not "
             "comparable” means that the two numbers are different quantities.",)  # fmt: skip
    if any(not v.cites_paper for v in claims):
        words += ("A hypothesis without a cited paper is “supported” or “not supported” by the same rules.",)
    if any(v.signed and not v.without_result for v in claims):
        words += ("A ranking is judged by the sign alone: a significant difference may still be negligible. The "
                  "comparison chapter applies the relevance margin.",)  # fmt: skip
    if any(v.outcome is Outcome.NOT_JUDGED for v in levels):
        words += ("“Not judged” marks an uncertain published number (hard to read from a figure, given in two ways, or "
                  "quoted from another source): it is shown with its ratio and never judged.",)  # fmt: skip
    if len({v.about.source for v in levels}) > 1:
        words += ("Several sources published numbers for the same models and data; each is listed under its name and "
                  "judged separately. Where they differ, no rerun can reproduce all of them.",)  # fmt: skip
    return Section("verdicts", "Verdicts", (Text("", tuple(filter(None, words))), *blocks))


def _names(verdicts: list[Verdict]) -> str:
    """Which verdicts have each outcome, in one paragraph; empty where nothing is judged."""
    sentences = []
    for text, heading in HEADINGS.items():
        names = [v.subject for v in verdicts if v.outcome_text == text]
        if names and heading:
            shown = [f"“{name}”" for name in names[:4]]
            more = [f"{len(names) - 4} more"] if len(names) > 4 else []
            sentences.append(f"{heading}: {join_words(shown + more)}.")
    return " ".join(sentences)


def _ratio(verdict: Verdict) -> float | None:
    """Rerun over published, also where it is not judged; None where they are different quantities."""
    if verdict.estimate is not None or verdict.outcome is not Outcome.NOT_JUDGED:
        return verdict.estimate
    return verdict.rerun_value / verdict.about.value if verdict.rerun_value and verdict.about.value > 0 else None


def _figures(index: RunIndex, levels: list[Verdict]) -> list[Figure]:
    """Figures of published against rerun, one row per number, each small enough for a page."""
    drawn = [v for v in levels if _ratio(v) is not None and _runs(index, v) is not None]
    rows, sources = [], _sources(drawn)
    places = short_places(index, drawn)
    for verdict in sorted(drawn, key=lambda v: (sources.index(v.about.source), -_ratio(v))):
        about, runs, ratio = verdict.about, _runs(index, verdict), _ratio(verdict)
        low, high = verdict.interval or (None, None)
        dagger = " †" if runs.caveats or runs.group.caveats else ""
        source = f" ({about.source})" if about.source != "paper" and len(sources) > 1 else ""
        place = f", {places[_where(index, verdict)]}" if len(places) > 1 else ""
        name = f"{about.model}{dagger}, {about.metric}{place}{source}"
        rows.append({"name": name, "color": runs.color, "ratio": ratio, "low": low, "high": high,
                     "outcome": verdict.outcome_text, "judged": verdict.outcome is not Outcome.NOT_JUDGED,
                     "published": _printed(about), "rerun": format_number(verdict.rerun_value, 4)})  # fmt: skip
    parts = [rows[start : start + _ROWS] for start in range(0, len(rows), _ROWS)]
    caption = "Rerun ÷ published with 90 % intervals. Dark band: ±5 %; light band: ±10 %."
    if len(sources) == 1 and sources[0] != "paper":
        caption += f" All published by {sources[0]}."
    if any(not item["judged"] for item in rows):
        caption += " Hollow marks: NOT JUDGED, since the published value is uncertain."
    if any(item["judged"] and item["low"] is None for item in rows):
        caption += " A filled mark without an interval has one seed, which does not show the seed noise."
    return [
        Figure("levels-figure" if n == 0 else f"levels-figure-{n + 1}", "levels",
                "Rerun divided by published, with 90 % intervals, on a log axis", caption, {"rows": part})
        for n, part in enumerate(parts)
    ]  # fmt: skip


def _where(index: RunIndex, verdict: Verdict) -> str:
    """The data set of a published number, with the protocol where the suite has several on it."""
    dataset = verdict.about.dataset
    return index.heading(dataset, verdict.protocol) if verdict.protocol else dataset


def short_places(index: RunIndex, levels: list[Verdict]) -> dict[str, str]:
    """What tells the places of published numbers apart: of protocols on one data set their labels alone."""
    places = dict.fromkeys(_where(index, verdict) for verdict in levels)
    datasets = {verdict.about.dataset for verdict in levels}
    cut = f"{datasets.pop()}, " if len(datasets) == 1 else ""
    return {place: place.removeprefix(cut) for place in places}


def _sources(levels: list[Verdict]) -> list[str]:
    """The sources of the published numbers, the paper first."""
    return sorted(dict.fromkeys(v.about.source for v in levels), key=lambda source: source != "paper")


def _runs(index: RunIndex, verdict: Verdict) -> ModelRuns | None:
    """The runs that a published number is compared with."""
    return index.find(verdict.about.dataset, verdict.about.model, verdict.protocol or None)


def _printed(about: Published) -> str:
    """The published number as printed."""
    return fraction(about.value, about.digits)


def _levels(index: RunIndex, levels: list[Verdict]) -> Table:
    """One row per published number, grouped by source, those with a rerun first."""
    columns = (
        Column("subject", "Model"),
        Column("dataset", "Data set"),
        Column("metric", "Metric"),
        Column("published", "Published", True),
        Column("rerun", "Rerun", True, "mean over seeds"),
        Column("seeds", "Seeds", True, "number of finished seeds; fixed: a deterministic model"),
        Column("ratio", "Ratio", True, "rerun ÷ published"),
        Column("interval", "90 % interval", True),
        Column("outcome", "Verdict"),
        Column("reason", "Why", wide=True),
        Column("place", "Where"),
    )
    shown = [verdict for verdict in levels if not _is_missing(verdict)]
    sources, given = _sources(levels), set()
    rows: list[Row] = []
    for source in sources:
        if len(sources) > 1:
            heading = "In the paper itself" if source == "paper" else f"Further source: {source}"
            rows.append(Row((TableCell(heading),), kind="group"))
        rows += [row(_level(index, verdict, given), kind="missing" if _is_missing(verdict) else "")
                 for verdict in levels if verdict.about.source == source]  # fmt: skip
    found = [runs for verdict in shown if (runs := _runs(index, verdict))]
    notes = (*_caveats(found), *_left_out(index, levels, "published number"))
    common = common_caveats(found)
    badges = {caveat_badge(caveat) for caveat in common}
    rows = [without_badges(r, badges) for r in each_reason_once(rows)]
    return Table("published", "Published numbers", columns, tuple(rows), notes, small=True, caveats=common)


def _level(index: RunIndex, verdict: Verdict, given: set[str]) -> list[TableCell]:
    """One published number."""
    about, runs, ratio = verdict.about, _runs(index, verdict), _ratio(verdict)
    link = runs.anchor if runs else ""
    low, high = verdict.interval or (None, None)
    seeds = "–" if runs is None or not runs.cells else "fixed" if runs.deterministic else str(len(runs.cells))
    places, judged = max(about.digits, 4), verdict.outcome is not Outcome.NOT_JUDGED
    return [
        TableCell(about.model, link=link, caveats=runs.caveats if runs else (), color=runs.color if runs else None),
        TableCell(_where(index, verdict), caveats=runs.group.caveats if runs else ()),
        TableCell(about.metric), TableCell(_printed(about), about.value),
        TableCell(fraction(verdict.rerun_value, places), verdict.rerun_value, link=link),
        TableCell(seeds, None if runs is None else len(runs.cells), link=link),
        TableCell(fraction(ratio, 3), ratio, low, high, link, marks=() if judged else ("quiet",)),
        TableCell(interval(low, high, 3), None if low is None else high - low, link=link),
        _outcome(verdict), _why(index, verdict, given), TableCell(_place(about.place, about.source)),
    ]  # fmt: skip


def _is_missing(verdict: Verdict) -> bool:
    """Whether there is no result to show beside what was published."""
    return verdict.without_result or (isinstance(verdict.about, Published) and verdict.rerun_value is None)


def _left_out(index: RunIndex, verdicts: list[Verdict], noun: str) -> tuple[str, ...]:
    """One sentence on the verdicts that have no result to judge by; none where all have one."""
    missing = [verdict for verdict in verdicts if _is_missing(verdict)]
    if not missing:
        return ()
    models = list(dict.fromkeys(name for verdict in missing for name in verdict.models))
    some = [*models[:_NAMED], *([f"{len(models) - _NAMED} more"] if len(models) > _NAMED else [])]
    why = "; the chapter Cells without a result has the reasons" if index.results.failures else ""
    named = f" (of {join_words(some)})" if some else ""
    return (f"Not shown, without a result here: {pluralize(len(missing), noun)}{named}{why}.",)


def _caveats(found: list[ModelRuns]) -> tuple[str, ...]:
    """The caveats of these runs that have a badge, in full, each with its model or data set."""
    own = dict.fromkeys((runs.model, caveat) for runs in found for caveat in runs.caveats)
    shared = dict.fromkeys((runs.group.dataset, caveat) for runs in found for caveat in runs.group.caveats)
    return tuple(f"{name}: {caveat}." for name, caveat in (*own, *shared) if has_badge(caveat))


def _outcome(verdict: Verdict) -> TableCell:
    """The verdict with its mark; "unfounded" where there is no result to judge by."""
    unfounded = ("unfounded",) if _unfounded(verdict) else ()
    return TableCell(verdict.outcome_text, marks=(tone_of(verdict), *unfounded))


def tone_of(verdict: Verdict) -> str:
    """The tone in which a verdict is shown; quiet where there is nothing to judge by."""
    return "quiet" if verdict.without_result else TONE[verdict.outcome]


def _unfounded(verdict: Verdict) -> bool:
    """Whether no result of the suite is behind a verdict, of whichever outcome."""
    if verdict.parts:
        return all(map(_unfounded, verdict.parts))
    judged = verdict.outcome not in (Outcome.INCONCLUSIVE, Outcome.NOT_COMPARABLE, Outcome.NOT_JUDGED)
    return not judged and verdict.estimate is None and verdict.rerun_value is None


def _place(place: str, source: str = "") -> str:
    """The place in the publication, and the source if it is not the paper."""
    return ", ".join(part for part in (place, "" if source == "paper" else source) if part)


def _claims(index: RunIndex, claims: list[Verdict]) -> Table:
    """One row per claim, followed by the parts of a compound claim."""
    columns = (
        Column("subject", "Claim", wide=True),
        Column("outcome", "Verdict"),
        Column("claimed", "Claimed", False, "a difference for a ranking, a ratio for a gain or a cost"),
        *_found_columns(claims),
        Column("p", "Adj. p", True, "users × seeds, Holm over all rankings and gains of the suite"),
        Column("reason", "Why", wide=True),
        Column("place", "Where"),
    )
    rows, given = [], set()
    shown = [verdict for verdict in claims if not _is_missing(verdict)]
    for verdict in claims:
        kind = "missing" if _is_missing(verdict) else ""
        rows.append(row(_claim(index, verdict, given, columns), kind=kind))
        rows += [row(_claim(index, part, given, columns, "· "), kind=kind) for part in verdict.parts]
    rows = each_reason_once(rows)
    judged = [part for verdict in shown for part in (verdict, *verdict.parts)]
    notes = (*_caveats([runs for part in judged for runs in _claimed(index, part)]), *_left_out(index, claims, "claim"))
    return Table("claims", "Claims", columns, tuple(rows), notes, small=True)


def _found_columns(claims: list[Verdict]) -> list[Column]:
    """Columns of what was found: differences and ratios apart, each only where a claim has one."""
    found = [part for v in claims for part in (v, *v.parts) if part.estimate is not None]
    columns = []
    if any(v.signed for v in found):
        hint = "95 % at the level of Holm's procedure, so it excludes 0 where adj. p < .05"
        columns += [Column("difference", "Difference", True, "in the metric, in these runs"),
                    Column("difference_interval", "95 % interval", True, hint)]  # fmt: skip
    if any(not v.signed for v in found):
        title = "Ratio" if all(v.signed or v.kind in ("Gain", "Cost") for v in found) else "Ratio or amount"
        columns += [Column("estimate", title, True, "the claimed quantity in these runs"),
                    Column("interval", "90 % interval", True)]  # fmt: skip
    return columns


def _claimed(index: RunIndex, verdict: Verdict) -> list[ModelRuns]:
    """The runs that a claim names, the one said to be ahead first; none for a compound claim."""
    found = [index.find(verdict.dataset, name, verdict.protocol or None) for name in verdict.models]
    return [runs for runs in found if runs is not None]


def _why(index: RunIndex, verdict: Verdict, given: set[str]) -> TableCell:
    """The reason without the numbers that other columns show; in full as its tooltip."""
    text = _reason(index, verdict, given)
    short = text if verdict.parts else _SHOWN.sub("", text, count=1)  # the row of a compound has no numbers
    return TableCell(short[:1].upper() + short[1:], text, exact=text if short != text else "")


def _reason(index: RunIndex, verdict: Verdict, given: set[str]) -> str:
    """The reason without caveats, which are notes; the long reason of a missing cell is given in full once only."""
    text = verdict.reason
    start, mark, rest = text.rpartition(" Caveat")
    cells = [cell for runs in _claimed(index, verdict) for cell in runs.cells]
    if mark and any(split_best_epoch(caveat)[0] in rest for cell in cells for caveat in cell.caveats):
        text = start
    for failure in index.results.failures:
        if failure.reason in text and len(failure.reason) > LONG:
            if failure.reason in given:
                text = text.replace(f": {failure.reason}", ", as above").replace(failure.reason, "as above")
            given.add(failure.reason)
    return text


def _claim(
    index: RunIndex, verdict: Verdict, given: set[str], columns: Sequence[Column], before: str = ""
) -> list[TableCell]:
    """The row of one claim."""
    low, high = verdict.interval or (None, None)
    signed = verdict.signed
    places = decimals([(high - low) / 2]) if signed and low is not None else 3
    runs = _claimed(index, verdict)
    link = runs[0].anchor if runs else ""
    caveats = tuple(dict.fromkeys(caveat for r in runs for caveat in r.caveats))
    found = TableCell(fraction(verdict.estimate, places, sign=signed), verdict.estimate, low, high, link,
                      caveats=caveats if verdict.estimate is not None else ())  # fmt: skip
    ends = TableCell(interval(low, high, places, sign=signed), None if low is None else high - low, link=link)
    keys = ("difference", "difference_interval") if signed else ("estimate", "interval")
    measured = dict(zip(keys, (found, ends), strict=True))
    return [
        TableCell(before + verdict.subject, link=runs[1].anchor if len(runs) > 1 else link), _outcome(verdict),
        TableCell(verdict.claimed or MISSING),
        *(measured.get(column.key, TableCell("")) for column in columns if column.key in _FOUND),
        TableCell(p_value(verdict.p_adjusted), verdict.p_adjusted, link=link),
        _why(index, verdict, given), TableCell(_place(verdict.place)),
    ]  # fmt: skip
