import dataclasses

import numpy as np
import pytest
import torch

import reference.time_lstm
from recsys_data.generated.planted import PlantedSignal
from recsys_data.interactions import Clock, Interactions
from recsys_data.sequences import SequenceBatch, Sequences
from recsys_data.split import TrainingSet
from recsys_models.engine.cells.lstm import LSTMCell
from recsys_models.engine.cells.time_lstm import TimeLSTM1Cell
from recsys_models.engine.unroll import unroll
from recsys_models.time_lstm import LSTMT, PeepholeLSTM, TimeLSTM1, TimeLSTM2, TimeLSTM3
from reference.parts.histories import History
from reference.time_lstm import gaps_of
from tests.recsys_models.planted_splits import fitted_mrr
from training.run import Run

TIMED = [LSTMT, TimeLSTM1, TimeLSTM2, TimeLSTM3]
DAY = 86_400.0
TINY = {"dim": 5, "max_len": 4, "batch_size": 3, "epochs": 2}


def tiny_training_set(clock=Clock.RELATIVE):
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 9, 7)
    offsets = np.r_[0, np.cumsum(lengths)]
    items = rng.integers(0, 11, offsets[-1]).astype(np.int32)
    times = np.concatenate([np.cumsum(rng.exponential(DAY, n)) for n in lengths])
    return TrainingSet(Sequences(items, times, offsets, np.arange(7, dtype=np.int32)), 7, 11, clock)


def batch_of(items, times, asked, query_times):
    batch = SequenceBatch.of(items, timestamps=times, query_positions=asked)
    return dataclasses.replace(batch, query_times=np.asarray(query_times, dtype=float))


CASES = [PeepholeLSTM(**TINY), PeepholeLSTM(**TINY, embedding_dim=3)]
CASES += [
    kind(**TINY, gap=gap, embedding_dim=size) for kind in TIMED for gap, size in (("next", 3), ("previous", None))
]
CASES += [TimeLSTM2(**TINY, variant="official", inner="tanh", time_unit=3600.0), TimeLSTM3(**TINY, variant="official")]


@pytest.mark.parametrize("model", CASES, ids=str)
def test_scores_equal_the_papers_equations(model):
    model = dataclasses.replace(model).fit(tiny_training_set(), Run(3))
    days = [0.0, 0.5, 0.5, 3.5, 4.0]
    items, asked = [3, 9, 0, 0, 5], [(0, 0), (0, 2), (0, 5), (0, 2)]
    asked_days = [7.0, 0.75, 6.0, 30.0]  # the second query of position 2 is later than the next event
    batch = batch_of([items], [[DAY * day for day in days]], asked, [DAY * day for day in asked_days])
    assert np.abs(model.score(batch).block(slice(None)).numpy() - reference.time_lstm.scores(model, batch)).max() < 1e-5


def test_the_gaps_by_hand():
    history = History(np.array([3, 9, 0]), np.array([10.0, 12.0, 17.0]), -1, 47.0)
    assert gaps_of(history, "next").ravel().tolist() == [0.0, 2.0, 5.0, 30.0]
    assert gaps_of(history, "previous").ravel().tolist() == [0.0, 0.0, 2.0, 5.0]
    nothing = History(np.array([]), np.array([]), -1, 47.0)
    assert gaps_of(nothing, "next").ravel().tolist() == gaps_of(nothing, "previous").ravel().tolist() == [0.0]


