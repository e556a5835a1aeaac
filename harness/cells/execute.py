"""Compute one cell: fit, validate, rank. This file is part of every cell's key, so it holds only what affects bits."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.metrics.accuracy import metric_named
from evaluation.metrics.lists import whole_table_metric_named
from evaluation.ranking.rank import rank_held_out
from evaluation.ranking.rank_table import RankTable
from evaluation.ranking.recommender import needed_clock
from harness.preparation import Prepared
from harness.spec import Cell
from harness.system.determinism import reset_global_state
from harness.system.environment import peak_memory_mb, reset_peak_memory
from recsys_data.interactions import Clock
from recsys_data.split import HeldOut
from training.precision import FLOAT32
from training.run import TORCH, Run


class ClockTooWeak(ValueError):
    """A model needs times or an order that the data do not have."""


@dataclass(frozen=True, eq=False)
class ComputedCell:
    """A computed cell: the fitted model, its ranks, its validation score (None without a validation part), its costs.

    seconds: "fit" (epochs before a resume included) and "score" (the test part ranked).
    """

    model: Any
    ranks: RankTable
    validation: float | None
    seconds: Mapping[str, float]
    peak_memory_mb: float
    peak_gpu_memory_mb: float | None


def compute(
    cell: Cell,
    prepared: Prepared,
    *,
    metrics: Sequence[Any],
    device: str,
    checkpoint: Path | None,
    log: Callable[[Mapping[str, Any]], None],
    precision: str = FLOAT32,
    engine: str = TORCH,
) -> ComputedCell:
    """Fit a fresh copy of the cell's model and rank every test target; the process begins in a fixed global state.

    The first metric on the validation part stops a learner; its fields may name further metrics to evaluate. Every
    random generator is derived from the cell's identity.
    """
    split = prepared.split
    _check_clock(cell, split.clock)
    primary = metrics[0]

    def measure(model: Any, names: Sequence[str] = ()) -> list[float]:
        wanted = [primary, *map(_metric, names)]
        ranks = _ranker(cell, prepared, top_k=lists_needed(wanted[1:]))(model, split.validation)
        return [_sign(metric) * float(metric.measure(ranks)) for metric in wanted]

    def validate(model: Any) -> float:
        return measure(model)[0]

    run = Run(
        seed=cell.random_seed(split.fingerprint),
        device=device,
        validate=validate if len(split.validation) else None,
        checkpoint=checkpoint,
        log=log,
        measure=measure,
        precision=precision,
        engine=engine,
    )
    reset_global_state(run.seed)
    _reset_memory(device)
    started = time.perf_counter()
    model = dataclasses.replace(cell.model).fit(split.train, run)
    if not callable(getattr(model, "score", None)):
        name = type(cell.model).__name__
        raise ValueError(f"{name}.fit must return the fitted model (return self), got {type(model).__name__}")
    fit_seconds = _synchronised_time(device) - started + _seconds_before_resume(model)
    validation = _sign(primary) * validate(model) if len(split.validation) else None
    started = time.perf_counter()
    ranks = _ranker(cell, prepared, top_k=lists_needed(metrics))(model, split.test)
    score_seconds = _synchronised_time(device) - started
    return ComputedCell(
        model=model,
        ranks=ranks,
        validation=validation,
        seconds={"fit": fit_seconds, "score": score_seconds},
        peak_memory_mb=peak_memory_mb(),
        peak_gpu_memory_mb=_gpu_memory_mb(device),
    )


def _sign(metric: Any) -> float:
    """The factor that makes a higher value of the metric better."""
    return 1.0 if metric.higher_is_better else -1.0


def _metric(name: str) -> Any:
    """The metric that a model's fields name. Raises ValueError for an unknown one."""
    return whole_table_metric_named(name) or metric_named(name)


def _ranker(cell: Cell, prepared: Prepared, top_k: int) -> Callable[[Any, HeldOut], RankTable]:
    """A function that ranks a held-out part with the experiment's fixed batch size."""
    counts = prepared.split.train.item_counts
    length = min(top_k, len(counts))
    return lambda model, held_out: rank_held_out(
        model, held_out, counts, max_padded_events=cell.experiment.max_padded_events, top_k=length
    )


def lists_needed(metrics: Sequence[Any]) -> int:
    """The length of the lists that these metrics need; 0 if none needs lists."""
    return max((metric.k for metric in metrics if getattr(metric, "needs_lists", False)), default=0)


def _check_clock(cell: Cell, clock: Clock) -> None:
    """Raise ClockTooWeak for a model that needs gaps or an order that the data do not have."""
    needed = needed_clock(cell.model)
    for what, needs, has in (
        ("true gaps between events", needed.has_gaps, clock.has_gaps),
        ("events of different users in order", needed.has_global_order, clock.has_global_order),
        ("the order of events", needed.has_order, clock.has_order),
    ):
        if needs and not has:
            raise ClockTooWeak(
                f"{cell.model_name} needs {what}, but {cell.dataset} has the clock '{clock.value}'; "
                "choose an edition with timestamps or another model"
            )


def _seconds_before_resume(model: Any) -> float:
    """The seconds of the epochs that an earlier process spent on this fit."""
    resumed = getattr(model, "resumed_from_", None) or 0
    return sum(record["seconds"] for record in getattr(model, "curve_", ()) if record["epoch"] <= resumed)


def _synchronised_time(device: str) -> float:
    """The time after the device has finished its work."""
    if device.startswith("cuda"):
        import torch

        torch.cuda.synchronize(device)
    return time.perf_counter()


def _reset_memory(device: str) -> None:
    """Restart the measurement of peak memory."""
    reset_peak_memory()
    if device.startswith("cuda"):
        import torch

        torch.cuda.reset_peak_memory_stats(device)


def _gpu_memory_mb(device: str) -> float | None:
    """The peak GPU memory that torch allocated, in MB; None on the CPU."""
    if not device.startswith("cuda"):
        return None
    import torch

    return torch.cuda.max_memory_allocated(device) / 1e6
