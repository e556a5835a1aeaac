"""Stored sums equal the metric's and are read back to the bit."""

import numpy as np
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from evaluation.metrics.accuracy import MRR, Recall
from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.metrics.sums_file import read_sums, write_sums
from evaluation.ranking.rank_table import RankTable
from recsys_data.sealed_json import sha256


@pytest.fixture
def ranks():
    rng = np.random.default_rng(0)
    n = 60
    return RankTable(
        cluster=np.sort(rng.integers(0, 9, n)),
        query=np.arange(n),
        target=rng.integers(0, 30, n),
        repeat=np.zeros(n, int),
        history=np.ones(n, int),
        candidates=np.full(n, 30),
        greater=rng.integers(0, 25, n),
        tied=rng.integers(0, 3, n),
        item_counts=np.ones(30, int),
    )


def files_of(folder, ranks="r"):
    """The files of a cell as its record lists them."""
    return {"ranks.parquet": ranks, "sums.parquet": sha256((folder / "sums.parquet").read_bytes())}


def test_round_trip(tmp_path, ranks):
    means = write_sums(tmp_path, ranks, [MRR(20), Recall(5)], "r")
    back = read_sums(tmp_path, files_of(tmp_path))
    assert list(means) == ["MRR@20", "Recall@5"]
    for metric in (MRR(20), Recall(5), MRR(20, "pessimistic"), Recall(5, "optimistic")):
        fresh = metric.per_cluster(ranks)
        np.testing.assert_array_equal(back[metric.name].sums, fresh.sums)
        np.testing.assert_array_equal(back[metric.name].counts, fresh.counts)
        np.testing.assert_array_equal(back[metric.name].clusters, fresh.clusters)
    for metric in (MRR(20), Recall(5)):
        assert means[metric.name] == metric.measure(ranks)


def test_absent_sums_are_no_error_and_another_schema_is(tmp_path, ranks):
    assert read_sums(tmp_path, {}) == {}
    write_sums(tmp_path, ranks, [MRR(20)], "r")
    path = tmp_path / "sums.parquet"
    pq.write_table(pq.read_table(path).replace_schema_metadata({"schema": "9"}), path)
    with pytest.raises(ValueError, match="schema 9"):
        read_sums(tmp_path, files_of(tmp_path))
    with pytest.raises(ValueError, match="no metric"):
        write_sums(tmp_path, ranks, [], "r")


def test_sums_that_were_edited_or_are_of_other_ranks_are_named(tmp_path, ranks):
    write_sums(tmp_path, ranks, [MRR(20)], "r")
    files, path = files_of(tmp_path), tmp_path / "sums.parquet"
    with pytest.raises(ValueError, match=r"sums.parquet is damaged \(its sums are not of the ranks.parquet beside"):
        read_sums(tmp_path, files | {"ranks.parquet": "other"})
    table = pq.read_table(path)
    edited = pc.add(table["MRR@20"], 0.001)
    pq.write_table(table.set_column(table.column_names.index("MRR@20"), "MRR@20", edited), path)
    with pytest.raises(ValueError, match=r"sums.parquet is damaged \(its SHA-256 is "):
        read_sums(tmp_path, files)
    path.unlink()
    with pytest.raises(ValueError, match=r"sums.parquet is damaged \(.*No such file"):
        read_sums(tmp_path, files)


@pytest.mark.parametrize("clusters", [[0, 0, 1, 5, 5, 7], [5, 0, 5, 7, 1, 0], [3]])
def test_sums_are_the_same_to_the_bit_in_any_order_of_clusters(clusters):
    values = np.random.default_rng(0).random(len(clusters))
    found = ClusterSums.of(np.array(clusters), values)
    names, where = np.unique(clusters, return_inverse=True)
    assert found.clusters.tolist() == names.tolist()
    assert found.sums.tolist() == np.bincount(where, weights=values).tolist()
    assert found.counts.tolist() == np.bincount(where).tolist()
