"""The official GRU4Rec (PyTorch) beside Encore's, at the same settings, by the ranks that each gives."""

import json
from pathlib import Path

from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import MRR, Recall
from evaluation.rank_files.ranked import Ranked
from evaluation.verdicts.claims import OWN_CLAIM, Gain
from harness.spec import Experiment, Suite
from recsys_data.catalogue.all_datasets import DATASETS
from recsys_data.protocols.by_name import protocol_named
from recsys_models.gru4rec import GRU4Rec, shared_sampling
from training.losses.softmax import SampledCrossEntropy

SETTINGS = json.loads((Path(__file__).resolve().parent.parent / "settings.json").read_text())
THEIRS, OURS = "GRU4Rec (official code)", "GRU4Rec (Encore)"


def models(name: str, given: dict) -> dict:
    """The rows on one data set."""
    loss = SampledCrossEntropy(num_negatives=given["n_sample"], sampling=shared_sampling(given["sample_alpha"]))
    ours = GRU4Rec(dim=given["layers"], batch_size=given["batch_size"], learning_rate=given["learning_rate"],
                   epochs=given["epochs"], patience=given["epochs"], loss=loss)  # fmt: skip
    theirs = Ranked(f"ranks/{name}/{{seed}}.parquet", by="hidasib/GRU4Rec_PyTorch_Official, commit d1fc311")
    return {THEIRS: theirs, OURS: ours, "Popularity": Popularity()}


SUITE = Suite(
    name="example_gru4rec_official",
    title="The official GRU4Rec beside Encore's",
    experiments=[
        Experiment(DATASETS[name], protocol_named(given["protocol"]), models(name, given["gru4rec_official"]))
        for name, given in SETTINGS.items()
    ],
    seeds=[0, 1, 2],
    metrics=[MRR(20), Recall(20)],
    comparisons=[(THEIRS, OURS)],
    claims=[Gain("The two programs give the same MRR@20", OURS, THEIRS, name, "MRR@20", 0.0, place=OWN_CLAIM)
            for name in SETTINGS],
    notes=["Same split, settings and number of epochs. Different: the random draws of weights, negatives and dropout; "
           "the official code is run without its compatibility mode, which fixes the seed of its weights; Encore keeps "
           "the epoch that is best on validation, where there is a validation part, and the official code its last."],
)  # fmt: skip
