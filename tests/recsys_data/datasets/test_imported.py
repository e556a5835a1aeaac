import json
import threading

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys_data.datasets.cache import load_cached
from recsys_data.datasets.dataset import Dataset
from recsys_data.datasets.imported import (
    Imported,
    imported_datasets,
    refuse_taken,
    remove_imported,
    store_imported,
)
from recsys_data.datasets.subsample import LimitUsers
from recsys_data.fetching.errors import DataMissing
from recsys_data.interactions import Clock, Interactions


def shop(name="shop", users=("ann", "bo", "ann")):
    return Interactions.from_events(name, list(users), [3, 2**63 + 1, 10], [5, 6, 7], clock=Clock.ABSOLUTE, edition="e")


def test_what_is_stored_is_loaded(tmp_path):
    dataset = store_imported(shop(), tmp_path)
    assert dataset == Imported("shop") and isinstance(dataset, Dataset) and dataset.present(tmp_path)
    again = Imported("shop").load(tmp_path)
    assert again.fingerprint == shop().fingerprint and (again.name, again.edition) == ("shop", "e")
    assert again.item_ids.tolist() == ["3", "10", str(2**63 + 1)]
    record = dataset.record(tmp_path)
    assert (record["events"], record["users"], record["items"]) == (3, 2, 3)
    assert dataset.raw_files(tmp_path) == [tmp_path / "imported" / "shop.parquet"]
    assert list(imported_datasets(tmp_path)) == ["shop"] and imported_datasets(tmp_path / "none") == {}


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_interactions_are_loaded_to_the_bit(tmp_path_factory, data):
    draw = data.draw
    size = draw(st.integers(1, 8))

    def column(values):
        return draw(st.lists(values, min_size=size, max_size=size))

    ids = st.sampled_from(["7", "07", "é", "NA", " x", ""]) | st.sampled_from(["3", "10", str(2**64)])
    clock = draw(st.sampled_from(list(Clock)))
    users = column(ids)
    parts = {user: draw(st.integers(0, 2)) for user in dict.fromkeys(users)}
    made = Interactions.from_events(
        "made",
        users,
        column(ids),
        draw(st.none() | st.just(column(st.floats(-1e18, 1e18)))),
        clock=clock,
        ratings=draw(st.none() | st.just(column(st.floats(0, 5, width=32)))),
        unit=draw(st.sampled_from(["user", "session"])),
        edition=draw(st.text(max_size=5)),
        parts=draw(st.none() | st.just([parts[user] for user in users])),
        event_types=draw(st.none() | st.just(column(st.sampled_from(["view", "buy"])))),
    )
    folder = tmp_path_factory.mktemp("data")
    again = store_imported(made, folder).load(folder)
    assert again.fingerprint == made.fingerprint
    assert (again.clock, again.unit, again.edition) == (made.clock, made.unit, made.edition)
    assert np.array_equal(again.timestamps, made.timestamps)


def test_a_taken_name_is_refused_without_replace(tmp_path):
    store_imported(shop(), tmp_path)
    for act in (lambda: refuse_taken("shop", tmp_path), lambda: store_imported(shop(users=("x", "y", "z")), tmp_path)):
        with pytest.raises(ValueError, match="a data set called 'shop' is imported already; .*or say --replace"):
            act()
    assert Imported("shop").load(tmp_path).fingerprint == shop().fingerprint
    store_imported(shop(users=("x", "y", "z")), tmp_path, replace=True)
    assert Imported("shop").load(tmp_path).num_users == 3
    assert [path.name for path in (tmp_path / "imported").iterdir()] == ["shop.parquet"]  # no scratch file is left


