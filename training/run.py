"""Run: the seed, device, validation, checkpoint folder and log of one fit."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ENGINES = TORCH, COMPILED = ("torch", "compiled")


def check_engine(engine: str, device: str, precision: str) -> None:
    """Raise ValueError for an unknown engine and for what the compiled one does not compute."""
    if engine not in ENGINES:
        raise ValueError(f"unknown engine {engine!r}: expected {' or '.join(ENGINES)}")
    if engine == COMPILED and device != "cpu":
        raise ValueError(f"engine compiled runs on the CPU, and the device is {device}: use engine torch or device cpu")
    if engine == COMPILED and precision != "float32":
        raise ValueError(f"engine compiled computes in float32, and the precision is {precision}: use engine torch")


def _silent(record: Mapping[str, Any]) -> None:
    """Drop a log record."""


@dataclass(frozen=True)
class Run:
    """The context of one fit, passed to a model's ``fit``.

    seed: any integer; every generator derives from it and a purpose. validate: takes the current model and returns its
    score on the validation part (higher is better); None without validation. measure: takes the model and the names of
    further metrics and returns that score and theirs, signed so that higher is better, from one pass over the
    validation part; None if there is only ``validate``. checkpoint: a folder for this fit's state, or None; a fit that
    finds its state there resumes from it. log: called with one record per epoch (``epoch``, ``loss``, ``validation``,
    ``seconds``, ``targets_per_second``, …). precision: of the products in training, see training.precision. engine: the
    implementation of the loop over time where the model has a choice, "torch" or "compiled".
    """

    seed: int
    device: str = "cpu"
    validate: Callable[[Any], float] | None = None
    checkpoint: Path | None = None
    log: Callable[[Mapping[str, Any]], None] = _silent
    measure: Callable[[Any, Sequence[str]], Sequence[float]] | None = None
    precision: str = "float32"
    engine: str = TORCH

    def derived_seed(self, purpose: str) -> int:
        """A 63-bit seed for one purpose (such as "weights"), independent between purposes."""
        return int.from_bytes(hashlib.sha256(f"{self.seed}|{purpose}".encode()).digest()[:8], "big") >> 1

    def generator(self, purpose: str) -> np.random.Generator:
        """A new NumPy generator for one purpose, the same at every call."""
        return np.random.default_rng(self.derived_seed(purpose))
