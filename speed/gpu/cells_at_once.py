"""A suite of equal cells, of which the GPU check computes several at once: STAMP, and on generated data."""

from evaluation.metrics.accuracy import MRR, Recall
from harness.spec import Experiment, Suite
from recsys_data.datasets.yoochoose import YooChoose64
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import PerUserFractions
from recsys_data.protocols.published import AsPublished
from recsys_models.stamp import STAMP

LABEL = "STAMP"
REAL, GENERATED = YooChoose64(), MarkovChainSequences(num_users=60, num_items=50, length=20)
MODELS = {LABEL: STAMP(epochs=1)}
SUITE = Suite(
    name="cells-at-once",
    title="Equal cells, several at once",
    experiments=[
        Experiment(REAL, AsPublished(validation=0), MODELS),
        Experiment(GENERATED, PerUserFractions(train=0.8, validation=0.1, test=0.1), MODELS),
    ],
    seeds=range(8),
    metrics=[MRR(20), Recall(20)],
    baselines=[],
    claims=[],
)
