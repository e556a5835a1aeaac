"""A row that other code computed: its key, record, certificate and report, without torch; and what is refused."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from evaluation.changes.changes import find_changes
from evaluation.changes.sides import read_side
from evaluation.results.suite_results import read_suite
from harness.running.plan import make_plan
from harness.running.session import run_session
from harness.running.verify import certify
from harness.store import Store
from harness.suites.load import SuiteNotLoadable
from harness.suites.overrides import Overrides
from harness.suites.request import RunRequest
from harness.tracking.fields import params_of, tags_of
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import PerUserFractions

ROOT = Path(__file__).resolve().parents[3]
SUITE = """
from evaluation.metrics.accuracy import MRR, Recall
from evaluation.rank_files.ranked import Ranked
from harness.spec import Experiment, Suite
from recsys_data.protocols.per_user import PerUserFractions
from recsys_data.generated.markov_chain import MarkovChainSequences

MODELS = {"Theirs": Ranked("ranks/{seed}.csv", by="other code, commit abc")%s}
SUITE = Suite(name="theirs", title="Theirs", seeds=[0, 1], metrics=[MRR(5), Recall(5)],
              experiments=[Experiment(MarkovChainSequences(num_users=20, num_items=15, length=12),
                                      PerUserFractions(train=0.8, validation=0.1, test=0.1), MODELS)])
"""
BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "torch":
            raise ImportError("torch is blocked")
sys.meta_path.insert(0, Blocked())
sys.path.insert(0, sys.argv.pop(1))
from benchmark import app
app()
"""


def split():
    data = MarkovChainSequences(num_users=20, num_items=15, length=12)
    return PerUserFractions(train=0.8, validation=0.1, test=0.1).prepare(data.load())


def write_ranks(path, seed):
    """Write random ranks of all targets; return them."""
    part = split()
    test, ranks = part.test, np.random.default_rng(seed).integers(1, 16, len(part.test.targets))
    rows = ["user,query,target,rank"]
    for query, (target, rank) in enumerate(zip(test.targets, ranks, strict=True)):  # one target per query
        rows.append(f"{part.user_ids[test.clusters[test.sequence_of[query]]]},{query},{part.item_ids[target]},{rank}")
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(rows) + "\n")
    return ranks


@pytest.fixture
def suite(tmp_path):
    for seed in (0, 1):
        write_ranks(tmp_path / "ranks" / f"{seed}.csv", seed)
    path = tmp_path / "theirs.py"
    path.write_text(SUITE % "")
    return path


def request_of(suite, folder="ranks", models="", changes=(), **fields):
    """The request of a suite with other models or changed text; a process reads a suite file once, so it is another."""
    text = (SUITE % models).replace("ranks/{seed}", f"{folder}/{{seed}}")
    for old, new in changes:
        text = text.replace(old, new)
    path = suite if text == SUITE % "" else suite.with_name(f"other{len(list(suite.parent.glob('*.py')))}.py")
    path.write_text(text.replace('name="theirs"', f'name="{path.stem}"'))
    return RunRequest(str(path), suite.parent / "results", **fields)


def run(request):
    store = Store.open(request.results)
    return run_session(make_plan(request.load(), store), store), store


def test_ranks_become_cells_like_any_other(suite):
    outcome, store = run(request_of(suite))
    assert not outcome.failed
    found = read_suite(store.root, "theirs")
    for cell in found.cells:
        ranks = write_ranks(suite.parent / "ranks" / f"{cell.seed}.csv", cell.seed)  # the same file again
        assert (cell.ranks.greater == ranks - 1).all()
        assert cell.metrics["MRR@5"] == pytest.approx(np.mean(np.where(ranks <= 5, 1 / ranks, 0)))
        assert "COMPUTED ELSEWHERE: by other code, commit abc" in cell.caveats
        assert cell.record["seconds"] == {} and cell.record["peak_memory_mb"] is None
        assert tags_of(cell.record)["computed_elsewhere_by"] == "other code, commit abc"
        assert ("model.by", "other code, commit abc") in params_of(cell.record)
    assert {planned.state for planned in make_plan(request_of(suite).load(), store).cells} == {"cached"}


def test_the_key_is_that_of_the_content(suite):
    _, store = run(request_of(suite))
    (suite.parent / "ranks").rename(suite.parent / "moved")
    moved = request_of(suite, "moved").load()
    assert [planned.state for planned in make_plan(moved, store).cells] == ["cached"] * 2
    write_ranks(suite.parent / "moved" / "1.csv", seed=2)
    plan = make_plan(moved, store).cells
    assert [planned.state for planned in plan] == ["cached", "stale"]
    assert plan[1].why.startswith("changed: ranks: ")
    (suite.parent / "moved" / "1.csv").unlink()
    assert make_plan(moved, store).cells[1].state == "stale"


