import dataclasses

import numpy as np
import pytest
import torch

import reference.rnn
from recsys_data.generated.planted import PlantedSignal
from recsys_data.interactions import Clock
from recsys_data.sequences import PAD, SequenceBatch, Sequences
from recsys_data.split import TrainingSet
from recsys_models.rnn import GRU, LSTM, RNN
from tests.recsys_models.planted_splits import cut, fitted_mrr
from training.run import Run

MODELS = [RNN, GRU, LSTM]
TINY = {"dim": 6, "embedding_dim": 4, "max_len": 5, "batch_size": 3, "epochs": 2}


def tiny_training_set(clock=Clock.WITHIN, users=7, items=11):
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 9, users)
    events = rng.integers(0, items, lengths.sum()).astype(np.int32)
    offsets = np.r_[0, np.cumsum(lengths)]
    sequences = Sequences(events, np.arange(len(events), dtype=float), offsets, np.arange(users, dtype=np.int32))
    return TrainingSet(sequences, users, items, clock)


@pytest.fixture(params=MODELS, ids=lambda model: model.__name__)
def model(request):
    return request.param(**TINY, dropout=0.2).fit(tiny_training_set(), Run(1))


def test_scores_equal_the_oracle(model):
    items = [3, 9, 0, 0, 5, 10, 2]
    asked = [(0, read) for read in range(8)]
    batch = SequenceBatch.of([items], query_positions=asked)
    scores = model.score(batch)
    assert scores.shape == (8, 11)
    assert np.abs(scores.block(slice(None)).numpy() - reference.rnn.scores(model, batch)).max() < 1e-5


def test_padding_batch_and_later_events_change_nothing(model):
    alone = model.score(SequenceBatch.of([[3, 9, 0]])).queries[0]
    later = model.score(SequenceBatch.of([[3, 9, 0, 7, 7]], query_positions=[(0, 3)])).queries[0]
    batch = SequenceBatch.of([[1], [3, 9, 0], [4, 4, 4, 4, 4, 4]], query_positions=[(2, 6), (1, 3), (0, 0)])
    padded = dataclasses.replace(batch, items=np.pad(batch.items, ((0, 0), (0, 9)), constant_values=PAD))
    for scores in (model.score(batch), model.score(padded)):
        assert torch.allclose(scores.queries[1], alone, atol=1e-6)
    assert torch.allclose(later, alone, atol=1e-6)


def test_the_empty_history_is_the_start_whoever_asks(model):
    batch = SequenceBatch.of([[], [4, 2]], query_positions=[(0, 0), (1, 0)], users=[-1, 3])
    scores = model.score(batch)
    assert torch.allclose(scores.queries[0], scores.queries[1], atol=1e-7)
    assert np.allclose(scores.block(slice(None)).numpy(), reference.rnn.scores(model, batch), atol=1e-5)


def test_fit_leaves_the_fields_alone_and_fits_twice_alike(model):
    before = dataclasses.asdict(model)
    again = type(model)(**TINY, dropout=0.2)
    state = torch.get_rng_state()
    again.fit(tiny_training_set(), Run(1))
    assert torch.equal(torch.get_rng_state(), state)  # nothing is drawn from the global generator
    assert dataclasses.asdict(again) == before
    for one, two in zip(again.network_.parameters(), model.network_.parameters(), strict=True):
        assert torch.equal(one, two)
    other = type(model)(**TINY, dropout=0.2).fit(tiny_training_set(), Run(2))
    assert not torch.equal(other.network_.item_embedding, model.network_.item_embedding)
    assert model.parameters_ == sum(weight.numel() for weight in model.network_.parameters())


def test_killed_after_an_epoch_and_fitted_again_gives_the_same_weights(tmp_path):
    def kill(record):
        if record["epoch"] == 2:
            raise KeyboardInterrupt

    train = tiny_training_set()
    fields = TINY | {"epochs": 5, "dropout": 0.3}
    undisturbed = GRU(**fields).fit(train, Run(4))
    with pytest.raises(KeyboardInterrupt):
        GRU(**fields).fit(train, Run(4, checkpoint=tmp_path, log=kill))
    resumed = GRU(**fields).fit(train, Run(4, checkpoint=tmp_path))
    assert resumed.resumed_from_ == 2 and resumed.epochs_ == 5
    for one, two in zip(resumed.network_.parameters(), undisturbed.network_.parameters(), strict=True):
        assert torch.equal(one, two)


LEARNER = {"dim": 32, "embedding_dim": 32, "max_len": 40, "batch_size": 8, "learning_rate": 0.01, "epochs": 5}


@pytest.mark.parametrize("kind", MODELS, ids=lambda model: model.__name__)
def test_near_the_optimum_where_order_decides_and_near_chance_where_it_does_not(kind):
    planted = PlantedSignal("order").load()
    assert fitted_mrr(kind(**LEARNER), planted) > 0.95 * planted.facts["best"]["MRR@20"]
    permuted = PlantedSignal("order", permuted=True).load()
    assert fitted_mrr(kind(**LEARNER), permuted) < 1.2 * permuted.facts["chance"]["MRR@20"]


@pytest.mark.parametrize("field, value, words", [
    ("dim", 0, "dim must be at least 1, got 0"),
    ("embedding_dim", 0, "embedding_dim must be at least 1, or None for one-hot items, got 0"),
    ("dropout", 1.0, "dropout must be at least 0 and below 1, got 1.0"),
    ("learning_rate", 0.0, "learning_rate must be above 0 and finite, got 0.0"),
    ("weight_decay", -1.0, "weight_decay must be at least 0 and finite, got -1.0"),
    ("lr_decay", 0.0, "lr_decay must be above 0 and at most 1, got 0.0"),
    ("max_norm", 0.0, "max_norm must be above 0 or None, got 0.0"),
])  # fmt: skip
def test_a_field_out_of_range_is_named(field, value, words):
    with pytest.raises(ValueError, match=words):
        GRU(**{field: value})


def test_data_without_order_and_items_outside_the_catalogue_are_refused(model):
    with pytest.raises(ValueError, match="GRU learns from the order of events, but this data set has no order"):
        GRU(**TINY).fit(tiny_training_set(Clock.NONE), Run(0))
    with pytest.raises(ValueError, match="item 11 in a history is outside the catalogue 0 … 10"):
        model.score(SequenceBatch.of([[3, 11]]))


def test_validation_decides_which_weights_stay():
    train, _ = cut(PlantedSignal("order", num_users=20, length=12).load())
    seen = []

    def validate(model):
        seen.append(model.network_.query.weight.detach().clone())
        return [0.1, 0.9, 0.3, 0.2][len(seen) - 1]

    model = GRU(**TINY | {"epochs": 9, "patience": 2}).fit(train, Run(0, validate=validate))
    assert (model.epochs_, model.best_epoch_, model.stopped_) == (4, 2, "patience")
    assert torch.equal(model.network_.query.weight, seen[1])
