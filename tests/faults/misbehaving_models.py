# ruff: noqa: NPY002  # the global generators are what is tried
"""A suite of models, each of which misbehaves in one way before it fits; the trials and tests run it."""

from __future__ import annotations

import ctypes
import gc
import locale
import os
import random
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import MRR, Metric
from harness.spec import Experiment, Suite
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import PerUserFractions
from recsys_models.rnn import GRU
from training.run import Run

MEMORY = 1_500_000_000  # bytes, the limit of every cell


class Unprintable(Exception):
    """An error whose text cannot be made."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def _raise(error: BaseException) -> None:
    raise error


def _write(array: np.ndarray) -> None:
    array[:] = 0


def _eat_memory() -> None:
    blocks = []
    while True:
        blocks.append(bytearray(os.urandom(1 << 20) * 32))
        time.sleep(0.01)


def _hang_in_native_code() -> None:
    """Hang with the interpreter's lock held and SIGTERM ignored: only SIGKILL ends it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    subprocess.Popen(["sleep", "1000"])  # a child that must end, too
    while True:
        ctypes.PyDLL(None).sleep(1000)


def _patch_library() -> None:
    torch.nn.functional.cross_entropy = lambda *_args, **_kwargs: torch.zeros((), requires_grad=True)
    np.argsort = lambda *_args, **_kwargs: _raise(RuntimeError("patched"))


def _patch_encore() -> None:
    Metric.measure = lambda *_: 1.0
    GRU.dropout = 0.9
    sys.modules["training.loop"].__dict__.update(fit_loop=None, time=None)


@dataclass(frozen=True)
class Deed:
    """What a model does, and the reason or the caveat that must be recorded.

    state: of its cell, "DONE" where it leaves something changed that the record tells.
    """

    act: Callable[[Any], object]
    state: str
    told: str


DEEDS = {
    "item counts": Deed(lambda train: _write(train.item_counts), "FAILED", "read-only"),
    "train items": Deed(lambda train: _write(train.sequences.items), "FAILED", "read-only"),
    "train times": Deed(lambda train: _write(train.sequences.timestamps), "FAILED", "read-only"),
    "offsets": Deed(lambda train: _write(train.sequences.offsets), "FAILED", "read-only"),
    "default dtype": Deed(lambda _: torch.set_default_dtype(torch.float64), "DONE", "torch's default dtype"),
    "default device": Deed(lambda _: torch.set_default_device("meta"), "DONE", "torch's default device"),
    "grad mode": Deed(lambda _: torch.set_grad_enabled(False), "DONE", "torch's grad mode"),
    "threads": Deed(lambda _: torch.set_num_threads(7), "DONE", "torch's threads"),
    "algorithms": Deed(lambda _: torch.use_deterministic_algorithms(False), "DONE", "deterministic algorithms"),
    "denormals": Deed(lambda _: torch.set_flush_denormal(True), "DONE", "denormal numbers"),
    "numpy errors": Deed(lambda _: np.seterr(all="raise"), "DONE", "NumPy's handling of errors"),
    "seeds": Deed(lambda _: (torch.manual_seed(5), np.random.seed(5), random.seed(5)), "DONE", ""),
    "warnings": Deed(lambda _: warnings.simplefilter("error"), "DONE", "warnings that are errors"),
    "locale": Deed(lambda _: locale.setlocale(locale.LC_ALL, "C"), "DONE", "the locale"),
    "folder": Deed(lambda _: os.chdir("/"), "DONE", "the current folder"),
    "environment": Deed(lambda _: os.environ.update(OMP_NUM_THREADS="9"), "DONE", "OMP_NUM_THREADS"),
    "garbage": Deed(lambda _: gc.disable(), "DONE", "garbage collection"),
    "patched library": Deed(lambda _: _patch_library(), "FAILED", "patched"),
    "patched Encore": Deed(lambda _: _patch_encore(), "DONE", "Metric.measure"),
    "sys.exit": Deed(lambda _: sys.exit(3), "FAILED", "SystemExit: 3"),
    "os._exit": Deed(lambda _: os._exit(0), "FAILED", "exited with code 0"),
    "os._exit(7)": Deed(lambda _: os._exit(7), "FAILED", "exited with code 7"),
    "segfault": Deed(lambda _: ctypes.string_at(0), "FAILED", "SIGSEGV"),
    "abort": Deed(lambda _: os.abort(), "FAILED", "SIGABRT"),
    "SIGKILL": Deed(lambda _: os.kill(os.getpid(), signal.SIGKILL), "FAILED", "SIGKILL"),
    "group kill": Deed(lambda _: os.killpg(0, signal.SIGKILL), "FAILED", "SIGKILL"),
    "interrupt": Deed(lambda _: _raise(KeyboardInterrupt()), "FAILED", "KeyboardInterrupt"),
    "generator exit": Deed(lambda _: _raise(GeneratorExit("no")), "FAILED", "GeneratorExit: no"),
    "no text": Deed(lambda _: _raise(Unprintable()), "FAILED", "Unprintable, whose text cannot be made"),
    "surrogates": Deed(lambda _: _raise(ValueError("\ud800 half a pair")), "FAILED", "half a pair"),
    "memory error": Deed(lambda _: _raise(MemoryError()), "FAILED", "memory ran out"),
    "memory": Deed(lambda _: _eat_memory(), "OUT OF MEMORY", "more than its limit of 1,500 MB"),
    "hangs": Deed(
        lambda _: time.sleep(1000),
        "TIMEOUT",
        "longer than its limit of 3 s; raise the limit or make the cell smaller (in ",
    ),
    "hangs in C": Deed(lambda _: _hang_in_native_code(), "TIMEOUT", "longer than its limit of 3 s"),
}


