import itertools
import math

import numpy as np
import pytest
import torch
from torch import nn

from training.control.clipping import ClipNorm, ClipTensor, ClipValue
from training.control.dropout import Dropout
from training.control.fit_control import FitControl
from training.control.progress import pareto_front
from training.control.schedules import Geometric, Linear
from training.control.stopping import Patience, StopAfterN, WorstTimesX
from training.loop import train_epochs
from training.run import Run

STEPS, EPOCHS = 5, 4


class Killed(Exception):
    pass


class Carrying(nn.Module):
    """Dropout, and a state that is handed from batch to batch."""

    def __init__(self, run):
        super().__init__()
        self.masks = torch.Generator().manual_seed(run.derived_seed("masks"))
        self.first, self.last, self.dropout = nn.Linear(3, 6), nn.Linear(6, 1), Dropout(0.5, self.masks)
        self.carry = [torch.zeros(6)]
        start = torch.Generator().manual_seed(run.derived_seed("weights"))
        for weight in self.parameters():
            nn.init.normal_(weight, generator=start)

    def forward(self, rows, fresh):
        hidden = self.dropout(torch.tanh(self.first(rows) + (0.0 if fresh else self.carry[0])))
        self.carry = [hidden.detach().mean(0)]
        return self.last(hidden)


class Noisy:
    """A fit whose every state matters: shuffle (drawn from inside the epoch too), masks, Adam, carry, clock."""

    def __init__(self, control, clock=None, die_at=None):
        self.control, self.clock, self.die_at, self.steps = control, clock, die_at, 0

    def __repr__(self):
        return f"Noisy({self.control})"

    def fit(self, run, epochs=EPOCHS):
        shuffle = run.generator("shuffle")
        self.network_ = network = Carrying(run)
        data = torch.randn(32, 3, generator=torch.Generator().manual_seed(1))

        def batches(epoch):
            for number, rows in enumerate(np.array_split(shuffle.permutation(32), STEPS)):
                yield number == 0, rows, float(shuffle.random())

        def loss(batch):
            self.steps += 1
            if self.clock is not None:
                self.clock[0] += 1.0  # a step takes a second, and nothing else any
            if self.steps == self.die_at:
                raise Killed
            fresh, rows, noise = batch
            return ((network(data[rows], fresh) - data[rows].sum(1, keepdim=True) - noise) ** 2).mean(), len(rows)

        train_epochs(
            self, run, network=network, optimiser=torch.optim.Adam(network.parameters(), lr=0.05), batches=batches,
            loss=loss, generators={"shuffle": shuffle, "masks": network.masks}, epochs=epochs, patience=3, lr_decay=0.9,
            control=self.control,
        )  # fmt: skip
        return self

    def outcome(self):
        """All that a fit leaves but the seconds, in types that compare."""
        weights = torch.cat([weight.detach().ravel() for weight in self.network_.parameters()]).tolist()
        kept = [(k["iteration"], k["scores"], [w.tolist() for w in k["weights"].values()]) for k in self.kept_]
        curve = [(r["epoch"], r["loss"], r["learning_rate"], r["validation"]) for r in self.curve_]
        return (weights, kept, curve, self.evaluations_, self.stopped_, self.epochs_, self.iterations_,
                self.best_epoch_, self.repeatable_)  # fmt: skip


def scores(model):
    """Two scores that go up and down, given by the weights alone."""
    total = float(sum(weight.detach().double().sum() for weight in model.network_.parameters()))
    return [math.sin(40 * total), math.cos(30 * total)]


def run_for(control, **more):
    return Run(7, validate=lambda model: scores(model)[0],
               measure=lambda model, names: scores(model)[: 1 + len(names)], **more)  # fmt: skip


EVERY_3 = Linear(unit="iterations", every=3)
CONTROLS = [
    FitControl(),
    FitControl(stopping=StopAfterN(2), keep="none", clip=ClipValue(0.1)),
    FitControl(evaluations=EVERY_3, stopping=Patience(4), clip=ClipNorm(0.5)),
    FitControl(evaluations=Linear(unit="iterations", every=4, first=7), stopping=StopAfterN(2, "coded"), keep="all"),
    FitControl(
        evaluations=Geometric(unit="iterations", factor=1.5, first=2, largest=3), stopping=WorstTimesX(1.5, 0.5)
    ),
    FitControl(evaluations=EVERY_3, metrics=("other",), keep="pareto", stopping=Patience(2), clip=ClipTensor(0.2)),
    FitControl(evaluations=Linear(every=2), stopping=Patience(9)),
    FitControl(evaluations=EVERY_3, stopping=Patience(9), iterations=13),
    FitControl(stopping=Patience(9), iterations=15),
    FitControl(evaluations=Linear(unit="seconds", every=3.0), stopping=Patience(9), seconds=16.5),
]


