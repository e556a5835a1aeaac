"""Every option of every neural model agrees with the reference, in all combinations of its fields.

SCORING lists the fields that change the score of given weights, FITTING those that only change the learnt weights (the
comments name their own tests); together they are all fields that a model adds to NextItemModel's.
"""

import dataclasses
import importlib
import itertools

import numpy as np
import pytest

from recsys_data.interactions import Clock
from recsys_data.sequences import SequenceBatch, Sequences
from recsys_data.split import TrainingSet
from recsys_models.engine.activations import ACTIVATIONS
from recsys_models.gru4rec import INPUTS, RESETS, GRU4Rec, shared_sampling
from recsys_models.mlstm import MLSTM, OUTPUT_GATES, OUTPUTS, PADDINGS, SpotlightLSTM
from recsys_models.narm import BATCHES as NARM_BATCHES
from recsys_models.narm import DECODERS, ENCODERS, NARM
from recsys_models.narm import VARIANTS as NARM_VARIANTS
from recsys_models.next_item import NextItemModel
from recsys_models.phased_lstm import VARIANTS as PHASED_VARIANTS
from recsys_models.phased_lstm import PhasedLSTM
from recsys_models.rnn import GRU, INSTANCES, LSTM, RNN
from recsys_models.sasrec import POSITIONS, SEGMENTS, SASRec
from recsys_models.sasrec import VARIANTS as SASREC_VARIANTS
from recsys_models.stamp import BATCHES, REDUCTIONS, STAMP, STMO, STMP
from recsys_models.stamp import VARIANTS as STAMP_VARIANTS
from recsys_models.tied_rnn import RNNCCE
from recsys_models.time_lstm import (
    GAPS,
    INNER_ACTIVATIONS,
    LSTMT,
    VARIANTS,
    PeepholeLSTM,
    TimeLSTM1,
    TimeLSTM2,
    TimeLSTM3,
)
from recsys_models.user_gru import (
    ATTENTION_INITS,
    BRACKETS,
    THRESHOLD_GRADIENTS,
    THRESHOLDS_SEE,
    USER_L2_ON,
    USER_MASKS,
    USER_UPDATES,
    AttentionalUserGRU,
    LinearUserGRU,
    RectifiedUserGRU,
    StandardGRU,
)
from suites.zoo import MODELS
from training.batches.sequence_noise import SequenceNoise
from training.batches.session_parallel import ORDERS
from training.losses.loss import CrossEntropy
from training.losses.softmax import SampledCrossEntropy
from training.optimisers.optimisers import SGD
from training.run import Run

HOUR, DAY = 3_600.0, 86_400.0
EITHER = (False, True)
SHALLOW_OR_DEEP = ((), (3,))

FORMS = {"embedding_dim": (3, None), "lower_layers": SHALLOW_OR_DEEP, "activation": tuple(ACTIVATIONS),
         "instances": INSTANCES, "bidirectional": EITHER}  # fmt: skip
TIMED = {"embedding_dim": (None, 3), "gap": GAPS, "time_unit": (DAY, HOUR)}
GATED = TIMED | {"inner": tuple(INNER_ACTIVATIONS)}
SPOTLIGHT = {"output": OUTPUTS, "padding": PADDINGS}
MEMORY = {"variant": STAMP_VARIANTS, "lookup_norm": (None, 0.5), "last_click": EITHER}

SCORING = {
    RNN: FORMS,
    GRU: FORMS | {"reset": ("after", "before")},
    LSTM: FORMS | {"peepholes": EITHER},
    GRU4Rec: {"inputs": INPUTS, "reset": RESETS, "lower_layers": SHALLOW_OR_DEEP, "embedding_dim": (3, 5)},
    PeepholeLSTM: {"embedding_dim": (None, 3)},
    LSTMT: TIMED,
    TimeLSTM1: GATED,
    TimeLSTM2: GATED | {"variant": VARIANTS},
    TimeLSTM3: GATED | {"variant": VARIANTS},
    PhasedLSTM: {"variant": PHASED_VARIANTS, "open_share": (0.05, 0.6, 1.0), "leak": (0.0, 0.3)},
    SpotlightLSTM: SPOTLIGHT,
    MLSTM: SPOTLIGHT | {"biases": EITHER, "output_gate": OUTPUT_GATES},
    StandardGRU: {},
    LinearUserGRU: {},
    RectifiedUserGRU: {"slope": (0.2, 0.7), "filter_candidate": EITHER},
    AttentionalUserGRU: {"bracket": BRACKETS},
    RNNCCE: {"cell": ("LSTM", "GRU", "vanilla"), "tied": EITHER, "embedding_dim": (None, 3),
             "activation": tuple(ACTIVATIONS), "peepholes": EITHER, "trained_start": EITHER},
    STMP: MEMORY,
    STAMP: MEMORY,
    STMO: MEMORY,
    NARM: {"embedding_dim": (3, 5), "variant": NARM_VARIANTS, "encoder": ENCODERS, "decoder": DECODERS},
    SASRec: {"variant": SASREC_VARIANTS, "positions": POSITIONS, "blocks": (1, 2), "heads": (1, 2)},
}  # fmt: skip

