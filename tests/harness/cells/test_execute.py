from dataclasses import dataclass
from types import SimpleNamespace

import pytest

from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import MRR, MeanRank
from harness.cells.execute import compute
from harness.cells.record import _training_caveats
from harness.preparation import prepare
from harness.spec import Cell, Experiment
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import PerUserFractions
from recsys_models.rnn import GRU
from training.control.fit_control import FitControl
from training.control.schedules import Linear

EXPERIMENT = Experiment(
    MarkovChainSequences(num_users=30, num_items=120, length=12), PerUserFractions(0.8, 0.1, 0.1), {}
)


def computed(judged, records=None, **control):
    model = GRU(dim=4, embedding_dim=4, batch_size=8, epochs=2, control=FitControl(**control))
    log = [].append if records is None else records.append
    return compute(Cell(EXPERIMENT, "GRU", model, 0), prepare(EXPERIMENT, None), metrics=judged, device="cpu",
                   checkpoint=None, log=log)  # fmt: skip


def test_further_metrics_come_with_the_sign_that_makes_higher_better():
    names = ("Recall@5", "BlockbusterShare@50", "Gini@10", "MeanRank")
    model = computed([MRR(20)], metrics=names, keep="pareto").model
    for seen in model.evaluations_:
        assert set(seen) == {"iteration", "epoch", "validation", *names}
        assert seen["validation"] > 0.0 and seen["Recall@5"] >= 0.0 and seen["BlockbusterShare@50"] <= 0.0
        assert seen["MeanRank"] < -1.0
    assert model.kept_ and set(model.kept_[0]["scores"]) == {"validation", *names}
    with pytest.raises(ValueError, match="unknown metric 'Recal@5'"):
        computed([MRR(20)], metrics=("Recal@5",))


def test_a_primary_metric_where_lower_is_better_is_turned_for_the_fit_and_back_for_the_record():
    done = computed([MeanRank()])
    assert all(record["validation"] < -1.0 for record in done.model.curve_)
    assert done.validation == -max(record["validation"] for record in done.model.curve_)


def test_evaluations_inside_an_epoch_are_told_and_epochs_keep_their_records():
    records = []
    done = computed([MRR(20)], records, evaluations=Linear(unit="iterations", every=1))
    told = [record["event"] for record in records]
    assert told.count("epoch") == 2 and told.count("evaluation") == done.model.iterations_ > 2
    assert [record["epoch"] for record in done.model.curve_] == [1, 2]


@dataclass
class Resumed(Popularity):
    """A model whose first two epochs an earlier process computed."""

    def fit(self, train, run):
        self.resumed_from_ = 2
        self.curve_ = [{"epoch": epoch, "seconds": 1000.0 * epoch} for epoch in (1, 2, 3)]
        return super().fit(train, run)


def test_the_seconds_of_a_fit_include_the_epochs_before_a_resume():
    cell = Cell(EXPERIMENT, "Resumed", Resumed(), 0)
    done = compute(cell, prepare(EXPERIMENT, None), metrics=[MRR(20)], device="cpu", checkpoint=None, log=print)
    assert 3000.0 < done.seconds["fit"] < 3900.0, "epochs 1 and 2; epoch 3 is part of this fit's own time"
    assert done.seconds["score"] < 900.0


def test_limits_and_clocks_are_caveats():
    ended = SimpleNamespace(stopped_="patience", epochs_=7, best_epoch_=4, repeatable_=True)
    assert _training_caveats(ended) == [] == _training_caveats(SimpleNamespace())
    ended.stopped_ = "epoch limit"
    assert _training_caveats(ended) == ["NOT CONVERGED: stopped by its limit of 7 epochs (best epoch 4)"]
    ended.stopped_ = "iteration limit"
    assert _training_caveats(ended) == ["NOT CONVERGED: stopped by its iteration limit in epoch 7 (best epoch 4)"]
    ended.stopped_, ended.repeatable_ = "time limit", False
    assert [caveat.split(":")[0] for caveat in _training_caveats(ended)] == ["NOT CONVERGED", "NOT REPEATABLE"]
