"""The folder of published results: site, printed reports, tables and README.md, all drawn from its bundles.

    python -m reports.site.published [FOLDER]

FOLDER (default: published) has one bundle per suite, bundles/NAME.zip, made with ``bundle NAME --share``. The same
bundles give the same bytes with the same version of Encore and its libraries. The exit code is 1 where a bundle is left
out.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path

from evaluation.printed_numbers import fraction, interval, pluralize
from evaluation.verdicts.verdict import Verdict
from recsys_data.atomic_write import write_bytes_atomically
from reports.chapters.findings.summary import verdict_sentence
from reports.output.pdf import write_pdf
from reports.site.contents import SiteSuite
from reports.site.open_verdicts import COLUMNS, open_verdicts, summary
from reports.site.write import check_replaceable, opened_suites, write_pages
from reports.tables.as_markdown import escape_markdown, markdown_line
from reports.tables.export import write_tables

_HEAD = """# Published results

Printed by `make published` from the bundles in `bundles/`; edit nothing here. Every verdict on every published number
and claim, as it came out. `site/index.html` has the same with a report per suite,
`site/suites/NAME/` its PDF and tables.

A bundle is made for sharing: statistics are computed again from its sums by user, but no pair of a user and an item can
be read from it. To redraw a report: `python benchmark.py report --from published/bundles/NAME.zip`. To compute its
cells again and compare every bit, where the data are at hand:
`python benchmark.py rerun --from published/bundles/NAME.zip`.

"""
_COSTS = ("Suite", "Runs", "Without a result", "CPU hours", "Machine", "Commit", "Results of")
_VERDICTS = ("Published number or claim", "Data set", "Verdict", "Claimed", "Found", "Interval", "Seeds", "Reason")


def draw(folder: Path) -> list[str]:
    """Draw everything again from the bundles, and return why some are left out."""
    site = folder / "site"
    check_replaceable(site)
    with opened_suites(folder / "bundles", lambda name: print(name, flush=True)) as (suites, problems):
        write_pages(suites, problems, site)
        for suite in suites:
            write_pdf(suite.page, site / suite.folder / "report.pdf")
            write_tables(suite.report, site / suite.folder / "tables")
        write_bytes_atomically(folder / "README.md", readme(suites, problems).encode())
    return problems


def readme(suites: Sequence[SiteSuite], problems: Sequence[str]) -> str:
    """The page over all suites: cost, and one line per published number or claim."""
    verdicts = [verdict for suite in suites for verdict in suite.verdicts]
    text = f"{_HEAD}{pluralize(len(suites), 'suite')}. {verdict_sentence(verdicts)}\n\n"
    text += "".join(f"{escape_markdown(problem)}\n\n" for problem in problems)
    text += _table(_COSTS, map(_cost, suites))
    if found := open_verdicts(suites):
        text += f"\n## What is still open\n\n{summary(found)}\n\n{_table(COLUMNS, (each.row for each in found))}"
    for suite in suites:
        title = suite.report.title + (f" ({suite.report.paper})" if suite.report.paper else "")
        command = suite.report.command.partition(" --results ")[0]  # the folder is the reader's own
        text += f"\n## {escape_markdown(title)}\n\n`{command}`\n\n"
        if not suite.verdicts:
            text += "It has no claim and no published number.\n"
            continue
        judged = [verdict for verdict in suite.verdicts if not verdict.without_result]
        text += _table(_VERDICTS, (_line(suite, verdict) for verdict in judged)) if judged else ""
        if open_here := len(suite.verdicts) - len(judged):
            noun = "published number or claim", "published numbers and claims"
            text += f"\n{pluralize(open_here, *noun)} without a result here.\n"
    return text


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = markdown_line(columns) + markdown_line([":---"] * len(columns))
    return head + "".join(markdown_line([escape_markdown(cell) for cell in row]) for row in rows)


def _cost(suite: SiteSuite) -> Sequence[str]:
    """The suite's row of costs."""
    cells = suite.results.cells
    records = [cell.record for cell in cells]
    machines = sorted({record["environment"]["cpu"] for record in records})
    commits = sorted({(record["environment"].get("commit") or "unknown")[:10] for record in records})
    hours = suite.results.core_seconds() / 3600
    return (suite.name, str(len(cells)), str(len(suite.results.failures)), f"{hours:.2f}", ", ".join(machines),
            ", ".join(commits), suite.report.created[:10])  # fmt: skip


def _line(suite: SiteSuite, verdict: Verdict) -> Sequence[str]:
    """The row of one verdict."""
    low, high = verdict.interval or (None, None)
    cells = suite.cells_of(verdict)
    drawn = {cell.seed for cell in cells if not cell.deterministic}
    seeds = str(len(drawn)) if drawn else "fixed" if cells else "none"
    return (verdict.subject, "; ".join(suite.places_of(verdict)) or "–", verdict.outcome_text, verdict.claimed or "–",
            fraction(verdict.estimate, 3, sign=verdict.signed), interval(low, high, 3, sign=verdict.signed),
            seeds, verdict.reason)  # fmt: skip


def main() -> int:
    """Draw the folder; 1 where a bundle is left out."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path, nargs="?", default=Path("published"))
    problems = draw(parser.parse_args().folder)
    for problem in problems:
        print(f"warning: {problem}")
    return int(bool(problems))


if __name__ == "__main__":
    raise SystemExit(main())
