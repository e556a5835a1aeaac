import dataclasses
import errno
import hashlib
import json
import os
import pathlib
import shutil
import time
import typing

import numpy as np
import pytest

from recsys_data.datasets import cache
from recsys_data.datasets.cache import load_cached, raw_files, raw_sums, read_prepared, write_prepared
from recsys_data.datasets.subsample import LimitUsers
from recsys_data.fetching.source import Source
from recsys_data.files.interaction_file import InteractionFile
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.interactions import Clock, Interactions
from recsys_data.sealed_json import read_sealed, sealed_text

EVENTS = [("u2", 5, 1.5), ("u1", 7, 2.0), ("u2", 7, 1.0)]


@dataclasses.dataclass(frozen=True)
class Counted:
    """A data set of one file that counts how often it is read."""

    scale: float = 1.0
    name = title = licence = citation = "counted"
    expected = None
    source = Source(("raw.txt",))
    reads: typing.ClassVar[list] = []

    def present(self, folder):
        return self.source.present(folder)

    def load(self, folder=None):
        self.reads.append(self.scale)
        users, items, times = zip(*EVENTS, strict=True)
        return Interactions.from_events("counted", users, items, np.array(times) * self.scale, clock=Clock.ABSOLUTE,
                                        ratings=[1, 2, 3], facts={"a": [1]}, edition="e", parts=[0, 2, 0])  # fmt: skip


@pytest.fixture
def raw(tmp_path):
    Counted.reads.clear()
    (tmp_path / "raw.txt").write_text("raw")
    return tmp_path


def test_the_second_time_nothing_is_read(raw):
    first, second = (load_cached(Counted(), raw, raw / "cache") for _ in range(2))
    assert Counted.reads == [1.0]
    assert second.fingerprint == first.fingerprint
    again = dataclasses.replace(second)  # without the stored fingerprint: hashed anew from the mapped arrays
    assert again.fingerprint == first.fingerprint
    assert (second.name, second.clock, second.unit, second.edition, second.facts) == (
        "counted",
        Clock.ABSOLUTE,
        "user",
        "e",
        {"a": [1]},
    )
    assert isinstance(second.items, np.memmap) and not second.items.flags.writeable
    assert second.user_ids.tolist() == ["u1", "u2"] and second.parts.tolist() == [2, 0]
    assert second.ratings.tolist() == [2.0, 3.0, 1.0]


def test_other_fields_other_files_and_other_code_are_read_again(raw, monkeypatch):
    load_cached(Counted(), raw, raw / "cache")
    load_cached(Counted(2.0), raw, raw / "cache")
    assert Counted.reads == [1.0, 2.0]
    (raw / "raw.txt").write_text("changed")
    load_cached(Counted(), raw, raw / "cache")
    assert Counted.reads == [1.0, 2.0, 1.0]
    monkeypatch.setattr(cache, "SCHEMA", 99)
    load_cached(Counted(), raw, raw / "cache")
    assert len(Counted.reads) == 4


def test_a_damaged_entry_is_made_again(raw):
    load_cached(Counted(), raw, raw / "cache")
    (entry,) = (raw / "cache").iterdir()
    (entry / "items.npy").write_bytes(b"broken")
    assert load_cached(Counted(), raw, raw / "cache").items.tolist() == [1, 1, 0]
    assert len(Counted.reads) == 2
    ratings = np.load(entry / "ratings.npy")
    np.save(entry / "ratings.npy", ratings + 1)  # part of no split's fingerprint
    with pytest.raises(ValueError, match=r"ratings.npy is damaged: it does not match its checksum; remove the folder"):
        read_prepared(entry)
    assert load_cached(Counted(), raw, raw / "cache").ratings.tolist() == ratings.tolist()
    (entry / "user_ids.json").unlink()
    load_cached(Counted(), raw, raw / "cache")
    assert len(Counted.reads) == 4 and len(list((raw / "cache").iterdir())) == 1


def test_an_entry_of_which_nothing_reached_the_disk_is_made_again(raw):
    load_cached(Counted(), raw, raw / "cache")
    (entry,) = (raw / "cache").iterdir()
    (entry / "items.npy").write_bytes(b"")
    assert load_cached(Counted(), raw, raw / "cache").items.tolist() == [1, 1, 0] and len(Counted.reads) == 2


def test_another_schema_is_refused(raw):
    write_prepared(MarkovChainSequences(num_users=3, num_items=4, length=4).load(), raw / "entry")
    meta = json.loads((raw / "entry/meta.json").read_text())
    (raw / "entry/meta.json").write_text(json.dumps({**meta, "schema": 99}))
    with pytest.raises(ValueError, match="prepared data of schema 99, expected 2; remove the folder"):
        read_prepared(raw / "entry")


def test_data_without_files_are_not_kept(raw):
    chain = MarkovChainSequences(num_users=5, num_items=6, length=4)
    assert load_cached(chain, raw, raw / "cache").fingerprint == chain.load().fingerprint
    assert not (raw / "cache").exists()


