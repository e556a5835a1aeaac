"""Signals: end the program on SIGTERM at the next safe point, so that no request to end is lost and nothing is cut."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator

GRACE_SECONDS = 30.0  # then the process ends wherever it is; all files are written atomically

_terminated = threading.Event()
_wakers: list[Callable[[], None]] = []


class Terminated(SystemExit):
    """The process received SIGTERM."""


def end_on_sigterm() -> None:
    """From now on, SIGTERM makes the next ``check_terminated`` raise Terminated, and wakes who waits for it.

    A thread hears of the signal at once, whatever the main thread does; it ends the process after GRACE_SECONDS if no
    safe point was reached. Call it from the main thread.
    """
    if signal.getsignal(signal.SIGTERM) is _ignore:
        return
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    signal.signal(signal.SIGTERM, _ignore)
    signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    threading.Thread(target=_watch, args=(read_end,), daemon=True).start()


def _ignore(_number: int, _frame: object) -> None:
    """Do nothing in the main thread: the thread that reads the wake-up pipe acts."""


def _watch(read_end: int) -> None:
    while signal.SIGTERM not in os.read(read_end, 512):
        pass
    _terminated.set()
    for wake in list(_wakers):
        wake()
    threading.Event().wait(GRACE_SECONDS)
    os._exit(128 + signal.SIGTERM)


def check_terminated() -> None:
    """Raise Terminated if SIGTERM has arrived: a safe point, where locks are freed and MLflow's runs are closed."""
    if _terminated.is_set():
        raise Terminated(128 + signal.SIGTERM)


@contextlib.contextmanager
def waking(wake: Callable[[], None]) -> Iterator[None]:
    """Call ``wake`` from another thread when SIGTERM arrives inside the block."""
    _wakers.append(wake)
    try:
        check_terminated()  # it may have arrived before
        yield
    finally:
        _wakers.remove(wake)
