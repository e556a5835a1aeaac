"""Limits are read as they are written, and the memory of a process includes that of its children."""

import os
import subprocess
import sys

import pytest

from harness.spec import Experiment
from harness.system.limits import parse_bytes, parse_seconds, resident_bytes


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("10m", 600), ("2h", 7200), ("1.5 h", 5400), ("1d", 86400), (2.5, 2.5)]
)
def test_times(text, seconds):
    assert parse_seconds(text) == seconds
    assert Experiment(None, None, {}, timeout=text).timeout_seconds == seconds


@pytest.mark.parametrize("text", ["", "0", "-5", "10x", "m", "1e9", "nan", True, "9" * 400])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match="a time limit of .* cannot be used: expected seconds or a unit"):
        parse_seconds(text)


@pytest.mark.parametrize(("text", "size"), [("500MB", 500e6), ("4GB", 4e9), ("4GiB", 4 * 2**30), ("1024", 1024)])
def test_sizes(text, size):
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "0GB", "-1", "4 apples", "0.1"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="a memory limit of .* cannot be used: expected a size such as"):
        parse_bytes(text)


def test_the_memory_of_a_process_includes_its_children():
    eat = "block = b'x' * 200_000_000; print(flush=True); input()"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {eat!r}])"
    before = resident_bytes(os.getpid())
    child = subprocess.Popen([sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    child.stdout.readline()
    assert resident_bytes(child.pid) > 200e6
    assert resident_bytes(os.getpid()) - before > 200e6
    child.communicate(b"\n")
    assert resident_bytes(child.pid) == 0
