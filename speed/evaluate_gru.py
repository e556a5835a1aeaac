"""Evaluation of a GRU at every position of MovieLens 1M: targets ranked per CPU second, one thread.

    OMP_NUM_THREADS=1 python -m speed.evaluate_gru

The counterpart of batch_eval in the official GRU4Rec: whole histories of 320 users, drawn with seed 0 from 600; a query
after every event, all items ranked; embedding 64, hidden 128. Encore counts greater and tied scores for every target,
from which all cut-offs follow. The speed does not depend on the weights, which come from one epoch on the same 320
users.
"""

import os
import time

import numpy as np

from evaluation.metrics.accuracy import MRR, Recall
from evaluation.ranking.rank import rank_held_out
from recsys_data.datasets.movielens import MovieLens1MOrdered
from recsys_data.sequences import Sequences
from recsys_data.split import HeldOut, TrainingSet
from recsys_models.rnn import GRU
from speed.timing import peak_memory, prepare_torch, spread
from training.run import Run

ROUNDS = 5


def every_position():
    """The 320 users as a training set and as a held-out part with a query after every event."""
    data = MovieLens1MOrdered().load()
    users = np.sort(np.random.default_rng(0).permutation(data.num_users)[:320])
    mask = np.isin(data.users, users)
    lengths = np.bincount(data.users[mask])[users]
    offsets = np.concatenate([[0], np.cumsum(lengths)])
    sequences = Sequences(data.items[mask], data.timestamps[mask], offsets, np.arange(len(users), dtype=np.int32))
    rows = np.repeat(np.arange(len(users)), lengths - 1)
    reads = np.concatenate([np.arange(1, n) for n in lengths])
    held_out = HeldOut(
        sequences=sequences,
        sequence_of=rows,
        history_lengths=reads,
        query_times=np.full(len(rows), np.nan),
        targets=sequences.items[offsets[rows] + reads],
        target_offsets=np.arange(len(rows) + 1),
        clusters=np.arange(len(users)),
    )
    return TrainingSet(sequences, len(users), data.num_items, data.clock), held_out


if __name__ == "__main__":
    prepare_torch()
    train, held_out = every_position()
    model = GRU(dim=128, embedding_dim=64, epochs=1).fit(train, Run(0))
    rank_held_out(model, held_out, train.item_counts)  # compiles the counting
    rates = []
    for _ in range(ROUNDS):
        started = time.process_time()
        ranks = rank_held_out(model, held_out, train.item_counts)
        values = MRR(20).measure(ranks), Recall(20).measure(ranks)
        rates.append(len(held_out) / (time.process_time() - started))
    print(
        f"{len(held_out):,} targets of {len(train.sequences)} users, {train.num_items:,} items, MRR@20 {values[0]:.4f}"
    )
    print(f"{spread(rates)} targets per CPU second, peak {peak_memory():.0f} MB, load {os.getloadavg()[0]:.1f}")
