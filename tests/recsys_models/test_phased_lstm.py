import dataclasses

import numpy as np
import pytest
import torch

import reference.phased_lstm
from recsys_data.generated.planted import PlantedSignal
from recsys_data.interactions import Clock, Interactions
from recsys_data.sequences import SequenceBatch, Sequences
from recsys_data.split import TrainingSet
from recsys_models.engine.cells.lstm import LSTMCell
from recsys_models.engine.cells.phased_lstm import PhasedLSTMCell
from recsys_models.engine.unroll import unroll
from recsys_models.phased_lstm import PhasedLSTM
from recsys_models.time_lstm import PeepholeLSTM
from tests.recsys_models.planted_splits import fitted_mrr
from training.run import Run

DAY = 86_400.0
TINY = {"dim": 5, "max_len": 4, "batch_size": 3, "epochs": 2}


def tiny_training_set(clock=Clock.RELATIVE):
    rng = np.random.default_rng(0)
    offsets = np.r_[0, np.cumsum(rng.integers(1, 9, 7))]
    items = rng.integers(0, 11, offsets[-1]).astype(np.int32)
    times = np.concatenate([1.4e9 + np.cumsum(rng.exponential(DAY, n)) for n in np.diff(offsets)])
    return TrainingSet(Sequences(items, times, offsets, np.arange(7, dtype=np.int32)), 7, 11, clock)


@pytest.mark.parametrize("variant", ["paper", "official"])
def test_scores_equal_the_papers_equations(variant):
    model = PhasedLSTM(**TINY, variant=variant, open_share=0.3).fit(tiny_training_set(), Run(3))
    days = np.array([0.0, 0.5, 0.5, 3.5, 4.0])
    items = [3, 9, 0, 0, 5]
    batch = SequenceBatch.of(
        [items], timestamps=[(1.4e9 + DAY * days).tolist()], query_positions=[(0, 0), (0, 3), (0, 5)]
    )
    assert (
        np.abs(model.score(batch).block(slice(None)).numpy() - reference.phased_lstm.scores(model, batch)).max() < 1e-5
    )


def test_it_is_the_lstm_where_every_unit_is_open():
    generator = torch.Generator().manual_seed(0)
    x, W, b, U, p, h, c = (torch.randn(*shape, dtype=torch.float64, generator=generator)
                           for shape in ((6, 3, 4), (4, 8), (8,), (2, 8), (3, 2), (3, 2), (3, 2)))  # fmt: skip
    period = torch.tensor([10.0, 50.0]).double()
    clock = (period, -period / 2)  # at time 0 every φ is 1/2, where r = 1 gives k = 2 φ = 1
    times = torch.zeros(6, 3, 1).double()
    phased = unroll(PhasedLSTMCell(1.0, 0.001), x, W, b, (h, c), (U, p, *clock), (times,))
    plain = unroll(LSTMCell(), x, W, b, (h, c), (U, p))
    assert all(torch.allclose(one, two, rtol=1e-12) for one, two in zip(phased, plain, strict=True))


def test_a_closed_unit_keeps_its_state():
    generator = torch.Generator().manual_seed(0)
    x, U, p = (torch.randn(*shape, generator=generator) for shape in ((6, 3, 8), (2, 8), (3, 2)))
    h, c = torch.randn(2, 3, 2, generator=generator)
    clock = (torch.tensor([10.0, 10.0]), torch.tensor([-9.0, 0.0]))  # φ = 0.9, closed; φ = 0, opening: k = 0
    after = unroll(PhasedLSTMCell(0.5, 0.0), x, None, torch.zeros(8), (h, c), (U, p, *clock), (torch.zeros(6, 3, 1),))
    assert torch.equal(after[0][-1], h) and torch.equal(after[1][-1], c)


def test_the_phase_of_a_late_time_is_exact():
    """At 1e8 + 2 seconds of a period of 16: 1e8 = 16 · 6,250,000, so φ = 2 / 16; float32 would round 2 away."""
    cell = PhasedLSTMCell(0.5, 0.0)
    kept = [torch.zeros(1, 1) for _ in range(5)]
    weights = (None, None, torch.tensor([16.0]), torch.tensor([0.0]))
    cell.open_(torch.tensor([[1e8 + 2]], dtype=torch.float64), weights, kept)
    assert kept[2].item() == pytest.approx(2 * (2 / 16) / 0.5)


LEARNER = {"max_len": 40, "batch_size": 8, "learning_rate": 0.02}


def test_it_finds_order_though_its_units_are_often_shut_and_nothing_where_nothing_is():
    fields = LEARNER | {"dim": 96, "epochs": 10, "open_share": 1.0}
    planted, permuted = (
        PlantedSignal("order", num_users=110, num_items=30, length=40, permuted=p).load() for p in (0, 1)
    )
    assert fitted_mrr(PhasedLSTM(**fields), planted) > 0.85 * planted.facts["best"]["MRR@20"]
    assert fitted_mrr(PhasedLSTM(**fields), permuted) < 1.2 * permuted.facts["chance"]["MRR@20"]


def hours_decide(users=150, items=12, length=30):
    """Items on a ring: the next is 1 on in the first half of a day and 5 on in the second, from the first event on.

    Who knows the hour can know (MRR 1); who does not can only put the two first (MRR (1 + 1/2) / 2 = 0.75).
    """
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.uniform(0, 0.95 * DAY, (users, length)), axis=1)
    times -= times[:, :1]
    steps = np.where(times % DAY < DAY / 2, 1, 5)
    walk = (rng.integers(items, size=(users, 1)) + np.cumsum(steps, axis=1) - steps) % items
    return Interactions.from_events("hours decide", np.repeat(np.arange(users), length), walk.ravel(), times.ravel(),
                                    clock=Clock.RELATIVE)  # fmt: skip


def test_where_the_hour_decides_it_knows_and_the_lstm_does_not():
    daily = PhasedLSTM(**LEARNER, dim=32, epochs=12, open_share=0.5, periods=(DAY, DAY))
    assert fitted_mrr(daily, hours_decide()) > 0.85
    assert fitted_mrr(PeepholeLSTM(**LEARNER, dim=32, epochs=8), hours_decide()) < 0.80


def test_bad_input_is_refused_in_one_sentence():
    with pytest.raises(ValueError, match="PhasedLSTM learns from the time between events"):
        PhasedLSTM(**TINY).fit(tiny_training_set(Clock.BETWEEN), Run(0))
    for fields, words in (
        ({"variant": "mine"}, "variant must be one of paper, official, got 'mine'"),
        ({"periods": (5.0, 1.0)}, "periods must be two rising numbers of seconds above 0"),
        ({"open_share": 0.0}, "open_share must be above 0 and at most 1, got 0.0"),
        ({"leak": -0.1}, "leak must be at least 0 and at most 1, got -0.1"),
    ):
        with pytest.raises(ValueError, match=words):
            dataclasses.replace(PhasedLSTM(), **fields)
