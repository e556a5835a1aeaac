import dataclasses
import itertools

import numpy as np
import pytest
import torch

import reference.mlstm
from recsys_data.generated.planted import PlantedSignal
from recsys_data.interactions import Clock
from recsys_data.sequences import PAD, SequenceBatch, Sequences
from recsys_data.split import TrainingSet
from recsys_models.engine.cells.lstm import LSTMCell
from recsys_models.engine.cells.mlstm import MLSTMCell
from recsys_models.engine.unroll import unroll
from recsys_models.mlstm import MLSTM, SpotlightLSTM
from tests.recsys_models.planted_splits import fitted_mrr
from training.losses.loss import CrossEntropy
from training.run import Run

TINY = {"dim": 5, "max_len": 6, "batch_size": 3, "epochs": 2}


def tiny_training_set():
    rng = np.random.default_rng(0)
    offsets = np.r_[0, np.cumsum(rng.integers(1, 15, 7))]
    items = rng.integers(0, 11, offsets[-1]).astype(np.int32)
    sequences = Sequences(items, np.arange(len(items)) * 1.0, offsets, np.arange(7, dtype=np.int32))
    return TrainingSet(sequences, 7, 11, Clock.WITHIN)


OUTPUTS = ("hidden", "cell")
CHOICES = list(itertools.product((SpotlightLSTM, MLSTM), OUTPUTS, ("masked", "official")))
FOUR = [kind(**TINY, output=output, padding=padding) for kind, output, padding in CHOICES]
NAMES = [f"{type(m).__name__}-{m.output}-{m.padding}" for m in FOUR] + ["MLSTM-without-biases"]


@pytest.fixture(params=[*FOUR, MLSTM(**TINY, biases=False)], ids=NAMES)
def model(request):
    return dataclasses.replace(request.param).fit(tiny_training_set(), Run(2))


def test_scores_equal_the_oracle(model):
    histories = [[3, 9, 0, 4], [], [7, 7, 1, 0, 2, 10, 8, 5]]
    batch = SequenceBatch.of(histories, query_positions=[(0, 2), (0, 4), (1, 0), (2, 8), (2, 0)])
    scores = model.score(batch).block(slice(None)).numpy()
    assert np.abs(scores - reference.mlstm.scores(model, batch)).max() < 1e-5


def test_the_empty_history_is_the_learnt_first_state():
    model = MLSTM(**TINY).fit(tiny_training_set(), Run(2))
    assert torch.equal(model.score(SequenceBatch.of([[]])).queries[0], model.network_.start.detach()[0])
    assert (model.network_.start.detach() != MLSTM(**TINY).fit(tiny_training_set(), Run(3)).network_.start).all()


def test_batch_and_padding_change_nothing(model):
    alone = model.score(SequenceBatch.of([[3, 9, 0]])).queries[0]
    batch = SequenceBatch.of([[1], [3, 9, 0], [4] * 6])
    padded = dataclasses.replace(batch, items=np.pad(batch.items, ((0, 0), (0, 9)), constant_values=PAD))
    for scores in (model.score(batch), model.score(padded)):
        assert torch.allclose(scores.queries[1], alone, atol=1e-6)


def test_training_sees_what_scoring_sees(model):
    """The loss of a window equals the one from the scores of its prefixes."""
    train = tiny_training_set()
    rows = [s for s in range(len(train.sequences)) if len(train.sequences.row(s)) <= model.max_len]
    network, (batch,) = model.network_, windows_of(train, rows, model)
    at = torch.from_numpy(np.flatnonzero(batch.target_mask))
    with torch.no_grad():
        trained = network.encode_training(batch, at)
    start = 0
    for row in batch.rows:
        items = train.sequences.row(row).tolist()
        asked = [(0, read) for read in range(len(items))]
        scored = model.score(SequenceBatch.of([items], query_positions=asked)).queries
        assert torch.allclose(trained[start : start + len(items)], scored, atol=1e-6)
        start += len(items)


def windows_of(train, rows, model):
    from training.batches.windows import WindowBatch

    offsets, lengths = train.sequences.offsets, train.sequences.lengths
    events = offsets[rows][:, None] + np.arange(lengths[rows].max())
    events[np.arange(events.shape[1]) >= lengths[rows][:, None]] = PAD
    yield WindowBatch(train.sequences, events, np.asarray(rows))


def test_mlstm_is_the_lstm_where_m_is_h():
    """W_im = 0, b_im = 1, W_hm = I, b_hm = 0 make m = h."""
    generator = torch.Generator().manual_seed(0)
    x, W, b, U, h, c = (torch.randn(*shape, dtype=torch.float64, generator=generator)
                        for shape in ((6, 3, 4), (4, 8), (8,), (2, 8), (3, 2), (3, 2)))  # fmt: skip
    wide = torch.cat([W, torch.zeros(4, 2, dtype=torch.float64)], dim=1)
    bias = torch.cat([b, torch.ones(2, dtype=torch.float64)])
    weights = (U, torch.eye(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64))
    multiplicative = unroll(MLSTMCell(), x, wide, bias, (h, c), weights)
    plain = unroll(LSTMCell(peepholes=False), x, W, b, (h, c), (U,))
    assert all(torch.allclose(one, two, rtol=1e-12) for one, two in zip(multiplicative, plain, strict=True))


LEARNER = {"dim": 32, "max_len": 40, "batch_size": 8, "learning_rate": 0.01, "epochs": 10}


@pytest.mark.parametrize("kind, output", itertools.product((SpotlightLSTM, MLSTM), OUTPUTS))
def test_near_the_optimum_where_order_decides_and_near_chance_where_nothing_does(kind, output):
    fields = LEARNER | {"output": output, "loss": CrossEntropy(), "epochs": 6}
    planted, permuted = (
        PlantedSignal("order", num_users=110, num_items=30, length=40, permuted=p).load() for p in (0, 1)
    )
    assert fitted_mrr(kind(**fields), planted) > 0.95 * planted.facts["best"]["MRR@20"]
    assert fitted_mrr(kind(**fields), permuted) < 1.2 * permuted.facts["chance"]["MRR@20"]


def test_the_adaptive_hinge_learns_too():
    planted = PlantedSignal("order", num_users=110, num_items=30, length=40).load()
    assert fitted_mrr(MLSTM(**LEARNER), planted) > 0.9 * planted.facts["best"]["MRR@20"]


def test_the_same_seed_gives_the_same_bits_and_fields_out_of_range_are_named():
    one, two = (MLSTM(**TINY, dropout=0.1).fit(tiny_training_set(), Run(5)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.network_.parameters(), two.network_.parameters(), strict=True))
    with pytest.raises(ValueError, match="output must be one of hidden, cell, got 'both'"):
        MLSTM(output="both")
    with pytest.raises(ValueError, match="padding must be one of masked, official, got 'left'"):
        MLSTM(padding="left")
