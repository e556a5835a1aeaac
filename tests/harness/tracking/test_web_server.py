"""A server and its workers end with the process that started them, however that one ends."""

import os
import signal
import subprocess
import sys
import time

import pytest

from harness.system.environment import ROOT

SERVER = """
import os, signal, subprocess, sys, time
if len(sys.argv) == 1:
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    worker = subprocess.Popen([sys.executable, __file__, "worker"])
    print(os.getpid(), worker.pid, flush=True)
else:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # a worker that does not end when it is asked to
time.sleep(60)
"""
STARTER = """
import signal, sys
from harness.tracking import web_server
signal.signal(signal.SIGINT, signal.default_int_handler)  # tests that run in the background inherit that it is ignored
web_server.GRACE = 0.5
sys.exit(web_server.serve(sys.argv[1:]))
"""


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="looks for processes in /proc")  # noqa: PTH110
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left(tmp_path, number):
    script = tmp_path / "server.py"
    script.write_text(SERVER)
    starter = subprocess.Popen([sys.executable, "-c", STARTER, sys.executable, str(script)], cwd=ROOT,
                               stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # fmt: skip
    pids = [int(word) for word in starter.stdout.readline().split()]
    assert all(map(alive, pids))
    starter.send_signal(number)
    starter.wait(20)
    end = time.monotonic() + 8
    while any(map(alive, pids)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(map(alive, pids))


def test_the_exit_code_is_that_of_the_server():
    command = [sys.executable, "-c", STARTER, sys.executable, "-c", "raise SystemExit(7)"]
    assert subprocess.run(command, cwd=ROOT, check=False).returncode == 7
