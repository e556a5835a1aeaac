"""SearchResult: the stored trials of a hyper-parameter search, and the best score by number of trials."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from evaluation.stored_files import check_fields, name_damaged, read_record
from recsys_data.sealed_json import SealBroken, read_sealed

SEARCH_FILE, LEDGER_FILE = "search.json", "ledger.jsonl"
_TRIAL = {"trial": int, "state": str, "validation": float | None, "seconds": float}


@dataclass(frozen=True, eq=False)
class SearchResult:
    """One search: ``record`` is its search.json, ``trials`` the lines of its ledger, in order.

    A trial has "trial" (from 0), "point" (as drawn), "fields" (the values tried), "state" (DONE or FAILED),
    "validation" (None if it failed), "seconds", "reason"; and "same_as" where an earlier one had the same fields.
    """

    record: dict[str, Any]
    trials: list[dict[str, Any]]

    @property
    def metric(self) -> str:
        """The displayed name of the metric that the search optimises."""
        return self.record["metric"]

    @property
    def higher_is_better(self) -> bool:
        """Whether a higher value of the metric is better."""
        return self.record["higher_is_better"]

    @property
    def failed(self) -> int:
        """The number of trials without a score."""
        return sum(score is None for score in self.scores)

    @property
    def seconds(self) -> float:
        """The wall-clock seconds of all trials."""
        return sum(trial["seconds"] for trial in self.trials)

    @cached_property
    def scores(self) -> list[float | None]:
        """The validation score of each trial; None where it failed."""
        return [trial["validation"] for trial in self.trials]

    @property
    def best(self) -> dict[str, Any] | None:
        """The trial with the best validation score, the earliest of ties; None if all failed."""
        done = [trial for trial in self.trials if trial["validation"] is not None]
        return max(done, key=lambda trial: self._oriented(trial["validation"]), default=None)

    def best_so_far(self) -> list[float | None]:
        """Return the best validation score of the first k trials, k = 1 … trials; None before the first success."""
        found: list[float | None] = []
        for score in self.scores:
            last = found[-1] if found else None
            scores = [s for s in (last, score) if s is not None]
            found.append(max(scores, key=self._oriented, default=None))
        return found

    def expected_best(self) -> list[float | None]:
        """Return the expected best validation score of k trials resampled from these, k = 1 … trials.

        Dodge et al. (2019), "Show your work": E[V_k] = Σ_v v · (P(V ≤ v)^k − P(V < v)^k) with the empirical
        distribution of the n trials, valid for independent trials (random search). A failed trial counts as the worst;
        the expectation is over draws with at least one success. None if all failed.
        """
        done = sorted((s for s in self.scores if s is not None), key=self._oriented)
        total, failed = len(self.scores), self.failed
        if not done:
            return [None] * total
        expected: list[float | None] = []
        for k in range(1, total + 1):
            below = [
                ((failed + i) / total) ** k for i in range(len(done) + 1)
            ]  # P(best is among the i worst, or none succeeds)
            mass = sum(value * (below[i + 1] - below[i]) for i, value in enumerate(done))
            expected.append(mass / (1 - below[0]))
        return expected

    def _oriented(self, score: float) -> float:
        """Return the score with a sign such that higher is better."""
        return score if self.higher_is_better else -score


def read_search(folder: Path) -> SearchResult | None:
    """Read the search in ``folder``; None where there is none. Raises ValueError naming a damaged file."""
    record = read_record(folder / SEARCH_FILE, ["metric", "higher_is_better"], belongs={"key": folder.name})
    ledger = folder / LEDGER_FILE
    if record is None:
        return None
    with name_damaged(ledger):
        trials = (
            [read_sealed(line, folder.name) for line in ledger.read_bytes().splitlines()] if ledger.exists() else []
        )
        for number, trial in enumerate(trials):
            check_fields(trial, _TRIAL, {"point": dict[str, float], "fields": dict[str, Any], "reason": str})
            if trial["trial"] != number:
                raise SealBroken(f"line {number + 1} has trial {trial.get('trial')}, expected {number}")
        return SearchResult(record, trials)
