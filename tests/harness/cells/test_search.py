"""Searches of a tuned suite, with models that log their calls: repeated, interrupted, failing, shared, refused."""

import json
import multiprocessing
import os
from pathlib import Path

import pytest

from evaluation.ranking.rank_table import RankTable
from evaluation.results.suite_results import read_suite
from evaluation.results.tuning_results import LEDGER_FILE
from harness.cells.keys import search_key
from harness.cells.run_cell import CellJob, run_cell
from harness.running.plan import make_plan
from harness.running.session import run_session
from harness.running.verify import certify
from harness.store import Store
from harness.suites.overrides import Overrides
from harness.suites.request import RunRequest

SUITE = '''
import os, signal
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar
from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import MRR
from harness.spec import Experiment, Suite
from harness.tuning import Choice, Tuning, Uniform
from recsys_data.protocols.per_user import PerUserFractions
from recsys_data.generated.markov_chain import MarkovChainSequences


@dataclass
class Noisy(Popularity):
    """Popularity with noise: seeds differ, and every call is told to a file."""

    deterministic: ClassVar[bool] = False
    noise: float = 0.0
    how: str = "work"

    def tell(self, word):
        with Path(os.environ["ENCORE_TEST_CALLS"]).open("a") as file:
            file.write(word + "\\n")

    def fit(self, train, run):
        self.tell("fit")
        if self.how == "raise" or self.noise > 50:
            raise ValueError("it broke")
        super().fit(train, run)
        self.counts_ = self.counts_ + self.noise * run.generator("noise").random(len(self.counts_))
        if self.how == "nan":
            self.counts_[0] = float("nan")
        if os.environ.get("ENCORE_TEST_DIE") == str(Path(os.environ["ENCORE_TEST_CALLS"]).read_text().count("fit")):
            os.kill(int(os.environ["ENCORE_TEST_RUN"]), signal.SIGKILL)
            signal.pause()  # the worker ends with the run
        return self

    def score(self, batch):
        self.tell(f"score {len(batch.query_positions)}")
        return super().score(batch)


CHAIN = MarkovChainSequences(num_users=20, num_items=15, length=20)
SPACE = {"noise": Uniform(0.0, 30.0)}
SUITE = Suite(name="noisy", title="Noisy", seeds=[0, 1], metrics=[MRR(5)], experiments=[
    Experiment(CHAIN, PerUserFractions(train=0.7, validation=0.1, test=0.2), {"Noisy": Noisy(), "Other": Noisy(1.0)},
               tuning=Tuning(TRIALS, {"Noisy": SPACE}))])
'''
SETTINGS = {"TRIALS": "4"}


class Runs:
    """Runs of the suite in stores of their own."""

    def __init__(self, folder, patch):
        self.folder, self.calls = folder, folder / "calls"
        patch.setenv("ENCORE_TEST_CALLS", str(self.calls))

    def order(self, name="a", sets=(), only="", **changes):
        text = SUITE
        for old, new in {**SETTINGS, **changes}.items():
            text = text.replace(old, new)
        path = self.folder / str(abs(hash(text))) / "noisy.py"  # one name: it is part of the hash of the model's code
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        return RunRequest(str(path), self.folder / name, overrides=Overrides(sets=tuple(sets), only=only))

    def run(self, order, jobs=1, fresh=False):
        """Everything that is to do; what was called, a list of words."""
        self.calls.write_text("")
        store = Store.open(order.results)
        made = make_plan(order.load(), store, fresh=fresh)
        run_session(made, store, jobs=jobs, fresh=fresh)
        return self.calls.read_text().split("\n")[:-1]


@pytest.fixture
def runs(tmp_path, monkeypatch):
    return Runs(tmp_path, monkeypatch)


def ledgers(order):
    """All trials of a store without their times."""
    paths = sorted((order.results / "tuning").glob(f"*/{LEDGER_FILE}"))
    untimed = ("seconds", "finished", "sha256")
    return [[{k: v for k, v in json.loads(line).items() if k not in untimed} for line in path.read_text().splitlines()]
            for path in paths]  # fmt: skip


