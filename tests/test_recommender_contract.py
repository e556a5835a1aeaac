"""The contract of every model: fit keeps the fields and repeats to the bit; scores follow history, padding, context."""

import copy
import dataclasses

import numpy as np
import pytest

from evaluation.metrics.accuracy import MRR
from evaluation.ranking.rank import rank_held_out
from recsys_data.generated.planted import PlantedSignal
from recsys_data.generated.planted_gaps import PlantedGaps
from recsys_data.generated.planted_habits import PlantedHabits
from recsys_data.protocols.per_user import PerUserFractions
from recsys_data.sequences import PAD, SequenceBatch
from suites.zoo import MODELS
from training.run import Run

PROTOCOL = PerUserFractions(train=0.7, validation=0.1, test=0.2)
NEAR_BEST = 0.9  # of the best possible MRR@20, at small size
HISTORIES = [[3, 1, 4, 1, 5], [9, 2], [6, 5, 3, 5, 8, 9, 7], [0]]


def prepared(signal, permuted=False):
    return PROTOCOL.prepare(PlantedSignal(signal, permuted=permuted).load())


@pytest.fixture(scope="module")
def splits():
    """Each planted set, prepared once."""
    made = {}

    def split(signal, permuted=False):
        if (signal, permuted) not in made:
            made[signal, permuted] = prepared(signal, permuted)
        return made[signal, permuted]

    return split


def fitted(name, split, seed=7):
    """A fresh copy of a zoo model, fitted with validation."""
    model = copy.deepcopy(MODELS[name])

    def validate(current):
        return MRR(20).measure(rank_held_out(current, split.validation, split.train.item_counts))

    return model.fit(split.train, Run(seed=seed, validate=validate))


def scores(model, batch):
    """All scores as one float64 array."""
    answer = model.score(batch)
    return np.asarray(answer.block(slice(0, answer.shape[0])), dtype=np.float64)


@pytest.fixture(scope="module")
def zoo(splits):
    """Each model fitted once on planted order."""
    made = {}

    def model(name):
        if name not in made:
            made[name] = fitted(name, splits("order"))
        return made[name]

    return model


# one worker takes all tests of a model, so that it is fitted once
each_model = pytest.mark.parametrize("name", [pytest.param(m, marks=pytest.mark.xdist_group(m)) for m in MODELS])


@each_model
def test_declares_itself(name):
    model = MODELS[name]
    assert dataclasses.is_dataclass(model)
    assert isinstance(model.deterministic, bool)
    assert model.family
    assert model.signals


@each_model
def test_fit_leaves_the_fields_alone_and_returns_self(name, zoo):
    model = zoo(name)
    assert model == MODELS[name]
    assert [f for f in vars(model) if f.endswith("_")], "fit has set no attribute"


@each_model
def test_fitting_twice_gives_the_same_bits(name, zoo, splits):
    batch = SequenceBatch.of(HISTORIES, users=[0, 1, 2, 3])
    assert np.array_equal(scores(zoo(name), batch), scores(fitted(name, splits("order")), batch))


@each_model
def test_a_row_alone_agrees_with_the_row_in_a_batch(name, zoo):
    together = scores(zoo(name), SequenceBatch.of(HISTORIES, users=[0, 1, 2, 3]))
    alone = np.vstack([scores(zoo(name), SequenceBatch.of([h], users=[u])) for u, h in enumerate(HISTORIES)])
    np.testing.assert_allclose(together, alone, rtol=1e-4, atol=1e-5)


@each_model
def test_more_right_padding_changes_nothing(name, zoo):
    batch = SequenceBatch.of(HISTORIES, users=[0, 1, 2, 3])
    wider = dataclasses.replace(
        batch,
        items=np.pad(batch.items, ((0, 0), (0, 5)), constant_values=PAD),
        timestamps=np.pad(batch.timestamps, ((0, 0), (0, 5))),
    )
    np.testing.assert_allclose(scores(zoo(name), batch), scores(zoo(name), wider), rtol=1e-4, atol=1e-5)


