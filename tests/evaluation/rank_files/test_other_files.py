"""Files that are no plain ranks: misses, average ties, separators, lists, TREC runs, values by user."""

import gzip

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluation.metrics.accuracy import metric_named
from evaluation.rank_files.comparison.compare import compare_files
from evaluation.rank_files.tables import InvalidRankFile
from evaluation.ranking.rank_table import RankTable

FEW = {"flips": 300, "resamples": 100}
THREE = ("user", "query", "rank")


def write(path, rows, columns=THREE, separator=","):
    lines = [separator.join(map(str, row)) for row in ([columns, *rows] if columns else rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def values(*paths, metrics=("mrr@20",), **more):
    """The value of each model for each metric, by the metric's name."""
    found = compare_files(paths, list(metrics), **FEW, **more)
    return [(row["metric"], pytest.approx(row["micro"])) for row in found["models"]], found["notes"]


@pytest.fixture
def plain(tmp_path):
    """Two users with ranks 2 and 4, and 1 and 30: the MRR@20 is (1/2 + 1/4 + 1 + 0) / 4."""
    return write(tmp_path / "plain.csv", [("x", 1, 2), ("x", 2, 4), ("y", 1, 1), ("y", 2, 30)])


@pytest.mark.parametrize("miss", ["", "inf", "Infinity", "-1", "-1.0"])
def test_a_miss_may_be_written(tmp_path, plain, miss):
    other = write(tmp_path / "b.csv", [("x", 1, 2), ("x", 2, 4), ("y", 1, 1), ("y", 2, miss)])
    found, notes = values(plain, other)
    assert found == [("MRR@20", 1.75 / 4)] * 2
    assert f"{other}: 1 of 4 targets are misses (an empty value, inf, -1 or a rank above the candidates)" in notes[0]
    found, _ = values(plain, other, metrics=["mrr"])
    assert found == [("MRR", (1.75 + 1 / 30) / 4), ("MRR", 1.75 / 4)]


def test_a_rank_above_the_candidates_is_a_miss_that_ranks_below_them(tmp_path):
    columns = (*THREE, "candidates")
    path = write(tmp_path / "a.csv", [("x", 1, 2, 10), ("y", 1, 99, 10), ("z", 1, "", 10), ("z", 2, 10, 10)], columns)
    found, notes = values(path, path, metrics=["mrr", "meanrank"])
    assert found[0] == ("MRR", (1 / 2 + 1 / 10) / 4)
    assert found[2] == ("MeanRank", (2 + 11 + 11 + 10) / 4)
    assert "2 of 4 targets are misses" in notes[0]


def test_the_mean_rank_of_a_miss_needs_the_candidates(tmp_path):
    path = write(tmp_path / "a.csv", [("x", 1, 2), ("y", 1, "inf")])
    with pytest.raises(InvalidRankFile, match=r"MeanRank needs the number of candidates .* line 3; add a column"):
        values(path, path, metrics=["meanrank"])


def test_misses_of_counts_and_parquet(tmp_path, plain):
    rows = [("x", 1, 1, 0), ("x", 2, 3, 0), ("y", 1, 0, 0), ("y", 2, "", "")]
    counts = write(tmp_path / "c.csv", rows, (*THREE[:2], "greater", "tied"))
    columns = {"user": ["x", "x", "y", "y"], "query": [1, 2, 1, 2], "rank": pa.array([2, 4, 1, None], pa.int64())}
    pq.write_table(pa.table(columns), tmp_path / "p.parquet")
    assert values(plain, counts, tmp_path / "p.parquet")[0] == [("MRR@20", 1.75 / 4)] * 3


def test_half_ranks_are_ties_of_two(tmp_path):
    halves = write(tmp_path / "h.csv", [("x", 1, "1.5"), ("y", 1, "20.5"), ("z", 1, 3)])
    counts = write(
        tmp_path / "c.csv", [("x", 1, 0, 1), ("y", 1, 19, 1), ("z", 1, 2, 0)], (*THREE[:2], "greater", "tied")
    )
    found, notes = values(halves, counts)
    assert found == [("MRR@20", ((1 + 1 / 2) / 2 + 1 / 20 / 2 + 1 / 3) / 3)] * 2
    assert "2 ranks are half between two and are read as ties of two (1.5 as 1 or 2)" in notes[0]


COUNTED = (*THREE, "greater", "tied")


def test_greater_and_tied_decide_beside_a_rank(tmp_path):
    both = write(tmp_path / "b.csv", [("x", 1, 1, 0, 499), ("x", 2, 2.5, 1, 1), ("y", 1, "", "", "")], COUNTED)
    counts = write(
        tmp_path / "c.csv", [("x", 1, 0, 499), ("x", 2, 1, 1), ("y", 1, "", "")], (*THREE[:2], *COUNTED[-2:])
    )
    tied = sum(1 / rank for rank in range(1, 21)) / 500
    assert values(both, counts)[0] == [("MRR@20", (tied + (1 / 2 + 1 / 3) / 2) / 3)] * 2


@pytest.mark.parametrize("rank", [1, 5, 4.5, ""])
def test_a_rank_outside_its_tie_is_refused(tmp_path, plain, rank):
    path = write(tmp_path / "b.csv", [("x", 1, 2, 1, 0), ("x", 2, rank, 1, 2)], COUNTED)
    with pytest.raises(InvalidRankFile, match=r"line 3: .*rank.* must be a place from greater \+ 1 to greater \+ tied"):
        values(plain, path)


@pytest.mark.parametrize("column", ["greater", "tied"])
def test_a_rank_beside_half_of_a_tie_is_refused(tmp_path, plain, column):
    path = write(tmp_path / "b.csv", [("x", 1, 2, 1), ("x", 2, 1, 0)], (*THREE, column))
    with pytest.raises(InvalidRankFile, match=f"has columns rank and {column}: expected greater and tied, or rank"):
        values(plain, path)


def test_another_encoding_is_told_with_what_to_do(tmp_path, plain):
    other = tmp_path / "latin.csv"
    other.write_bytes("user,query,rank\nÜ,1,2\n".encode("latin-1"))
    with pytest.raises(ValueError, match="line 2 holds the byte 0xdc, which is not utf-8; save it as UTF-8"):
        values(plain, other)


def test_scores_without_true_items_are_told_how_to_give_them(tmp_path, plain):
    lists = write(tmp_path / "l.csv", [("x", "a", 0.5), ("x", "b", 0.4)], ("user", "item", "score"))
    with pytest.raises(InvalidRankFile, match=r"it has user, item, score; lists of items .* true items: --qrels FILE"):
        values(lists, lists)


def test_ranks_of_true_items_are_no_lists(tmp_path):
    ranks = write(tmp_path / "r.csv", [("x", 1, "a", 2), ("y", 1, "b", 1)], ("user", "query", "target", "rank"))
    true = write(tmp_path / "t.csv", [("x", "a"), ("y", "b")], ("user", "item"))
    with pytest.raises(InvalidRankFile, match=r"r.csv holds ranks of true items \(column target\), and --qrels"):
        values(ranks, ranks, qrels=true)


def test_ties_beyond_the_candidates_are_refused(tmp_path):
    path = write(tmp_path / "a.csv", [("x", 1, 5, 4, 9)], (*THREE[:2], "greater", "tied", "candidates"))
    with pytest.raises(InvalidRankFile, match="line 2: candidates must be above the number .* got '9'"):
        values(path, path)


@pytest.mark.parametrize("separator", [";", "\t", "|", ","])
@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".txt"])
def test_the_header_decides_the_separator(tmp_path, plain, separator, suffix):
    rows = [("x", 1, 2), ("x", 2, 4), ("y", 1, 1), ("y", 2, 30)]
    other = write(tmp_path / f"s{suffix}", rows, ("User", " Query", "RANK"), separator)
    assert values(plain, other)[0] == [("MRR@20", 1.75 / 4)] * 2


