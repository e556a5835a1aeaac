"""Properties of the join: neither the order of rows nor the cut into files says anything of a model."""

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluation.rank_files.comparison.compare import compare_files

FEW = {"flips": 300, "resamples": 100}
ORDERLESS = ["mrr", "mrr@5", "recall@5", "hitrate@5", "precision@5", "map@5", "ndcg@5", "meanrank"]
WITH_TARGETS = ("user", "query", "target", "greater", "tied")
SEEDS = st.integers(0, 10_000)


def drawn(seed, users=6):
    """Rows (user, query, target, greater, tied) of two models: 1 to 4 queries a user, 1 to 3 targets, many ties.

    Counts come from scores of 12 items, since targets of one query that share a place must share its ties.
    """
    rng = np.random.default_rng(seed)
    models = [], []
    for user in range(users):
        for query in range(rng.integers(1, 5)):
            targets = rng.choice(12, rng.integers(1, 4), replace=False)
            for rows in models:
                scores = rng.integers(0, 6, 12)
                for target in targets:
                    greater, tied = np.sum(scores > scores[target]), np.sum(scores == scores[target]) - 1
                    rows.append((f"u{user}", f"q{query}", f"i{target}", int(greater), int(tied)))
    return models


def write(path, rows, columns=WITH_TARGETS):
    path.write_text("\n".join(",".join(map(str, row)) for row in [columns, *rows]) + "\n")
    return path


def answer(*paths, metrics=ORDERLESS):
    """The rows of a comparison without the files' names."""
    found = compare_files(paths, metrics, **FEW)["comparisons"]
    return [{name: v for name, v in row.items() if name not in ("a", "b", "sentence")} for row in found]


def same(one, other):
    """Whether all is equal, numbers up to the rounding of sums in another order."""
    assert len(one) == len(other) > 0
    for row, again in zip(one, other, strict=True):
        assert row.keys() == again.keys()
        for name, value in row.items():
            if isinstance(value, float):
                assert math.isclose(value, again[name], rel_tol=1e-9, abs_tol=1e-12), name
            else:
                assert value == again[name], name
    return True


@settings(deadline=None, max_examples=15)
@given(seed=SEEDS)
def test_permuting_the_rows_of_every_file_changes_nothing(tmp_path_factory, seed):
    folder, rng = tmp_path_factory.mktemp("permuted"), np.random.default_rng(seed)
    first, second = drawn(seed)
    plain = answer(write(folder / "a.csv", first), write(folder / "b.csv", second))
    mixed = [[rows[i] for i in rng.permutation(len(rows))] for rows in (first, second)]
    assert same(plain, answer(write(folder / "c.csv", mixed[0]), write(folder / "d.csv", mixed[1])))


@settings(deadline=None, max_examples=15)
@given(seed=SEEDS)
def test_users_split_over_files_anyhow_are_joined_again(tmp_path_factory, seed):
    folder, rng = tmp_path_factory.mktemp("split"), np.random.default_rng(seed)
    first, second = drawn(seed)
    plain = answer(write(folder / "a.csv", first), write(folder / "b.csv", second))
    parts = folder / "parts"
    parts.mkdir()
    where = np.r_[0, 1, rng.integers(0, 2, len(first) - 2)]  # neither file is empty
    for n in (0, 1):
        write(parts / f"{n}.csv", [row for row, at in zip(first, where, strict=True) if at == n])
    assert same(plain, answer(parts, folder / "b.csv"))


def test_without_queries_a_user_goes_on_in_the_next_file(tmp_path):
    a, b = ([(user, greater + 1) for user, _, _, greater, _ in rows] for rows in drawn(4))
    columns = ("user", "rank")
    plain = answer(write(tmp_path / "a.csv", a, columns), write(tmp_path / "b.csv", b, columns))
    parts = tmp_path / "parts"
    parts.mkdir()
    cut = 1 + next(n for n in range(5, len(a)) if a[n][0] == a[n + 1][0])  # within a user
    write(parts / "1.csv", a[:cut], columns)
    write(parts / "2.csv", a[cut:], columns)
    assert answer(parts, tmp_path / "b.csv") == plain


@settings(deadline=None, max_examples=15)
@given(seed=SEEDS)
def test_swapping_the_files_flips_the_signs_of_every_metric(tmp_path_factory, seed):
    folder = tmp_path_factory.mktemp("swapped")
    paths = [write(folder / f"{n}.csv", rows) for n, rows in enumerate(drawn(seed))]
    for row, back in zip(answer(*paths), answer(*paths[::-1]), strict=True):
        for name in ("estimate", "micro", "macro"):
            assert row[name] == -back[name]
        for name in ("p_sign_flip", "p_adjusted", "p_max_t", "se_cluster", "users", "events"):
            assert row[name] == back[name]
        assert row["ci_low"] == pytest.approx(-back["ci_high"], abs=1e-12)


@settings(deadline=None, max_examples=15)
@given(seed=SEEDS, constant=st.integers(0, 8))
def test_a_constant_model_beside_changes_no_other_raw_p(tmp_path_factory, seed, constant):
    folder = tmp_path_factory.mktemp("constant")
    first, second = drawn(seed)
    paths = [write(folder / "a.csv", first), write(folder / "b.csv", second)]
    third = write(folder / "c.csv", [(*row[:3], constant, 0) for row in first])
    three = answer(*paths, third, metrics=["mrr@5"])
    assert three[0]["p_sign_flip"] == answer(*paths, metrics=["mrr@5"])[0]["p_sign_flip"]
    assert len(three) == 3


@settings(deadline=None, max_examples=10)
@given(seed=SEEDS)
def test_identical_files_have_estimate_zero_and_p_one(tmp_path_factory, seed):
    path = write(tmp_path_factory.mktemp("same") / "a.csv", drawn(seed)[0])
    for row in answer(path, path):
        json.dumps(row, allow_nan=False)
        assert row["estimate"] == row["micro"] == row["macro"] == 0
        assert row["p_sign_flip"] == row["p_adjusted"] == row["p_max_t"] == 1
        assert row["ci_low"] == row["ci_high"] == 0