@each_model
def test_reads_only_what_is_asked(name, zoo):
    """A query after two events of a longer row equals the query on those two events: nothing later leaks in."""
    row = HISTORIES[2]
    inside = scores(zoo(name), SequenceBatch.of([row], users=[1], query_positions=[(0, 2), (0, 5)]))
    for m, read in enumerate((2, 5)):
        cut = scores(zoo(name), SequenceBatch.of([row[:read]], users=[1]))
        np.testing.assert_allclose(inside[m], cut[0], rtol=1e-4, atol=1e-5)


@each_model
def test_empty_history_and_unknown_user_have_an_answer(name, zoo):
    answer = scores(zoo(name), SequenceBatch.of([[], [2, 3]], users=[-1, -1]))
    assert answer.shape == (2, 60)
    assert np.isfinite(answer).all()


PLANTED = {"order", "co-occurrence", "repeats", "popularity"}
TIMES = {"time", "gaps"}  # signals in timestamps
CONTEXT = TIMES | {"users"}


@each_model
def test_every_declared_signal_has_a_test(name):
    """ "chance" has its test in test_near_chance_on_permuted_events."""
    assert MODELS[name].signals <= PLANTED | CONTEXT | {"chance"}


@each_model
def test_near_the_optimum_on_what_it_is_for(name, splits, zoo):
    for signal in sorted(MODELS[name].signals & PLANTED):
        split = splits(signal)
        model = zoo(name) if signal == "order" else fitted(name, split)
        ranks = rank_held_out(model, split.test, split.train.item_counts)
        assert MRR(20).measure(ranks) > NEAR_BEST * split.facts["best"]["MRR@20"], signal


def with_timestamps(gap):
    """The histories with ``gap`` seconds between two events."""
    times = [[1.0e9 + gap * place for place in range(len(history))] for history in HISTORIES]
    return SequenceBatch.of(HISTORIES, timestamps=times, users=[0, 1, 2, 3])


@each_model
def test_scores_depend_on_times_and_users_where_declared(name, zoo):
    model, signals = zoo(name), MODELS[name].signals
    minutes, days = (scores(model, with_timestamps(gap)) for gap in (60.0, 86_400.0))
    several = np.array([len(history) > 1 for history in HISTORIES])
    assert (np.abs(minutes - days).max(axis=1)[several] > 1e-6).all() == bool(signals & TIMES)
    if "users" in signals:
        others = scores(model, SequenceBatch.of(HISTORIES, users=[3, 2, 1, 0]))
        assert (
            np.abs(others - scores(model, SequenceBatch.of(HISTORIES, users=[0, 1, 2, 3]))).max(axis=1) > 1e-6
        ).all()


@pytest.mark.parametrize("name", [name for name, model in MODELS.items() if model.signals & {"users", "gaps"}])
def test_learns_from_users_or_gaps(name):
    """More than halfway from the best without this signal to the best with it."""
    if "gaps" in MODELS[name].signals:
        data = PlantedGaps(decides=MODELS[name].gap, num_users=200)
    else:
        data = PlantedHabits(habits=4, num_users=160, num_items=12, stray=0.1)
    split = PROTOCOL.prepare(data.load())
    ranks = rank_held_out(fitted(name, split), split.test, split.train.item_counts)
    best, without = split.facts["best"]["MRR@20"], split.facts["chance"]["MRR@20"]
    assert MRR(20).measure(ranks) > (best + without) / 2


@each_model
def test_near_chance_on_permuted_events(name, splits):
    """The same events in random order: a model that still does well has seen what it must not see."""
    split = splits("order", permuted=True)
    ranks = rank_held_out(fitted(name, split), split.test, split.train.item_counts)
    assert MRR(20).measure(ranks) < 1.2 * split.facts["chance"]["MRR@20"]
