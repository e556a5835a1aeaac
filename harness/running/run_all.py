"""Running every suite in turn: one that fails does not stop the others."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.cells.record import error_message
from harness.running.plan import Plan
from harness.running.session import RunOutcome
from harness.store import StoreUnusable
from harness.suites.load import SuiteNotLoadable, load_suite
from harness.suites.overrides import InvalidOverride, applicable_sets


@dataclass(frozen=True)
class SuiteOutcome:
    """The outcome of one suite: its plan, or its run and reports, or the reason why there are none.

    not_selected: --only, --protocol or --set leave no cell of the suite; this is no failure.
    """

    suite: str
    plan: Plan | None = None
    outcome: RunOutcome | None = None
    reports: tuple[Path, ...] = ()
    reason: str = ""
    not_selected: bool = False

    @property
    def failed(self) -> bool:
        """Whether the suite, or a cell of it, failed."""
        return bool(self.reason and not self.not_selected) or bool(self.outcome and self.outcome.failed)

    @property
    def skipped(self) -> bool:
        """Whether data were missing."""
        return bool(self.outcome and self.outcome.skipped)

    def row(self) -> dict[str, Any]:
        """Its row in the summary of all suites."""
        if self.outcome is None:
            state = "not selected" if self.not_selected else "FAILED"
            return {"suite": self.suite, "outcome": state, "why": self.reason}
        states = Counter(planned.state for planned in self.outcome.plan.cells)
        failed = len(self.outcome.failed)
        return {
            "suite": self.suite,
            "outcome": f"{failed} FAILED" if failed else "done",
            "cells": sum(states.values()) - states["left out"],
            "computed": states["new"] + states["stale"] - failed + states["refused"],
            "cached": states["cached"],
            "skipped": states["skipped"],
            "failed": failed,
            "why": "; ".join(dict.fromkeys(reason for _, reason in self.outcome.failed)),
        }


def sets_by_suite(
    suites: Sequence[str], sets: Sequence[str], warn: Callable[[str], None]
) -> dict[str, tuple[str, ...]]:
    """For each suite that can be loaded, those of the --set ``sets`` that apply to it; it runs without the others.

    Raises InvalidOverride, before anything is computed, for a change that applies to no suite.
    """
    chosen, refusals = {}, {}
    for name in suites if sets else ():
        try:
            chosen[name], unfit = applicable_sets(load_suite(name).experiments, sets)
        except SuiteNotLoadable:  # run_all reports it
            continue
        except InvalidOverride:  # run_all reports what its models refuse
            chosen[name] = tuple(sets)
            continue
        lost = [text for text in sets if text not in chosen[name]]
        refusals |= dict(zip(lost, unfit, strict=True))
        if lost:
            warn(f"{name} runs without --set {', '.join(lost)}: it has no such model or field")
    for text, refusal in refusals.items():
        if not any(text in applied for applied in chosen.values()):
            raise InvalidOverride(f"no suite can take it: {refusal}")
    return chosen


def run_all(
    suites: Sequence[str], run_one: Callable[[str], SuiteOutcome], warn: Callable[[str], None]
) -> list[SuiteOutcome]:
    """Apply ``run_one`` to each suite; an error becomes the reason of that suite's outcome, and the next suite follows.

    Raises StoreUnusable, which would stop every suite, and InvalidOverride where no suite has a matching cell.
    """
    outcomes = []
    for name in suites:
        try:
            outcomes.append(run_one(name))
        except StoreUnusable:
            raise
        except InvalidOverride as error:
            outcomes.append(SuiteOutcome(name, reason=error_message(error), not_selected=True))
        except Exception as error:  # an error of one suite does not stop the others
            if os.environ.get("ENCORE_TRACE"):
                raise
            outcomes.append(SuiteOutcome(name, reason=error_message(error)))
            warn(f"FAILED {name}: {outcomes[-1].reason}")
    left_out = [outcome for outcome in outcomes if outcome.not_selected]
    if left_out and all(outcome.reason for outcome in outcomes):
        raise InvalidOverride(f"no suite has a matching cell: {left_out[0].suite}: {left_out[0].reason}")
    for outcome in left_out:
        warn(f"NOT SELECTED {outcome.suite}: {outcome.reason}")
    return outcomes
