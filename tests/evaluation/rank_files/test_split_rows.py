"""Ranks of other code on a split's own queries: every format gives the table that Encore's own ranking gives."""

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from evaluation.rank_files.ranked import Ranked
from evaluation.rank_files.split_rows import candidates_of
from evaluation.rank_files.tables import InvalidRankFile
from evaluation.ranking.rank import rank_held_out
from recsys_data.protocols.candidates import UNSEEN_ITEMS_ONLY
from recsys_data.protocols.per_user import LeaveLastOut, PerUserFractions
from recsys_data.scores import Dense
from tests.recsys_data.splits import events

MORE = ["abcdefgh", "bcdhgfaa", "hgfedcba", "cabdefgh"]
WORDS = ["abcabdab", "bcadcbaa", "cdabacdd", "ddabcabc", "acbdabcd", "badcabda"]
COLUMNS = ("cluster", "query", "target", "repeat", "history", "candidates", "greater", "tied", "item_counts")


@dataclass
class Fixed:
    """Scores that depend on the item and the last item, with ties."""

    num_items: int

    def score(self, batch):
        last = np.maximum(batch.last_items(), 0)
        return Dense((np.arange(self.num_items)[None, :] * (last[:, None] + 2) % 3).astype(np.float64))


PARTS = PerUserFractions(0.5, 0.25, 0.25)


def split_of(protocol=PARTS, words=WORDS):
    return protocol.prepare(events(words))


def truth(split):
    return rank_held_out(Fixed(split.train.num_items), split.test, split.train.item_counts)


def frame(split, ranks=None):
    """The columns that other code writes: raw ids, and the numbers of queries.csv."""
    ranks = truth(split) if ranks is None else ranks
    owners = split.user_ids[split.test.clusters[split.test.sequence_of[ranks.query]]]
    columns = {"user": owners, "query": ranks.query, "target": split.item_ids[ranks.target]}
    return columns | {"greater": ranks.greater, "tied": ranks.tied}


def write(path, columns):
    table = pa.table({name: pa.array(values.tolist()) for name, values in columns.items()})
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    else:
        separator = "\t" if path.suffix == ".tsv" else ","
        pyarrow.csv.write_csv(table, path, pyarrow.csv.WriteOptions(delimiter=separator))
    return path


def lists(split, k=4):
    """Every query's k best items with their scores, and the rows of the true items."""
    rows, model = [], Fixed(split.train.num_items)
    for batch, queries in split.test.batches():
        for query, scores in zip(queries.tolist(), model.score(batch).block(slice(0, len(queries))), strict=True):
            rows += [(query, split.item_ids[item], scores[item]) for item in np.argsort(-scores, kind="stable")[:k]]
    return rows


def read(path, split, **fields):
    return Ranked(path.name, by="other code", **fields).read(0, path.parent, split, "the test part")


def assert_same(found, expected):
    for name in COLUMNS:
        assert np.array_equal(getattr(found.ranks, name), getattr(expected, name)), name


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
@pytest.mark.parametrize("split", [
    split_of(), split_of(LeaveLastOut()),
    split_of(PerUserFractions(0.5, 0.25, 0.25, candidates=UNSEEN_ITEMS_ONLY), MORE),
], ids=["fractions", "last", "unseen only"])  # fmt: skip
def test_ranks_in_any_order_give_encores_own_table(tmp_path, ending, split):
    columns = frame(split) | {"candidates": truth(split).candidates}
    order = np.random.default_rng(0).permutation(len(columns["query"]))
    path = write(tmp_path / f"ranks.{ending}", {name: values[order] for name, values in columns.items()})
    assert_same(read(path, split), truth(split))


