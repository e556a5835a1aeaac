import errno
import multiprocessing
import os
import signal
import time

import pytest

from harness.store import Store, StoreUnusable, unusable
from tests.stored_records import write_sealed


def fill(folder, value=1):
    write_sealed(folder / "cell.json", {"key": "k", "value": value})


def test_a_cell_is_there_whole_or_not_at_all(tmp_path):
    store = Store.open(tmp_path)

    def half(folder):
        fill(folder)
        raise RuntimeError("crash in the middle")

    with pytest.raises(RuntimeError, match="crash"):
        store.commit("k", half)
    assert store.record("k") is None
    assert list((tmp_path / "cells").iterdir()) == []
    store.commit("k", fill)
    assert store.record("k")["value"] == 1


def killed_while_writing(root):
    def write(folder):
        fill(folder)
        os.kill(os.getpid(), signal.SIGKILL)

    Store.open(root).commit("k", write)


def test_a_writer_that_is_killed_leaves_nothing_that_counts(tmp_path):
    context = multiprocessing.get_context("fork")
    process = context.Process(target=killed_while_writing, args=(tmp_path,))
    process.start()
    process.join()
    assert process.exitcode == -signal.SIGKILL
    store = Store.open(tmp_path)
    assert (tmp_path / "cells" / ".new-k" / "cell.json").exists(), "the crash came before the rename"
    assert store.record("k") is None
    assert store.records() == []
    store.commit("k", fill)
    assert store.record("k")["value"] == 1
    assert [path.name for path in (tmp_path / "cells").iterdir()] == ["k"]


def test_a_crash_between_the_two_renames_loses_no_result(tmp_path):
    store = Store.open(tmp_path)
    store.commit("k", fill)
    (tmp_path / "cells" / "k").rename(tmp_path / "cells" / ".old-k")
    assert store.record("k") is None
    assert Store.open(tmp_path).record("k")["value"] == 1


def test_a_result_replaces_a_failure_and_no_failure_a_result(tmp_path):
    store = Store.open(tmp_path)
    store.commit_failure("k", {"reason": "it broke"}, "trace")
    assert store.failure("k")["reason"] == "it broke"
    assert list(store.failure("k")["files"]) == ["traceback.txt"]
    store.commit("k", lambda folder: fill(folder, 2))
    assert store.failure("k") is None
    store.commit_failure("k", {"reason": "again"}, "trace")
    assert store.record("k")["value"] == 2


def hold(root, key, seconds, taken):
    with Store.open(root).lock(key) as owned:
        assert owned
        taken.set()
        time.sleep(seconds)


def test_two_processes_do_not_own_one_cell(tmp_path):
    context = multiprocessing.get_context("fork")
    taken = context.Event()
    process = context.Process(target=hold, args=(tmp_path, "k", 0.6, taken))
    process.start()
    assert taken.wait(10)
    store = Store.open(tmp_path)
    with store.lock("k") as owned:
        assert not owned
    with store.lock("another") as owned:
        assert owned
    with store.lock("k", wait=True) as owned:
        assert owned
        process.join(5)
        assert not process.is_alive(), "the lock came free before its owner was done"


def test_a_dead_owner_holds_no_lock(tmp_path):
    context = multiprocessing.get_context("fork")
    taken = context.Event()
    process = context.Process(target=hold, args=(tmp_path, "k", 60, taken))
    process.start()
    assert taken.wait(10)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with Store.open(tmp_path).lock("k") as owned:
        assert owned


def test_a_full_or_closed_disk_is_one_sentence(tmp_path):
    store = Store.open(tmp_path)

    def full(folder):
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StoreUnusable, match="no space left for results in .*: free some and run again"):
        store.commit("k", full)
    closed = unusable(OSError(errno.EROFS, "Read-only file system"), tmp_path)
    assert "choose a writable folder with --results" in str(closed)
    assert unusable(OSError(errno.ENOENT, "No such file"), tmp_path) is None


def test_a_file_in_the_way_is_one_sentence(tmp_path):
    (tmp_path / "results").write_text("not a folder")
    with pytest.raises(StoreUnusable, match="is in the way: .* must be a folder; choose another with --results"):
        Store.open(tmp_path / "results")


def test_a_damaged_record_names_its_file(tmp_path):
    store = Store.open(tmp_path)
    store.commit("k", lambda folder: (folder / "cell.json").write_text('{"key": '))
    with pytest.raises(ValueError, match=r"cells/k/cell.json is damaged .* remove its folder and run again"):
        store.record("k")


def test_a_store_exists_with_all_of_its_folders(tmp_path):
    assert not Store(tmp_path / "none").exists()
    store = Store.open(tmp_path)
    assert store.exists()
    (store.root / "locks").rmdir()
    assert not store.exists()
