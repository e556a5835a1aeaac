"""Changes between two stores: each kind of change, judged by hand; the recorded differences that go with it."""

import dataclasses
import math
import shutil

import numpy as np
import pytest
from scipy import stats

from evaluation.changes.changes import Change, find_changes
from evaluation.changes.noise import SeedNoise
from evaluation.changes.ranks import table_moves
from evaluation.changes.recorded import recorded_differences
from evaluation.changes.sides import read_side
from harness.system.environment import environment_record
from tests.evaluation.conftest import StoreBuilder, draw_ranks

RANKS = draw_ranks(0.3, 0)


def moved(ranks, places, share=1.0):
    """The ranks with the first part of them moved down."""
    greater = ranks.greater.copy()
    greater[: int(share * len(ranks))] += places
    return dataclasses.replace(ranks, greater=np.minimum(greater, 199))


def built(root, change=None, seeds=4, **record):
    """A store with a learner and a deterministic model; ``change`` turns the ranks of (model, seed) into others."""
    change = change or (lambda model, seed, ranks: ranks)
    store = StoreBuilder(root)
    for seed in range(seeds):
        ranks = draw_ranks(0.8, seed, seed_shift=0.05)
        store.add("GRU", change("GRU", seed, ranks), seed=seed, **record)
    store.add("Markov", change("Markov", 0, RANKS), deterministic=True, **record)
    store.suite()
    return read_side(root)


def by_model(changes):
    return {cell.model: cell.change for cell in changes.cells}


def test_the_same_results_have_equal_bits(tmp_path):
    changes = find_changes(built(tmp_path / "a"), built(tmp_path / "b"))
    assert {each.change for each in (*changes.cells, *changes.numbers)} == {Change.SAME}
    assert len(changes.cells) == 5 and len(changes.numbers) == 4
    assert not changes.beyond


def test_one_planted_change_shows_and_nothing_else(tmp_path):
    worse = built(tmp_path / "b", lambda model, seed, ranks: moved(ranks, 5) if model == "Markov" else ranks)
    changes = find_changes(built(tmp_path / "a"), worse)
    assert by_model(changes) == {"GRU": Change.SAME, "Markov": Change.BEYOND}
    assert {(n.model, n.change) for n in changes.numbers} == {("GRU", Change.SAME), ("Markov", Change.BEYOND)}
    (cell,) = [cell for cell in changes.cells if cell.model == "Markov"]
    others = int((moved(RANKS, 5).greater != RANKS.greater).sum())  # all but those that were last
    assert f"{others} of {len(RANKS)} ranks moved, by at most 5 places; no seeds" == cell.detail
    assert changes.beyond


def test_near_ties_move_few_ranks_by_one_place(tmp_path):
    def near(model, seed, ranks):
        last = np.argmax(ranks.greater)  # the worst rank weighs least
        greater = ranks.greater.copy()
        greater[last] -= 1
        return dataclasses.replace(ranks, greater=greater)

    changes = find_changes(built(tmp_path / "a"), built(tmp_path / "b", near))
    assert {each.change for each in (*changes.cells, *changes.numbers) if each.change is not Change.SAME} == {
        Change.NEAR
    }
    assert not changes.beyond


def test_other_draws_of_seeds_are_within_noise_and_a_worse_method_is_not(tmp_path):
    def drawn(strength):
        return lambda model, seed, ranks: draw_ranks(strength, 40 + seed, seed_shift=0.05) if model == "GRU" else ranks

    a = built(tmp_path / "a")
    again = find_changes(a, built(tmp_path / "b", drawn(0.8)))
    assert by_model(again) == {"GRU": Change.WITHIN, "Markov": Change.SAME}
    assert not again.beyond
    worse = find_changes(a, built(tmp_path / "c", drawn(0.2)))
    assert by_model(worse)["GRU"] is Change.BEYOND
    assert worse.beyond


def test_one_seed_has_no_noise_that_explains_a_move(tmp_path):
    b = built(tmp_path / "b", lambda model, seed, ranks: moved(ranks, 3), seeds=1)
    changes = find_changes(built(tmp_path / "a", seeds=1), b)
    (cell,) = [cell for cell in changes.cells if cell.model == "GRU"]
    assert (cell.change, cell.noise) == (Change.BEYOND, None)
    assert cell.detail.endswith("; one seed, so noise is not known")


def test_other_test_rows_are_beyond_noise(tmp_path):
    def other(model, seed, ranks):
        return dataclasses.replace(ranks, history=ranks.history + 1)

    changes = find_changes(built(tmp_path / "a"), built(tmp_path / "b", other))
    assert set(by_model(changes).values()) == {Change.BEYOND}
    assert "other test rows: their column history differs" in changes.cells[0].detail


