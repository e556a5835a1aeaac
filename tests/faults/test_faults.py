"""A small, seeded part of the trials of `make faults`; each function runs one file beside this one."""

from __future__ import annotations

from tests.faults.trial import Trial, table


def test_the_table_counts_what_was_tried_and_what_failed():
    trial = Trial("a bit of ranks.parquet flips")
    for failure in ("", "", "read back as another number"):
        trial.count(failure)
    assert (trial.tried, trial.held) == (3, 2)
    assert table([trial]).splitlines()[-1] == "| a bit of ranks.parquet flips | 3 | 2 | 1 |"
