import numpy as np
import pytest
import torch

from harness.spec import Experiment
from harness.suites.overrides import set_field
from harness.suites.parse_overrides import InvalidOverride
from recsys_data.interactions import Clock
from recsys_data.sequences import SequenceBatch, Sequences
from recsys_data.split import TrainingSet
from recsys_models.gru4rec import GRU4Rec
from recsys_models.rnn import GRU
from recsys_models.user_gru import StandardGRU
from training.control.clipping import ClipTensor
from training.control.fit_control import FitControl
from training.control.schedules import Geometric, Linear
from training.control.stopping import WorstTimesX
from training.losses.diversity import DiversityBias
from training.losses.loss import CrossEntropy
from training.losses.sampled import BPR
from training.losses.sampling import NegativeSampling
from training.optimisers.optimisers import Adadelta, Adagrad
from training.run import Run

TINY = {"dim": 6, "epochs": 3}


def training_set(users=9, items=11):
    rng = np.random.default_rng(0)
    offsets = np.r_[0, np.cumsum(rng.integers(3, 12, users))]
    events = rng.integers(0, items, offsets[-1]).astype(np.int32)
    sequences = Sequences(events, np.arange(len(events)) * 1.0, offsets, np.arange(users, dtype=np.int32))
    return TrainingSet(sequences, users, items, Clock.WITHIN)


def equal(one, two):
    return all(torch.equal(a, b) for a, b in zip(one.network_.parameters(), two.network_.parameters(), strict=True))


INSIDE = FitControl(evaluations=Linear(unit="iterations", every=3), clip=ClipTensor(0.5))


@pytest.mark.parametrize("make", [
    lambda: GRU(**TINY, max_len=4, batch_size=2, dropout=0.2, control=INSIDE, loss=BPR(3, NegativeSampling(alpha=0.5))),
    lambda: StandardGRU(**TINY, max_len=3, batch_size=4, max_norm=None, control=INSIDE),  # carries its state on
    lambda: GRU4Rec(**TINY, batch_size=3, control=INSIDE),  # so does this one
], ids=["GRU", "StandardGRU", "GRU4Rec"])  # fmt: skip
def test_killed_inside_an_epoch_and_fitted_again_gives_the_same_weights(make, tmp_path):
    def validate(model):
        return float(np.sin(50 * sum(weight.detach().double().sum().item() for weight in model.network_.parameters())))

    calm = make().fit(training_set(), Run(4, validate=validate))
    steps = [seen["iteration"] for seen in calm.evaluations_]
    assert len(steps) >= 4 and calm.iterations_ / calm.epochs_ > 3  # more than one evaluation an epoch
    for number, iteration in enumerate(steps[:4]):
        folder = tmp_path / str(number)

        def kill(record, iteration=iteration):
            if record["event"] == "evaluation" and record["iteration"] == iteration:
                raise KeyboardInterrupt

        if iteration % 3 == 0:  # told of inside an epoch; one that a limit brings about is not
            with pytest.raises(KeyboardInterrupt):
                make().fit(training_set(), Run(4, validate=validate, checkpoint=folder, log=kill))
        resumed = make().fit(training_set(), Run(4, validate=validate, checkpoint=folder))
        assert equal(resumed, calm) and resumed.evaluations_ == calm.evaluations_


def test_without_shuffling_every_epoch_reads_the_same_batches():
    train, seen = training_set(), []
    model = GRU(**TINY, max_len=20, batch_size=2, shuffled=False, learning_rate=1e-6)
    shuffle = Run(0).generator("windows")
    for _ in range(2):
        seen.append([batch.rows.tolist() for batch in model.batcher().batches(train.sequences, shuffle)])
    assert seen[0] == seen[1] == [[0, 1], [2, 3], [4, 5], [6, 7], [8]]
    with pytest.raises(ValueError, match="shuffled must be true: GRU4Rec orders its batches by its own fields"):
        GRU4Rec(shuffled=False)


def test_diversity_bias_raises_the_scores_of_rare_items():
    counts = training_set().item_counts
    fields = {"dim": 1, "embedding_dim": 1, "max_len": 20, "learning_rate": 0.05, "epochs": 60}  # learns shares alone
    plain = GRU(**fields).fit(training_set(), Run(0))
    biased = GRU(**fields, loss=DiversityBias(CrossEntropy(), 2.0)).fit(training_set(), Run(0))
    batch = SequenceBatch.of([[item] for item in range(11)])
    slope = []
    for model in (plain, biased):
        shares = model.score(batch).block(slice(None)).softmax(dim=1).mean(dim=0)  # of each item after one event
        slope.append(np.corrcoef(counts, shares.numpy())[0, 1])
    assert slope[0] > 0.3 and slope[1] < 0.0  # chances ∝ c become chances ∝ c · c⁻²


def test_clipping_is_given_once():
    with pytest.raises(ValueError, match=r"max_norm must be None beside ClipTensor\(limit=0.5\), got 5.0"):
        StandardGRU(max_norm=5.0, control=INSIDE)


def changed(*texts):
    experiments = [Experiment(None, None, {"GRU": GRU()})]
    for text in texts:
        experiments = set_field(experiments, text)
    return experiments[0].models["GRU"]


def test_optimisers_and_controls_are_named_on_the_command_line():
    assert changed("GRU.optimiser=Adadelta", "GRU.optimiser.rho=0.9").optimiser == Adadelta(rho=0.9)
    assert changed("optimiser=adagrad").optimiser == Adagrad()
    control = changed("GRU.control.stopping=WorstTimesX", "control.stopping.factor=3", "control.evaluations=Geometric",
                      "control.evaluations.unit=iterations", "control.keep=none").control  # fmt: skip
    assert control == FitControl(Geometric("iterations"), WorstTimesX(factor=3.0), keep="none")


@pytest.mark.parametrize("text, words", [
    ("GRU.optimiser=Adamm",
     "GRU.optimiser must be SGD or Nesterov or Adagrad or Adadelta or RMSprop or Adam or AdamW, got"),
    ("GRU.optimiser.rho=0.9", "AdamW has no field 'rho'; fields are beta1, beta2, eps"),
    ("GRU.optimiser.beta1=1", "beta1 must be at least 0 and below 1, got 1.0"),
    ("GRU.control.stopping=never", "FitControl.stopping must be Patience or StopAfterN or WorstTimesX or none, got"
     " 'never'"),
    ("GRU.control.evaluations.unit=hours", "Linear.unit must be one of epochs, iterations, seconds, got 'hours'"),
])  # fmt: skip
def test_a_bad_override_is_refused_in_one_sentence(text, words):
    with pytest.raises(InvalidOverride) as error:
        changed(text)
    assert words in str(error.value) and "\n" not in str(error.value)
