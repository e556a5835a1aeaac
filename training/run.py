"""Run: what the harness hands to a model's ``fit``."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np


def _silent(record: Mapping[str, Any]) -> None:
    """Drop a log record."""


@dataclass(frozen=True)
class Run:
    """One fit: its seed, device, validation, checkpoint folder and log.

    seed: any whole number; every generator is derived from it and a purpose. validate: takes the model as it stands
    and returns its score on the validation part (higher is better), or None where there is nothing to validate on.
    measure: takes the model and names of further metrics and returns that score and theirs, each with its sign turned
    so that higher is better, from one reading of the validation part; None where only ``validate`` is offered.
    checkpoint: a folder for this fit's state, or None; a fit that finds its state there goes on from it.
    log: called with a record an epoch (``epoch``, ``loss``, ``validation``, ``seconds``, ``targets_per_second``, …).
    """

    seed: int
    device: str = "cpu"
    validate: Callable[[Any], float] | None = None
    checkpoint: Path | None = None
    log: Callable[[Mapping[str, Any]], None] = _silent
    measure: Callable[[Any, Sequence[str]], Sequence[float]] | None = None

    def derived_seed(self, purpose: str) -> int:
        """A 63-bit seed for one purpose (such as "weights"), independent between purposes."""
        return int.from_bytes(hashlib.sha256(f"{self.seed}|{purpose}".encode()).digest()[:8], "big") >> 1

    def generator(self, purpose: str) -> np.random.Generator:
        """A fresh NumPy generator for one purpose; asked twice, it starts twice at the same place."""
        return np.random.default_rng(self.derived_seed(purpose))
