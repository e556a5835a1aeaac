"""RecBole's GRU4Rec and STAMP beside Encore's GRU and STAMP, at the same settings, by the ranks that each gives."""

import json
from pathlib import Path

from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import MRR, Recall
from evaluation.rank_files.ranked import Ranked
from evaluation.verdicts.claims import OWN_CLAIM, Gain
from harness.spec import Experiment, Suite
from recsys_data.catalogue.all_datasets import DATASETS
from recsys_data.protocols.by_name import protocol_named
from recsys_models.rnn import GRU
from recsys_models.stamp import STAMP
from training.optimisers.optimisers import Adam

SETTINGS = json.loads((Path(__file__).resolve().parent.parent / "settings.json").read_text())
PAIRS = [("STAMP (RecBole)", "STAMP (Encore)"), ("GRU4Rec (RecBole)", "GRU (Encore)")]


def models(name: str, given: dict) -> dict:
    """The rows on one data set."""
    shared = {"max_len": given["longest"], "learning_rate": given["learning_rate"], "optimiser": Adam()}
    gru, stamp = given["GRU4Rec"], given["STAMP"]
    theirs = {f"{model} (RecBole)": Ranked(f"ranks/{name}/{model}-{{seed}}.parquet", by=f"RecBole 1.2.1, {model}")
              for model in ("STAMP", "GRU4Rec")}  # fmt: skip
    return {
        **theirs,
        "STAMP (Encore)": STAMP(variant="recbole", batches="prefixes", dim=stamp["embedding_size"],
                                batch_size=given["batch_size"], epochs=stamp["epochs"], patience=stamp["epochs"],
                                **shared),
        "GRU (Encore)": GRU(dim=gru["hidden_size"], dropout=gru["dropout_prob"], epochs=gru["epochs"],
                            patience=gru["epochs"], **shared),
        "Popularity": Popularity(),
    }  # fmt: skip


SUITE = Suite(
    name="example_recbole",
    title="RecBole's GRU4Rec and STAMP beside Encore's",
    experiments=[
        Experiment(DATASETS[name], protocol_named(given["protocol"]), models(name, given["recbole"]))
        for name, given in SETTINGS.items()
    ],
    seeds=[0, 1, 2],
    metrics=[MRR(20), Recall(20)],
    comparisons=PAIRS,
    claims=[Gain("Both programs give STAMP the same MRR@20", PAIRS[0][1], PAIRS[0][0], name, "MRR@20", 0.0,
                 place=OWN_CLAIM) for name in SETTINGS],
    notes=["STAMP: same split, settings and epochs, and from the same weights and batches the same losses; the random "
           "draws differ, RecBole keeps its last epoch, and Encore the best on validation, where there is a validation "
           "part. GRU: RecBole's has item vectors of their own size, no biases in the recurrence, a layer between the "
           "state and the scores, and trains on shuffled prefixes in large batches; Encore's trains on windows, so "
           "the two are two models of one kind."],
)  # fmt: skip