def test_decimal_commas_compression_and_encodings(tmp_path, plain):
    text = "user;query;rank\nx;1;2,0\nx;2;4,0\ny;1;1,0\ny;2;30,0\n"
    (tmp_path / "c.csv").write_text(text, encoding="utf-16")
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(text.encode("utf-8-sig")))
    assert values(plain, tmp_path / "c.csv", tmp_path / "d.csv.gz")[0] == [("MRR@20", 1.75 / 4)] * 3


LISTS = [(user, item, rank, 1 / rank) for user in "xyz" for rank, item in enumerate("abcd", start=1)]
REFUSED = [
    (LISTS, ("user", "item", "rank", "score"), "3 of 3 users are exactly 1 to the number"),
    (LISTS[::-1], ("user", "item", "rank", "score"), "3 of 3 users are exactly 1"),
    ([(u, i, r - 1, s) for u, i, r, s in LISTS], ("user", "item", "rank", "score"), "3 of 3 users are exactly 0 to"),
    ([(u, 7, i, r) for u, i, r, _ in LISTS], ("session", "query", "item", "rank"), "3 of 3 queries are exactly 1"),
    ([(u, r) for u, _, r, _ in LISTS], ("user", "rank"), "3 of 3 users are exactly 1"),
    ([(u, "a", 1) for u in "xyz"], ("user", "item", "rank"), "3 of 3 users are exactly 1"),
    ([*[(u, r) for u in range(30) for r in (1, 2, 3)], ("last", 1), ("last", 3)], ("user", "rank"), "30 of 31 users"),
]


