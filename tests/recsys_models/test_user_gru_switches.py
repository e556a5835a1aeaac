"""The user-based GRUs' open switches: streams, updates by rows, what the thresholds see."""

import dataclasses

import numpy as np
import pytest
import torch

from recsys_data.sequences import SequenceBatch
from recsys_models.networks.network import Generators
from recsys_models.user_gru import AttentionalUserGRU, LinearUserGRU, RectifiedUserGRU, StandardGRU
from reference.parts.weights import arrays
from reference.user_gru import _hidden
from tests.recsys_models.test_user_gru import TINY, tiny_training_set
from training.optimisers.optimisers import SGD, Adam
from training.run import Run

USERS = [LinearUserGRU, RectifiedUserGRU, AttentionalUserGRU]


def prepared(model):
    train = tiny_training_set()
    network = model.network(train, Generators.of(Run(2))).train()
    model.loss_, model.num_items_ = model.loss, train.num_items
    return train, network


@pytest.mark.parametrize("kind", [StandardGRU, *USERS])
@pytest.mark.parametrize("mask", ["step", "sequence"])
def test_a_streams_states_are_those_of_one_reading_of_its_text(kind, mask):
    """One stream: START and the events of all users in turn, each step with its own user's vector, never reset."""
    fields = TINY | {"batch_size": 1, "dropout": 0.0, "streams": True, "shuffled": False, "epochs": 1}
    if kind is not StandardGRU:
        fields |= {"user_dropout": 0.0, "user_mask": mask}
    train = tiny_training_set()
    model = kind(**fields).fit(train, Run(1))
    network, trained = model.network_.train(), []
    for batch in model.batcher().batches(train.sequences, np.random.default_rng(0)):
        with torch.no_grad():
            trained.append(network.encode_training(batch, torch.from_numpy(np.flatnonzero(batch.target_mask))))
    rows = [train.sequences.row(row).tolist() for row in range(7)]
    text = [item for row in rows for item in (-1, *row[:-1])]  # −1 picks the last row of the table, START's
    owners = np.repeat(np.arange(7), [len(row) for row in rows])
    vectors = getattr(network, "user_embedding", torch.zeros(7, model.dim)).detach().double().numpy()
    expected = _hidden(model, arrays(network), np.asarray(text), vectors[owners][:, None])
    assert np.abs(torch.cat(trained).double().numpy() - expected).max() < 1e-5


@pytest.mark.parametrize("kind", USERS)
def test_rows_of_users_who_are_not_in_the_batch_do_not_move(kind):
    moved = {}
    for updates in ("rows", "dense"):
        model = kind(**TINY, user_updates=updates, optimiser=Adam())
        train, network = prepared(model)
        optimiser = model.optimiser.build(network.parameters(), 0.01, 0.0)
        moved[updates] = []
        for batch in model.batcher().batches(train.sequences, np.random.default_rng(0)):
            before = network.user_embedding.detach().clone()
            optimiser.zero_grad()
            model.objective(network, batch, torch.Generator())[0].backward()
            model_clip = torch.nn.utils.clip_grad_norm_ if updates == "dense" else None
            if model_clip:
                model_clip(network.parameters(), 5.0)
            optimiser.step()
            users = (before != network.user_embedding).any(dim=1).nonzero().flatten().tolist()
            moved[updates].append((users, sorted(set(batch.users.tolist()))))
    assert all(users == present for users, present in moved["rows"])
    assert any(set(users) > set(present) for users, present in moved["dense"])  # Adam's moments go on


@pytest.mark.parametrize("kind", USERS)
@pytest.mark.parametrize("streams", [False, True])
def test_updates_by_rows_equal_the_dense_ones_where_they_must(kind, streams):
    """With plain gradient descent a row without a gradient stays anyway, clipping of the norm included."""
    fields = TINY | {"optimiser": SGD(), "learning_rate": 2.0, "max_norm": 0.5, "streams": streams}
    tables = [
        kind(**fields, user_updates=updates).fit(tiny_training_set(), Run(3)).network_.user_embedding.detach()
        for updates in ("rows", "dense")
    ]
    assert torch.allclose(*tables, rtol=1e-5, atol=1e-7)
    first = kind(**fields).network(tiny_training_set(), Generators.of(Run(3))).user_embedding
    assert (tables[0] - first).abs().max() > 1e-4


@pytest.mark.parametrize("kind", USERS)
def test_a_fit_by_rows_repeats_to_the_bit(kind):
    fields = TINY | {"user_updates": "rows", "dropout": 0.1}
    one, two = (kind(**fields).fit(tiny_training_set(), Run(5)) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(one.network_.parameters(), two.network_.parameters(), strict=True))


def test_the_thresholds_see_the_whole_vector_or_what_dropout_left():
    """Dropped components are 0: which share of them passes matters to nothing, but the others' share may not change."""
    for see, same in (("whole", True), ("dropped", False)):
        model = RectifiedUserGRU(**TINY, thresholds_see=see, user_dropout=0.5)
        train, network = prepared(model)
        shares = []
        network.cell.forward = _watched(network.cell.forward, shares)
        batch = next(iter(model.batcher().batches(train.sequences, np.random.default_rng(0))))
        queries = torch.from_numpy(np.flatnonzero(batch.target_mask))
        for rate in (0.0, 0.5):
            network.user_dropout.rate, network.dropout.rate = rate, 0.0
            with torch.no_grad():
                # thresholds that do not depend on the dropped vector, so that only the comparison can differ
                network.user_weight.zero_()
                network.bias[3 * model.dim :].uniform_(-0.05, 0.05, generator=torch.Generator().manual_seed(1))
                network.thresholds.zero_()
            network.weight.data[:, 3 * model.dim :] = 0.0
            network.encode_training(batch, queries)
        half = len(shares) // 2
        assert all(torch.equal(a, b) for a, b in zip(shares[:half], shares[half:], strict=True)) is same


def _watched(forward, shares):
    def watched(step, weights):
        forward(step, weights)
        shares.append(step.saved[2].detach().clone())

    return watched


def test_scoring_does_not_depend_on_how_training_was_cut_and_bad_input_is_named():
    model = LinearUserGRU(**TINY, streams=True, user_updates="rows").fit(tiny_training_set(), Run(1))
    plain = dataclasses.replace(model, streams=False)
    plain.network_, plain.num_items_ = model.network_, model.num_items_
    batch = SequenceBatch.of([[3, 1], [4]], users=[2, 99])
    assert torch.equal(model.score(batch).queries, plain.score(batch).queries)
    with pytest.raises(ValueError, match="stateful must be true where streams are read"):
        StandardGRU(streams=True, stateful=False)
    with pytest.raises(ValueError, match='user_updates must be "dense" where user_l2_on is "table"'):
        LinearUserGRU(user_updates="rows", user_l2_on="table")
    with pytest.raises(ValueError, match="user_updates must be one of dense, rows, got 'lazy'"):
        LinearUserGRU(user_updates="lazy")
    with pytest.raises(ValueError, match="thresholds_see must be one of dropped, whole, got 'all'"):
        RectifiedUserGRU(thresholds_see="all")
