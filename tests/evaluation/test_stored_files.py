"""Stored files: what is damaged is named, with what to do."""

import json

import pytest

from evaluation.metrics.sums_file import read_sums
from evaluation.results.suite_results import CellResult, read_suite
from evaluation.stored_files import read_record


@pytest.mark.parametrize("text, said", [("", "Expecting value"), ('{"key": ', "Expecting value"), ("[]", "with key"),
                                        ("{}", "with key"), ("\udc80", "utf-8")])  # fmt: skip
def test_a_record_that_is_damaged_is_named(tmp_path, text, said):
    path = tmp_path / "cell.json"
    path.write_text(text, errors="surrogateescape")
    with pytest.raises(ValueError, match=f"{path} is damaged .*{said}.*: remove its folder and run again"):
        read_record(path, ["key"])


def test_a_record_that_needs_nothing_is_still_an_object(tmp_path):
    (tmp_path / "cell.json").write_text("[]")
    with pytest.raises(ValueError, match=r"is damaged \(expected an object\): remove"):
        read_record(tmp_path / "cell.json")


def test_a_record_that_is_there_is_read_and_an_absent_one_is_none(tmp_path):
    (tmp_path / "cell.json").write_text('{"key": "k"}')
    assert read_record(tmp_path / "cell.json", ["key"]) == {"key": "k"}
    assert read_record(tmp_path / "none.json", ["key"]) is None
    assert read_record(tmp_path / "cell.json" / "inside.json") is None


def test_damaged_or_missing_files_of_a_cell_are_named(tmp_path):
    cell = CellResult(tmp_path, "d", "p", "m", 0, {"key": "k"})
    with pytest.raises(ValueError, match=r"ranks.parquet is damaged .*: remove its folder and run again"):
        _ = cell.ranks
    for name in ("ranks", "sums"):
        (tmp_path / f"{name}.parquet").write_bytes(b"PAR1 half of it")
    with pytest.raises(ValueError, match=r"ranks.parquet is damaged \("):
        _ = cell.ranks
    with pytest.raises(ValueError, match=r"sums.parquet is damaged \("):
        read_sums(tmp_path)
    (tmp_path / "curve.jsonl").write_text('{"epoch": 1}\n{"epo')
    with pytest.raises(ValueError, match=r"curve.jsonl is damaged \("):
        _ = cell.curve


def test_a_result_that_was_removed_is_missing_and_not_done(tmp_path):
    entry = {"dataset": "d", "protocol": "p", "model": "m", "seed": 0, "key": "k", "state": "DONE", "reason": ""}
    path = tmp_path / "suites" / "s" / "suite.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"name": "s", "cells": [entry]}))
    [failure] = read_suite(tmp_path, "s").failures
    assert (failure.state, failure.reason) == ("MISSING", "its result is no longer in the store")
    path.write_text(path.read_text()[:40])
    with pytest.raises(ValueError, match=r"suite.json is damaged .*: remove it and run again"):
        read_suite(tmp_path, "s")


def test_a_record_of_another_schema_says_what_to_do(tmp_path):
    path = tmp_path / "cell.json"
    path.write_text('{"key": "k", "schema": 1}')
    with pytest.raises(ValueError, match=r"cell.json has schema 1, this program reads 2: "
                       "remove the results folder, or choose another with --results"):  # fmt: skip
        read_record(path)
    path.write_text('{"key": "k", "schema": 2}')
    assert read_record(path)["key"] == "k"
