"""Contexts: the last items before a training event or a query."""

from __future__ import annotations

import numpy as np

from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet


def training_contexts(train: TrainingSet, window: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The events that have a predecessor: sequence (E,), last items (E, window) int32 and item (E,) int32.

    Last items are newest first, padded with −1.
    """
    sequences = train.sequences
    places = np.arange(len(sequences.items)) - np.repeat(sequences.offsets[:-1], sequences.lengths)
    events = np.flatnonzero(places > 0)
    lags = np.arange(1, window + 1)
    inside = places[events][:, None] >= lags
    items = np.where(inside, sequences.items[np.maximum(events[:, None] - lags, 0)], -1).astype(np.int32)
    return sequences.owners()[events], items, sequences.items[events]


def query_contexts(batch: SequenceBatch, window: int) -> np.ndarray:
    """The last items read before each query, newest first, padded with −1: (M, window) int64."""
    rows, places = batch.query_positions[:, :1], batch.query_positions[:, 1:] - np.arange(1, window + 1)
    return np.where(places >= 0, batch.items[rows, np.maximum(places, 0)], -1)


def context_sums(contexts: np.ndarray, vectors: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted sums (M, D) float32 of the vectors (N, D) of each context (M, W); unknown items add nothing."""
    sums = np.zeros((len(contexts), vectors.shape[1]), dtype=np.float32)
    for k, weight in enumerate(weights):
        known = contexts[:, k] >= 0
        sums[known] += weight * vectors[contexts[known, k]]
    return sums