@dataclass
class Misbehaving(Popularity):
    """Popularity, after a deed."""

    deed: str = ""

    def fit(self, train: Any, run: Run) -> Misbehaving:
        """Do the deed, then fit."""
        DEEDS[self.deed].act(train)
        return super().fit(train, run)


@dataclass
class Drawing(Popularity):
    """A model that draws from the global generators: its scores show whether another cell moved them."""

    def fit(self, train: Any, run: Run) -> Drawing:
        """Count, and add noise."""
        super().fit(train, run)
        noise = torch.rand(train.num_items).numpy() + np.random.rand(train.num_items) + random.random()
        self.counts_ = self.counts_ + noise.astype(self.counts_.dtype)
        return self


WELL = {
    "GRU": GRU(dim=6, embedding_dim=5, epochs=2, batch_size=8),
    "Popularity": Popularity(),
    "Drawing": Drawing(),
    "GRU 7": GRU(dim=7, embedding_dim=5, epochs=2, batch_size=8),
}


def suite(deeds: list[str]) -> Suite:
    """The suite of the models that behave, each after some that do not; those that hang have a limit of time."""
    hanging = [name for name in deeds if DEEDS[name].state == "TIMEOUT"]
    others = [name for name in deeds if name not in hanging]
    models: dict[str, Any] = {}
    for number, (name, model) in enumerate(WELL.items()):
        models |= {deed: Misbehaving(deed=deed) for deed in others[number :: len(WELL)]} | {name: model}
    protocol = PerUserFractions(train=0.8, validation=0.1, test=0.1)
    experiments = [Experiment(_chain(20), protocol, models)]
    if hanging:
        stuck = {deed: Misbehaving(deed=deed) for deed in hanging}
        experiments.append(Experiment(_chain(21), protocol, stuck, timeout="3s"))
    return Suite("misbehaving", "Misbehaving", experiments, seeds=[0], metrics=[MRR(5)])


def _chain(users: int) -> MarkovChainSequences:
    return MarkovChainSequences(num_users=users, num_items=15, length=12)