@pytest.mark.parametrize(("rows", "columns", "words"), REFUSED)
def test_recommendation_lists_are_no_ranks_of_targets(tmp_path, rows, columns, words):
    path = write(tmp_path / "a.csv", rows, columns)
    with pytest.raises(InvalidRankFile, match=f"holds recommendation lists.* {words}.* --qrels FILE") as caught:
        values(path, path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "columns"),
    [
        ([("x", 1, 1), ("x", 2, 2), ("y", 1, 1), ("y", 2, 2)], THREE),  # a row per query
        ([("x", 1), ("x", 2), ("y", 1), ("y", 1)], ("user", "rank")),
        ([("x", 2), ("x", 3), ("y", 1)], ("user", "rank")),
        ([("x", "a", 1), ("x", "b", 2), ("y", "a", 2), ("y", "b", 1)], ("user", "target", "rank")),
        ([("x", 1), ("y", 1)], ("user", "rank")),
    ],
)
def test_rows_that_are_targets_are_compared(tmp_path, rows, columns):
    path = write(tmp_path / "a.csv", rows, columns)
    assert len(values(path, path)[0]) == 2


RUN_A = [
    "q1 Q0 d1 1 9.0 a",
    "q1 Q0 d2 2 8.0 a",
    "q1 Q0 d3 3 7.5 a",
    "q2 Q0 d1 1 3 a",
    "q2 Q0 d9 2 3 a",
    "q2 Q0 d4 3 1 a",
]
RUN_B = ["q1\tQ0\td3\t1\t9.0\tb", "q1\tQ0\td2\t2\t8.0\tb", "q1\tQ0\td1\t3\t7.5\tb"]
QRELS = ["q1 0 d2 1", "q1 0 d3 2", "q1 0 d1 0", "q2 0 d9 1", "q2 0 d5 1", "q3 0 d1 0"]


def lines(path, text):
    path.write_text("\n".join(text) + "\n")
    return path


def test_trec_runs_are_ranked_by_the_relevance_judgements(tmp_path):
    a, b = lines(tmp_path / "a.run", RUN_A), lines(tmp_path / "b.txt", RUN_B)
    qrels = lines(tmp_path / "true.qrels", QRELS)
    found, notes = values(a, b, metrics=["mrr@3", "recall@2"], qrels=qrels)
    # a: q1 has d2 at 2 and d3 at 3; q2 has d9 tied at 1 and 2, and not d5. b: q1 has d3 at 1, d2 at 2; q2 has no list
    assert found == [
        ("MRR@3", (1 / 2 + (1 + 1 / 2) / 2) / 2),
        ("MRR@3", (1 + 0) / 2),
        ("Recall@2", (1 / 2 + 1 / 2) / 2),
        ("Recall@2", (2 / 2 + 0) / 2),
    ]
    assert any("every grade above 0 counts" in note for note in notes)
    assert any("queries without a relevant item, which are left out: 1." in note for note in notes)
    assert any("b.txt: queries without a list, whose true items are misses: 1 of 2." in note for note in notes)