def test_one_file_is_one_cell(suite):
    models = ', "Fixed": Ranked("ranks/0.csv", by="x", deterministic=True), "Log": Ranked("ranks/1.csv", by="a log")'
    request = request_of(suite, models=models)
    _, store = run(request)
    cells = read_suite(store.root, Path(request.suite).stem).cells
    assert [(cell.model, cell.seed, cell.deterministic) for cell in cells] == [
        ("Theirs", 0, False), ("Theirs", 1, False), ("Fixed", 0, True), ("Log", 0, False)]  # fmt: skip
    only = request_of(suite, models=models, overrides=Overrides(seeds=(1,))).load()
    assert [cell.model_name for cell, chosen in zip(only.cells, only.chosen, strict=True) if chosen] == [
        "Theirs", "Fixed", "Log"]  # fmt: skip


def test_the_certificate_says_what_it_cannot_verify(suite):
    request = request_of(suite)
    run(request)
    cells = json.loads(certify(request).read_text())["cells"]
    assert [cell["state"] for cell in cells] == ["not compared"] * 2
    assert cells[0]["rows"] == len(split().test.targets)
    assert cells[0]["reason"].startswith(
        "computed elsewhere by other code, commit abc: read again from 0.csv (SHA-256 "
    )
    assert cells[0]["reason"].endswith("that this program computed them cannot be verified here")


def test_a_diff_names_the_file_and_the_program_that_changed(suite):
    _, before = run(request_of(suite))
    write_ranks(suite.parent / "ranks" / "1.csv", seed=2)
    changed = request_of(suite, changes=[("commit abc", "commit def")])
    changed = dataclasses.replace(changed, results=suite.parent / "after")
    _, after = run(changed)
    changes = find_changes(read_side(before.root), read_side(after.root))
    program = "field by: other code, commit abc → other code, commit def"
    assert {cell.seed: (cell.change.value, cell.recorded) for cell in changes.cells} == {
        0: ("equal bits", (program,)), 1: ("within seed noise", ("file of ranks: other content", program))}  # fmt: skip


@pytest.mark.parametrize(("file", "reason"), [
    (None, "no rank file"), ("user,query,target,rank\n1,0,3,2\n", "differ first at line"),
    ("user,item,score\n", "has no rows"),
])  # fmt: skip
def test_a_file_that_cannot_be_used_fails_its_cell_alone(suite, file, reason):
    path = suite.parent / "ranks" / "1.csv"
    path.unlink() if file is None else path.write_text(file)
    outcome, store = run(request_of(suite))
    assert [planned.cell.seed for planned, _ in outcome.failed] == [1]
    assert reason in outcome.failed[0][1] and "(in " not in outcome.failed[0][1]
    assert [cell.seed for cell in read_suite(store.root, "theirs").cells] == [0]


def test_metrics_beyond_the_lists_fail_the_cell(suite):
    part = split()
    rows = ["query,item,score", *(f"{q},{part.item_ids[i]},{-i}" for q in range(len(part.test)) for i in range(3))]
    (suite.parent / "lists.csv").write_text("\n".join(rows) + "\n")
    models = ', "Lists": Ranked("lists.csv", by="x")'
    outcome, _ = run(request_of(suite, models=models))
    assert [reason for _, reason in outcome.failed] == [
        "MRR@5 needs more places than lists.csv lists, at most 3 items per query; choose a metric with a cut-off of at "
        "most 3, such as mrr@3"]  # fmt: skip
    request = request_of(suite, models=models, changes=[("MRR(5), Recall(5)", "MRR(3)")])
    outcome, store = run(request)
    assert not outcome.failed
    lists = read_suite(store.root, Path(request.suite).stem).cells[-1]
    assert any(caveat.startswith("KEPT TO 3: ") for caveat in lists.caveats)
    assert not run(request_of(suite, models=models, changes=[("MRR(5), Recall(5)", "MRR(2)")]))[0].failed


def test_lists_of_recommendations_are_not_made_up(suite):
    needs = [("Recall(5)]", "CatalogueCoverage(5)]"),
             ("from harness.spec", "from evaluation.metrics.lists import CatalogueCoverage\nfrom harness.spec"),
             ]  # fmt: skip
    outcome, _ = run(request_of(suite, changes=needs))
    reason = "needs each query's list of recommended items, and Theirs has the ranks of its true items only"
    assert reason in outcome.failed[0][1]


def test_its_fields_are_not_tuned(suite):
    tuned = [("MODELS)]", 'MODELS, tuning=Tuning(2, {"Theirs": {"by": Choice(("a", "b"))}}))]'),
             ("from harness.spec", "from harness.tuning import Choice, Tuning\nfrom harness.spec")]  # fmt: skip
    with pytest.raises(SuiteNotLoadable, match="tuning names 'Theirs', whose ranks other code computed; tune it there"):
        request_of(suite, changes=tuned).load()


def test_a_suite_of_files_imports_no_torch(suite):
    """Run, verify and report with torch blocked."""
    for command in ("run", "verify"):
        args = [command, str(suite), "--results", str(suite.parent / "results")]
        done = subprocess.run([sys.executable, "-c", BLOCKED, str(ROOT), *args], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert (suite.parent / "results" / "theirs" / "report.html").is_file()
    assert done.stdout.count("not compared: ") == 2