STREAMED = {"stateful": EITHER, "streams": EITHER, "output_dropout": (0.0, 0.3)}  # test_user_gru, …_switches
BY_USER = STREAMED | {"user_dropout": (0.0, 0.5), "user_mask": USER_MASKS, "user_l2": (0.0, 0.01),
                      "user_l2_on": USER_L2_ON, "user_updates": USER_UPDATES}  # fmt: skip
BATCHED = {"batches": BATCHES, "reduction": REDUCTIONS, "item_std": (0.5, 1.0), "weight_std": (0.5, 1.0)}
FITTING = {
    GRU4Rec: {"state_dropout": (0.0, 0.2), "session_order": ORDERS},  # test_gru4rec, test_session_parallel
    PhasedLSTM: {"periods": ((HOUR, 30 * DAY), (DAY, DAY))},  # the first τ: test_phased_lstm
    StandardGRU: STREAMED,
    LinearUserGRU: BY_USER,
    RectifiedUserGRU: BY_USER | {"thresholds_see": THRESHOLDS_SEE, "threshold_gradient": THRESHOLD_GRADIENTS},
    AttentionalUserGRU: BY_USER | {"attention_init": ATTENTION_INITS},
    RNNCCE: {"forget_bias": (0.0, 1.0), "init": ("tensorflow", "lasagne"), "instances": ("prefixes", "positions"),
             "noise": (SequenceNoise(), SequenceNoise(dropout=0.2))},  # test_tied_rnn
    STMP: BATCHED,  # test_stamp
    STAMP: BATCHED,
    STMO: BATCHED,
    NARM: {"batches": NARM_BATCHES, "input_dropout": (0.0, 0.3)},  # test_narm
    SASRec: {"segments": SEGMENTS, "new_negatives": EITHER},  # test_sasrec
}  # fmt: skip

LARGE = {"item_std": 1.0, "weight_std": 1.0}  # so that the answers differ by more than rounding
TINY = {"dim": 4, "batch_size": 4, "epochs": 1, "max_len": 4}
NEEDED = {
    GRU4Rec: {"max_len": 1, "loss": SampledCrossEntropy(num_negatives=6, sampling=shared_sampling())},
    RNNCCE: {"loss": CrossEntropy(), "optimiser": SGD(), "learning_rate": 0.5},  # also of those that are not tied
    STMP: LARGE,
    STAMP: LARGE,
    STMO: LARGE,
}


def training_set():
    rng = np.random.default_rng(0)
    lengths = rng.integers(3, 9, 7)
    offsets = np.r_[0, np.cumsum(lengths)]
    items = rng.integers(0, 11, offsets[-1]).astype(np.int32)
    times = np.concatenate([1.4e9 + np.cumsum(rng.exponential(DAY, n)) for n in lengths])
    return TrainingSet(Sequences(items, times, offsets, np.arange(7, dtype=np.int32)), 7, 11, Clock.ABSOLUTE)


def batch():
    """Histories longer and shorter than max_len, known and unknown users, several positions of one row."""
    histories = [[3, 9, 0, 0, 5, 7], [], [10], [1, 2, 4, 6, 8]]
    times = [[1.5e9 + DAY * day for day in (0.0, 0.3, 0.3, 2.0, 9.0, 9.1)], [], [1.5e9],
             [1.5e9 + DAY * day for day in (0.0, 1.0, 2.0, 2.1, 2.2)]]  # fmt: skip
    asked = [(0, 0), (0, 3), (0, 6), (1, 0), (2, 1), (3, 5), (3, 2)]
    made = SequenceBatch.of(histories, timestamps=times, users=[2, -1, 6, 99], query_positions=asked)
    return dataclasses.replace(made, query_times=np.full(len(asked), 1.5e9 + 20 * DAY))