def test_cells_of_one_side_are_missing_with_the_reason(tmp_path):
    store = StoreBuilder(tmp_path / "b")
    store.add("Markov", RANKS, deterministic=True).fail("GRU", "the loss was NaN").suite()
    changes = find_changes(built(tmp_path / "a"), read_side(tmp_path / "b"))
    missing = [cell for cell in changes.cells if cell.change is Change.MISSING]
    assert [cell.seed for cell in missing] == [0, 1, 2, 3]
    assert missing[0].detail == "in A alone (FAILED: the loss was NaN)"
    assert missing[1].detail == "in A alone (no such cell)"
    assert not changes.beyond


def test_noise_by_scipy():
    before, after = [0.1, 0.12, 0.11], [0.13, 0.15]
    noise = SeedNoise.of(before, after)
    pooled = math.sqrt((2 * np.var(before, ddof=1) + np.var(after, ddof=1)) / 3)
    assert (noise.df, noise.sd) == (3, pytest.approx(pooled))
    # by scipy's own test: the bound of the means is where p is 5 %
    _, p = stats.ttest_ind([value + noise.of_mean(1) - 0.03 for value in after], before)
    assert p == pytest.approx(0.05)
    assert noise.of_cell(1) == pytest.approx(stats.t.ppf(0.975, 3) * pooled * math.sqrt(2))
    assert noise.of_cell(10) == pytest.approx(stats.t.ppf(1 - 0.05 / 20, 3) * pooled * math.sqrt(2))
    assert SeedNoise.of([0.1], [0.2]) is None


def test_moves_of_ranks():
    assert table_moves(RANKS, RANKS).same
    greater = RANKS.greater.copy()
    greater[:3] = [7, 8, 9]
    before = dataclasses.replace(RANKS, greater=greater)
    greater = greater.copy()
    greater[:3] = [7, 9, 4]
    found = table_moves(before, dataclasses.replace(RANKS, greater=greater))
    assert (found.moved, found.of, found.places, found.by_one) == (2, len(RANKS), 5.0, 1)


@pytest.mark.parametrize(
    ("before", "after", "texts"),
    [
        ({"key_parts": {"code": {"a.py": "1", "b.py": "2"}}}, {"key_parts": {"code": {"a.py": "1", "c.py": "2"}}},
         ("code: b.py, c.py",)),
        ({"fingerprints": {"data": "1", "split": "2"}}, {"fingerprints": {"data": "3", "split": "4"}},
         ("data: the events differ", "data: the parts of the split differ")),
        ({"device": "cpu", "threads": 1}, {"device": "cuda", "threads": 2}, ("device: cpu → cuda", "threads: 1 → 2")),
        ({"model_fields": {"dim": 32, "loss": {"margin": 1}}}, {"model_fields": {"dim": 64, "loss": {"margin": 2}}},
         ("field dim: 32 → 64", "field loss.margin: 1 → 2")),
        ({"environment": {"torch": "2.13.0", "commit": "a"}}, {"environment": {"torch": "2.14.0", "commit": "b"}},
         ("environment torch: 2.13.0 → 2.14.0",)),
        ({"seconds": {"fit": 1}}, {"seconds": {"fit": 2}}, ()),
    ],
)  # fmt: skip
def test_recorded_differences(before, after, texts):
    assert recorded_differences(before, after) == texts


def test_a_suite_of_a_store_and_a_cell_can_be_named(tmp_path):
    built(tmp_path / "a", dataset_fields={}, seeds=1)
    one = read_side(tmp_path / "a" / "suites" / "s")
    assert not find_changes(one, read_side(tmp_path / "a")).beyond
    with pytest.raises(ValueError, match="holds no results: expected a results folder, a bundle"):
        read_side(tmp_path)
    with pytest.raises(ValueError, match="has no suite 'x': it holds s"):
        read_side(tmp_path / "a", "x")
    shutil.copytree(tmp_path / "a" / "suites" / "s", tmp_path / "a" / "suites" / "t")
    with pytest.raises(ValueError, match="belongs to the name s, not to t"):
        read_side(tmp_path / "a")


def test_a_machine_of_another_size_and_another_commit_are_no_difference():
    here = environment_record({"threads": 1})
    other = here | {"commit": "f" * 40, "dirty": None, "host_hash": "0" * 12, "cores": 999, "memory_mb": 1}
    assert here.keys() == other.keys()  # the record has all of these names
    assert recorded_differences({"environment": here}, {"environment": other}) == ()
