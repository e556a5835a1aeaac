"""A tour: every suite in turn; one that cannot be run does not stop the others."""

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
from harness.suites.overrides import applicable_sets
from harness.suites.parse_overrides import InvalidOverride


@dataclass(frozen=True)
class SuiteOutcome:
    """What became of one suite: its plan or outcome and its reports, or the sentence why there are none.

    not_selected: nothing of the suite was asked for (by --only, --protocol or --set); no failure.
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
        """What a summary shows of it."""
        if self.outcome is None:
            return {
                "suite": self.suite,
                "outcome": "passed over" if self.not_selected else "FAILED",
                "why": self.reason,
            }
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


def sets_for(suites: Sequence[str], sets: Sequence[str], warn: Callable[[str], None]) -> dict[str, tuple[str, ...]]:
    """For each suite that can be loaded those of the changes ``sets`` that it can take; it runs without the others.

    Raises InvalidOverride, before anything is computed, for a change that no suite can take.
    """
    chosen, refusals = {}, {}
    for name in suites if sets else ():
        try:
            chosen[name], unfit = applicable_sets(load_suite(name).experiments, sets)
        except SuiteNotLoadable:  # told when its turn comes
            continue
        except InvalidOverride:  # so is what its models refuse
            chosen[name] = tuple(sets)
            continue
        lost = [text for text in sets if text not in chosen[name]]
        refusals |= dict(zip(lost, unfit, strict=True))
        if lost:
            warn(f"{name} runs without --set {', '.join(lost)}: it has no such model or field")
    for text, refusal in refusals.items():
        if not any(text in kept for kept in chosen.values()):
            raise InvalidOverride(f"no suite can take it: {refusal}")
    return chosen


def run_all(
    suites: Sequence[str], visit: Callable[[str], SuiteOutcome], warn: Callable[[str], None]
) -> list[SuiteOutcome]:
    """What ``visit`` made of each suite; an error of one is its reason, told at once, and the next follows.

    Raises StoreUnusable, since no suite could store anything then, and InvalidOverride where no suite was asked for.
    """
    stops = []
    for name in suites:
        try:
            stops.append(visit(name))
        except StoreUnusable:
            raise
        except InvalidOverride as error:
            stops.append(SuiteOutcome(name, reason=error_message(error), not_selected=True))
        except Exception as error:  # whatever a suite does wrong, the others go on
            if os.environ.get("ENCORE_TRACE"):
                raise
            stops.append(SuiteOutcome(name, reason=error_message(error)))
            warn(f"FAILED {name}: {stops[-1].reason}")
    passed = [stop for stop in stops if stop.not_selected]
    if passed and all(stop.reason for stop in stops):
        raise InvalidOverride(f"nothing of any suite is meant: {passed[0].suite}: {passed[0].reason}")
    for stop in passed:
        warn(f"passed over {stop.suite}: {stop.reason}")
    return stops