def test_of_two_imports_at_the_same_time_one_is_refused(tmp_path):
    versions = [shop(users=(f"a{n}", "b", f"a{n}")) for n in range(8)]
    barrier, outcomes = threading.Barrier(len(versions)), []

    def store(version):
        barrier.wait()
        try:
            store_imported(version, tmp_path)
            outcomes.append(version.fingerprint)
        except ValueError as error:
            assert "imported already" in str(error)

    threads = [threading.Thread(target=store, args=(version,)) for version in versions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [Imported("shop").load(tmp_path).fingerprint]


def test_removal(tmp_path):
    store_imported(shop(), tmp_path)
    store_imported(shop("other"), tmp_path)
    remove_imported("shop", tmp_path)
    assert list(imported_datasets(tmp_path)) == ["other"]
    with pytest.raises(DataMissing, match="no data set called 'shop' is imported in .*imported; imported: other"):
        remove_imported("shop", tmp_path)
    for name in ("../shop", "", "a b", ".shop", "a/b"):
        with pytest.raises(ValueError, match="is not a valid name for imported data"):
            remove_imported(name, tmp_path)


def test_a_missing_one_names_the_command(tmp_path):
    with pytest.raises(DataMissing, match="shop: no data set of this name is imported in .*; import it with: python "
                                          "benchmark.py data import FILE --name shop"):  # fmt: skip
        Imported("shop").load(tmp_path)


def test_files_of_another_origin_are_refused(tmp_path):
    path = Imported("shop").path(tmp_path)
    path.parent.mkdir()
    sentence = "shop.parquet: was not written by this version of data import; import it again: .*--name shop --replace"
    pq.write_table(pa.table({"user": [1], "item": [2]}), path)
    with pytest.raises(ValueError, match=sentence):
        Imported("shop").load(tmp_path)
    for record in (b"{", json.dumps({"schema": 0}).encode()):
        pq.write_table(pa.table({"user": [1]}).replace_schema_metadata({b"encore.imported": record}), path)
        with pytest.raises(ValueError, match=sentence):
            Imported("shop").load(tmp_path)
    store_imported(shop(), tmp_path, replace=True)
    table = pq.read_table(path)
    for changed in (
        table.drop_columns("item"),
        table.set_column(1, "item", pa.nulls(len(table), pa.string())),
        table.set_column(1, "item", pa.array([{"a": 1}] * len(table))),
        table.slice(0, 0).set_column(2, table.column_names[2], pa.array([], pa.time32("s"))),
    ):
        pq.write_table(changed.replace_schema_metadata(table.schema.metadata), path)
        with pytest.raises(ValueError, match="shop.parquet: (was not written by data import|is damaged) .*--replace"):
            Imported("shop").load(tmp_path)
    path.write_bytes(b"PAR1\x15\x0ebroken" + b"\x10\0\0\0PAR1")
    with pytest.raises(ValueError, match="shop.parquet: is damaged .*--replace"):
        Imported("shop").load(tmp_path)
    store_imported(shop(), tmp_path, replace=True)
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match="shop.parquet: is damaged .*--replace"):
        Imported("shop").load(tmp_path)


def test_the_cache_follows_the_file(tmp_path):
    store_imported(shop(), tmp_path)
    cache = tmp_path / "cache"
    assert load_cached(Imported("shop"), tmp_path, cache).fingerprint == shop().fingerprint
    assert load_cached(Imported("shop"), tmp_path, cache).fingerprint == shop().fingerprint
    part = load_cached(LimitUsers(Imported("shop"), 1), tmp_path, cache)
    assert part.num_users == 1 and part.name == "shop"
    other = shop(users=("x", "y", "z"))
    store_imported(other, tmp_path, replace=True)
    assert load_cached(Imported("shop"), tmp_path, cache).fingerprint == other.fingerprint


def test_the_cache_keeps_event_types(tmp_path):
    made = Interactions.from_events("shop", [1, 1], [5, 6], [1, 2], clock=Clock.ABSOLUTE, event_types=["view", "buy"])
    store_imported(made, tmp_path)
    for _ in range(2):
        data = load_cached(Imported("shop"), tmp_path, tmp_path / "cache")
        assert data.event_type_names[data.event_types].tolist() == ["view", "buy"]
