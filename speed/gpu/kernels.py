"""Stages on one network: cells beside cuDNN's LSTM, the softmax by precision, ranks of the CPU and the GPU."""

from __future__ import annotations

import copy

import numpy as np
import torch

from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import PerUserFractions
from recsys_models.rnn import GRU
from recsys_models.time_lstm import TimeLSTM1
from speed.cells import CELLS, runner
from speed.gpu.stage import Outcome, Surroundings, quartiles, wall_times
from speed.softmax import variants
from training.run import Run

NEAR = 1e-4  # of the largest score: scores this close may change places between devices


def cells(around: Surroundings) -> Outcome:
    """Events per second of each cell of the engine, forward and backward, beside torch's (cuDNN's) LSTM."""
    rows = []
    for batch, steps, size in [(4, 3, 8)] if around.tiny else [(64, 50, 128), (512, 20, 256)]:
        layer = torch.nn.LSTM(size, size).to(around.device)
        inputs = torch.randn(steps, batch, size, device=around.device, requires_grad=True)
        functions = {"torch.nn.LSTM": lambda layer=layer, inputs=inputs: layer(inputs)[0].sum().backward()}
        for name, (cell, *shape, _) in CELLS.items():
            functions[name] = runner(cell, *shape, batch, steps, size, device=around.device)
        times = wall_times(functions, around.device, rounds=2 if around.tiny else 7)
        lstm = quartiles(times["torch.nn.LSTM"])[1]
        for name, taken in times.items():
            low, middle, high = quartiles(taken)
            spread = f"{low / lstm:.2f} to {high / lstm:.2f}"
            rows.append({"B": batch, "T": steps, "H": size, "cell": name, "events/s": batch * steps / middle,
                         "time / LSTM": middle / lstm, "quartiles": spread})  # fmt: skip
    return Outcome("ok", "Forward and backward pass of each cell; the time is divided by that of torch.nn.LSTM.", rows)


def softmax(around: Surroundings) -> Outcome:
    """The full softmax loss in each precision beside its three matrix products."""
    rows = []
    for items, batch, size in [(60, 12, 8)] if around.tiny else [(3706, 3200, 64), (17_376, 512, 100),
                                                                 (100_000, 1024, 128)]:  # fmt: skip
        functions = variants(items, batch, size, device=around.device)
        times = wall_times(functions, around.device, rounds=2 if around.tiny else 9)
        for name, taken in times.items():
            low, middle, high = quartiles(taken)
            rows.append({"items": items, "targets": batch, "D": size, "what": name, "ms": 1e3 * middle,
                         "quartiles": f"{1e3 * low:.3g} to {1e3 * high:.3g}"})  # fmt: skip
    return Outcome("ok", 'Forward and backward pass; "products" are the loss\'s three matrix products alone.', rows)


def ranks(around: Surroundings) -> Outcome:
    """Ranks of one fitted model scored on both devices; a rank may differ only by items with nearly the same score."""
    users, items, epochs = (30, 25, 2) if around.tiny else (2000, 2000, 8)
    data = MarkovChainSequences(num_users=users, num_items=items, length=20 if around.tiny else 60)
    split = PerUserFractions(train=0.8, validation=0.1, test=0.1).prepare(data.load())
    rows, unexplained = [], 0
    size = {"dim": 32, "embedding_dim": 32, "epochs": epochs}
    for model in (GRU(**size), TimeLSTM1(**size, gap="previous")):
        model.fit(split.train, Run(0, device=around.device))
        row = _compared(model, split.test)
        rows.append({"model": type(model).__name__} | row)
        unexplained += row["unexplained"]
    state = "failed" if unexplained else "ok"
    return Outcome(state, f"The fit is on {around.device}, its scores are on {around.device} and on the CPU. Near-ties "
                   f"are other items within {NEAR:g} of the largest score of the target's score.", rows)  # fmt: skip


def _compared(model, held_out) -> dict[str, int]:
    """Counts of targets: all, of another rank on the CPU, near a tie, and of another rank without a near-tie."""
    there = model.score
    moved = copy.copy(model)
    moved.network_ = copy.deepcopy(model.network_).to("cpu")
    counts = {"targets": 0, "other rank": 0, "near a tie": 0, "unexplained": 0}
    for batch, queries in held_out.batches(max_padded_events=65536):
        scores = [each(batch).block(slice(None)).cpu().double().numpy() for each in (there, moved.score)]
        targets = [
            held_out.targets[held_out.target_offsets[query] : held_out.target_offsets[query + 1]] for query in queries
        ]
        for row, wanted in enumerate(targets):
            for target in wanted[wanted >= 0]:
                first, second = (int((block[row] > block[row, target]).sum()) for block in scores)
                near = np.abs(scores[1][row] - scores[1][row, target]) <= NEAR * np.abs(scores[1][row]).max()
                counts["targets"] += 1
                counts["other rank"] += first != second
                counts["near a tie"] += near.sum() > 1
                counts["unexplained"] += abs(first - second) > near.sum() - 1
    return {name: int(count) for name, count in counts.items()}
