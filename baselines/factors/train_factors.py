"""The epochs of the factor models: NumPy arrays changed in place, the same stopping rule and log as training.loop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import numpy as np
import torch

from recsys_data.training_set import TrainingSet
from training.checkpoint import generator_state, read_checkpoint, restore_generator, write_checkpoint
from training.control.guard import Diverged
from training.run import Run

Positives = Literal["shuffled", "with_replacement", "users"]
STEP = 1 << 16  # positives a kernel call


def learner_rows(train: TrainingSet) -> tuple[np.ndarray, int]:
    """The factor row of each sequence (S,) and the number of rows: a known user's number, then anonymous sequences."""
    users = train.sequences.users.astype(np.int64)
    anonymous = users < 0
    rows = np.where(anonymous, train.num_users + np.cumsum(anonymous) - 1, users)
    return rows, train.num_users + int(anonymous.sum())


def draw_positives(how: Positives, rows: np.ndarray, generator: np.random.Generator) -> Iterator[np.ndarray]:
    """Instance numbers of one epoch, as many as there are instances, in chunks of at most STEP.

    "shuffled": each once; "with_replacement": each draw uniform; "users": a uniform row among those with instances,
    then one of its instances. rows (E,): the factor row of each instance.
    """
    count = len(rows)
    if how == "shuffled":
        order = generator.permutation(count)
    elif how == "users":
        by_row = np.argsort(rows, kind="stable")
        starts = np.flatnonzero(np.diff(rows[by_row], prepend=-1))
        lengths = np.diff(starts, append=count)
    for start in range(0, count, STEP):
        size = min(STEP, count - start)
        if how == "shuffled":
            yield order[start : start + size]
        elif how == "with_replacement":
            yield generator.integers(0, count, size)
        else:
            row = generator.integers(0, len(starts), size)
            yield by_row[starts[row] + (generator.random(size) * lengths[row]).astype(np.int64)]


def learn_epochs(
    model: Any,
    run: Run,
    factors: Mapping[str, np.ndarray],
    generator: np.random.Generator,
    epoch: Callable[[], tuple[float, int]],
    *,
    epochs: int,
    patience: int | None,
) -> None:
    """Run ``epoch`` (which changes ``factors`` in place and gives the loss sum and the steps made) until it is enough.

    With ``patience`` and something to validate on, the factors of the best epoch by ``run.validate`` stay, and
    training stops after ``patience`` epochs without a better one; else all epochs are run and the last factors stay.
    The state after each epoch goes to ``run.checkpoint``; a fit killed and run again ends with the same bits. Sets
    curve_, epochs_, best_epoch_, stopped_ and resumed_from_. Raises Diverged where the loss is not finite.
    """
    identity = f"{model!r}, seed {run.seed}"
    watching = patience is not None and run.validate is not None
    done, best_epoch, best_value, curve = 0, 0, -math.inf, []
    best = {name: array.copy() for name, array in factors.items()} if watching else {}
    model.resumed_from_ = None
    state = None if run.checkpoint is None else read_checkpoint(run.checkpoint, identity)
    if state is not None:
        done, best_epoch, best_value, curve = (state[name] for name in ("done", "best_epoch", "best_value", "curve"))
        _put_back(factors, state["factors"])
        _put_back(best, state["best"])
        restore_generator(generator, state["generator"])
        model.resumed_from_ = done
        run.log({"event": "resumed", "epoch": done})
    while done < epochs and not (watching and done - best_epoch >= patience):
        started = time.perf_counter()
        loss, steps = epoch()
        seconds = time.perf_counter() - started
        done += 1
        if not math.isfinite(loss):
            raise Diverged(f"epoch {done}: the loss is {loss}; try a learning_rate below {model.learning_rate:g}")
        value = float(run.validate(model)) if watching else None
        if not watching or value > best_value:
            best_epoch, best_value = done, value if watching else best_value
            for name in best:
                best[name][...] = factors[name]
        record = {
            "event": "epoch", "epoch": done, "epochs": epochs, "loss": loss / max(steps, 1), "validation": value,
            "seconds": seconds, "targets_per_second": steps / max(seconds, 1e-9),
        }  # fmt: skip
        curve.append(record)
        if run.checkpoint is not None:
            kept = {"done": done, "best_epoch": best_epoch, "best_value": best_value, "curve": curve}
            arrays = {"factors": _tensors(factors), "best": _tensors(best), "generator": generator_state(generator)}
            write_checkpoint(run.checkpoint, {"identity": identity, **kept, **arrays})
        run.log(record)
    for name in best:
        factors[name][...] = best[name]
    model.curve_, model.epochs_, model.best_epoch_ = curve, done, best_epoch
    model.stopped_ = "patience" if watching and done - best_epoch >= patience else "epoch limit"


def _tensors(arrays: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
    """The arrays as tensors that share their memory, which is what a checkpoint holds."""
    return {name: torch.from_numpy(array) for name, array in arrays.items()}


def _put_back(arrays: Mapping[str, np.ndarray], kept: Mapping[str, torch.Tensor]) -> None:
    """Write a checkpoint's tensors into the arrays."""
    for name, array in arrays.items():
        array[...] = kept[name].numpy()