def test_encores_own_table_comes_back(tmp_path):
    split = split_of(PerUserFractions(0.5, 0.25, 0.25, unseen="miss"), [*WORDS, "abcdabcz"])  # training lacks z
    assert (split.test.targets < 0).any()
    truth(split).write(tmp_path / "ranks.parquet")
    assert_same(read(tmp_path / "ranks.parquet", split), truth(split))
    columns = {name: values[truth(split).target >= 0] for name, values in frame(split).items()}
    found = read(write(tmp_path / "ranks.csv", columns), split)
    assert_same(found, truth(split))  # a miss of every model needs no row


@pytest.mark.parametrize("left", [("user",), ("query",), ("user", "target")])
def test_columns_may_be_left_out_where_the_rest_says_enough(tmp_path, left):
    split = split_of(LeaveLastOut())
    columns = {name: values for name, values in frame(split).items() if name not in left}
    assert_same(read(write(tmp_path / "ranks.csv", columns), split), truth(split))


def test_trec_runs_and_scored_lists_give_the_same_table(tmp_path):
    split = split_of()
    rows = lists(split)
    (tmp_path / "a.run").write_text("".join(f"{q} Q0 {item} 1 {score} tag\n" for q, item, score in rows))
    write(tmp_path / "a.csv", {name: np.array(values) for name, values in
                               zip(("query", "item", "score"), zip(*rows, strict=True), strict=True)})  # fmt: skip
    true = {(q, item) for q, item in zip(frame(split)["query"], frame(split)["target"], strict=True)}
    (tmp_path / "true.qrels").write_text("".join(f"{q} 0 {item} 1\n" for q, item in true))
    for found in (read(tmp_path / "a.run", split), read(tmp_path / "a.csv", split),
                  read(tmp_path / "a.run", split, qrels="true.qrels")):  # fmt: skip
        assert_same(found, truth(split))
        assert found.depth == 4
        assert found.caveats == ("KEPT TO 4: its lists hold at most 4 items; one they lack is a miss",)


def test_an_item_that_a_list_lacks_is_a_miss(tmp_path):
    split = split_of()
    path = tmp_path / "a.run"
    path.write_text("".join(f"{q} Q0 {item} 1 {score} tag\n" for q, item, score in lists(split, k=2)))
    ranks, expected = read(path, split).ranks, truth(split)
    hit = ranks.greater < ranks.candidates
    assert 0 < hit.sum() < len(hit)
    assert (ranks.greater[hit] <= 1).all() and (ranks.greater[hit] == expected.greater[hit]).all()
    assert (expected.greater + expected.tied)[~hit].min() >= 1


def mistaken(columns, **changes):
    """The columns with rows changed: a list of row numbers, or (row, column, value)."""
    found = {name: list(values) for name, values in columns.items()}
    for row, (name, value) in changes.get("set", {}).items():
        found[name][row] = value
    rows = changes.get("rows", range(len(found["query"])))
    return {name: np.array([values[row] for row in rows]) for name, values in found.items()}


@pytest.mark.parametrize(("rows", "expected"), [
    (lambda n: range(n - 1), r"the test part and ranks.csv differ first at line 13 of the test part: user 5, query 11, "
                             r"target \w is not in ranks.csv; a comparison needs the same test set"),
    (lambda n: [*range(n), 3], r"ranks.csv, line 14: user 1, query 3, target \w is a duplicate"),
])  # fmt: skip
def test_a_missing_or_doubled_row_is_named(tmp_path, rows, expected):
    split = split_of()
    columns = frame(split)
    path = write(tmp_path / "ranks.csv", mistaken(columns, rows=rows(len(columns["query"]))))
    with pytest.raises(InvalidRankFile, match=expected):
        read(path, split)


@pytest.mark.parametrize(("change", "expected"), [
    (("user", 77), "line 4 of ranks.csv: user 77, query 2, target . is not in the test part"),
    (("query", 99), "line 4 of ranks.csv: user 1, query 99, target . is not in the test part"),
    (("target", "z"), "line 4 of ranks.csv: user 1, query 2, target z is not in the test part"),
    (("greater", 4), "line 4: rank 8 is beyond the 4 candidates of the test part; write a miss as an empty value"),
    (("tied", -1), "line 4: tied must be a whole number of at least 0, got '-1'"),
])  # fmt: skip
def test_a_row_of_another_test_set_is_named(tmp_path, change, expected):
    split = split_of()
    path = write(tmp_path / "ranks.csv", mistaken(frame(split), set={2: change}))
    with pytest.raises(InvalidRankFile, match=expected):
        read(path, split)


