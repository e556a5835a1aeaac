"""Every neural model refuses bad input before training, in one sentence that names the fault.

test_bidirectional has the case of a bidirectional model that would read its targets.
"""

import dataclasses
import math

import numpy as np
import pytest

from recsys_data.interactions import Clock
from recsys_data.sequences import SequenceBatch
from recsys_data.split import TrainingSet
from recsys_models.user_gru import LinearUserGRU
from tests.recsys_models.test_reference_switches import NEEDED, SCORING, TINY, training_set
from training.run import Run

TIMED = [kind for kind in SCORING if kind.clock is Clock.RELATIVE]
each_kind = pytest.mark.parametrize("kind", SCORING, ids=lambda kind: kind.__name__)
each_timed_kind = pytest.mark.parametrize("kind", TIMED, ids=lambda kind: kind.__name__)


def tiny(kind):
    return kind(**TINY | NEEDED.get(kind, {}))


def refusal(call, *arguments):
    """The message of the ValueError that a call raises; it is one sentence."""
    with pytest.raises(ValueError) as found:
        call(*arguments)
    sentence = str(found.value)
    assert "\n" not in sentence
    assert ". " not in sentence
    return sentence


@each_kind
def test_an_item_that_the_catalogue_does_not_have(kind):
    model, train = tiny(kind), training_set()
    wrong = dataclasses.replace(train.sequences, items=np.where(train.sequences.items == 3, 11, train.sequences.items))
    message = refusal(model.fit, TrainingSet(wrong, 7, 11, Clock.ABSOLUTE), Run(0))
    assert message == f"{kind.__name__}: training item 11 is outside 0 … 10"
    times = [[0.0, 1.0]]
    batch = SequenceBatch.of([[3, 11]], timestamps=times)
    assert refusal(model.fit(train, Run(0)).score, batch) == "item 11 in a history is outside the catalogue 0 … 10"


@each_kind
def test_data_without_the_clock_that_a_model_needs(kind):
    weaker = dataclasses.replace(training_set(), clock=Clock.NONE)
    assert f"{kind.__name__} learns from the order of events, but this data set has no order" in refusal(
        tiny(kind).fit, weaker, Run(0)
    )
    without_gaps = dataclasses.replace(training_set(), clock=Clock.WITHIN)
    if kind in TIMED:
        message = refusal(tiny(kind).fit, without_gaps, Run(0))
        assert f"{kind.__name__} learns from the time between events, but the clock of this data set gives" in message
    else:
        tiny(kind).fit(without_gaps, Run(0))


@each_timed_kind
@pytest.mark.parametrize("gap", ["next", "previous"])
def test_a_clock_that_runs_backwards(kind, gap):
    model = tiny(kind)
    if hasattr(model, "gap"):
        model.gap = gap
    sequences = training_set().sequences
    times = sequences.timestamps.copy()
    times[sequences.offsets[1] - 2] = times[sequences.offsets[1] - 3] - 90.0  # the first history's last event but one
    backwards = dataclasses.replace(sequences, timestamps=times)
    message = refusal(model.fit, TrainingSet(backwards, 7, 11, Clock.ABSOLUTE), Run(0))
    assert message == "a gap of -90.0 seconds: an event is older than the one before it; sort by time first"
    model.fit(training_set(), Run(0))
    batch = SequenceBatch.of([[3, 9, 4]], timestamps=[[5.0, 3.0, 8.0]])
    batch = dataclasses.replace(batch, query_times=np.array([9.0]))
    assert "a gap of -2.0 seconds: an event is older than the one before it" in refusal(model.score, batch)


@each_timed_kind
def test_a_query_before_the_last_event(kind):
    model = tiny(kind).fit(training_set(), Run(0))
    batch = SequenceBatch.of([[3, 9]], timestamps=[[5.0, 8.0]])
    batch = dataclasses.replace(batch, query_times=np.array([7.0]))
    if getattr(model, "gap", "") == "next":
        assert "a gap of -1.0 seconds" in refusal(model.score, batch)
    else:
        model.score(batch)  # it does not look at when it is asked


@each_kind
def test_users_that_training_has_not_seen(kind):
    """User models score with the mean of all users and count them; for all other models every user is the same."""
    model = tiny(kind).fit(training_set(), Run(0))
    histories, times = [[3, 9]] * 4, [[1.5e9, 1.5e9 + 60.0]] * 4
    batch = SequenceBatch.of(histories, timestamps=times, users=[0, 5, 7, -1])
    batch = dataclasses.replace(batch, query_times=np.full(4, 1.5e9 + 90.0))
    scores = np.asarray(model.score(batch).block(slice(None)))
    if isinstance(model, LinearUserGRU):
        assert model.unseen_users_ == 2
        assert np.array_equal(scores[2], scores[3])
        assert np.abs(scores[0] - scores[1]).max() > 1e-6
        anonymous = dataclasses.replace(training_set().sequences, users=np.full(7, -1, dtype=np.int32))
        message = refusal(model.fit, TrainingSet(anonymous, 0, 11, Clock.ABSOLUTE), Run(0))
        assert message.startswith(f"{kind.__name__} learns a vector for each user, but these sequences are anonymous")
    else:
        assert np.abs(scores - scores[0]).max() < 1e-6


MAY_BE = {("forget_bias", -1.0), ("max_norm", math.inf)}  # no bad values: any bias, and no bound


def bad_values(value):
    """Values that a field with such a default cannot have."""
    if isinstance(value, bool):
        return []
    if isinstance(value, int):
        return [0, -1]
    if isinstance(value, float):
        return [-1.0, math.nan, math.inf]
    if isinstance(value, str):
        return ["nonsense"]
    if isinstance(value, tuple):
        return [(0,), (-1,)]
    return [0, -1, 0.0] if value is None else [None, "nonsense"]


@each_kind
def test_every_field_out_of_its_range_is_named(kind):
    fields = TINY | NEEDED.get(kind, {})
    model = kind(**fields)
    for field in dataclasses.fields(kind):
        for bad in bad_values(getattr(model, field.name)):
            if (field.name, bad) not in MAY_BE:
                assert field.name in refusal(lambda name, bad: kind(**fields | {name: bad}), field.name, bad)
