"""The time between events, as input of the models that use it."""

from __future__ import annotations

import numpy as np
import torch

from recsys_data.sequences import PAD, SequenceBatch
from training.batches.windows import WindowBatch


def training_gaps(batch: WindowBatch, semantics: str) -> np.ndarray:
    """The gap at each step of the windows, (B, T) float64 seconds: to the target, or from the event before the input.

    Raises ValueError for a clock that runs backwards.
    """
    gaps = batch.next_gaps if semantics == "next" else batch.previous_gaps
    return _checked(gaps)


def history_gaps(batch: SequenceBatch, semantics: str, steps: int) -> np.ndarray:
    """The gap at step r = 0 … steps − 1, which has read r events, (B, steps) float64 seconds, from history alone.

    "next": from event r to event r + 1 of the row, 0 where there is none or at START; "previous": from event r − 1 to
    event r, 0 where there are not two. Raises ValueError for a clock that runs backwards.
    """
    between = np.where(batch.items[:, 1:] != PAD, np.diff(batch.timestamps, axis=1), 0.0)  # (B, T − 1)
    lead = 1 if semantics == "next" else 2
    gaps = np.zeros((len(between), steps))
    width = min(steps - lead, between.shape[1])
    if width > 0:
        gaps[:, lead : lead + width] = between[:, :width]
    return _checked(gaps)


def query_gaps(batch: SequenceBatch, model: str) -> np.ndarray:
    """The time from the last event before a query to the query, (M,) float64 seconds; 0 for an empty history.

    Raises ValueError where the protocol withholds the query's time, or where it is before the last event.
    """
    if np.isnan(batch.query_times).any():
        raise ValueError(
            f"{model} needs the time of the next event, but this protocol withholds it; "
            f"use gap='previous', or a protocol that gives query times"
        )
    rows, reads = batch.query_positions.T
    last = batch.timestamps[rows, np.maximum(reads - 1, 0)]
    return _checked(np.where(reads > 0, batch.query_times - last, 0.0))


def to_extra_input(gaps: np.ndarray, unit: float, like: torch.Tensor) -> torch.Tensor:
    """Gaps (B, T) in units of ``unit`` seconds as an extra input (T, B, 1) of the engine, on the device of ``like``."""
    return torch.from_numpy(np.ascontiguousarray((gaps / unit).T)[..., None]).to(like)


def _checked(gaps: np.ndarray) -> np.ndarray:
    """The gaps; raise ValueError for a negative one."""
    if gaps.size and gaps.min() < 0:
        raise ValueError(f"a gap of {gaps.min()} seconds: an event is older than the one before it; sort by time first")
    return gaps
