"""A stored search: the best so far, and the expected best of k trials against enumeration of all draws."""

from itertools import product

import pytest

from evaluation.results.suite_results import CellResult, SuiteResults
from evaluation.results.tuning_results import LEDGER_FILE, SEARCH_FILE, SearchResult, read_search
from recsys_data.sealed_json import sealed_line
from tests.stored_records import write_sealed


def search(*scores, higher=True):
    trials = [{"trial": n, "validation": score, "seconds": 2.0} for n, score in enumerate(scores)]
    return SearchResult({"metric": "MRR@20", "higher_is_better": higher}, trials)


def test_two_trials_by_hand():
    # k = 1: (1 + 2) / 2; k = 2: the four draws (1,1) (1,2) (2,1) (2,2) have the maxima 1, 2, 2, 2
    assert search(2.0, 1.0).expected_best() == [1.5, 7 / 4]


@pytest.mark.parametrize("scores", [(0.3, 0.1, 0.2), (0.3, None, 0.1, 0.2), (None, 0.5, 0.5, None)])
@pytest.mark.parametrize("higher", [True, False])
def test_it_is_the_mean_over_every_draw_that_has_a_success(scores, higher):
    best = max if higher else min
    for k, expected in enumerate(search(*scores, higher=higher).expected_best(), start=1):
        draws = [[s for s in draw if s is not None] for draw in product(scores, repeat=k)]
        found = [best(draw) for draw in draws if draw]
        assert expected == pytest.approx(sum(found) / len(found), rel=1e-12)


def test_best_so_far_starts_with_the_first_success():
    assert search(None, 0.2, 0.1, None, 0.4).best_so_far() == [None, 0.2, 0.2, 0.2, 0.4]
    assert search(0.2, 0.3, 0.1, higher=False).best_so_far() == [0.2, 0.2, 0.1]


def test_the_earliest_of_equals_is_chosen():
    assert search(0.1, 0.4, 0.4).best["trial"] == 1
    assert search(0.4, 0.1, 0.1, higher=False).best["trial"] == 1
    assert search(None, None).best is None
    assert search(None, None).expected_best() == [None, None]
    assert (search(None, 0.1).failed, search(None, 0.1).seconds) == (1, 4.0)


def test_a_damaged_ledger_is_named(tmp_path):
    search_file, ledger = tmp_path / "k" / SEARCH_FILE, tmp_path / "k" / LEDGER_FILE
    assert read_search(tmp_path / "k") is None
    write_sealed(search_file, {"key": "k", "metric": "MRR@20"})
    with pytest.raises(ValueError, match=r"search.json is damaged \(expected an object with higher_is_better\)"):
        read_search(tmp_path / "k")
    write_sealed(search_file, {"key": "k", "metric": "MRR@20", "higher_is_better": True})
    assert read_search(tmp_path / "k").trials == []
    trial = {"state": "DONE", "seconds": 0.5}
    lines = [sealed_line({"trial": n, "validation": 0.1 * n, **trial}, "k") for n in range(3)]
    ledger.write_text("".join(lines))
    assert [trial["trial"] for trial in read_search(tmp_path / "k").trials] == [0, 1, 2]
    for text, said in (
        (lines[0] + lines[1][:9], "Expecting|Unterminated"),
        (lines[0] + lines[1].replace("0.1", "0.2"), "does not match its checksum"),
        (lines[0] + lines[2], "line 2 has trial 2, expected 1"),
        (sealed_line({"trial": 0}, "another"), "does not match its checksum"),
        (sealed_line({"trial": 0}, "k"), "expected an object with state, validation, seconds"),
        (sealed_line({"trial": 0, "validation": "x", **trial}, "k"), "validation must be a number, got 'x'"),
        (
            sealed_line({"trial": 0, "validation": None, **trial, "seconds": None}, "k"),
            "seconds must be a number, got None",
        ),
        (sealed_line({"trial": "0", "validation": 1, **trial}, "k"), "trial must be a whole number, got '0'"),
    ):
        ledger.write_text(text)
        with pytest.raises(ValueError, match=rf"ledger.jsonl is damaged \(.*({said})"):
            read_search(tmp_path / "k")
    write_sealed(search_file, {"key": "another", "metric": "MRR@20", "higher_is_better": True})
    with pytest.raises(ValueError, match=r"search.json is damaged \(it belongs to the key another, not to k\)"):
        read_search(tmp_path / "k")


def test_a_suite_counts_a_search_of_several_seeds_once(tmp_path):
    write_sealed(tmp_path / "tuning" / "k" / SEARCH_FILE, {"key": "k", "metric": "MRR@20", "higher_is_better": True})
    trials = [{"trial": n, "validation": 0.1, "state": "DONE", "seconds": 10.0} for n in range(2)]
    (tmp_path / "tuning" / "k" / LEDGER_FILE).write_text("".join(sealed_line(trial, "k") for trial in trials))
    record = {"seconds": {"fit": 2.0, "score": None}, "threads": 2}
    tuned = record | {"tuning": {"search": "k", "trials": 2}}
    labels = (tmp_path / "cells" / "a", "D", "P", "M")
    other = {"seconds": {"fit": None}, "threads": None}
    cells = [
        CellResult(*labels, 0, record),
        CellResult(*labels, 0, other),
        CellResult(*labels, 0, tuned),
        CellResult(*labels, 1, tuned),
    ]
    assert SuiteResults(tmp_path, {}, cells).core_seconds() == 2 * (2 + (2 + 20) + 2)
