"""Ahead: what a large report takes longest over is made beforehand, on every core and in any order."""

from __future__ import annotations

from collections.abc import Iterable

from evaluation.comparison.compare import table_questions
from evaluation.metrics.accuracy import metric_named
from evaluation.results.cache import Memo, Question
from evaluation.results.crew import Crew
from evaluation.results.suite_results import SuiteResults
from reports.chapters.beyond_accuracy import beyond_question, measures_of
from reports.chapters.data import split_question
from reports.chapters.slices import slices_question
from reports.document.blocks import Picture, Section
from reports.document.run_index import Roster
from reports.figures.cached import picture_question

_CELLS = 60  # a smaller suite's numbers are there before another process has begun
_NUMBERS, _PICTURES = 8, 24  # and so are fewer answers than these


def numbers_ahead(results: SuiteResults, roster: Roster, memo: Memo, crew: Crew) -> None:
    """Tests, slices and what else is measured on ranks; a batch for what reads the same cells."""
    if len(results.cells) >= _CELLS:
        memo.foresee([*table_questions(results), *_measured(roster)], crew, fewest=_NUMBERS)


def pictures_ahead(sections: Iterable[Section], memo: Memo, crew: Crew) -> None:
    """The figures, each on its own."""
    pictures = [block for section in sections for block in section.blocks if isinstance(block, Picture)]
    memo.foresee([[picture_question(picture)] for picture in pictures], crew, fewest=_PICTURES)


def _measured(roster: Roster) -> Iterable[list[Question]]:
    metric, measures = metric_named(roster.results.record["metrics"][0]), measures_of(roster)
    for group in roster.groups.values():
        done = [runs for runs in group if runs.cells]
        if done:
            yield [slices_question(done, metric), beyond_question(done, measures), split_question(done[0])]
