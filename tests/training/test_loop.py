import hashlib

import numpy as np
import pytest
import torch
from torch import nn

from training.checkpoint import FILE, BrokenCheckpoint, CheckpointDamaged, read_checkpoint, write_checkpoint
from training.control.dropout import Dropout
from training.control.guard import Diverged
from training.loop import train_epochs
from training.run import Run


class Killed(Exception):
    pass


class Line:
    """A model with one weight; its validation scores are given."""

    def __init__(self, scores, epochs=10, patience=2, lr_decay=1.0, rate=0.1):
        self.scores, self.epochs, self.patience, self.lr_decay, self.rate = scores, epochs, patience, lr_decay, rate
        self.seen = []

    def __repr__(self):
        return "Line()"

    def validate(self, model):
        self.seen.append(model.network_.weight.item())
        return self.scores[len(model.seen) - 1]

    def fit(self, run):
        self.network_ = nn.Linear(1, 1, bias=False)
        nn.init.ones_(self.network_.weight)
        train_epochs(
            self, run, network=self.network_, optimiser=torch.optim.SGD(self.network_.parameters(), lr=self.rate),
            batches=lambda epoch: [epoch], loss=lambda batch: (self.network_.weight.sum() * batch, 4), generators={},
            epochs=self.epochs, patience=self.patience, lr_decay=self.lr_decay,
        )  # fmt: skip
        return self


class Noisy:
    """A network whose shuffle, dropout and Adam state all matter."""

    def __repr__(self):
        return "Noisy()"

    def fit(self, run, epochs=5):
        shuffle, masks = run.generator("shuffle"), torch.Generator().manual_seed(run.derived_seed("masks"))
        start = torch.Generator().manual_seed(run.derived_seed("weights"))
        self.network_ = nn.Sequential(nn.Linear(3, 8), Dropout(0.5, masks), nn.Linear(8, 1))
        for weight in self.network_.parameters():
            nn.init.normal_(weight, generator=start)
        data = torch.randn(32, 3, generator=torch.Generator().manual_seed(1))

        def loss(rows):
            return ((self.network_(data[rows]) - data[rows].sum(1, keepdim=True)) ** 2).mean(), len(rows)

        train_epochs(
            self, run, network=self.network_, optimiser=torch.optim.Adam(self.network_.parameters(), lr=0.05),
            batches=lambda epoch: np.array_split(shuffle.permutation(32), 4), loss=loss,
            generators={"shuffle": shuffle, "masks": masks}, epochs=epochs, patience=3, lr_decay=0.5,
        )  # fmt: skip
        return self

    def weights(self):
        return torch.cat([weight.detach().ravel() for weight in self.network_.parameters()])


def test_patience_stops_and_the_best_weights_come_back():
    model = Line([0.1, 0.3, 0.2, 0.3, 0.9])
    model.fit(Run(0, validate=model.validate))
    # weight after epoch e: 1 − 0.1 · (1 + … + e) = 0.9, 0.7, 0.4, 0.0; epochs 3 and 4 (a tie) are no new best
    assert model.seen == pytest.approx([0.9, 0.7, 0.4, 0.0], abs=1e-6)
    assert model.network_.weight.item() == pytest.approx(0.7)
    assert (model.epochs_, model.best_epoch_, model.stopped_, model.resumed_from_) == (4, 2, "patience", None)


def test_without_validation_every_epoch_is_run_and_the_last_weights_stay():
    model = Line([], epochs=4).fit(Run(0))
    assert model.network_.weight.item() == pytest.approx(0.0, abs=1e-6)
    assert (model.epochs_, model.best_epoch_, model.stopped_) == (4, 4, "epoch limit")


def test_the_learning_rate_decays_after_every_epoch():
    model = Line([0.1, 0.3, 0.2, 0.4], epochs=4, lr_decay=0.5)
    model.fit(Run(0, validate=model.validate))
    # steps: 0.1 · 1, 0.05 · 2, 0.025 · 3, 0.0125 · 4
    assert model.seen == pytest.approx([0.9, 0.8, 0.725, 0.675], abs=1e-6)
    assert [record["learning_rate"] for record in model.curve_] == [0.1, 0.05, 0.025, 0.0125]