def test_lists_with_their_true_items_are_ranks(tmp_path):
    lists = write(tmp_path / "l.csv", LISTS, ("user", "item", "rank", "score"))
    true = write(tmp_path / "true.csv", [("x", "b"), ("y", "d"), ("z", "k")], ("user", "item"))
    targets = write(
        tmp_path / "t.csv", [("x", 1, "b", 2), ("y", 1, "d", 4), ("z", 1, "k", "")], (*THREE[:2], "target", "rank")
    )
    found, _ = values(lists, lists, metrics=["mrr@4", "ndcg@4"], qrels=true)
    assert found[0] == ("MRR@4", (1 / 2 + 1 / 4) / 3)
    assert found == values(targets, targets, metrics=["mrr@4", "ndcg@4"])[0]


TREC_REFUSED = [
    (RUN_A, None, "a.run is a TREC file: .* give the true items with --qrels FILE"),
    ([*RUN_A, "q1 Q0 d2 4 7.0 a"], QRELS, "a.run, line 7: query q1 lists item d2 twice, first in line 2"),
    ([*RUN_A, "q1 Q0 d8 4 7.0"], QRELS, "a.run, line 7 has 5 fields; expected 6, as in line 1: query q0 item"),
    ([*RUN_A, "q1 Q0 d8 4 high a"], QRELS, "a.run, line 7: score must be a number, got 'high'"),
    (QRELS, QRELS, "a.run holds relevance judgements"),
    (RUN_A, RUN_A, "is a TREC run; --qrels FILE .* needs judgements"),
    (RUN_A, ["other 0 d1 1"], "share no query: one has query q1, the other query other"),
    (RUN_A, ["q1 0 d1 0"], "no item of a relevance above 0"),
    (RUN_A, ["q1 0 d1 yes"], "no column user or session|true.qrels"),
]


@pytest.mark.parametrize(("run", "qrels", "words"), TREC_REFUSED)
def test_bad_runs_and_judgements_are_refused(tmp_path, run, qrels, words):
    a = lines(tmp_path / "a.run", run)
    true = None if qrels is None else lines(tmp_path / "true.qrels", qrels)
    with pytest.raises(InvalidRankFile, match=words):
        values(a, a, metrics=["mrr@3"], qrels=true)


def test_a_metric_deeper_than_the_lists_is_refused(tmp_path):
    a, true = lines(tmp_path / "a.run", RUN_A), lines(tmp_path / "true.qrels", QRELS)
    for metric in ("mrr@4", "mrr", "meanrank"):
        with pytest.raises(InvalidRankFile, match=r"a.run lists, at most 3 items per query; .* such as mrr@3"):
            values(a, a, metrics=[metric], qrels=true)


def test_scores_decide_where_ranks_disagree_and_it_is_said(tmp_path):
    run = ["q1 Q0 d1 1 1.0 a", "q1 Q0 d2 2 5.0 a", "q2 Q0 d1 1 2.0 a"]
    a, true = lines(tmp_path / "a.run", run), lines(tmp_path / "true.qrels", ["q1 0 d2 1", "q2 0 d1 1"])
    found, notes = values(a, a, metrics=["mrr@2"], qrels=true)
    assert found[0] == ("MRR@2", 1.0)
    assert any("scores and ranks disagree, first at line 2; scores decide" in note for note in notes)


LONG = [("x", "ndcg@10", 0.5), ("y", "ndcg@10", 0.25), ("x", "mrr@10", 0.2), ("y", "mrr@10", 0.4)]


def test_values_by_user_are_compared(tmp_path):
    long = write(tmp_path / "long.csv", LONG, ("user", "metric", "value"))
    wide = write(tmp_path / "wide.csv", [("y", 0.75, 0.4, 3), ("x", 0.5, 0.2, 4)], ("user", "NDCG@10", "MRR@10", "n"))
    found, notes = values(long, wide, metrics=())
    assert found == [("NDCG@10", 0.375), ("NDCG@10", 0.625), ("MRR@10", 0.3), ("MRR@10", 0.3)]
    assert values(long, wide, metrics=["mrr_at_10"])[0] == [("MRR@10", 0.3)] * 2
    assert any("columns that are no metric are not read: n" in note for note in notes)
    answer = compare_files([long, wide], ["ndcg@10"], **FEW)
    (row,) = answer["comparisons"]
    assert (row["metric"], row["users"], row["estimate"]) == ("ndcg@10", 2, pytest.approx(-0.25))
    assert answer["unit"] == "user"