def test_lists_of_other_queries_or_items_are_named(tmp_path):
    split, path = split_of(), tmp_path / "a.run"
    rows = [f"{q} Q0 {item} 1 {score} tag\n" for q, item, score in lists(split)]
    path.write_text("".join(rows[4:]))
    with pytest.raises(InvalidRankFile, match=r"differ: query 0 is not in a.run; a comparison needs the same test set"):
        read(path, split)
    path.write_text("".join([*rows, "99 Q0 a 1 0.5 tag\n"]))
    with pytest.raises(InvalidRankFile, match=r"differ: query 99 is not in the test part"):
        read(path, split)
    path.write_text("".join([*rows, rows[0]]))
    with pytest.raises(InvalidRankFile, match=r"line 49: query 0 lists item \w twice"):
        read(path, split)
    path.write_text("".join(rows[::4]))
    with pytest.raises(InvalidRankFile, match=r"a.run lists one item per query; give longer lists"):
        read(path, split)
    path.write_text("".join(rows))
    true = sorted({(q, item) for q, item in zip(*(frame(split)[n].tolist() for n in ("query", "target")), strict=True)})
    (tmp_path / "true.qrels").write_text("".join(f"{q} 0 {item} 1\n" for q, item in true[1:]))
    with pytest.raises(InvalidRankFile, match=r"differ: query 0, item \w is in the test part and not in .*true.qrels"):
        read(path, split, qrels="true.qrels")


def test_lists_by_user_need_a_query_where_users_have_several(tmp_path):
    split = split_of()
    rows = [(split.user_ids[split.test.clusters[split.test.sequence_of[q]]], item, score)
            for q, item, score in lists(split)]  # fmt: skip
    columns = dict(zip(("user", "item", "score"), map(np.array, zip(*rows, strict=True)), strict=True))
    with pytest.raises(InvalidRankFile, match="has no column query, and user 0 has several queries; add the column"):
        read(write(tmp_path / "a.csv", columns), split)


def test_other_candidates_are_a_caveat(tmp_path):
    split = split_of()
    columns = frame(split) | {"candidates": np.full(len(truth(split)), 9)}
    found = read(write(tmp_path / "ranks.csv", columns), split)
    assert found.caveats == ("OTHER CANDIDATES: 12 of 12 targets were ranked among other candidates (9 against 4 here "
                             "in the first of them)",)  # fmt: skip
    assert (found.ranks.candidates == 9).all()


def test_candidates_are_counted_as_in_ranking():
    split = split_of(PerUserFractions(0.5, 0.25, 0.25, candidates=UNSEEN_ITEMS_ONLY), MORE)
    counted = candidates_of(split.test, split.train.num_items)
    ranks = truth(split)
    assert (counted[ranks.query] == ranks.candidates).all() and len(set(counted.tolist())) > 1


@pytest.mark.parametrize(("fields", "expected"), [
    ({"path": "", "by": "x"}, "path must name the path of a file"),
    ({"path": "a.csv", "by": "two\nlines"}, "by must name the program that computed the ranks in one line"),
    ({"path": "{seed}.csv", "by": "x", "deterministic": True}, "a file for each seed, so deterministic must be False"),
])  # fmt: skip
def test_a_mistaken_row_is_refused(fields, expected):
    with pytest.raises(ValueError, match=expected):
        Ranked(**fields)


def test_a_row_without_a_file_for_each_seed_is_one_run():
    assert Ranked("a.csv", "x").one_run and not replace(Ranked("a.csv", "x"), path="{seed}.csv").one_run
