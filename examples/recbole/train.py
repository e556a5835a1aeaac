"""Train RecBole's GRU4Rec and STAMP on an exported split, and write the ranks of the test targets by their scores.

It runs in the environment of environment.txt; Encore is not needed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from recbole.config import Config
from recbole.data import create_dataset, data_preparation
from recbole.utils import get_model, get_trainer, init_seed

SETTINGS = json.loads((Path(__file__).resolve().parent.parent / "settings.json").read_text())


def main() -> None:
    """Fit each model with RecBole's trainer, without stopping early, and score with its full_sort_predict."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--split", "--dataset", "--out"):
        parser.add_argument(name, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--epochs", type=int)
    options = parser.parse_args()
    sys.argv[1:] = []  # RecBole would read the command line as settings of its own
    warnings.simplefilter("ignore", FutureWarning)  # RecBole 1.2.1 was written for an older pandas and torch
    split, settings = Path(options.split).resolve(), SETTINGS[options.dataset]["recbole"]
    out = Path(options.out).resolve()
    with tempfile.TemporaryDirectory() as scratch, contextlib.chdir(scratch):  # RecBole leaves logs where it runs
        for name in ("GRU4Rec", "STAMP"):
            ranks = rank(*fit(name, split, options, settings), split)
            path = out / f"{name}-{options.seed}.parquet"
            pq.write_table(pa.table(ranks), path, compression="zstd")
            mrr = np.mean([1 / (g + 1) if g < 20 else 0 for g in ranks["greater"]])
            print(path, f"MRR@20 {mrr:.4f} (ties in favour)")


def fit(name: str, split: Path, options: argparse.Namespace, settings: dict[str, Any]) -> tuple[Any, Any, Any]:
    """The trained model, and the rows of the test file as RecBole has read them."""
    given = settings[name]
    folder = split / options.dataset
    parts = [part for part in ("train", "valid", "test") if (folder / f"{options.dataset}.{part}.inter").exists()]
    if parts != ["train", "valid", "test"]:
        parts = ["train", "test", "test"]  # RecBole wants three files; without validation the third is not used
    fields = {
        "data_path": str(split),
        "benchmark_filename": parts,
        "USER_ID_FIELD": "user_id",
        "ITEM_ID_FIELD": "item_id",
        "load_col": {"inter": ["user_id", "item_id_list", "item_id"]},
        "alias_of_item_id": ["item_id_list"],
        "MAX_ITEM_LIST_LENGTH": settings["longest"],
        "loss_type": "CE",
        "train_neg_sample_args": None,
        "use_gpu": False,
        "seed": options.seed,
        "epochs": options.epochs or given["epochs"],
        "train_batch_size": settings["batch_size"],
        "learning_rate": settings["learning_rate"],
        "checkpoint_dir": ".",
        "show_progress": False,
        "eval_args": {"order": "TO", "mode": "full"},
        **{k: v for k, v in given.items() if k != "epochs"},
    }
    config = Config(model=name, dataset=options.dataset, config_dict=fields)
    # a folder of our own: RecBole reads its own copy of a data set that is called ml-100k
    config["data_path"] = str(shortened(folder, settings["longest"]))
    init_seed(options.seed, True)
    dataset = create_dataset(config)
    train, _, test = data_preparation(config, dataset)
    model = get_model(name)(config, train.dataset).to("cpu")
    get_trainer(config["MODEL_TYPE"], name)(config, model).fit(train, None, saved=False, show_progress=False)
    return model, dataset, test.dataset.inter_feat


def shortened(folder: Path, longest: int) -> Path:
    """A copy of the exported files in which each history keeps its last items only; RecBole would keep its first."""
    copy, column = Path("shortened").resolve(), "item_id_list:token_seq"
    copy.mkdir(exist_ok=True)
    for file in folder.glob("*.inter"):
        rows = pd.read_csv(file, sep="\t", dtype=str, keep_default_na=False)
        rows[column] = [" ".join(history.split(" ")[-longest:]) for history in rows[column]]
        rows.to_csv(copy / file.name, sep="\t", index=False)
    return copy


@torch.no_grad()
def rank(model: Any, dataset: Any, rows: Any, split: Path) -> dict[str, Any]:
    """The query, and how many candidates score higher than its target and the same; no user and no item."""
    queries = pd.read_csv(split / "queries.csv", dtype=str, keep_default_na=False)
    queries = queries[queries["target"] != ""]
    targets = torch.as_tensor(dataset.token2id("item_id", queries["target"].to_numpy()))
    if len(rows) != len(targets) or (rows["item_id"] != targets).any():
        raise SystemExit("RecBole has read other rows than queries.csv has, so its scores cannot be assigned")
    # an item of the validation or test part alone has a vector, but is no candidate of the split
    items = pd.read_csv(split / "items.csv", dtype=str)["item"].to_numpy()
    candidates = torch.as_tensor(dataset.token2id("item_id", items))
    model.eval()
    greater, tied = [], []
    for start in range(0, len(rows), 1024):
        batch = rows[start : start + 1024]
        scores = model.full_sort_predict(batch).view(len(batch), -1)
        own = scores.gather(1, batch["item_id"][:, None])
        ranked = scores[:, candidates]
        greater += (ranked > own).sum(dim=1).tolist()
        tied += ((ranked == own).sum(dim=1) - 1).tolist()
    return {"query": queries["query"].astype(int).to_numpy(), "greater": greater, "tied": tied}


if __name__ == "__main__":
    main()
