"""The pages of the site: the suites, the verdicts by paper and the leaderboards."""

from __future__ import annotations

from collections.abc import Sequence

from evaluation.printed_numbers import decimals, fraction, interval, pluralize
from evaluation.verdicts.verdict import Verdict
from recsys_data.printable import map_texts, printable
from reports.chapters.findings.comparison import INTERVAL
from reports.chapters.findings.summary import tally_parts, verdict_sentence
from reports.chapters.findings.verdicts import tone_of
from reports.document.blocks import Column, Section, Table, TableCell, Tally, Text, row
from reports.report import Report
from reports.site.contents import SiteSuite
from reports.site.leaderboards import Board
from reports.site.open_verdicts import COLUMNS, open_verdicts, summary

NAMES = {"index.html": "Suites", "verdicts.html": "Verdicts by paper", "leaderboards.html": "Leaderboards"}
_NOT_SHOWN = ("declared", "★")  # in notes on what a leaderboard has not
_HYPHEN = "\N{NON-BREAKING HYPHEN}"
_GROUPS = (
    "Models that share a capital letter cannot be told apart: their difference is not significant (all pairs, "
    "Benjamini and Hochberg, q < .05). The order of such models says nothing. Exploratory: no pair was declared "
    "beforehand."
)


def site_pages(suites: Sequence[SiteSuite], boards: Sequence[Board], problems: Sequence[str]) -> dict[str, Report]:
    """The pages by file name. problems: why suites are left out."""
    sections = {
        "index.html": [_overview(suites, problems), *_open(suites), _finder(suites, boards)],
        "verdicts.html": [_paper(number, suite) for number, suite in enumerate(suites, start=1)],
        "leaderboards.html": [_board(number, board) for number, board in enumerate(boards, start=1)],
    }
    if not boards:
        sections["leaderboards.html"] = [Section("none", "No result", (Text("", ("No suite has a result yet.",)),))]
    links = tuple((name, href) for href, name in NAMES.items())
    return {
        href: Report(
            suite="", title=NAMES[href] if href != "index.html" else "Reruns of published experiments", paper="",
            paper_url="", created="", command="", caveats=(), facts=(), metrics=(), kind="Encore", links=links,
            sections=tuple(map_texts(printable, sections[href])),
        )
        for href in NAMES
    }  # fmt: skip


def _overview(suites: Sequence[SiteSuite], problems: Sequence[str]) -> Section:
    """The verdicts of all suites in one bar, and a row per suite."""
    verdicts = [verdict for suite in suites for verdict in suite.verdicts]
    parts = tally_parts(verdicts)
    columns = (Column("suite", "Suite"), Column("title", "Title", wide=True), Column("paper", "Paper", wide=True),
               Column("verdicts", "Verdicts", wide=True), Column("runs", "Runs", numeric=True),
               Column("without", "Without a result", numeric=True), Column("date", "Results of"))  # fmt: skip
    rows = []
    for suite in suites:
        done, lacking = len(suite.results.cells), len(suite.results.failures)
        found = ", ".join(f"{part.number} {part.name}" for part in tally_parts(suite.verdicts)) or "nothing to judge"
        rows.append(row([
            TableCell(suite.name, suite.name, href=suite.href()), TableCell(suite.report.title, suite.report.title),
            TableCell(suite.report.paper or "–", suite.report.paper or None), TableCell(found, found),
            TableCell(str(done), done), TableCell(str(lacking), lacking),
            TableCell(suite.report.created[:10].replace("-", _HYPHEN), suite.report.created),
        ]))  # fmt: skip
    blocks = (
        Text("", (f"{pluralize(len(suites), 'suite')}. {verdict_sentence(verdicts)}",)),
        *((Tally("tally", parts),) if parts else ()),
        Table("suites", "All suites; each leads to its report", columns, tuple(rows), tuple(problems)),
    )
    return Section("overview", "Suites", blocks)


def _open(suites: Sequence[SiteSuite]) -> list[Section]:
    """What is still open, with the price of one more seed; empty where nothing is."""
    if not (found := open_verdicts(suites)):
        return []
    suite, subject, places, seeds, seconds, without_run = COLUMNS
    columns = [Column(suite, suite), Column(subject, subject, wide=True), Column(places, places, wide=True),
               Column(seeds, seeds, numeric=True), Column(seconds, seconds, numeric=True),
               Column(without_run, without_run)]  # fmt: skip
    rows = [
        row([TableCell(text, {seeds: each.seeds, seconds: each.seconds}.get(name, text))
             for name, text in zip(COLUMNS, each.row, strict=True)])
        for each in found
    ]  # fmt: skip
    table = Table("open", "Inconclusive verdicts and the price of one more seed", tuple(columns), tuple(rows))
    return [Section("open", "What is still open", (Text("", (summary(found),)), table))]