def ranks(order):
    return {
        (c.model, c.seed): RankTable.read(c.folder / "ranks.parquet").greater.tolist()
        for c in read_suite(order.results, "noisy").cells
    }


def test_a_model_is_searched_once_and_every_seed_runs_with_what_was_chosen(runs):
    order = runs.order()
    assert runs.run(order).count("fit") == 4 + 2 + 2
    (trials,) = ledgers(order)
    assert [trial["trial"] for trial in trials] == [0, 1, 2, 3]
    best = max(trials, key=lambda trial: trial["validation"])
    for cell in read_suite(order.results, "noisy").cells:
        tuning = cell.record.get("tuning")
        if cell.model == "Other":
            assert tuning is None and cell.search is None and cell.record["model_fields"]["noise"] == 1.0
            continue
        assert cell.record["model_fields"]["noise"] == best["fields"]["noise"] == tuning["chosen"]["noise"]
        assert (tuning["trials"], tuning["failed"], tuning["trial"]) == (4, 0, best["trial"])
        assert tuning["validation"] == best["validation"]
        assert cell.search.best["point"] == best["point"] and cell.search.record["key"] == tuning["search"]
    assert runs.run(order) == []


def test_trials_are_asked_about_the_validation_part_and_nothing_else(runs):
    order = runs.order(only="Noisy")
    calls = runs.run(runs.order(only="Noisy"))
    loaded = order.load()
    split = loaded.prepare(loaded.cells[0]).split
    validation, test = f"score {len(split.validation)}", f"score {len(split.test)}"
    assert validation != test
    assert calls == ["fit", validation] * 4 + ["fit", validation, test] * 2


def test_two_stores_agree_to_the_bit_and_so_do_two_jobs(runs):
    first, second, third = (runs.order(name) for name in "abc")
    runs.run(first)
    runs.run(second)
    assert runs.run(third, jobs=2).count("fit") == 8
    assert ledgers(first) == ledgers(second) == ledgers(third)
    assert ranks(first) == ranks(second) == ranks(third)


def test_killed_in_its_third_trial_it_goes_on_with_the_third(runs, monkeypatch):
    calm, killed = runs.order("calm"), runs.order("killed")
    runs.run(calm)
    monkeypatch.setenv("ENCORE_TEST_DIE", "3")

    def run():
        monkeypatch.setenv("ENCORE_TEST_RUN", str(os.getpid()))
        runs.run(killed)

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join(60)
    assert process.exitcode == -9
    assert ledgers(killed)[0] == ledgers(calm)[0][:2]
    monkeypatch.delenv("ENCORE_TEST_DIE")
    store = Store.open(killed.results)
    whys = [p.why for p in make_plan(killed.load(), store).cells]
    assert whys[0].endswith("2 of 4 trials first") and whys[1].endswith("after the search of 4 trials")
    assert runs.run(killed).count("fit") == 2 + 2 + 2
    assert ledgers(killed) == ledgers(calm) and ranks(killed) == ranks(calm)


def test_a_trial_that_fails_is_a_line_and_the_search_goes_on(runs):
    order = runs.order(SPACE="SPACES", TRIALS="9")
    text = Path(order.suite).read_text().replace(
        'SPACES = {"noise": Uniform(0.0, 30.0)}', 'SPACES = {"how": Choice("work", "raise", "nan")}')  # fmt: skip
    Path(order.suite).write_text(text)
    calls = runs.run(order)
    (trials,) = ledgers(order)
    reasons = {trial["fields"]["how"]: trial["reason"] for trial in trials}
    assert reasons["work"] == "" and reasons["raise"] == "it broke" and "NaN" in reasons["nan"]
    assert {t["state"] for t in trials if t["fields"]["how"] != "work"} == {"FAILED"}
    assert calls.count("fit") == 3 + 2 + 2, "an option drawn again is not fitted again"
    for trial in trials:
        if "same_as" in trial:
            assert trials[trial["same_as"]]["point"] == trial["point"]
            assert trials[trial["same_as"]]["validation"] == trial["validation"]
    cell = read_suite(order.results, "noisy").cells[0]
    assert cell.record["tuning"]["failed"] == sum(t["state"] == "FAILED" for t in trials) > 0


