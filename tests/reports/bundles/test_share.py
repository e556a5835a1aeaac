"""The form of a bundle that may be published: equal in every number, and nothing about one user can be joined to it."""

import json
import re
import shutil
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.comparison.compare import compare_suite
from evaluation.metrics.accuracy import metric_named
from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.metrics.sums_file import read_sums
from evaluation.ranking.rank_table import RankTable
from evaluation.results.shared_sums import LEAST, DrawnClusters, drawing, rank_digest
from evaluation.results.suite_results import RanksWithheld, read_suite
from evaluation.verdicts.claims import AcrossProtocols, Published, Ranking
from harness.store import Store
from harness.stores.merge import merge
from recsys_data.sealed_json import read_sealed
from reports.bundles.recompute import recomputed_text
from reports.bundles.write import Form, write_bundle
from reports.output.bundle import open_bundle
from reports.output.html import render_html
from reports.report import build
from tests.reports.conftest import record_of, write_cell
from tests.stored_records import change_sealed, write_sealed

USERS, ITEMS, NAME = 1200, 200, "joined"
FIRST, SECOND = "late order", "early order"
METRICS = ("MRR@20", "Recall@20")


@pytest.fixture(scope="module")
def raw():
    """The data of a licence: the test part as (user, item) pairs, in the order of users; item 0 is the most popular."""
    rng = np.random.default_rng(22)
    long = rng.permutation(np.arange(20, 80))[:48]  # users whose number of queries nobody shares
    queries = np.concatenate([1 + rng.geometric(0.5, USERS - len(long)) % 6, long])
    user = np.repeat(np.arange(USERS), rng.permutation(queries)).astype(np.int32)
    chance = 1 / np.arange(1, ITEMS + 1)
    return user, rng.choice(ITEMS, len(user), p=chance / chance.sum()).astype(np.int32)


def popularity_ranks(raw, noise=0):
    """Ranks of a popularity model, which give the item away to who has the data; with noise those of another model."""
    user, item = raw
    rng = np.random.default_rng(noise)
    rank = item if not noise else np.clip(item + rng.integers(-8, 9, len(item)), 0, ITEMS - 1)
    rows = np.arange(len(user), dtype=np.int32)
    return RankTable(
        cluster=user, query=rows, target=item, repeat=np.zeros(len(user), np.int16), history=rows % 9,
        candidates=np.full(len(user), ITEMS, np.int32), greater=rank.astype(np.int32),
        tied=np.zeros(len(user), np.int32), item_counts=np.arange(ITEMS, 0, -1, dtype=np.int64),
    )  # fmt: skip


@pytest.fixture(scope="module")
def joined(raw, tmp_path_factory):
    """A store of two models under two protocols, with claims of all built-in kinds that read sums."""
    root, cells = tmp_path_factory.mktemp("joined"), []
    for p, protocol in enumerate((FIRST, SECOND)):
        for m, (model, noise) in enumerate({"Popularity": 0, "Other": 3 + p}.items()):
            key, table = f"{p}{m}" + "ab12" * 5 + "00", popularity_ranks(raw, noise)
            record = record_of(key, "Clicks", model, 0, table, "python benchmark.py run joined", [])
            parts = {"code": {}, "library version": {}, "device": "cpu"}  # that all cells share
            record |= {"protocol": protocol, "validation": {}, "epochs": None, "key_parts": parts}
            write_cell(root, key, record, table, np.random.default_rng(0))
            cells.append({"dataset": "Clicks", "protocol": protocol, "model": model, "seed": 0, "key": key,
                          "state": "DONE", "reason": "", "command": ""})  # fmt: skip
    claims = [Ranking("a", "Popularity", "Other", "Clicks", "MRR@10", "abstract"),
              AcrossProtocols("b", "Other", "Clicks", "MRR@20", FIRST, SECOND, "table 1")]  # fmt: skip
    write_sealed(root / "suites" / NAME / "suite.json", {
        "name": NAME, "suite": NAME, "title": "Joined", "notes": [], "paper": None, "metrics": list(METRICS),
        "file": "", "seeds": [0], "baselines": ["Popularity"], "comparisons": [],
        "command": "python benchmark.py run joined",
        "published": [Published("Clicks", "Other", "MRR@20", 0.2, "table 2").to_json()], "cells": cells,
        "claims": [claim.to_json() for claim in claims], "created": "2026-03-01T11:00:00+00:00", "caveats": [],
    })  # fmt: skip
    return root