@pytest.fixture
def clock(monkeypatch):
    """A clock that only the steps of a fit move."""
    hand = [0.0]
    monkeypatch.setattr("training.epochs.time.perf_counter", lambda: hand[0])
    return hand


@pytest.mark.parametrize("control", CONTROLS, ids=repr)
def test_killed_at_a_step_and_resumed_equals_undisturbed_bit_for_bit(control, clock, tmp_path):
    calm = Noisy(control, clock).fit(run_for(control)).outcome()
    resumed_inside = 0
    for die_at in range(1, calm[6] + 1, 3):
        folder = tmp_path / str(die_at)
        with pytest.raises(Killed):
            Noisy(control, clock, die_at).fit(run_for(control, checkpoint=folder))
        resumed = Noisy(control, clock).fit(run_for(control, checkpoint=folder))
        assert resumed.outcome() == calm, die_at
        made = resumed.steps  # the steps of the second process
        resumed_inside += (calm[6] - made) % STEPS != 0
    assert bool(resumed_inside) == (control.evaluations.unit != "epochs")


@pytest.mark.parametrize("control", CONTROLS, ids=repr)
def test_killed_while_it_tells_of_an_evaluation_or_an_epoch_and_resumed_equals_undisturbed(control, clock, tmp_path):
    records = []
    calm = Noisy(control, clock).fit(run_for(control, log=records.append)).outcome()
    for number in range(len(records)):
        told = itertools.count()

        def kill(record, number=number, told=told):
            if next(told) == number:
                raise Killed

        folder = tmp_path / str(number)
        with pytest.raises(Killed):
            Noisy(control, clock).fit(run_for(control, checkpoint=folder, log=kill))
        assert Noisy(control, clock).fit(run_for(control, checkpoint=folder)).outcome() == calm
        again = Noisy(control, clock).fit(run_for(control, checkpoint=folder))
        assert again.steps == 0 and again.outcome() == calm  # a finished fit trains no further


class Line:
    """One weight that each step lowers by one; its scores are given, one tuple an evaluation."""

    def __init__(self, given, epochs=4, steps=3, patience=99, **control):
        self.given, self.epochs, self.steps, self.patience = given, epochs, steps, patience
        self.control = FitControl(**control)
        self.seen = []

    def measure(self, model, names=()):
        self.seen.append(-self.network_.weight.item())  # the number of steps made
        return self.given[len(self.seen) - 1][: 1 + len(names)]

    def fit(self, **more):
        self.network_ = nn.Linear(1, 1, bias=False)
        nn.init.zeros_(self.network_.weight)
        run = Run(0, validate=lambda model: self.measure(model)[0], **{"measure": self.measure} | more)
        train_epochs(
            self, run, network=self.network_, optimiser=torch.optim.SGD(self.network_.parameters(), lr=1.0),
            batches=lambda epoch: range(self.steps), loss=lambda batch: (self.network_.weight.sum(), 1), generators={},
            epochs=self.epochs, patience=self.patience, control=self.control,
        )  # fmt: skip
        return self

    def left(self):
        return round(-self.network_.weight.item())


def test_evaluations_come_when_they_are_due_and_once_more_at_the_end():
    model = Line([(n,) for n in range(20)], evaluations=Geometric(unit="iterations"), epochs=4).fit()
    assert model.seen == [2, 4, 8, 12]  # 16 would be due; the fit ends after 12 steps
    assert [seen["epoch"] for seen in model.evaluations_] == pytest.approx([2 / 3, 4 / 3, 8 / 3, 4])
    assert [record["validation"] for record in model.curve_] == [0, 1, 2, 3]  # the last one in each epoch
    model = Line([(n,) for n in range(20)], evaluations=Linear(unit="iterations", every=7, first=1)).fit()
    assert model.seen == [1, 8, 12] and [record["validation"] for record in model.curve_] == [0, None, 1, 2]
    assert Line([(n,) for n in range(20)], evaluations=Linear(every=3)).fit().seen == [9, 12]


