"""A small, seeded part of the trials of `make faults`; each function runs one file beside this one."""

from __future__ import annotations

import importlib
import itertools

import pytest

from tests.faults import damage, kills
from tests.faults.trial import Trial, table


def test_the_table_counts_what_was_tried_and_what_failed():
    trial = Trial("a bit of ranks.parquet flips")
    for failure in ("", "", "read back as another number"):
        trial.count(failure)
    assert (trial.tried, trial.held) == (3, 2)
    assert table([trial]).splitlines()[-1] == "| a bit of ranks.parquet flips | 3 | 2 | 1 |"


@pytest.mark.parametrize("name", ["texts", "tracking"])
def test_texts_and_tracking_hold(tmp_path, name):
    module = importlib.import_module(f"tests.faults.{name}")
    found = list(module.trials(tmp_path, 0.02, seed=1))
    assert [trial.failures for trial in found] == [[] for _ in found]
    assert all(trial.tried for trial in found)


def test_damaged_files_are_healed_or_named(tmp_path):
    found = list(damage.trials(tmp_path, 0.001, seed=1))
    assert [trial.failures for trial in found] == [[] for _ in found]
    assert sum(trial.tried for trial in found) >= 60


def test_the_trial_of_damages_notices_a_store_without_checksums(tmp_path, monkeypatch):
    monkeypatch.setattr("evaluation.results.suite_results.checked_bytes", lambda path, files: path.read_bytes())
    found = itertools.islice(damage.trials(tmp_path, 0.001, seed=1), 4)
    (curves,) = (trial for trial in found if trial.what.startswith("curve.jsonl"))
    assert any(failure.startswith("number in ") and "silently" in failure for failure in curves.failures)


@pytest.mark.parametrize(("target", "jobs"), [(kills.PARENT, 2), (kills.TERMINATED, 1)])
def test_a_killed_run_leaves_no_process_and_loses_no_bit(tmp_path, target, jobs):
    (trial,) = kills.trials(tmp_path, 0.05, seed=1, targets=[target], jobs=[jobs])
    assert trial.tried == 1
    assert trial.failures == []