@pytest.fixture(scope="module")
def bundles(joined, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bundles")
    for name, form in {"full": Form(), "share": Form(share=True)}.items():
        write_bundle(joined, NAME, folder / f"{name}.zip", form)
    return folder


def report_of(bundle):
    with open_bundle(bundle) as (root, suite):
        made = build(root, suite)
        tables = {table.anchor: table for table in made.tables()}
        return render_html(made), tables, recomputed_text(root, suite)


def test_every_table_verdict_and_figure_equals_those_of_the_full_bundle(bundles):
    page, tables, nothing = report_of(bundles / "full.zip")
    shared_page, shared_tables, recomputed = report_of(bundles / "share.zip")
    assert shared_page == page
    assert shared_tables == tables and len(tables) > 10
    assert nothing == ""
    found = re.match(
        r"6 tables computed again from the sums by user: all means equal, (\d) of 6 conclusions", recomputed
    )
    assert int(found[1]) >= 5  # 48 of 1,200 users are pooled, and they have half of the queries


def test_it_holds_no_row_of_a_user_and_no_item(bundles):
    with zipfile.ZipFile(bundles / "share.zip") as archive:
        names = {name.rpartition("/")[2] for name in archive.namelist()}
        kept = json.dumps(json.loads(archive.read(f"suites/{NAME}/kept.json")))
    assert not names & {"ranks.parquet", "items.parquet", "lists.parquet", "traceback.txt", "report.pdf"}
    assert '"cluster"' not in kept and '"target"' not in kept
    with open_bundle(bundles / "share.zip") as (root, suite):
        cell = read_suite(root, suite).cells[0]
        with pytest.raises(RanksWithheld, match="made for sharing"):
            _ = cell.ranks
        assert {len(sums.clusters) for sums in cell.sums.values()} == {cell.sums["MRR@20"].clusters[-1] + 1}


def recovered(raw, sums, users_of_cluster, rng):
    """Share of right (user, item) pairs that a join guesses, and the share of guesses for the same items by chance.

    The attacker has the data: the number of queries of each user, and the popularity of each item. A cluster with one
    hit of the popularity model gives the rank of the item, which is the item; its user is one with as many queries.
    """
    user, item = raw
    truth = set(zip(user.tolist(), item.tolist(), strict=True))
    hits = np.flatnonzero(np.isclose(sums["Recall@20"].sums, 1.0))
    items = np.round(1 / sums["MRR@20"].sums[hits]).astype(int) - 1
    guesses = [(users_of_cluster(cluster), found) for cluster, found in zip(hits, items, strict=True)]
    right = np.mean([np.mean([(u, found) in truth for u in users]) for users, found in guesses])
    chance = np.mean([np.mean([(u, found) in truth for u in range(USERS)]) for _, found in guesses])
    sampled = [np.mean([(int(rng.integers(USERS)), found) in truth for found in items]) for _ in range(400)]
    return right, chance, float(np.std(sampled)), len(guesses)


def test_a_join_with_the_raw_data_recovers_no_pair_beyond_chance(raw, joined, bundles):
    queries = np.bincount(raw[0], minlength=USERS)
    as_many = {n: np.flatnonzero(queries == n).tolist() for n in set(queries.tolist())}
    rng = np.random.default_rng(1)
    full = read_suite(joined, NAME).cells[0]
    unprotected = {name: metric_named(name).per_cluster(full.ranks) for name in METRICS}
    right, chance, _, guesses = recovered(raw, unprotected, lambda cluster: [int(cluster)], rng)
    assert right == 1.0 and chance < 0.3 and guesses > 100  # the attack works where clusters are users
    with open_bundle(bundles / "share.zip") as (root, _):
        cell = read_suite(root, NAME).cells[0]
        shared = read_sums(cell.folder, cell.files)
    by_number, by_length = (lambda cluster: [int(cluster) % USERS]), shared["MRR@20"].counts
    right, chance, sd, _ = recovered(raw, shared, by_number, rng)
    assert abs(right - chance) < 4 * sd  # the number of a cluster tells nothing
    by_queries = lambda cluster: as_many.get(int(by_length[cluster]), [*range(USERS)])  # noqa: E731
    right, chance, sd, guesses = recovered(raw, shared, by_queries, rng)
    assert guesses > 100
    assert right < chance + 4 * sd  # nor does its number of queries
    singled_out = [n for n in by_length.tolist() if len(as_many.get(n, ())) in range(1, LEAST)]
    assert not singled_out


@given(st.lists(st.integers(1, 12), min_size=1, max_size=80), st.integers(0, 99))
def test_no_number_of_queries_singles_a_user_out(counts, seed):
    counts = np.array(counts)
    drawn = DrawnClusters.of(counts, np.random.default_rng(seed))
    sizes = np.bincount(drawn.owner)
    single = counts[sizes[drawn.owner] == 1]
    if len(counts) >= LEAST:
        assert all((single == n).sum() >= LEAST for n in single)
        assert all(size == 1 or size >= LEAST for size in sizes)
    values = np.random.default_rng(seed).random(len(counts))
    sums = ClusterSums(np.arange(len(counts)), values * counts, counts)
    pooled = drawn.apply(sums)
    assert pooled.micro == pytest.approx(sums.micro)
    assert pooled.counts.sum() == counts.sum()
    assert np.isin(pooled.sums[np.bincount(drawn.owner) == 1], sums.sums).all()  # to the bit


def test_the_targets_of_all_queries_decide_the_order_of_users(raw):
    user, item = raw
    queries = np.bincount(user)

    def order(items, noise=0):
        return DrawnClusters.of(queries, drawing(popularity_ranks((user, items), noise)))

    drawn, again, changed = order(item), order(item, noise=3), item.copy()
    assert again.numbering == drawn.numbering and (again.owner == drawn.owner).all()  # of another model
    assert np.mean(drawn.owner == np.arange(USERS)) < 0.02
    changed[-1] += 1  # one target that an attacker does not know
    other = order(changed)
    assert other.numbering != drawn.numbering and np.mean(other.owner == drawn.owner) < 0.02


def part_of(joined, folder, model):
    """A bundle made for sharing of the cells of one model, as a store that holds only these gives it."""
    shutil.copytree(joined, folder)
    for cell in read_suite(folder, NAME).cells:
        if cell.model != model:
            shutil.rmtree(cell.folder)
    write_bundle(folder, NAME, folder.with_suffix(".zip"), Form(share=True))
    return folder.with_suffix(".zip")


def test_bundles_of_parts_made_at_different_times_are_merged(joined, bundles, tmp_path):
    parts = [part_of(joined, tmp_path / model, model) for model in ("Popularity", "Other")]
    store = Store.open(tmp_path / "both")
    for part in parts:
        with open_bundle(part) as (root, _):
            assert merge(store, root, part.name).refused == []
    with open_bundle(bundles / "share.zip") as (whole, suite):
        found, expected = read_suite(store.root, suite), read_suite(whole, suite)
        for cell, same in zip(found.cells, expected.cells, strict=True):
            assert cell.files == same.files  # to the bit
        shown, wanted = ({t.anchor: t for t in build(root, suite).tables()} for root in (store.root, whole))
        kept = [anchor for anchor in wanted if anchor.startswith(("cut-", "bins-", "beyond-"))]
        assert len(kept) >= 3 and all(shown[anchor] == wanted[anchor] for anchor in kept)
        tables, wanted = ([table.pairs for table in compare_suite(each)] for each in (found, expected))
        assert tables == wanted and sum(map(len, tables)) >= 4
    write_bundle(store.root, NAME, tmp_path / "again.zip", Form(share=True))
    with open_bundle(tmp_path / "again.zip") as (root, suite), open_bundle(bundles / "share.zip") as (whole, _):
        assert render_html(build(root, suite)) == render_html(build(store.root, suite))
        assert (root / "README.txt").read_bytes() == (whole / "README.txt").read_bytes()


def test_the_number_of_pooled_users_is_told_where_one_cell_of_each_test_set_tells_it(bundles, tmp_path):
    def packed():
        return write_bundle(root, NAME, tmp_path / "again.zip", Form(share=True)).pooled

    def forget(path):  # as earlier versions wrote it
        record = read_sealed(path.read_bytes())
        change_sealed(path, withheld={n: v for n, v in record["withheld"].items() if n != "pooled"})

    with open_bundle(bundles / "share.zip") as (root, _):
        cells = sorted(root.glob("cells/*/cell.json"))
        assert (told := packed()) > 40
        forget(cells[0])
        assert packed() == told
        for path in cells:
            forget(path)
        assert packed() is None
    with open_bundle(tmp_path / "again.zip") as (root, _):
        text = " ".join((root / "README.txt").read_text().split())
        assert "fewer than ten share are pooled. Ranks" in text


def test_what_is_withheld_is_known_by_its_checksum(joined, bundles):
    with open_bundle(bundles / "share.zip") as (root, suite):
        for cell, full in zip(read_suite(root, suite).cells, read_suite(joined, NAME).cells, strict=True):
            assert cell.record["withheld"]["ranks"] == rank_digest(full.ranks)


def test_a_changed_mean_is_noticed(joined, bundles, tmp_path):
    with open_bundle(bundles / "share.zip") as (root, suite):
        path = root / "suites" / NAME / "kept.json"
        record = read_sealed(path.read_bytes())
        table = next(result for name, result in record["results"].items() if name.startswith("table-"))
        table["models"][0]["mean"] += 0.01
        write_sealed(path, record)
        with pytest.raises(ValueError, match="does not follow from its sums by user"):
            recomputed_text(root, suite)


def test_it_is_merged_into_a_store_of_its_own_and_refused_beside_ranks(bundles, joined, tmp_path):
    with open_bundle(bundles / "share.zip") as (root, suite), open_bundle(bundles / "full.zip") as (full, _):
        alone = merge(Store.open(tmp_path / "alone"), root, "share.zip")
        assert (alone.entered, alone.refused) == (4, [])
        assert render_html(build(tmp_path / "alone", suite)) == render_html(build(root, suite))
        assert merge(Store.open(tmp_path / "alone"), full, "full.zip").known == 4  # the same ranks, by their checksum
        first = read_suite(full, suite).cells[0].key
        (root / "cells" / first / "cell.json").unlink()
        mixed = Store.open(tmp_path / "alone")
        (mixed.folder(first) / "cell.json").unlink()
        refused = merge(mixed, full, "full.zip").refused
        assert "merge such bundles into a results folder of their own" in refused[0]
