"""Splits of planted data, and the score of a model on them."""

import numpy as np

from evaluation.ranking.rank import rank_held_out
from recsys_data.sequences import Sequences
from recsys_data.split import HeldOut, TrainingSet
from training.run import Run


def cut(interactions, share=0.8, query_times=False):
    """The first ``share`` of each user's events to learn from, and every later position asked for."""
    lengths = np.diff(interactions.offsets)
    stops = np.floor(lengths * share).astype(np.int64)
    users = np.arange(interactions.num_users, dtype=np.int32)
    early = np.arange(len(interactions)) - np.repeat(interactions.offsets[:-1], lengths) < np.repeat(stops, lengths)
    train = Sequences(interactions.items[early], interactions.timestamps[early], np.r_[0, np.cumsum(stops)], users)
    whole = Sequences(interactions.items, interactions.timestamps, interactions.offsets, users)
    rows = np.repeat(users, lengths - stops).astype(np.int64)
    reads = np.concatenate([np.arange(a, b) for a, b in zip(stops, lengths, strict=True)])
    events = interactions.offsets[rows] + reads
    times = interactions.timestamps[events] if query_times else np.full(len(rows), np.nan)
    held_out = HeldOut(whole, rows, reads, times, interactions.items[events], np.arange(len(rows) + 1), users)
    return TrainingSet(train, interactions.num_users, interactions.num_items, interactions.clock), held_out


def mrr(model, train, held_out):
    """MRR@20 over all queries, ties broken against the model."""
    table = rank_held_out(model, held_out, train.item_counts)
    rank = 1 + table.greater + table.tied
    return float(np.where(rank <= 20, 1 / rank, 0).mean())


def fitted_mrr(model, interactions, seed=0, query_times=False):
    """MRR@20 of ``model`` fitted on one part of the data, on the rest of it."""
    train, held_out = cut(interactions, query_times=query_times)
    return mrr(model.fit(train, Run(seed)), train, held_out)
