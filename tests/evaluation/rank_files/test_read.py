"""Anybody's rank files: read, joined, compared; and every refusal in one sentence."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluation.metrics.accuracy import MRR
from evaluation.rank_files.comparison.compare import compare_files
from evaluation.rank_files.comparison.text import render_text
from evaluation.rank_files.tables import InvalidRankFile
from evaluation.statistics.paired_sums import PairedSums
from evaluation.statistics.significance import cluster_bootstrap, cluster_errors

from ..conftest import draw_ranks

FEW = {"flips": 2000, "resamples": 500}


def rows_of(strength=0.5, clusters=40):
    """(user, query, rank) rows from made-up ranks."""
    ranks = draw_ranks(strength, 0, clusters=clusters)
    return [(f"u{c}", int(q), int(g) + 1) for c, q, g in zip(ranks.cluster, ranks.query, ranks.greater, strict=True)]


def write(path, rows, columns=("user", "query", "rank"), separator=","):
    lines = [separator.join(columns), *(separator.join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


@pytest.fixture
def two(tmp_path):
    return write(tmp_path / "a.csv", rows_of(0.8)), write(tmp_path / "b.csv", rows_of(0.5))


def test_every_promised_field_is_there_and_right(two):
    answer = compare_files(two, ["mrr@20"], **FEW)
    (row,) = json.loads(json.dumps(answer, allow_nan=False))["comparisons"]
    promised = [
        *("a", "b", "metric", "estimate", "se_cluster", "ci_low", "ci_high", "p_sign_flip", "p_adjusted", "p_max_t"),
        *("relative", "design_effect", "users", "events", "micro", "macro"),
    ]
    assert set(promised) <= set(row)
    sums = [MRR(20).per_cluster(draw_ranks(s, 0, clusters=40)) for s in (0.8, 0.5)]
    assert row["estimate"] == pytest.approx(sums[0].micro - sums[1].micro)
    assert row["macro"] == pytest.approx(sums[0].macro - sums[1].macro)
    assert row["relative"] == pytest.approx(sums[0].micro / sums[1].micro - 1)
    assert row["users"] == 40
    assert row["events"] == len(rows_of())
    error = cluster_errors((sums[0].sums - sums[1].sums)[:, None], sums[0].counts)[0]
    assert row["se_cluster"] == pytest.approx(error)
    values = [MRR(20).per_query(draw_ranks(s, 0, clusters=40))[0] for s in (0.8, 0.5)]
    naive = (values[0] - values[1]).std(ddof=1) / np.sqrt(len(values[0]))
    assert row["design_effect"] == pytest.approx((error / naive) ** 2)
    assert row["p_sign_flip"] == row["p_adjusted"] == row["p_max_t"]
    assert row["metric"] == "mrr@20"
    assert row["ci_kind"].startswith("95 % cluster bootstrap")


def test_the_interval_of_one_pair_is_the_plain_bootstrap(two):
    (row,) = compare_files(two, ["mrr@20"], **FEW)["comparisons"]
    order = sorted(range(40), key=lambda u: f"u{u}")  # users are numbered in the order of their names
    results = {}
    for name, strength in (("A", 0.8), ("B", 0.5)):
        sums = MRR(20).per_cluster(draw_ranks(strength, 0, clusters=40))
        results[name] = [type(sums)(np.arange(40), sums.sums[order], sums.counts[order])]
    boot = cluster_bootstrap(PairedSums.of(results), np.array([[0, 1]]), resamples=500)
    np.testing.assert_allclose([row["ci_low"], row["ci_high"]], boot.pair_intervals()[0], rtol=1e-9)


def test_swapping_the_files_flips_all_signs(two):
    (one,), (other,) = (compare_files(pair, ["mrr@20"], **FEW)["comparisons"] for pair in (two, two[::-1]))
    assert one["estimate"] == -other["estimate"]
    assert one["p_sign_flip"] == other["p_sign_flip"]
    assert one["ci_low"] == pytest.approx(-other["ci_high"])
    assert one["share_better"] == other["share_worse"]


def test_order_of_rows_does_not_matter_where_there_is_a_query(tmp_path, two):
    rows = rows_of(0.8)
    mixed = write(tmp_path / "m.csv", [rows[i] for i in np.random.default_rng(0).permutation(len(rows))])
    first, second = (compare_files((path, two[1]), ["mrr@20"], **FEW)["comparisons"][0] for path in (two[0], mixed))
    assert {k: v for k, v in first.items() if k not in ("a", "sentence")} == {
        k: v for k, v in second.items() if k not in ("a", "sentence")
    }


def test_a_user_split_over_two_files_of_a_folder_is_the_same(tmp_path, two):
    rows = rows_of(0.8)
    folder = tmp_path / "parts"
    folder.mkdir()
    write(folder / "1.csv", rows[::2])
    write(folder / "2.csv", rows[1::2])
    first, second = (compare_files((path, two[1]), ["mrr@20"], **FEW)["comparisons"][0] for path in (two[0], folder))
    assert second["estimate"] == first["estimate"]
    assert second["p_sign_flip"] == first["p_sign_flip"]
    assert second["ci_low"] == first["ci_low"]


def test_a_further_constant_model_changes_no_raw_p(tmp_path, two):
    constant = write(tmp_path / "c.csv", [(u, q, 7) for u, q, _ in rows_of()])
    alone = compare_files(two, ["mrr@20"], **FEW)["comparisons"][0]
    beside = compare_files((*two, constant), ["mrr@20"], **FEW)["comparisons"]
    assert len(beside) == 3
    assert beside[0]["p_sign_flip"] == alone["p_sign_flip"]
    assert beside[0]["p_adjusted"] >= alone["p_adjusted"]
    assert "simultaneous over 3 pairs" in beside[0]["ci_kind"]
    assert beside[0]["ci_high"] - beside[0]["ci_low"] > 2 * 1.96 * beside[0]["se_cluster"]


def test_two_metrics_are_two_families(two):
    both = compare_files(two, ["mrr@20", "recall@20"], **FEW)["comparisons"]
    assert [row["metric"] for row in both] == ["mrr@20", "recall@20"]
    assert all(row["p_adjusted"] == row["p_sign_flip"] for row in both)


def test_identical_files_are_an_answer(two):
    (row,) = compare_files((two[0], two[0]), ["mrr@20"], **FEW)["comparisons"]
    assert (row["estimate"], row["p_sign_flip"], row["p_adjusted"], row["p_max_t"]) == (0.0, 1.0, 1.0, 1.0)
    assert (row["ci_low"], row["ci_high"], row["se_cluster"]) == (0.0, 0.0, 0.0)
    assert row["design_effect"] is None
    assert row["a"] != row["b"]


def test_a_model_that_never_hits_has_no_relative_difference(tmp_path, two):
    lost = write(tmp_path / "lost.csv", [(u, q, 999_999_999) for u, q, _ in rows_of()])
    answer = compare_files((two[0], lost), ["mrr@20", "recall@20", "map@20", "ndcg@20", "mrr"], **FEW)
    json.dumps(answer, allow_nan=False)
    assert answer["comparisons"][0]["relative"] is None
    assert answer["comparisons"][0]["conclusion"] == "better"


def test_other_formats_give_the_same_result(tmp_path, two):
    rows = rows_of(0.8)
    tsv = write(tmp_path / "a.tsv", rows, separator="\t")
    ties = write(tmp_path / "g.csv", [(u, q, r - 1, 0) for u, q, r in rows], ("session", "query", "greater", "tied"))
    columns = {"user": [u for u, _, _ in rows], "query": [q for _, q, _ in rows], "rank": [r for _, _, r in rows]}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    expected = compare_files(two, ["mrr@20"], **FEW)["comparisons"][0]["estimate"]
    for path in (tsv, ties, tmp_path / "a.parquet"):
        assert compare_files((path, two[1]), ["mrr@20"], **FEW)["comparisons"][0]["estimate"] == expected


def test_stored_cells_compare_with_each_other_and_with_files(tmp_path):
    for name, strength in (("x", 0.8), ("y", 0.5)):
        (tmp_path / name).mkdir()
        draw_ranks(strength, 0, clusters=40).write(tmp_path / name / "ranks.parquet")
    (row,) = compare_files((tmp_path / "x", tmp_path / "y" / "ranks.parquet"), ["mrr@20"], **FEW)["comparisons"]
    sums = [MRR(20).per_cluster(draw_ranks(s, 0, clusters=40)) for s in (0.8, 0.5)]
    assert row["estimate"] == pytest.approx(sums[0].micro - sums[1].micro)


def test_dropped_targets_of_stored_cells_stay_distinct(tmp_path):
    for name, greater in (("x", [1, 50, 50, 4]), ("y", [0, 50, 50, 9])):
        table = draw_ranks(0.5, 0, clusters=2)
        rows = {
            "cluster": np.array([0, 0, 0, 1]), "query": np.array([0, 0, 0, 1]), "target": np.array([7, -1, -1, 8]),
            "repeat": np.zeros(4, int), "history": np.ones(4, int), "candidates": np.full(4, 50),
            "greater": np.array(greater), "tied": np.zeros(4, int),
        }  # fmt: skip
        (tmp_path / name).mkdir()
        type(table)(**rows, item_counts=table.item_counts).write(tmp_path / name / "ranks.parquet")
    (row,) = compare_files((tmp_path / "x", tmp_path / "y"), ["recall@5"], **FEW)["comparisons"]
    assert row["estimate"] == pytest.approx((1 / 3 + 1) / 2 - (1 / 3 + 0) / 2)  # misses are misses, 50 of 50


def test_without_queries_rows_join_by_their_order_within_a_user(tmp_path):
    a = write(tmp_path / "a.csv", [("x", 1), ("y", 2), ("x", 4)], ("user", "rank"))
    b = write(tmp_path / "b.csv", [("y", 1), ("x", 2), ("x", 2)], ("user", "rank"))
    (row,) = compare_files((a, b), ["mrr@20"], **FEW)["comparisons"]
    assert row["micro"] == pytest.approx(((1 - 1 / 2) + (1 / 4 - 1 / 2) + (1 / 2 - 1)) / 3)
    assert row["events"] == 3


def test_several_targets_of_a_query(tmp_path):
    columns = ("user", "query", "target", "rank")
    a = write(tmp_path / "a.csv", [("x", 1, "i", 1), ("x", 1, "j", 40), ("y", 1, "k", 2)], columns)
    b = write(tmp_path / "b.csv", [("y", 1, "k", 1), ("x", 1, "j", 3), ("x", 1, "i", 5)], columns)
    first, second = compare_files((a, b), ["recall@20", "mrr@20"], **FEW)["comparisons"]
    assert first["estimate"] == pytest.approx((0.5 + 1) / 2 - (1 + 1) / 2)
    assert second["estimate"] == pytest.approx((1 + 1 / 2) / 2 - (1 / 3 + 1) / 2)
    assert first["events"] == 2


def test_ties_count_by_expectation(tmp_path):
    columns = ("user", "query", "greater", "tied")
    a = write(tmp_path / "a.csv", [("x", 1, 0, 1), ("y", 1, 3, 0)], columns)
    b = write(tmp_path / "b.csv", [("x", 1, 0, 0), ("y", 1, 3, 0)], columns)
    (row,) = compare_files((a, b), ["mrr@20"], **FEW)["comparisons"]
    assert row["estimate"] == pytest.approx(((1 + 1 / 2) / 2 - 1) / 2)


BASE = [("x", 1, 3), ("x", 2, 1), ("y", 1, 2)]
THREE = ("user", "query", "rank")
BAD = [
    ([*BASE[:2], ("y", 7, 2)], THREE, "differ first at line 4 of .*b.csv: user y, query 7 is not in .*a.csv"),
    ([("x", 1, 3), ("x", 2, 1)], THREE, "differ first at line 4 of .*a.csv: user y, query 1 is not in .*b.csv"),
    ([*BASE, ("x", 2, 9)], THREE, "b.csv, line 5: user x, query 2 is a duplicate"),
    ([BASE[0], ("x", 2, 0), BASE[2]], THREE, "b.csv, line 3: rank must be a whole number of at least 1, got '0'"),
    ([("x", 1, 3), ("x", 2, 1.25), ("y", 1, 2)], THREE, "line 3: rank must be a whole number .* got '1.25'"),
    ([("x", 1, 3), ("x", 2, 0.5), ("y", 1, 2)], THREE, "line 3: rank must be a whole number .* got '0.5'"),
    ([("x", 1, 3), ("x", 2, "-2"), ("y", 1, 2)], THREE, "line 3: rank .* got '-2'; a tie of two may be half between"),
    ([("x", 1, 3), ("x", 2, "-inf"), ("y", 1, 2)], THREE, "line 3: rank .* got '-inf'.* a miss empty, inf or -1"),
    ([("x", 1, 3), ("x", 2, "nan"), ("y", 1, 2)], THREE, "line 3: rank must be a whole number .* got 'nan'"),
    ([("x", 1, 3), ("", 2, 1), ("y", 1, 2)], THREE, "line 3: user is empty"),
    (BASE, ("user", "query", "place"), "no column rank, nor greater and tied: it has user, query, place"),
    (BASE, ("person", "query", "rank"), "no column user or session: it has person, query, rank"),
    ([(u, r) for u, _, r in BASE], ("user", "rank"), "a.csv has a column query and .*b.csv has none"),
    ([], THREE, "no rows"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "columns", "words"), BAD)
def test_bad_files_are_refused_with_the_line(tmp_path, rows, columns, words):
    a, b = write(tmp_path / "a.csv", BASE), write(tmp_path / "b.csv", rows, columns)
    with pytest.raises(InvalidRankFile, match=words) as caught:
        compare_files((a, b), ["mrr@20"], **FEW)
    assert "\n" not in str(caught.value)


def test_duplicate_targets_and_reordered_files_are_refused(tmp_path):
    columns = ("user", "query", "target", "rank")
    a = write(tmp_path / "a.csv", [("x", 1, "i", 1), ("x", 1, "i", 2), ("y", 1, "k", 2)], columns)
    with pytest.raises(InvalidRankFile, match="line 3: user x, query 1, target i is a duplicate"):
        compare_files((a, a), ["mrr@20"], **FEW)
    b = write(tmp_path / "b.csv", [("x", "i", 1), ("x", "j", 2), ("y", "k", 2)], ("user", "target", "rank"))
    c = write(tmp_path / "c.csv", [("x", "j", 1), ("x", "i", 2), ("y", "k", 2)], ("user", "target", "rank"))
    with pytest.raises(InvalidRankFile, match="first at line 2 of .*c.csv: target j where .*b.csv has i"):
        compare_files((b, c), ["mrr@20"], **FEW)


def test_other_bad_input(tmp_path, two):
    with pytest.raises(FileNotFoundError, match="no rank file"):
        compare_files((two[0], tmp_path / "absent.csv"))
    with pytest.raises(ValueError, match="at least two"):
        compare_files(two[:1])
    with pytest.raises(ValueError, match="unknown metric 'auc'"):
        compare_files(two, ["auc"])
    alone = write(tmp_path / "one.csv", [("x", 1, 3), ("x", 2, 1)])
    with pytest.raises(ValueError, match="one user"):
        compare_files((alone, alone))
    (tmp_path / "z.xlsx").write_bytes(b"x")
    with pytest.raises(InvalidRankFile, match="unknown file format .xlsx"):
        compare_files((two[0], tmp_path / "z.xlsx"))
    (tmp_path / "broken.parquet").write_bytes(b"no parquet")
    with pytest.raises(InvalidRankFile, match="cannot be read"):
        compare_files((two[0], tmp_path / "broken.parquet"))
    with pytest.raises(InvalidRankFile, match="no column shop"):
        compare_files(two, cluster="shop")
    pq.write_table(pa.table({"user": ["x", "y"], "rank": [[1], [2]]}), tmp_path / "nested.parquet")
    with pytest.raises(InvalidRankFile, match="nested.parquet: rank must hold text or numbers, got list"):
        compare_files((two[0], tmp_path / "nested.parquet"))


@pytest.mark.parametrize("mark", [2**63 - 1, "1e300"])
def test_a_number_that_no_whole_number_holds_is_refused_and_makes_no_hit(tmp_path, mark):
    a = write(tmp_path / "a.csv", [("x", 1, mark, 0), ("y", 1, 3, 0)], ("user", "query", "greater", "tied"))
    with pytest.raises(InvalidRankFile, match=r"a.csv, line 2: greater must be at most 2\^53, got"):
        compare_files((a, a), ["recall@20"], **FEW)


def test_the_cluster_column_may_be_named_as_the_file_writes_it(tmp_path):
    rows = [("s1", "x", 1), ("s2", "x", 2), ("s3", "y", 4)]
    files = [write(tmp_path / f"{n}.csv", rows, ("SessionId", "User", "Rank")) for n in "ab"]
    answer = compare_files(files, ["mrr@20"], cluster="SessionId", **FEW)
    assert (answer["unit"], answer["comparisons"][0]["users"]) == ("sessionid", 3)


def test_other_candidates_are_noted(tmp_path):
    columns = ("user", "query", "rank", "candidates")
    few = write(tmp_path / "few.csv", [("x", 1, 3, 100), ("y", 1, 4, 101)], columns)
    all_ = write(tmp_path / "all.csv", [("x", 1, 3, 3700), ("y", 1, 4, 101)], columns)
    silent = write(tmp_path / "silent.csv", [("x", 1, 3), ("y", 1, 4)])
    answer = compare_files((silent, few, all_, few), ["mrr@20"], **FEW)
    (told,) = [note for note in answer["notes"] if "other candidates" in note]
    assert "all.csv rank 1 of 2 targets among other candidates (100 against 3,700 in the first of them)" in told
    assert told in render_text(answer)


def test_the_text_warns_where_it_must(two):
    text = render_text(compare_files(two, ["mrr@20"], alternatives=True, **FEW))
    for words in ("MRR@20", "do not decide by it", "design effect", "sign-flip p", "Wilcoxon", "these trained models"):
        assert words in text
