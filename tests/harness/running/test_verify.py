"""The determinism certificate of a small suite: equal bits, a changed bit, a stale cell."""

import dataclasses
import json

import numpy as np
import pytest

from evaluation.metrics.accuracy import MRR
from evaluation.metrics.sums_file import write_sums
from evaluation.results.suite_results import read_suite
from harness.running.plan import make_plan
from harness.running.session import run_session
from harness.running.verify import certify
from harness.store import Store, write_record
from harness.suites.overrides import Overrides
from harness.suites.request import RunRequest
from recsys_data.sealed_json import sha256

SUITE = """
from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import MRR
from harness.spec import Experiment, Suite
from recsys_data.protocols.per_user import PerUserFractions
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_models.rnn import GRU

MODELS = {"Popularity": Popularity(), "GRU": GRU(dim=4, epochs=2, max_len=8, batch_size=8)}
SUITE = Suite(name="tiny", title="Tiny", seeds=[0], metrics=[MRR(5)],
              experiments=[Experiment(MarkovChainSequences(num_users=20, num_items=15, length=12),
                                      PerUserFractions(train=0.8, validation=0.1, test=0.1), MODELS)])
"""


@pytest.fixture
def run_request(tmp_path):
    path = tmp_path / "tiny_suite.py"
    path.write_text(SUITE)
    run_request = RunRequest(str(path), tmp_path / "results")
    store = Store.open(run_request.results)
    plan = make_plan(run_request.load(), store)
    run_session(plan, store)
    return run_request


def states(path):
    record = json.loads(path.read_text())
    return {cell["model"]: (cell["state"], cell["reason"]) for cell in record["cells"]}


def test_it_certifies_what_is_the_same_and_names_what_is_not(run_request):
    told = []
    path = certify(run_request, on_cell=told.append)
    assert states(path) == {"Popularity": ("same", ""), "GRU": ("same", "")}
    assert [row["model"] for row in told] == ["GRU", "Popularity"]  # in the opposite order
    assert path == run_request.results / "suites" / "tiny" / "certificate.json"
    assert not list((run_request.results / "partial").glob("verify-*"))

    gru = next(cell for cell in read_suite(run_request.results, "tiny").cells if cell.model == "GRU")
    greater = np.array(gru.ranks.greater)
    greater[3] = 0 if greater[3] else 1
    write(gru, ranks=dataclasses.replace(gru.ranks, greater=greater))
    state, reason = states(certify(run_request))["GRU"]
    assert state == "different"
    assert reason == f"greater: first at row 3, {greater[3]} before, {gru.ranks.greater[3]} again"

    curve = [*gru.curve[:-1], gru.curve[-1] | {"loss": gru.curve[-1]["loss"] + 1e-9}]
    write(gru, curve=curve)
    state, reason = states(certify(run_request))["GRU"]
    assert (state, reason.partition(":")[0]) == ("different", f"the curve's record {len(curve)}")
    write(gru, curve=curve[:1])
    assert states(certify(run_request))["GRU"] == ("different", f"the curve: 1 epochs before, {len(curve)} again")

    write(gru, sums_of=dataclasses.replace(gru.ranks, greater=greater))
    assert states(certify(run_request))["GRU"] == (
        "different", "sums.parquet: the sums of MRR@5 are not those of ranks.parquet")  # fmt: skip
    write(gru, metrics={"MRR@5": gru.metrics["MRR@5"] + 1e-12})
    state, reason = states(certify(run_request))["GRU"]
    assert (state, reason.partition(" is ")[0]) == ("different", "metrics: MRR@5")


def write(cell, *, ranks=None, sums_of=None, curve=None, metrics=None):
    """Store a cell with other contents, sealed as if they had been computed."""
    ranks = ranks or cell.ranks
    ranks.write(cell.folder / "ranks.parquet")
    write_sums(cell.folder, sums_of or ranks, [MRR(5)], sha256((cell.folder / "ranks.parquet").read_bytes()))
    lines = "".join(json.dumps(line) + "\n" for line in curve or cell.curve)
    (cell.folder / "curve.jsonl").write_text(lines)
    write_record(cell.folder / "cell.json", cell.record | {"metrics": metrics or {"MRR@5": MRR(5).measure(ranks)}})


@pytest.mark.parametrize("name", ["ranks.parquet", "curve.jsonl", "sums.parquet"])
def test_a_cell_whose_files_are_damaged_is_told_and_the_others_are_certified(run_request, name):
    gru = next(cell for cell in read_suite(run_request.results, "tiny").cells if cell.model == "GRU")
    (gru.folder / name).write_bytes(b"half")
    found = states(certify(run_request))
    assert found["Popularity"] == ("same", "")
    assert found["GRU"][0] == "different" and f"{name} is damaged" in found["GRU"][1]


def test_a_cell_that_is_not_stored_is_told_and_none_at_all_refused(run_request):
    changed = dataclasses.replace(run_request, overrides=Overrides(("GRU.dim=5",)))
    found = states(certify(changed))
    assert found["Popularity"][0] == "same"
    assert found["GRU"][0] == "not compared"
    assert found["GRU"][1]
    with pytest.raises(ValueError, match="run the suite first"):
        certify(dataclasses.replace(run_request, results=run_request.results.with_name("empty")))
