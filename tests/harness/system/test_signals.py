"""SIGTERM ends the program at its next safe point, is never lost, and never cuts what runs."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BEGIN = """
import sys, time
from queue import SimpleQueue
from harness.system import signals
signals.end_on_sigterm()
signals.end_on_sigterm()
queue = SimpleQueue()
print("ready", flush=True)
"""
WAITS = """
with signals.waking(lambda: queue.put(None)):
    queue.get()
    signals.check_terminated()
"""
SWALLOWS = """
while not signals._terminated.is_set():
    try:
        time.sleep(0.01)
    except BaseException:
        print("cut", flush=True)
print("whole", flush=True)
signals.check_terminated()
"""
ARRIVED_BEFORE = """
while not signals._terminated.is_set():
    time.sleep(0.01)
with signals.waking(lambda: None):
    print("entered", flush=True)
"""
NEVER_CHECKS = """
while True:
    time.sleep(0.01)
"""


@pytest.mark.parametrize(
    ("code", "printed"), [(WAITS, ""), (SWALLOWS, "whole\n"), (ARRIVED_BEFORE, ""), (NEVER_CHECKS, "")]
)
def test_sigterm_ends_the_program_at_a_safe_point(code, printed):
    begin = BEGIN.replace("print(", "signals.GRACE_SECONDS = 0.2\nprint(") if code is NEVER_CHECKS else BEGIN
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-c", begin + code], cwd=ROOT, env=environment, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGTERM)
    found = process.communicate(timeout=30)
    assert found == (printed, "")
    assert process.returncode == 143