def test_the_weights_of_the_best_evaluation_inside_an_epoch_come_back():
    model = Line([(0.1,), (0.9,), (0.3,), (0.2,)], evaluations=Linear(unit="iterations", every=2), stopping=Patience(2))
    model.fit()
    assert (model.left(), model.iterations_, model.epochs_, model.best_epoch_) == (4, 8, 3, 2)
    assert model.stopped_ == "patience" and [record["loss"] for record in model.curve_] == [-1.0, -4.0, -6.5]


@pytest.mark.parametrize("keep, left, kept", [
    ("best", 6, []), ("none", 12, []), ("all", 6, [3, 6, 9, 12]), ("pareto", 6, [3, 6, 12]),
])  # fmt: skip
def test_what_is_kept(keep, left, kept):
    # (.1, .9), (.5, .4) and (.2, .8) … the third is beaten by none but the fourth (.3, .8)
    model = Line([(0.1, 0.9), (0.5, 0.4), (0.2, 0.8), (0.3, 0.8)], metrics=("other",), keep=keep).fit()
    assert model.left() == left and [one["iteration"] for one in model.kept_] == kept
    assert [-one["weights"]["weight"].item() for one in model.kept_] == kept
    assert model.best_epoch_ == (4 if keep == "none" else 2)
    assert model.evaluations_[1] == {"iteration": 6, "epoch": 2.0, "validation": 0.5, "other": 0.4}


def test_the_front_of_scores():
    assert pareto_front([(1, 5), (2, 4), (2, 3), (0, 5), (3, 0)]) == [0, 1, 4]
    assert pareto_front([(1, 1), (1, 1)]) == [0, 1]  # equals do not beat each other
    assert pareto_front([]) == []


def test_several_metrics_stop_a_fit_only_together():
    # the first is best at 1, the second at 3: patience 2 is over for the first at 3, for both at 5
    given = [(0.9, 0.1), (0.1, 0.2), (0.1, 0.3), (0.1, 0.1), (0.1, 0.1), (0.1, 0.1)]
    model = Line(given, metrics=("other",), epochs=6, patience=2).fit()
    assert (model.epochs_, model.stopped_, model.best_epoch_) == (5, "patience", 1)
    assert Line(given, epochs=6, patience=2).fit().epochs_ == 3


def test_limits_end_a_fit_inside_an_epoch(clock):
    model = Line([(0.1,), (0.2,)], iterations=5).fit()
    assert (model.iterations_, model.epochs_, model.stopped_, model.seen) == (5, 2, "iteration limit", [3, 5])
    assert model.repeatable_ and model.left() == 5
    assert [seen["epoch"] for seen in model.evaluations_] == pytest.approx([1, 5 / 3])
    seconds = Noisy(FitControl(seconds=6.5), clock).fit(Run(0))
    assert (seconds.iterations_, seconds.stopped_, seconds.repeatable_) == (7, "time limit", False)
    by_seconds = Noisy(FitControl(evaluations=Linear(unit="seconds", every=4.0), seconds=100.0), clock)
    by_seconds.fit(run_for(by_seconds.control), epochs=2)
    assert [seen["iteration"] for seen in by_seconds.evaluations_] == [4, 8, 10]
    assert by_seconds.stopped_ == "epoch limit" and not by_seconds.repeatable_
    assert Noisy(FitControl(seconds=100.0), clock).fit(Run(0), epochs=1).repeatable_  # the limit was not reached


def test_further_metrics_need_a_run_that_measures_them():
    with pytest.raises(ValueError, match="metrics Recall@20: this run measures its primary metric only"):
        Line([], metrics=("Recall@20",)).fit(measure=None)


@pytest.mark.parametrize("fields, words", [
    ({"keep": "last"}, "keep must be one of best, all, pareto, none, got 'last'"),
    ({"iterations": 0}, "iterations must be at least 1 or None, got 0"),
    ({"seconds": 0.0}, "seconds must be above 0 or None, got 0.0"),
    ({"metrics": "MRR@20"}, "metrics must be a tuple of names"),
])  # fmt: skip
def test_a_field_out_of_range_is_named(fields, words):
    with pytest.raises(ValueError, match=words):
        FitControl(**fields)
