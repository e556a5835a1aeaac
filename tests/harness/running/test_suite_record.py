"""The suite's record when several runs write it: no run removes what another has entered."""

from types import SimpleNamespace

import pytest

from evaluation.results.suite_results import read_suite
from harness.running.plan import make_plan
from harness.running.session import run_session
from harness.running.suite_record import SuiteRecord
from harness.store import Store
from harness.suites.overrides import Overrides
from harness.suites.request import RunRequest

TWO = """
from dataclasses import dataclass
from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import MRR
from harness.spec import Experiment, Suite
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import PerUserFractions


@dataclass
class Breaking(Popularity):
    def fit(self, train, run):
        raise RuntimeError("it broke")


SPLIT = PerUserFractions(train=0.8, validation=0.1, test=0.1)
SUITE = Suite(name="two", title="Two", seeds=[0], metrics=[MRR(5)], experiments=[
    Experiment(MarkovChainSequences(num_users=20, num_items=15, length=12), SPLIT, {"Breaking": Breaking()}),
    Experiment(MarkovChainSequences(num_users=20, num_items=16, length=12), SPLIT, {"Popularity": Popularity()})])
"""


def test_a_record_is_written_at_most_once_a_second(monkeypatch):
    clock, written = iter([0.0, 0.0, 0.4, 0.9, 1.1, 1.1, 1.5]), []

    class Counting(SuiteRecord):
        def _write(self):
            written.append(len(written))
            self._written[0] = timer.monotonic()

    timer = SimpleNamespace(monotonic=lambda: next(clock))
    monkeypatch.setattr("harness.running.suite_record.time", timer)
    record = Counting(None, None)
    for _ in range(5):  # at 0.0, 0.4, 0.9, 1.1 and 1.5 s
        record.done(None, None)
    assert len(written) == 2


@pytest.mark.parametrize("first", ["Breaking", "Popularity"])
def test_a_run_of_other_cells_keeps_a_failure_and_a_result(tmp_path, first):
    path = tmp_path / "two.py"
    path.write_text(TWO)
    store = Store.open(tmp_path / "results")
    second = {"Breaking": "Popularity", "Popularity": "Breaking"}[first]
    plans = [make_plan(RunRequest(str(path), store.root, overrides=Overrides(only=model)).load(), store)
             for model in (first, second)]  # fmt: skip
    for plan in reversed(plans):  # the first was made when the data of the second were not known yet
        run_session(plan, store)
    found = read_suite(store.root, "two")
    assert [cell.model for cell in found.cells] == ["Popularity"]
    (failure,) = found.failures
    assert (failure.model, failure.state) == ("Breaking", "FAILED") and "it broke" in failure.reason
