"""Signals: end the program on SIGTERM as on an interruption."""

from __future__ import annotations

import signal
from typing import Any


class Terminated(SystemExit):
    """The process received SIGTERM."""


def end_on_sigterm() -> None:
    """Make SIGTERM raise Terminated, so that locks are freed and MLflow's runs are closed."""

    def end(number: int, _: Any) -> None:
        raise Terminated(128 + number)

    signal.signal(signal.SIGTERM, end)
