"""Train the official GRU4Rec (PyTorch) on an exported split, and write the ranks of the test targets by its scores.

It runs in the environment of environment.txt and imports the checkout's own gru4rec_pytorch; Encore is not needed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch

SETTINGS = json.loads((Path(__file__).resolve().parent.parent / "settings.json").read_text())
ROWS = 512  # sequences that are read side by side


def main() -> None:
    """Fit with the checkout's own loop, score each query with its own forward step."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--split", "--dataset", "--out", "--checkout"):
        parser.add_argument(name, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--epochs", type=int)
    options = parser.parse_args()
    sys.path.insert(0, options.checkout)
    import gru4rec_pytorch

    split, settings = Path(options.split), SETTINGS[options.dataset]["gru4rec_official"]
    torch.manual_seed(options.seed)
    np.random.seed(options.seed)  # noqa: NPY002  # which the official code draws from
    train = pd.read_csv(split / "train.tsv", sep="\t", dtype={"ItemId": str})
    model = gru4rec_pytorch.GRU4Rec(device=torch.device("cpu"))
    model.set_params(
        layers=[settings["layers"]],
        batch_size=settings["batch_size"],
        learning_rate=settings["learning_rate"],
        n_sample=settings["n_sample"],
        sample_alpha=settings["sample_alpha"],
        loss="cross-entropy",
        constrained_embedding=True,
        n_epochs=options.epochs or settings["epochs"],
    )
    # compatibility_mode would set NumPy's generator to one fixed seed, so that all runs began alike
    model.fit(train, compatibility_mode=False)
    ranks = rank(model, split)
    path = Path(options.out) / f"{options.seed}.parquet"
    pq.write_table(pa.table(ranks), path, compression="zstd")
    print(path, f"MRR@20 {np.mean([1 / (g + 1) if g < 20 else 0 for g in ranks['greater']]):.4f} (ties in favour)")


@torch.no_grad()
def rank(model: Any, split: Path) -> dict[str, Any]:
    """The query, and how many items score higher than its target and the same; only numbers, no user and no item."""
    queries = pd.read_csv(split / "queries.csv", dtype={"target": str}).dropna(subset="target")
    if (queries["history"] == 0).any():
        raise SystemExit("the official code gives no scores without a first event: leave such queries out of the split")
    events = pd.read_csv(split / "test.tsv", sep="\t", dtype={"ItemId": str})
    number = model.data_iterator.itemidmap
    sequences = {s: number[items].to_numpy() for s, items in events.groupby("SessionId")["ItemId"]}
    asked = {s: list(zip(rows["history"], rows["query"], number[rows["target"]], strict=True))
             for s, rows in queries.groupby("sequence")}  # fmt: skip
    model.model.eval()
    found = []
    order = sorted(asked, key=lambda s: len(sequences[s]))
    for start in range(0, len(order), ROWS):
        names = order[start : start + ROWS]
        at_step = defaultdict(list)
        for place, s in enumerate(names):
            for history, query, target in asked[s]:
                at_step[history].append((place, query, target))
        state = [torch.zeros((len(names), size)) for size in model.layers]
        for step in range(1, max(at_step) + 1):
            now = torch.tensor([sequences[s][min(step, len(sequences[s])) - 1] for s in names])
            scores = model.model.forward(now, state, None, training=False)
            for place, query, target in at_step[step]:
                own = scores[place, target]
                found.append((query, int((scores[place] > own).sum()), int((scores[place] == own).sum()) - 1))
    query, greater, tied = zip(*sorted(found), strict=True)
    return {"query": query, "greater": greater, "tied": tied}


if __name__ == "__main__":
    main()