def test_an_unknown_metric_is_compared_and_its_direction_is_said(tmp_path):
    a = write(tmp_path / "a.csv", [("x", "auc", 0.5), ("y", "auc", 0.7)], ("session", "metric", "value"))
    found, notes = values(a, a, metrics=())
    assert found == [("auc", 0.6)] * 2
    assert "auc is no metric of Encore: a higher value is taken to be better." in notes


VALUES_REFUSED = [
    ([*LONG[:3], ("y", "mrr@10", "high")], "line 5: value must be a number, got 'high'"),
    (
        [*LONG[:3], ("y", "mrr@10", 40.0)],
        "line 5: value is outside the bounds .* got '40.0'; give shares of 1, not per",
    ),
    ([*LONG, ("y", "mrr@10", 0.1)], "line 6: user y has a second value of mrr@10, the first is in line 5"),
    (LONG[:3], "differ first at line 5 of .*a.csv: user y has no MRR@10 in .*b.csv"),
    (LONG[:2], "has no values of mrr@10: it has NDCG@10"),
]


@pytest.mark.parametrize(("rows", "words"), VALUES_REFUSED)
def test_bad_values_are_refused(tmp_path, rows, words):
    a = write(tmp_path / "a.csv", LONG, ("user", "metric", "value"))
    b = write(tmp_path / "b.csv", rows, ("user", "metric", "value"))
    with pytest.raises(InvalidRankFile, match=words):
        values(a, b, metrics=["mrr@10"])


def test_files_of_two_kinds_are_refused(tmp_path, plain):
    a = write(tmp_path / "a.csv", LONG, ("user", "metric", "value"))
    with pytest.raises(InvalidRankFile, match=r"a.csv has values of metrics by user and .*plain.csv has none"):
        values(plain, a)


def test_several_targets_at_one_rank_are_said_to_have_lists_of_their_own(tmp_path):
    columns = (*THREE[:2], "target", "rank")
    a = write(tmp_path / "a.csv", [("x", 1, "i", 1), ("x", 1, "j", 1), ("y", 1, "k", 2)], columns)
    b = write(tmp_path / "b.csv", [("x", 1, "i", 1), ("x", 1, "j", 2), ("y", 1, "k", 2)], columns)
    found, notes = values(a, b, metrics=["precision@1"])
    assert found == [("Precision@1", 1 / 2), ("Precision@1", 1 / 2)]  # not 2 / 2
    (note,) = [note for note in notes if "list of its own" in note]
    assert note.startswith(f"{a} has ranks")


def test_repeated_targets_of_stored_cells_count_once(tmp_path):
    columns = {"cluster": [0, 0, 0, 1], "query": [0, 0, 0, 1], "target": [7, 7, 8, 7], "repeat": [0] * 4,
               "history": [1] * 4, "candidates": [50] * 4, "greater": [0, 0, 2, 3], "tied": [0] * 4}  # fmt: skip
    arrays = {name: np.array(column) for name, column in columns.items()}
    table = RankTable(**arrays, item_counts=np.ones(50, dtype=int))
    (tmp_path / "x").mkdir()
    table.write(tmp_path / "x" / "ranks.parquet")
    found, _ = values(tmp_path / "x", tmp_path / "x", metrics=["precision@1", "recall@1"])
    assert found[0] == ("Precision@1", 1 / 2)
    assert found[2] == ("Recall@1", 1 / 4)
    assert found[0][1] == metric_named("precision@1").measure(table)


def test_files_with_one_user_are_named(tmp_path):
    a = write(tmp_path / "a.csv", [("x", 1, 1), ("x", 2, 3)], THREE)
    with pytest.raises(InvalidRankFile, match=f"{a} has one user only; a comparison needs at least two"):
        compare_files([a, a])


def test_a_name_with_a_line_end_is_shown_on_one_line(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('"a\nb",mrr@20\n1,0.5\n')
    with pytest.raises(InvalidRankFile, match=r"no column user or session: it has a\\nb, mrr@20; name the column"):
        compare_files([path, path])
