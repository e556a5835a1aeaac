"""Locks between processes: one holder at a time, freed when the holder ends or dies."""

import multiprocessing
import os
import signal
import time

import pytest

from harness.system.locks import file_lock


def hold(path, seconds, taken):
    with file_lock(path) as owned:
        assert owned
        taken.set()
        time.sleep(seconds)


def holder(path, seconds):
    """A process that holds the lock."""
    context = multiprocessing.get_context("fork")
    taken = context.Event()
    process = context.Process(target=hold, args=(path, seconds, taken))
    process.start()
    assert taken.wait(10)
    return process


def test_a_second_holder_is_refused_or_waits(tmp_path):
    process = holder(tmp_path / "a.lock", 0.6)
    with file_lock(tmp_path / "a.lock", wait=False) as owned:
        assert owned is False
    with file_lock(tmp_path / "b.lock", wait=False) as owned:
        assert owned is True
    with file_lock(tmp_path / "a.lock") as owned:
        assert owned is True
        process.join(5)
        assert not process.is_alive(), "the lock came free before its holder ended"


def test_a_refused_lock_does_not_free_the_holders(tmp_path):
    with file_lock(tmp_path / "a.lock") as first:
        for _ in range(2):
            with file_lock(tmp_path / "a.lock", wait=False) as second:
                assert (first, second) == (True, False), "a lock is not reentrant"
    with file_lock(tmp_path / "a.lock", wait=False) as owned:
        assert owned


def test_a_killed_holder_frees_the_lock(tmp_path):
    process = holder(tmp_path / "a.lock", 60)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    with file_lock(tmp_path / "a.lock", wait=False) as owned:
        assert owned


def test_an_error_frees_the_lock(tmp_path):
    with pytest.raises(KeyError), file_lock(tmp_path / "a.lock"):
        raise KeyError("a")
    with file_lock(tmp_path / "a.lock", wait=False) as owned:
        assert owned
