"""MLflow's web server as a group of processes that ends with the process that started it, however that one ends.

The server starts workers of its own, and no signal reaches all of them. So a guard, this file run as a script, is put
between: it starts the server in a group of its own and ends the group when a pipe from Encore closes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence

GRACE = 3.0  # seconds between asking the group to end and killing it


def serve(command: Sequence[str]) -> int:
    """Run a server until it ends, or until this process does; return its exit code."""
    ours, theirs = os.pipe()
    guard = subprocess.Popen(
        [sys.executable, __file__, str(ours), *command], pass_fds=[ours], start_new_session=True, env=_environment()
    )
    os.close(ours)
    try:
        return guard.wait()
    finally:
        os.close(theirs)  # the guard notices, here or when the system closes it after this process was killed
        guard.wait(3 * GRACE)


def _environment() -> dict[str, str]:
    """The environment of MLflow's server: no telemetry, and none of the jobs for which it starts a queue."""
    return {"MLFLOW_DISABLE_TELEMETRY": "true", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", **os.environ}


def _guard(pipe: int, command: Sequence[str]) -> int:
    """Run a command in a group of its own; end the group when the pipe closes or the command ends."""
    server = subprocess.Popen(command, process_group=0)
    signal.signal(signal.SIGTERM, lambda *_: os.killpg(server.pid, signal.SIGTERM))
    threading.Thread(target=_end_with_pipe, args=(pipe, server.pid), daemon=True).start()
    code = server.wait()
    _end_group(server.pid)
    return code


def _end_with_pipe(pipe: int, group: int) -> None:
    """Wait until the pipe closes, then end the group."""
    while os.read(pipe, 1):
        pass
    _end_group(group)


def _end_group(group: int) -> None:
    """Ask the processes of a group to end; kill those that have not ended in time."""
    with contextlib.suppress(ProcessLookupError):  # raised as soon as there is none left
        os.killpg(group, signal.SIGTERM)
        end = time.monotonic() + GRACE
        while time.monotonic() < end:
            os.killpg(group, 0)
            time.sleep(0.05)
        os.killpg(group, signal.SIGKILL)


if __name__ == "__main__":
    raise SystemExit(_guard(int(sys.argv[1]), sys.argv[2:]))