def test_where_all_trials_fail_the_cells_fail_with_the_first_reason(runs):
    order = runs.order(**{"Uniform(0.0, 30.0)": "Uniform(60.0, 90.0)"})
    calls = runs.run(order)
    results = read_suite(order.results, "noisy")
    assert {cell.model for cell in results.cells} == {"Other"}
    assert {f.reason.partition(" (in ")[0] for f in results.failures} == {
        "none of the 4 trials of Noisy gave a validation score; the first failed with: it broke"
    }
    assert calls.count("fit") == 4 + 2


def test_a_search_that_another_process_does_is_waited_for(runs):
    order = runs.order()
    store, loaded = Store.open(order.results), order.load()
    planned = make_plan(loaded, store).cells[0]
    runs.calls.write_text("")
    with store.lock(search_key(planned.parts)):
        assert run_cell(CellJob(order, 0, planned.key, planned.parts)).state == "BUSY"
    assert runs.calls.read_text() == ""
    assert run_cell(CellJob(order, 0, planned.key, planned.parts)).state == "DONE"


def test_fresh_does_the_search_again_once(runs):
    order = runs.order()
    runs.run(order)
    planned = make_plan(order.load(), Store.open(order.results), fresh=True).cells
    assert planned[0].estimate.seconds == pytest.approx(5 * planned[1].estimate.seconds), "four trials and its own fit"
    before = ledgers(order)
    assert runs.run(order, fresh=True).count("fit") == 8
    assert ledgers(order) == before


def test_the_key_of_a_search_is_all_but_the_seed(runs):
    def keys(order):
        planned = make_plan(order.load(), Store.open(order.results)).cells
        tuned = [p for p in planned if p.cell.model_name == "Noisy"]
        assert len({p.key for p in planned}) == 4
        (search,) = {search_key(p.parts) for p in tuned}
        return search, planned[-1].key

    first, other = keys(runs.order())
    changes = [{"TRIALS": "5"}, {"30.0": "31.0"}, {"0.7, validation=0.1": "0.6, validation=0.2"},
               {"Noisy()": "Noisy(how='works')"}]  # fmt: skip
    changed = [keys(runs.order(**change)) for change in changes]
    assert len({first, *(search for search, _ in changed)}) == 5
    assert [untuned == other for _, untuned in changed] == [True, True, False, True]


def test_a_field_that_is_set_is_not_searched(runs):
    order = runs.order(sets=["Noisy.noise=2"])
    assert runs.run(order).count("fit") == 4
    found = read_suite(order.results, "noisy@Noisy.noise=2").cells
    assert {c.record["model_fields"]["noise"] for c in found} == {1.0, 2.0}
    assert not (order.results / "tuning").exists()


def test_without_a_validation_part_the_plan_refuses(runs):
    order = runs.order(**{"train=0.7, validation=0.1": "train=0.8, validation=0.0"})
    planned = make_plan(order.load(), Store.open(order.results)).cells
    assert [p.state for p in planned] == ["refused", "refused", "new", "new"]
    assert planned[0].why == (
        "Noisy cannot be tuned: per-user 80/0/20 leaves no validation part of markov-20x15; use a protocol with a "
        "validation part, or do not tune the model"
    )


def test_a_tuned_cell_is_certified_with_its_fields(runs):
    order = runs.order()
    runs.run(order)
    runs.calls.write_text("")
    record = json.loads(certify(order).read_text())
    assert {cell["state"] for cell in record["cells"]} == {"same"}
    assert runs.calls.read_text().count("fit") == 4, "the search is not repeated"
