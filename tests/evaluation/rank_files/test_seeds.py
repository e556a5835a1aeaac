"""Rank files of several seeds under one name: the test over users × seeds, its witnesses and its refusals."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

from benchmark import app
from evaluation.rank_files.comparison.compare import compare_files
from evaluation.rank_files.comparison.gate import gate_sentences
from evaluation.rank_files.comparison.methods import MethodFiles, methods_of
from evaluation.rank_files.comparison.text import render_text
from tests.reports.conftest import CHAIN, build_store

from ..conftest import draw_ranks

FEW = {"flips": 2000, "resamples": 500}


@pytest.fixture
def seeds(tmp_path):
    """Files of three seeds of each of two methods, and of a third method that has no seed."""

    def write(name, strength, seed, shift=0.1):
        ranks = draw_ranks(strength, seed, clusters=120, seed_shift=shift)
        rows = zip(ranks.cluster, ranks.query, ranks.greater, strict=True)
        path = tmp_path / f"{name}-{seed}.csv"
        path.write_text("user,query,rank\n" + "".join(f"u{c},{q},{g + 1}\n" for c, q, g in rows))
        return str(path)

    return {
        "a": [write("a", 0.8, seed) for seed in range(3)],
        "b": [write("b", 0.5, seed) for seed in range(3)],
        "kNN": [write("kNN", 0.2, 0, shift=0.0)],
    }


def arguments(files, *names):
    return [f"{name}={path}" for name in names for path in files[name]]


def reciprocal_ranks(path):
    rows = [line.split(",") for line in Path(path).read_text().splitlines()[1:]]
    users = {user: m for m, user in enumerate(dict.fromkeys(row[0] for row in rows))}
    sums, counts = np.zeros(len(users)), np.zeros(len(users))
    for user, _, rank in rows:
        sums[users[user]] += 1 / int(rank) if int(rank) <= 20 else 0.0
        counts[users[user]] += 1
    return sums, counts


def expected_error(files):
    """The variance of the difference of two methods: users, and between seeds less the interaction of both."""
    found = {name: [reciprocal_ranks(path) for path in files[name]] for name in ("a", "b")}
    counts = found["a"][0][1]
    total, num_users = counts.sum(), len(counts)
    means = {name: np.mean([sums for sums, _ in of], axis=0) for name, of in found.items()}
    difference = means["a"] - means["b"]
    estimate = difference.sum() / total
    variance = num_users / (num_users - 1) * (((difference - estimate * counts) / total) ** 2).sum()
    for of in found.values():
        levels = np.array([sums.sum() / total for sums, _ in of])
        influence = np.array([(sums - level * counts) / total for (sums, _), level in zip(of, levels, strict=True)])
        spread = ((influence - influence.mean(axis=0)) ** 2).sum() / (len(of) - 1)
        interaction = num_users / (num_users - 1) * spread
        variance += max(levels.var(ddof=1) - interaction, 0.0) / len(of)
    return estimate, np.sqrt(variance)


def test_two_methods_are_tested_over_users_and_seeds(seeds):
    answer = compare_files(arguments(seeds, "a", "b"), ["mrr@20"], **FEW)
    (row,) = answer["comparisons"]
    estimate, error = expected_error(seeds)
    assert row["over_seeds"]
    assert row["estimate"] == pytest.approx(estimate)
    assert row["se"] == pytest.approx(error)
    assert row["se"] > row["se_cluster"]
    half = (row["ci_high"] - row["ci_low"]) / 2
    assert 1.96 < half / error < stats.t.ppf(0.975, 2)  # more degrees of freedom than seeds alone, fewer than users
    assert row["ci_low"] + half == pytest.approx(estimate)
    assert row["ci_kind"] == "95 % over users × seeds"
    assert [model["seeds"] for model in answer["models"]] == [3, 3]
    assert "methods across users and seeds" in row["sentence"]
    assert answer["notes"] == []


def test_one_file_each_is_tested_over_users_alone(seeds):
    (row,) = compare_files([f"a={seeds['a'][0]}", f"b={seeds['b'][0]}"], ["mrr@20"], **FEW)["comparisons"]
    assert (row["a"], row["b"]) == ("a", "b")
    assert not row["over_seeds"]
    assert row["se"] == row["se_cluster"]
    assert row["p"] == row["p_sign_flip"] == row["p_adjusted"]


def test_one_file_stands_for_a_deterministic_method(seeds):
    words = arguments(seeds, "a", "kNN")
    unknown = compare_files(words, ["mrr@20"], **FEW)
    assert not unknown["comparisons"][0]["over_seeds"]
    assert unknown["notes"] == [
        "One seed of kNN is given, so only its trained model is compared; give more seeds as NAME=FILE, or "
        "--deterministic NAME if it does not depend on a seed."
    ]
    fixed = compare_files(words, ["mrr@20"], deterministic=["kNN"], **FEW)
    assert fixed["comparisons"][0]["over_seeds"]
    assert fixed["notes"] == []
    both = compare_files([f"x={seeds['a'][0]}", f"y={seeds['b'][0]}"], ["mrr@20"], deterministic=["x", "y"], **FEW)
    assert not both["comparisons"][0]["over_seeds"]
    assert "deterministic models across users" in both["comparisons"][0]["sentence"]


def test_paired_seeds_are_tested_by_their_differences(tmp_path):
    words = []
    for name, gain in (("a", 0.01), ("b", 0.0)):
        for seed in range(3):
            rng = np.random.default_rng(seed)  # the same level and users at one seed of both
            values = 0.3 + 0.05 * seed + gain + 0.1 * rng.random(200)
            path = tmp_path / f"{name}{seed}.csv"
            path.write_text("user,ndcg@10\n" + "".join(f"u{user},{value:.6f}\n" for user, value in enumerate(values)))
            words.append(f"{name}={path}")
    apart, paired = (compare_files(words, pair_seeds=pair, **FEW) for pair in (False, True))
    (before,), (after,) = apart["comparisons"], paired["comparisons"]
    assert before["estimate"] == after["estimate"] == pytest.approx(0.01)
    assert before["p"] > 0.5
    assert after["p"] < 1e-6
    assert "  seeds             3 and 3, paired\n" in render_text(paired)


def test_values_by_user_have_seeds_too(tmp_path):
    rng = np.random.default_rng(3)
    level = 0.2 + 0.4 * rng.random(40)
    words = []
    for name, shift in (("a", 0.2), ("b", 0.0)):
        for seed in range(2):
            path = tmp_path / f"{name}{seed}.csv"
            values = level + shift + rng.normal(0, 0.05) + rng.normal(0, 0.02, 40)
            path.write_text("user,ndcg@10\n" + "".join(f"u{user},{value:.6f}\n" for user, value in enumerate(values)))
            words.append(f"{name}={path}")
    (row,) = compare_files(words, **FEW)["comparisons"]
    assert row["over_seeds"]
    assert row["estimate"] == pytest.approx(0.2, abs=0.15)


def test_the_text_and_the_gate_tell_the_test_over_seeds(seeds):
    answer = compare_files(arguments(seeds, "b", "a"), ["mrr@20"], margin=0.02, **FEW)
    text = render_text(answer)
    assert "  seeds             3 and 3\n  p, users × seeds  " in text
    assert "sign-flip" not in text
    assert "for contrast" not in text
    failed, passed = gate_sentences(answer)
    p = answer["comparisons"][0]["p"]
    assert f"adjusted p {p:.2g}" in (*failed, *passed)[0]


def test_a_path_that_exists_is_a_file_whatever_it_holds(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lr=0.1.csv").touch()
    assert methods_of(["lr=0.1.csv", "x=lr=0.1.csv", "lr=0.1.csv"]) == [
        MethodFiles("lr=0.1.csv", ("lr=0.1.csv",)),
        MethodFiles("x", ("lr=0.1.csv",)),
        MethodFiles("lr=0.1.csv (2)", ("lr=0.1.csv",)),
    ]


def test_names_keep_the_order_of_their_first_files():
    assert methods_of(["b=1", "a=2", "b=3"]) == [MethodFiles("b", ("1", "3")), MethodFiles("a", ("2",))]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["a=x", "a=x", "b=y"], "a=x is given twice; expected another file for each seed of a"),
        (["a=x", "a=./x", "b=y"], "a=./x is given twice; expected another file for each seed of a"),
        (["a=x", "a=y"], "a comparison needs at least two methods; all 2 files are of a"),
        (["a=x", "b=y", "--deterministic", "c"], "--deterministic c names no method of this comparison (a, b)"),
        (["a=x", "a=z", "b=y", "--deterministic", "a"],
         "--deterministic a: a method that does not depend on seeds has one file, and 2 are given"),
        (["a=x", "a=z", "b=y", "--pair-seeds"],
         "--pair-seeds needs equally many files of every method, at least two, in the same order: a has 2, b has 1"),
    ],
)  # fmt: skip
def test_wrong_seeds_are_refused_in_a_sentence(words, sentence):
    result = CliRunner().invoke(app, ["compare", *words])
    assert result.exit_code == 2
    assert result.stderr == f"error: {sentence}\n"


def test_a_copy_of_a_file_is_no_other_seed(seeds, tmp_path):
    copy = shutil.copy(seeds["a"][0], tmp_path / "copy.csv")
    with pytest.raises(ValueError, match=r"a-0.csv and .*copy.csv hold the same ranks, so they are not two seeds of a"):
        compare_files([f"a={seeds['a'][0]}", f"a={copy}", *arguments(seeds, "b")], ["mrr@20"])


def test_one_file_under_two_names_is_told(seeds, tmp_path):
    other = shutil.copy(seeds["b"][0], tmp_path / "other.csv")
    told = "x and y have the same rank for every target: check that they are not one run under two names."
    for files, notes in (((seeds["b"][0], other), [told]), ((seeds["b"][0], seeds["a"][0]), [])):
        named = [f"{name}={file}" for name, file in zip("xy", files, strict=True)]
        assert [note for note in compare_files(named, ["mrr@20"], **FEW)["notes"] if "same rank" in note] == notes


def test_a_missing_file_of_a_name_is_named(tmp_path):
    result = CliRunner().invoke(app, ["compare", f"a={tmp_path}/none.csv", f"b={tmp_path}/none.csv"])
    assert result.exit_code == 2
    assert "none.csv" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_cells_in_another_order_of_seeds_are_not_paired(tmp_path):
    build_store(tmp_path)
    records = [json.loads(path.read_text()) for path in tmp_path.glob("cells/*/cell.json")]
    cells = {r["seed"]: tmp_path / "cells" / r["key"] for r in records if (r["dataset"], r["model"]) == (CHAIN, "GRU")}
    words = [f"a={cells[seed]}" for seed in (0, 1)] + [f"b={cells[seed]}" for seed in (1, 2)]
    with pytest.raises(ValueError, match=r"pairs files of one seed.*has seed 0, .* has seed 1; order them by seed"):
        compare_files(words, ["mrr@20"], pair_seeds=True, **FEW)