def test_an_epoch_record_says_what_happened():
    records = []
    model = Line([0.5], epochs=1)
    model.fit(Run(0, validate=model.validate, log=records.append))
    (record,) = records
    assert record["event"] == "epoch" and record["epoch"] == record["epochs"] == 1
    assert record["loss"] == pytest.approx(1.0) and record["validation"] == 0.5
    assert record["targets_per_second"] == pytest.approx(4 / record["seconds"])


def test_divergence_names_epoch_step_and_parameter():
    model = Line([1.0] * 9, rate=float("inf"))
    with pytest.raises(Diverged, match=r"epoch 2, step 1: the loss is -inf and parameter weight is not finite.*below"):
        model.fit(Run(0, validate=model.validate))


@pytest.mark.parametrize("after", [2, 3])
def test_killed_and_resumed_equals_undisturbed_bit_for_bit(tmp_path, after):
    scores = {}

    def validate(model):
        value = float(model.weights().square().sum())
        scores[value] = scores.get(value, 0) + 1
        return -value

    def kill(record):
        if record["epoch"] == after:
            raise Killed

    undisturbed = Noisy().fit(Run(7, validate=validate))
    with pytest.raises(Killed):
        Noisy().fit(Run(7, validate=validate, checkpoint=tmp_path, log=kill))
    records = []
    resumed = Noisy().fit(Run(7, validate=validate, checkpoint=tmp_path, log=records.append))
    assert records[0] == {"event": "resumed", "epoch": after} and resumed.resumed_from_ == after
    assert torch.equal(resumed.weights(), undisturbed.weights())
    plain = [[(r["epoch"], r["loss"], r["validation"]) for r in model.curve_] for model in (resumed, undisturbed)]
    assert plain[0] == plain[1]
    assert not torch.equal(Noisy().fit(Run(8, validate=validate)).weights(), undisturbed.weights())


def test_a_finished_fit_run_again_trains_no_further(tmp_path):
    first = Noisy().fit(Run(7, checkpoint=tmp_path))
    again = Noisy().fit(Run(7, checkpoint=tmp_path))
    assert again.resumed_from_ == first.epochs_ == again.epochs_
    assert torch.equal(first.weights(), again.weights())


def test_a_checkpoint_of_another_fit_is_refused(tmp_path):
    Noisy().fit(Run(7, checkpoint=tmp_path), epochs=1)
    with pytest.raises(BrokenCheckpoint, match="belongs to another fit"):
        Noisy().fit(Run(8, checkpoint=tmp_path))


def test_a_fit_whose_checkpoint_is_damaged_begins_anew_and_says_so(tmp_path):
    undisturbed = Noisy().fit(Run(7))
    Noisy().fit(Run(7, checkpoint=tmp_path), epochs=1)
    whole = (tmp_path / "fit.pt").read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 4
    for damaged in (whole[:100], bytes(flipped), whole[:-1], b""):
        (tmp_path / "fit.pt").write_bytes(damaged)
        told = []
        again = Noisy().fit(Run(7, checkpoint=tmp_path, log=told.append))
        assert told[0]["event"] == "begun anew" and f"{tmp_path / 'fit.pt'} is damaged" in told[0]["reason"]
        assert again.resumed_from_ is None and torch.equal(again.weights(), undisturbed.weights())


def test_a_checkpoint_is_whole_or_absent(tmp_path):
    assert read_checkpoint(tmp_path / "none", "x") is None
    write_checkpoint(tmp_path / "new", {"identity": "x", "value": 1})
    write_checkpoint(tmp_path / "new", {"identity": "x", "value": 2})
    assert read_checkpoint(tmp_path / "new", "x")["value"] == 2
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["fit.pt"]


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 cut"])
def test_a_checkpoint_that_torch_cannot_load_is_damaged_whatever_its_checksum(tmp_path, content):
    (tmp_path / FILE).write_bytes(content + hashlib.sha256(content).digest())
    with pytest.raises(CheckpointDamaged, match=f"{tmp_path / FILE} is damaged: torch cannot load it"):
        read_checkpoint(tmp_path, "fit")


def test_a_checkpoint_that_holds_no_state_is_damaged(tmp_path):
    torch.save([1, 2], tmp_path / FILE)
    content = (tmp_path / FILE).read_bytes()
    (tmp_path / FILE).write_bytes(content + hashlib.sha256(content).digest())
    with pytest.raises(CheckpointDamaged, match="it holds no state of a fit"):
        read_checkpoint(tmp_path, "fit")