def _finder(suites: Sequence[SiteSuite], boards: Sequence[Board]) -> Section:
    """One row per claim, published number and model, for the filter of the table."""
    columns = (Column("what", "What"), Column("name", "Name", wide=True), Column("found", "Found"),
               Column("place", "Data set", wide=True), Column("suite", "Suite"))  # fmt: skip
    rows = []
    for suite in suites:
        for verdict in suite.verdicts:
            what = "published number" if verdict.kind == "Published" else "claim"
            rows.append(row([
                TableCell(what, what), TableCell(verdict.subject, verdict.subject, href=suite.href("verdicts")),
                _outcome(verdict), TableCell(verdict.dataset, verdict.dataset), TableCell(suite.name, suite.name),
            ]))  # fmt: skip
    for board in boards:
        for model in board.table.models:
            for suite, runs in board.sources[model.model]:
                rows.append(row([
                    TableCell("model", "model"), TableCell(model.model, model.model, href=suite.href(runs.anchor)),
                    TableCell(f"{board.table.metric} {fraction(model.mean)}", model.mean),
                    TableCell(f"{board.dataset}, {board.protocol}", board.dataset), TableCell(suite.name, suite.name),
                ]))  # fmt: skip
    table = Table("everything", "Every claim, published number and model: filter by any word", columns, tuple(rows),
                  copied=False)  # fmt: skip
    return Section("find", "Find", (table,))


def _paper(number: int, suite: SiteSuite) -> Section:
    """The verdicts of one suite, under its paper."""
    columns = (Column("subject", "Published number or claim", wide=True), Column("dataset", "Data set"),
               Column("verdict", "Verdict"), Column("claimed", "Claimed", numeric=True),
               Column("found", "Found", numeric=True), Column("interval", "Interval", numeric=True),
               Column("reason", "Reason", wide=True), Column("place", "Where"))  # fmt: skip
    shown = [verdict for verdict in suite.verdicts if not verdict.without_result]
    left_out = ["Those without a result are not listed."] if len(shown) < len(suite.verdicts) else []
    words = [suite.report.paper or "Hypotheses of its own, no paper.", verdict_sentence(list(suite.verdicts)),
             *left_out]  # fmt: skip
    rows = []
    for verdict in shown:
        low, high = verdict.interval or (None, None)
        rows.append(row([
            TableCell(verdict.subject, verdict.subject, href=suite.href("verdicts")),
            TableCell(verdict.dataset, verdict.dataset), _outcome(verdict), TableCell(verdict.claimed, verdict.claimed),
            TableCell(fraction(verdict.estimate, 3, sign=verdict.signed), verdict.estimate),
            TableCell(interval(low, high, 3, sign=verdict.signed), low), TableCell(verdict.reason, verdict.reason),
            TableCell(verdict.place, verdict.place),
        ]))  # fmt: skip
    caption = f"Verdicts of {suite.name}; each leads to the report"
    if not rows:  # nothing else leads to it
        columns, caption = (Column("suite", "Suite"), Column("title", "Title", wide=True)), f"Report of {suite.name}"
        cell = TableCell(suite.name, suite.name, href=suite.href())
        rows = [row([cell, TableCell(suite.report.title, suite.report.title)])]
    table = Table(f"verdicts-{number}", caption, columns, tuple(rows))
    return Section(f"paper-{number}", suite.report.title, (Text("", tuple(words)), table))


def _outcome(verdict: Verdict) -> TableCell:
    return TableCell(verdict.outcome_text.lower(), verdict.outcome_text, marks=(tone_of(verdict),))


def _board(number: int, board: Board) -> Section:
    """One leaderboard."""
    table = board.table
    sign = -1 if table.higher_is_better else 1
    order = sorted(table.models, key=lambda model: sign * model.mean)
    places = decimals((m.interval[1] - m.interval[0]) / 2 if m.interval else None for m in order)
    columns = (Column("model", "Model"), Column(table.metric, table.metric, numeric=True, hint="mean over seeds"),
               Column("interval", "95 % interval", numeric=True, hint=INTERVAL), Column("groups", "Groups"),
               Column("seeds", "Seeds", numeric=True), Column("report", "Report"))  # fmt: skip
    rows = []
    for model in order:
        (suite, runs), *others = board.sources[model.model]
        low, high = model.interval or (None, None)
        also = f" and {', '.join(other.name for other, _ in others)}" if others else ""
        seeds = "fixed" if model.deterministic else str(len(model.seed_values))
        rows.append(row([
            TableCell(model.model, model.model, caveats=tuple(model.caveats)),
            TableCell(fraction(model.mean, places), model.mean, low, high, href=suite.href(runs.anchor)),
            TableCell(interval(low, high, places), low),
            TableCell(groups := board.letters[model.model].upper(), groups), TableCell(seeds, seeds),
            TableCell(suite.name + also, suite.name, href=suite.href()),
        ]))  # fmt: skip
    size = f"{table.num_events:,} queries of {table.num_clusters:,} {table.unit}s."
    title = f"{board.dataset}, {board.protocol}"
    shown = Table(
        f"board-{number}",
        f"All models: {title}, {table.metric}",
        columns,
        tuple(rows),
        (*(note for note in table.notes if not any(word in note for word in _NOT_SHOWN)), _GROUPS),
    )
    return Section(f"place-{number}", title, (Text("", (size,)), shown))