def test_time_lstm_1_is_the_lstm_where_its_gate_is_open_and_the_gap_out_of_the_output_gate():
    generator = torch.Generator().manual_seed(0)
    x, W, U, p, h, c = (torch.randn(*s, dtype=torch.float64, generator=generator)
                        for s in ((6, 3, 4), (4, 8), (2, 8), (3, 2), (3, 2), (3, 2)))  # fmt: skip
    gap, zero = torch.rand(6, 3, 1, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    open_gate = torch.cat([torch.zeros(8), torch.full((2,), 1e3)]).double()  # T = σ(1000 + φ(0)) = 1
    wide = torch.cat([W, torch.zeros(4, 2, dtype=torch.float64)], dim=1)
    timed = unroll(TimeLSTM1Cell("tanh"), x, wide, open_gate, (h, c), (U, p, zero, zero), (gap,))
    plain = unroll(LSTMCell(), x, W, torch.zeros(8, dtype=torch.float64), (h, c), (U, p))
    assert all(torch.allclose(one, two, rtol=1e-12) for one, two in zip(timed, plain, strict=True))


@pytest.mark.parametrize("kind", [TimeLSTM2, TimeLSTM3])
def test_the_papers_first_gate_falls_with_the_gap_and_the_officials_is_nearly_blind(kind):
    gaps = torch.tensor([0.0, 60.0, 3600.0, DAY, 7 * DAY]).double()
    for variant, unit in (("paper", DAY), ("official", 1.0)):
        model = kind(**TINY | {"epochs": 6}, variant=variant, time_unit=unit, inner="tanh", learning_rate=0.1)
        network = model.fit(tiny_training_set(), Run(1)).network_
        weight = network.cell_weights()[3].detach().double()
        gate = torch.sigmoid(torch.tanh(gaps[:, None] / unit * weight))  # (gaps, H)
        if variant == "paper":
            assert (weight <= 0).all() and (gate.diff(dim=0) <= 0).all() and (weight < -1e-3).any()
        else:
            # the code's clamp: a unit that began below −1e−5 stays there, with tanh(−1e−5 Δ) = −0.036 after an hour
            assert torch.allclose(weight, torch.full_like(weight, -1e-5))
            assert torch.allclose(torch.tanh(gaps[2] * weight), torch.full_like(weight, -0.036), atol=1e-4)


def test_the_officials_clamp_takes_the_gradient_away():
    model = TimeLSTM2(**TINY, variant="official").fit(tiny_training_set(), Run(1))
    network = model.network_
    items = network.embed(np.array([[1, 2, 3]]).T)
    network.unroll(items, torch.ones(3, 1, 1))[0].sum().backward()
    assert (network.gap_weights["gap_1"].grad == 0).all()
    assert (network.gap_weights["gap_2"].grad != 0).any()


def gaps_decide(semantics, users=150, items=12, length=30, seed=0):
    """Items on a ring: after a long gap the next item is 5 on, after a short one it is 1 on; half of the gaps are long.

    "next": the gap before the next item itself decides; "previous": the gap before the last item. Who sees the gap can
    know (MRR 1); who does not can only put the two first (MRR (1 + 1/2) / 2 = 0.75).
    """
    rng = np.random.default_rng(seed)
    long = rng.random((users, length)) < 0.5
    gaps = np.where(long, rng.uniform(3, 6, long.shape), rng.uniform(0.01, 0.2, long.shape)) * DAY
    deciding = long if semantics == "next" else np.roll(long, 1, axis=1)
    walk = (rng.integers(items, size=(users, 1)) + np.cumsum(np.where(deciding, 5, 1), axis=1)) % items
    return Interactions.from_events("gaps decide", np.repeat(np.arange(users), length), walk.ravel(),
                                    np.cumsum(gaps, axis=1).ravel(), clock=Clock.RELATIVE)  # fmt: skip


LEARNER = {"dim": 24, "max_len": 30, "batch_size": 8, "learning_rate": 0.02, "epochs": 8}


@pytest.mark.parametrize("semantics", ["next", "previous"])
@pytest.mark.parametrize("kind", TIMED)
def test_where_gaps_decide_who_sees_them_knows(kind, semantics):
    model = kind(**LEARNER, gap=semantics)
    assert fitted_mrr(model, gaps_decide(semantics), query_times=semantics == "next") > 0.95


def test_where_gaps_decide_the_lstm_cannot_know():
    assert 0.70 < fitted_mrr(PeepholeLSTM(**LEARNER), gaps_decide("next")) < 0.80


@pytest.mark.parametrize("kind", [PeepholeLSTM, *TIMED])
def test_near_the_optimum_where_order_decides_and_near_chance_where_nothing_does(kind):
    fields = LEARNER | {"epochs": 6} | ({} if kind is PeepholeLSTM else {"gap": "previous"})
    planted, permuted = (
        PlantedSignal("order", num_users=110, num_items=30, length=40, permuted=p).load() for p in (0, 1)
    )
    assert fitted_mrr(kind(**fields), planted) > 0.95 * planted.facts["best"]["MRR@20"]
    assert fitted_mrr(kind(**fields), permuted) < 1.2 * permuted.facts["chance"]["MRR@20"]


def test_bad_input_is_refused_in_one_sentence():
    model = TimeLSTM2(**TINY)
    with pytest.raises(ValueError, match="TimeLSTM2 learns from the time between events, but the clock of this data"):
        model.fit(tiny_training_set(Clock.WITHIN), Run(0))
    model.fit(tiny_training_set(), Run(0))
    with pytest.raises(ValueError, match="TimeLSTM2 needs the time of the next event, but this protocol"):
        model.score(SequenceBatch.of([[1, 2]], timestamps=[[0.0, 5.0]]))
    with pytest.raises(ValueError, match="a gap of -1.0 seconds: an event is older than the one before it"):
        model.score(batch_of([[1, 2]], [[5.0, 4.0]], [(0, 2)], [9.0]))
    for fields, words in (
        ({"gap": "last"}, "gap must be one of next, previous, got 'last'"),
        ({"inner": "relu"}, "inner must be one of sigmoid, tanh, got 'relu'"),
        ({"variant": "mine"}, "variant must be one of paper, official, got 'mine'"),
        ({"time_unit": 0.0}, "time_unit must be above 0 seconds and finite, got 0.0"),
        (
            {"optimiser": "sgd"},
            r"optimiser must be a value of training.optimisers.optimisers, such as AdamW\(\), got 'sgd'",
        ),
    ):
        with pytest.raises(ValueError, match=words):
            TimeLSTM2(**fields)