def test_a_user_s_own_file_is_kept_and_its_bytes_decide(raw):
    path = raw / "mine.csv"
    path.write_text("user,item\n1,2\n")
    own = InteractionFile(str(path), label="my own/file")
    assert len(load_cached(own, raw, raw / "cache")) == 1
    assert isinstance(load_cached(own, raw, raw / "cache").items, np.memmap)
    path.write_text("user,item\n1,3\n")
    assert load_cached(own, raw, raw / "cache").item_ids.tolist() == [3]
    assert raw_files(InteractionFile(str(raw / "none.csv")), raw) is None
    assert {entry.parent.name for entry in (raw / "cache").rglob("meta.json")} == {
        entry.name for entry in (raw / "cache").glob("my_own_file-*")
    }


def changed_in_secret(path, data):
    """Other bytes of the same number, with the time of change put back."""
    stat = path.stat()
    time.sleep(0.02)  # more than one tick of the file system's clock
    path.write_bytes(data)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert path.stat().st_size == stat.st_size and path.stat().st_mtime_ns == stat.st_mtime_ns


def test_a_changed_byte_of_a_raw_file_is_seen_though_size_and_time_are_as_before(raw, monkeypatch):
    monkeypatch.setattr(cache, "_COARSE", -1)  # write the sum down at once
    load_cached(Counted(), raw, raw / "cache")
    load_cached(Counted(), raw, raw / "cache")
    assert len(Counted.reads) == 1
    changed_in_secret(raw / "raw.txt", b"rAw")
    load_cached(Counted(), raw, raw / "cache")
    assert len(Counted.reads) == 2


def test_a_file_is_hashed_once_unless_it_has_just_changed(raw, monkeypatch):
    sums = raw_sums([raw / "raw.txt"], raw / "cache")
    assert sums == [hashlib.sha256(b"raw").hexdigest()]
    assert not (raw / "cache").exists(), "a file that may still be changing is not noted"
    monkeypatch.setattr(cache, "_COARSE", -1)
    raw_sums([raw / "raw.txt"], raw / "cache")
    (note,) = (raw / "cache/raw").iterdir()
    believed = read_sealed(note.read_bytes(), note.name) | {"digest": "0" * 64}
    note.write_text(sealed_text(believed, note.name))
    assert raw_sums([raw / "raw.txt"], raw / "cache") == ["0" * 64], "what is noted is believed"
    note.write_text("half a no")
    assert raw_sums([raw / "raw.txt"], raw / "cache") == sums


def test_the_same_bytes_elsewhere_are_the_same_data(raw):
    (raw / "other").mkdir()
    shutil.copy(raw / "raw.txt", raw / "other")
    load_cached(Counted(), raw, raw / "cache")
    load_cached(Counted(), raw / "other", raw / "cache")
    assert len(Counted.reads) == 1


def test_a_part_is_cut_from_the_whole_that_is_kept(raw):
    part = load_cached(LimitUsers(Counted(), 1), raw, raw / "cache")
    assert part.num_users == 1 and part.facts["caveats"] == ["SMOKE RUN: 1 of 2 users"]
    assert load_cached(Counted(), raw, raw / "cache").num_users == 2
    assert Counted.reads == [1.0]


def test_old_entries_make_room(raw):
    for number in range(4):
        load_cached(Counted(), raw, raw / "cache", code=f"version {number}")
    assert len(list((raw / "cache").iterdir())) == 2
    load_cached(Counted(), raw, raw / "cache", code="version 3")
    assert len(Counted.reads) == 4


def test_two_processes_may_keep_the_same_data_at_once(raw, monkeypatch):
    made = MarkovChainSequences(num_users=3, num_items=4, length=4).load()
    replace = pathlib.Path.replace

    def overtaken(self, target):
        shutil.copytree(self, target)  # the other process was a moment faster
        return replace(self, target)

    monkeypatch.setattr(pathlib.Path, "replace", overtaken)
    write_prepared(made, raw / "cache" / "entry")
    assert read_prepared(raw / "cache" / "entry").fingerprint == made.fingerprint
    assert [path.name for path in (raw / "cache").iterdir()] == ["entry"]

    def broken(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(pathlib.Path, "replace", broken)
    with pytest.raises(OSError, match="No space left"):
        write_prepared(made, raw / "cache" / "another")


def test_what_numpy_says_of_a_full_disk_is_told_as_one(raw, monkeypatch):
    def short(*_, **__):
        raise OSError("100 requested and 5 written")

    monkeypatch.setattr(np, "save", short)
    with pytest.raises(OSError, match="100 requested and 5 written") as error:
        write_prepared(MarkovChainSequences(num_users=3, num_items=4, length=4).load(), raw / "cache" / "entry")
    assert error.value.errno == errno.ENOSPC
    assert not list((raw / "cache").iterdir())
