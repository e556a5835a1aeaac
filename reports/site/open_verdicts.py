"""What is still open: the inconclusive verdicts that have a result, and what one more seed of their learners costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from evaluation.printed_numbers import format_seconds, pluralize
from evaluation.verdicts.verdict import Outcome, Verdict
from reports.site.contents import SiteSuite

# of a table of open verdicts
COLUMNS = ("Suite", "Open number or claim", "Data set", "Seeds", "Core time of one more seed", "Without any run here")


@dataclass(frozen=True)
class OpenVerdict:
    """An inconclusive verdict and its price.

    places: its data sets. seeds: of the learners in its open parts so far. seconds: of a core, for one more seed of
    each of these, by the mean of its stored runs. without_run: the models of open parts that have none.
    """

    suite: str
    subject: str
    places: Sequence[str]
    seeds: int
    seconds: float
    without_run: Sequence[str]

    @property
    def row(self) -> Sequence[str]:
        """Its row under COLUMNS."""
        return (self.suite, self.subject, "; ".join(self.places) or "–", str(self.seeds or "fixed"),
                format_seconds(self.seconds or None), "; ".join(self.without_run) or "–")  # fmt: skip


def open_verdicts(suites: Iterable[SiteSuite]) -> list[OpenVerdict]:
    """The inconclusive verdicts of all suites that have a result, in the suites' order."""
    return [
        _priced(suite, verdict)
        for suite in suites
        for verdict in suite.verdicts
        if verdict.outcome is Outcome.INCONCLUSIVE and not verdict.without_result
    ]


def summary(found: Sequence[OpenVerdict]) -> str:
    """Say how many are open, and what the table shows."""
    return (
        f"{pluralize(len(found), 'verdict')} {'is' if len(found) == 1 else 'are'} inconclusive although there is a "
        "result. The reason of each, in its line among the verdicts, says what would decide it: more seeds, whose "
        "price is shown here, or more test users than the data may have."
    )


def _priced(suite: SiteSuite, verdict: Verdict) -> OpenVerdict:
    parts = [part for part in verdict.parts or (verdict,) if part.outcome is Outcome.INCONCLUSIVE]
    runs = {}  # by data set, protocol and model: learners of two parts count once
    without_run = []
    for part in parts:
        for model in part.models:
            named = replace(part, models=(model,), parts=())
            cells = suite.cells_of(named)
            if not cells:
                without_run.append(f"{model} on {', '.join(suite.places_of(named))}")
            for cell in cells:
                if not cell.deterministic:
                    runs.setdefault((cell.dataset, cell.protocol, cell.model), {})[cell.seed] = cell
    return OpenVerdict(
        suite=suite.name,
        subject=verdict.subject,
        places=suite.places_of(verdict),
        seeds=len({seed for seeds in runs.values() for seed in seeds}),
        seconds=sum(fmean(cell.core_seconds for cell in seeds.values()) for seeds in runs.values()),
        without_run=sorted(set(without_run)),
    )