def combinations(kind, fields):
    """Every model of ``kind`` with a combination of the fields' choices that is not refused."""
    for choice in itertools.product(*fields.values()):
        try:
            yield kind(**TINY | NEEDED.get(kind, {}) | dict(zip(fields, choice, strict=True)))
        except ValueError:
            continue


def reference_of(kind):
    return importlib.import_module("reference." + kind.__module__.rpartition(".")[2])


def errors(models):
    """The models whose scores differ from the reference, with the largest difference."""
    wrong = {}
    for model in models:
        model.fit(training_set(), Run(3))
        theirs = reference_of(type(model)).scores(model, batch())
        assert np.ptp(theirs) > 1e-3  # the scores are not all the same
        error = np.abs(np.asarray(model.score(batch()).block(slice(None)), dtype=np.float64) - theirs).max()
        if not error <= 1e-5:
            wrong[str(model)] = error
    return wrong


def test_every_neural_model_and_every_field_of_its_own_is_listed():
    assert {type(model) for model in MODELS.values() if isinstance(model, NextItemModel)} <= set(SCORING)
    shared = {field.name for field in dataclasses.fields(NextItemModel)}
    for kind in SCORING:
        own = {field.name for field in dataclasses.fields(kind)} - shared
        assert own == set(SCORING[kind]) | set(FITTING.get(kind, {})), kind


@pytest.mark.parametrize("kind", SCORING, ids=lambda kind: kind.__name__)
def test_all_combinations_of_scoring_fields_agree_with_the_reference(kind):
    models = list(combinations(kind, SCORING[kind]))
    for name, choices in SCORING[kind].items():  # no choice is missing because every combination with it is refused
        assert {getattr(model, name) for model in models} == set(choices) - refused(kind, name)
    assert not errors(models)


def refused(kind, name):
    """The choices that a kind always refuses: STMO has the last click alone."""
    return {False} if (kind, name) == (STMO, "last_click") else set()


@pytest.mark.parametrize("kind", FITTING, ids=lambda kind: kind.__name__)
def test_each_choice_of_a_fitting_field_agrees_with_the_reference(kind):
    alternatives = ({name: choice} for name, choices in FITTING[kind].items() for choice in choices)
    assert not errors(kind(**TINY | NEEDED.get(kind, {}) | fields) for fields in alternatives)


DISTINCT = [
    (TimeLSTM1, "gap", "next", "previous"), (TimeLSTM1, "time_unit", DAY, HOUR),
    (TimeLSTM1, "inner", *INNER_ACTIVATIONS),
    (TimeLSTM2, "variant", *VARIANTS), (TimeLSTM3, "variant", *VARIANTS), (LSTMT, "gap", "next", "previous"),
    (PhasedLSTM, "variant", *PHASED_VARIANTS), (PhasedLSTM, "open_share", 0.05, 0.6),
    (SpotlightLSTM, "output", *OUTPUTS), (SpotlightLSTM, "padding", *PADDINGS),
    (MLSTM, "output", *OUTPUTS), (MLSTM, "padding", *PADDINGS), (MLSTM, "output_gate", *OUTPUT_GATES),
    (RectifiedUserGRU, "slope", 0.2, 0.7), (RNNCCE, "activation", "tanh", "elu"),
    (NARM, "variant", *NARM_VARIANTS), (SASRec, "variant", *SASREC_VARIANTS), (SASRec, "positions", *POSITIONS),
    (STAMP, "lookup_norm", None, 0.5), (STAMP, "variant", "recbole", "recbole_masked"),
]  # fmt: skip


@pytest.mark.parametrize("kind, name, one, other", DISTINCT, ids=lambda value: getattr(value, "__name__", str(value)))
def test_the_other_option_gives_other_scores(kind, name, one, other):
    """With the same weights, the two options differ by more than the tolerance of the reference."""
    more = {"leak": 0.3} if kind is PhasedLSTM else {}
    model = kind(**TINY | NEEDED.get(kind, {}) | more | {name: one, "epochs": 8, "learning_rate": 0.1})
    model.fit(training_set(), Run(3))
    turned = dataclasses.replace(model, **{name: other})
    turned.network_, turned.num_items_ = model.network_, model.num_items_
    right, wrong = (reference_of(kind).scores(either, batch()) for either in (model, turned))
    assert np.abs(right - wrong).max() > 1e-4
