"""Ranks of other code as rows of a suite: seconds per file from its bytes to a stored cell with its metrics.

    python -m speed.rank_files [--queries 60858] [--files 5]

Each format has ``files`` files of one rank per query, or of lists of 20, for the queries of an anonymous session split
of Diginetica's size. A run reads, joins and stores them like any suite; printed are wall-clock and CPU seconds per
file. The bound for ranks in CSV and Parquet is 3 s. Fails if torch was imported.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from evaluation.metrics.accuracy import MRR, NDCG, Recall
from evaluation.rank_files.ranked import Ranked
from recsys_data.interactions import Clock, Interactions
from recsys_data.protocols.published import AsPublished
from recsys_data.split import TEST, TRAIN, Split

ITEMS, BOUND, LISTED = 40_000, 3.0, 20


def session_split(queries: int) -> Split:
    """Sessions of two events: as many test sessions, each with one query, as training sessions."""
    rng = np.random.default_rng(0)
    sessions = np.repeat(np.arange(2 * queries), 2)
    items = np.concatenate([np.arange(ITEMS), rng.integers(0, ITEMS, 4 * queries - ITEMS)])  # training has every item
    events = Interactions.from_events("sessions", sessions, items, np.arange(4.0 * queries), clock=Clock.ABSOLUTE,
                                      unit="session", parts=np.where(sessions < queries, TRAIN, TEST))  # fmt: skip
    return AsPublished(validation=0).prepare(events)


def ranks(split: Split, seed: int) -> pa.Table:
    """One rank per query, with raw ids."""
    test = split.test
    return pa.table({
        "session": split.user_ids[test.clusters[test.sequence_of]], "query": np.arange(len(test)),
        "target": split.item_ids[test.targets], "rank": np.random.default_rng(seed).integers(1, ITEMS, len(test)),
    })  # fmt: skip


def lists(split: Split, seed: int) -> pa.Table:
    """LISTED different items per query with falling scores."""
    first = np.random.default_rng(seed).integers(0, ITEMS, len(split.test))
    items = (first[:, None] + np.arange(LISTED)) % ITEMS
    scores = np.tile(np.linspace(1, 0, LISTED), len(first))
    return pa.table({"query": np.repeat(np.arange(len(first)), LISTED), "item": items.ravel(), "score": scores})


def seconds(split: Split, row: Ranked, files: int, folder: Path) -> tuple[float, float]:
    """Wall-clock and CPU seconds per file: hash, read, join, three metrics per query and per session."""
    started, used = time.perf_counter(), time.process_time()
    for seed in range(files):
        row.sums(seed, folder)
        found = row.read(seed, folder, split, "the test part").ranks
        found.write(folder / "ranks.parquet")
        for metric in (MRR(20), Recall(20), NDCG(20)):
            metric.per_cluster(found)
    return (time.perf_counter() - started) / files, (time.process_time() - used) / files


def main() -> None:
    """Write the files of each format and time them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=int, default=60_858)
    parser.add_argument("--files", type=int, default=5)
    options = parser.parse_args()
    split = session_split(options.queries)
    print(f"{len(split.test):,} queries, {split.train.num_items:,} items, {options.files} files of each format")
    slow = False
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for name, table, ending in (("ranks", ranks, "csv"), ("ranks", ranks, "parquet"), ("lists", lists, "parquet")):
            for seed in range(options.files):
                path = folder / f"{name}-{seed}.{ending}"
                (pyarrow.csv.write_csv if ending == "csv" else pq.write_table)(table(split, seed), path)
            wall, cpu = seconds(split, Ranked(f"{name}-{{seed}}.{ending}", by="generated"), options.files, folder)
            slow |= name == "ranks" and cpu > BOUND
            print(f"{name} in {ending:<8} {wall:6.2f} s wall, {cpu:6.2f} s CPU per file")
    if "torch" in sys.modules:
        sys.exit("torch was imported")
    if slow:
        sys.exit(f"above {BOUND:g} s of CPU per file")


if __name__ == "__main__":
    main()
