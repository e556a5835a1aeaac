"""A small, seeded part of the trials of `make faults`; each function runs one file beside this one."""

from __future__ import annotations

import importlib
import itertools
import json
import warnings

import pytest

from tests.faults import damage, fuzz, kills
from tests.faults.fuzzing.parser import Input
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


def test_a_killed_run_leaves_no_process_and_loses_no_bit(tmp_path):
    found = list(kills.trials(tmp_path, 0.05, seed=1, cases=[(kills.PARENT, 2), (kills.TERMINATED, 1)]))
    assert [trial.tried for trial in found] == [1, 1]
    assert [trial.failures for trial in found] == [[], []]


def test_every_parser_gives_a_result_or_one_sentence(tmp_path):
    found = list(fuzz.trials(tmp_path, 0.01, seed=1))
    assert [trial.failures for trial in found] == [[] for _ in found]
    assert sum(trial.tried for trial in found) >= 3_000


def test_fuzzing_notices_every_way_in_which_a_parser_may_fail(monkeypatch):
    monkeypatch.setattr(fuzz, "LIMIT", 0.2)

    def judged(read):
        with fuzz.bounded():
            return fuzz.judge(Input(read, ("a.csv",), b""))

    def fail(error):
        raise error

    assert judged(lambda: fail(ValueError("a.csv: line 3 is empty; expected a number"))) == ""
    assert judged(lambda: None) == ""
    assert judged(lambda: fail(KeyError("user"))).startswith("traceback: KeyError: 'user' at test_faults.py")
    assert judged(lambda: b"\xff".decode()).startswith("an error of a library: UnicodeDecodeError")
    assert judged(lambda: json.loads("{")).startswith("an error of a library: JSONDecodeError")
    assert judged(lambda: fail(ValueError("expected a number"))).startswith("names no input")
    assert judged(lambda: fail(ValueError("a.csv: line 3\nexpected"))).startswith("no single line")
    assert judged(lambda: fail(ValueError("a.csv: is wrong"))).startswith("does not say what was expected")
    assert judged(lambda: warnings.warn("careful", stacklevel=1)).startswith("traceback: UserWarning")
    assert judged(lambda: bytearray(1 << 40)).startswith("traceback: MemoryError")
    assert judged(lambda: [None for _ in itertools.repeat(0)]).startswith("hang")
