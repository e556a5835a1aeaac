import errno
import functools
import sys
from collections import Counter

import pytest

from harness.cells.keys import cell_parts, key_of
from harness.cells.progress import progress_writer
from harness.cells.run_cell import CellJob, PlanChanged, run_cell
from harness.running.plan import PlanContext, make_plan
from harness.store import Store, StoreUnusable
from harness.suites.overrides import Overrides
from harness.suites.request import LoadedSuite, RunRequest
from tests.stored_records import write_sealed


@pytest.fixture(autouse=True)
def no_reference_timings(monkeypatch):
    """Estimates from the store alone."""
    made = {"speed": 1.0, "records": [], "kernels": {}, "run": {"event": 0.0}}
    monkeypatch.setattr("harness.running.estimates.reference_timings", lambda: made)


@pytest.fixture
def loaded(tiny_suite, tmp_path):
    """The tiny suite opened with some overrides, and an empty store."""

    def opened(**overrides):
        return RunRequest(str(tiny_suite), tmp_path / "results", overrides=Overrides(**overrides)).load()

    return opened, Store.open(tmp_path / "results")


def store_cell(store, planned, parts, **changes):
    """Put a finished cell's record into the store by hand."""
    record = {
        "key": planned.key, **planned.cell.labels, "key_parts": parts, "model_fields": parts["model fields"],
        "device": "cpu",
        "seconds": {"fit": 30.0, "score": 10.0}, "counts": {"train_events": 400, "test_queries": 100},
        "peak_memory_mb": 123.0, "finished": "2030-01-01T00:00:00Z", **changes,
    }  # fmt: skip
    store.commit(planned.key, lambda folder: write_sealed(folder / "cell.json", record))


def parts_of(loaded, index):
    return cell_parts(loaded, index, loaded.prepare(loaded.cells[index]))


@pytest.mark.parametrize("overrides", [{}, {"seeds": (3, 0, 11)}, {"only": "GRU"}, {"limit_users": 20}])
def test_the_keys_of_a_plan_are_those_of_each_cell_alone(loaded, overrides):
    opened, store = loaded
    suite = opened(**overrides)
    for planned in make_plan(suite, store).cells:
        known = None if planned.state == "left out" else suite.prepare(planned.cell)
        parts = cell_parts(suite, planned.index, known)
        assert list(planned.parts.items()) == list(parts.items())
        assert planned.key == ("" if known is None else key_of(parts))


def test_the_seeds_of_a_model_share_what_does_not_depend_on_them(loaded, monkeypatch):
    opened, store = loaded
    suite, calls = opened(seeds=tuple(range(5))), Counter()
    for place in ("harness.cells.keys.cell_parts", "harness.running.plan.runs_alone"):
        module, _, name = place.rpartition(".")
        monkeypatch.setattr(place, functools.partial(counted, calls, getattr(sys.modules[module], name)))
    plan = make_plan(suite, store)
    assert len(plan.to_do) == 1 + 5 and calls == {"cell_parts": 2, "runs_alone": 2}  # Popularity and GRU


def test_left_out_cells_of_an_experiment_look_for_its_data_once(loaded, monkeypatch):
    opened, store = loaded
    suite, calls = opened(only="Popularity"), Counter()
    before = functools.partial(counted, calls, LoadedSuite.prepared_before)
    monkeypatch.setattr(LoadedSuite, "prepared_before", lambda self, cell: before(self, cell))
    assert [p.state for p in make_plan(suite, store).cells] == ["new", "left out", "left out"]
    assert calls == {"prepared_before": 1}


def counted(calls, function, *args):
    """Call a function, and count it."""
    calls[function.__name__] += 1
    return function(*args)


def test_cells_come_in_the_suites_order_and_are_new_at_first(loaded):
    opened, store = loaded
    plan = make_plan(opened(), store)
    assert [(p.cell.model_name, p.cell.seed) for p in plan.cells] == [("Popularity", 0), ("GRU", 0), ("GRU", 1)]
    assert {p.state for p in plan.cells} == {"new"}
    assert {p.why for p in plan.cells} == {"never computed"}
    assert len({p.key for p in plan.cells}) == 3
    cost = plan.cost(jobs=2)
    assert (cost.cells, cost.known, cost.seconds) == (3, 0, 0.0)
    assert cost.unknown == {"Popularity": 1, "GRU": 2}


def test_a_stored_cell_is_cached_and_estimates_the_others(loaded):
    opened, store = loaded
    first = make_plan(opened(), store)
    store_cell(store, first.cells[1], parts_of(opened(), 1))
    plan = make_plan(opened(), store)
    assert [p.state for p in plan.cells] == ["new", "cached", "new"]
    sizes = opened().prepare(opened().cells[0]).sizes
    estimate = plan.cells[2].estimate
    ranked = sizes["test_queries"] + sizes["validation_queries"]
    assert estimate.seconds == pytest.approx(30.0 * sizes["train_events"] / 400 + 10.0 * ranked / 100)
    assert estimate.memory_mb == 123.0
    assert estimate.basis == "measured on these data, 1 run"
    assert plan.cells[0].estimate.seconds is None, "no popularity cell was ever run"
    assert plan.cells[0].estimate.basis == "no Popularity has been run on cpu"
    assert [p.state for p in make_plan(opened(), store, fresh=True).cells] == ["new", "new", "new"]


def test_another_field_makes_it_stale_and_says_so(loaded):
    opened, store = loaded
    first = make_plan(opened(), store)
    for planned in first.cells:
        store_cell(store, planned, parts_of(opened(), planned.index))
    plan = make_plan(opened(sets=("GRU.dim=16",)), store)
    assert [p.state for p in plan.cells] == ["cached", "stale", "stale"]
    assert plan.cells[1].why == "changed: model fields: dim 8 → 16"
    limited = make_plan(opened(limit_users=20), store)
    assert limited.cells[0].state == "stale"
    assert "data" in limited.cells[0].why
    assert "caveats" in limited.cells[0].why


def test_a_cell_of_another_protocol_of_the_suite_is_no_earlier_form(tiny_suite, tmp_path):
    lines = [line for line in tiny_suite.read_text().splitlines() if not line.startswith("    claims=")]
    place = next(n for n, line in enumerate(lines) if line.startswith("    experiments="))
    first, store = lines[place], Store.open(tmp_path / "results")
    second = first.replace("train=0.8, validation=0.1", "train=0.7, validation=0.2")
    assert second != first

    def plan(line):
        path = tmp_path / f"tiny_{len(line)}_{'0.7' in line}.py"
        path.write_text("\n".join([*lines[:place], line, *lines[place + 1 :]]))
        suite = RunRequest(str(path), tmp_path / "results").load()
        return suite, make_plan(suite, store).cells

    suite, cells = plan(first)
    for planned in cells:
        store_cell(store, planned, parts_of(suite, planned.index))
    assert {(p.state, p.why[:24]) for p in plan(second)[1]} == {("stale", "changed: split; protocol")}
    _, both = plan(f"{first[:-2]}, {second.partition('[')[2]}")
    assert [(p.state, p.why) for p in both] == [("cached", "")] * 3 + [("new", "never computed")] * 3


def test_the_difference_told_is_that_to_the_nearest_stored_cell(loaded):
    opened, store = loaded
    for overrides in ({"sets": ("GRU.dim=16",)}, {"limit_users": 20}):
        other = make_plan(opened(**overrides), store)
        store_cell(store, other.cells[1], parts_of(opened(**overrides), 1))
    assert make_plan(opened(), store).cells[1].why == "changed: model fields: dim 16 → 8"


def test_only_leaves_the_others_out_and_seeds_add_cells(loaded):
    opened, store = loaded
    plan = make_plan(opened(only="GRU", seeds=(0, 1, 2)), store)
    assert [p.state for p in plan.cells] == ["left out", "new", "new", "new"]
    assert plan.cells[3].command.endswith("--only markov-30x25/GRU --seeds 3"), "in the record of these three seeds"
    own = make_plan(opened(only="GRU", seeds=(1,)), store)
    assert [p.state for p in own.cells] == ["left out", "left out", "new"], "seeds of the suite select"
    assert own.cells[2].command.endswith("--only markov-30x25/GRU --seeds 1,")


def test_missing_data_are_skipped_and_damaged_data_refused(loaded, tiny_suite, tmp_path):
    _, store = loaded
    text = tiny_suite.read_text().replace(
        "CHAIN = ", "from recsys_data.datasets.movielens import MovieLens100K\nOLD = "
    )
    suite = tiny_suite.with_name("movielens.py")
    suite.write_text(text.replace("CHAIN", "MovieLens100K()"))
    data = tmp_path / "data"
    (data / "ml-100k").mkdir(parents=True)
    (data / "ml-100k" / "u.data").write_text("1\t2\t3\tnot a time\n")
    plan = make_plan(RunRequest(str(suite), store.root, data).load(), store)
    assert {p.state for p in plan.cells} == {"refused"}
    assert "u.data" in plan.cells[0].why
    assert "Traceback" in plan.cells[0].failure.trace


def test_a_data_set_with_a_mistake_is_refused_and_a_full_disk_ends_the_plan(loaded, monkeypatch):
    opened, store = loaded

    def mistaken(self, folder=None):
        raise KeyError("users")

    monkeypatch.setattr("recsys_data.generated.markov_chain.MarkovChainSequences.load", mistaken)
    plan, line = make_plan(opened(), store), mistaken.__code__.co_firstlineno + 1
    assert {(p.state, p.why) for p in plan.cells} == {
        ("refused", f"KeyError: 'users' (in tests/harness/running/test_plan.py, line {line}, mistaken)")
    }
    assert "Traceback" in plan.cells[0].failure.trace

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")  # of a file that was open: it has no name

    monkeypatch.setattr("harness.suites.request.prepare", full)
    with pytest.raises(StoreUnusable, match="no space left for results"):
        make_plan(opened(), store)


def test_a_suite_that_loses_cells_while_it_runs_is_told(loaded):
    opened, _ = loaded
    job = CellJob(opened().request, 3, "k", {})
    with pytest.raises(PlanChanged, match="changed while this run was under way: it has fewer cells; run again"):
        run_cell(job)


def test_a_failure_and_a_checkpoint_are_spoken_of(loaded):
    opened, store = loaded
    first = make_plan(opened(), store)
    store.commit_failure(first.cells[0].key, {"reason": "it broke"}, "trace")
    partial = store.partial(first.cells[1].key)
    progress_writer(partial)({"event": "epoch", "epoch": 2})
    with (partial / "progress.jsonl").open("a") as file:
        file.write('{"event": "epo')
    plan = make_plan(opened(), store)
    assert plan.cells[0].why == "FAILED before: it broke"
    assert plan.cells[1].why == "never computed; resumes from a checkpoint after epoch 2"
    store.commit_failure(first.cells[0].key, {"state": "TIMEOUT", "reason": "it ran too long"}, "")
    assert make_plan(opened(), store).cells[0].why == "TIMEOUT before: it ran too long"


ABSENT = """
from dataclasses import dataclass

from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import MRR
from harness.spec import Experiment, Suite
from recsys_data.fetching.errors import DataMissing
from recsys_data.protocols.per_user import LeaveLastOut, PerUserFractions

ASKED = []


@dataclass(frozen=True)
class Absent:
    part: str
    name = property(lambda self: f"absent-{self.part}")
    source = "the one file"

    def load(self, folder):
        ASKED.append(self.part)
        raise DataMissing("absent: the one file not found; put it there by hand")


MODELS = {"Popularity": Popularity(), "Popularity again": Popularity()}
SUITE = Suite(
    name="absent", title="Absent", seeds=range(1), metrics=[MRR(20)],
    experiments=[Experiment(Absent(p), rule, MODELS) for p in "ab" for rule in (LeaveLastOut(), PerUserFractions())],
)
"""


@pytest.mark.parametrize("limit_users", [None, 5])
def test_files_that_are_missing_are_looked_for_once_a_plan(tmp_path, limit_users):
    path = tmp_path / f"absent_{limit_users}.py"
    path.write_text(ABSENT)
    loaded = RunRequest(str(path), tmp_path / "results", overrides=Overrides(limit_users=limit_users)).load()
    plan = make_plan(loaded, Store.open(tmp_path / "results"))
    assert [p.state for p in plan.cells] == ["skipped"] * 8
    assert {p.why for p in plan.cells} == {"absent: the one file not found; put it there by hand"}
    assert sys.modules[f"user_suite_absent_{limit_users}"].ASKED == ["a"]


def test_a_cell_of_two_suites_is_computed_by_the_first(loaded, tiny_suite):
    opened, store = loaded
    twin = tiny_suite.with_name("twin.py")
    twin.write_text(tiny_suite.read_text().replace('name="tiny"', 'name="twin"'))
    other = RunRequest(str(twin), store.root).load()
    shared = PlanContext()
    first = make_plan(opened(only="GRU"), store, context=shared)
    second = make_plan(other, store, context=shared)
    assert [p.state for p in second.cells] == ["new", "shared", "shared"]
    assert second.cells[1].why == "tiny computes it"
    assert second.cost(1).cells == 1
    store_cell(store, first.cells[1], parts_of(opened(), 1))
    store_cell(store, first.cells[2], parts_of(opened(), 2))
    again = make_plan(other, store, fresh=True, context=shared)
    assert [p.state for p in again.cells][1:] == ["cached", "cached"], "--fresh does not compute a cell twice"
    assert [p.state for p in make_plan(other, store, fresh=True).cells] == ["new", "new", "new"]


def test_two_names_of_one_cell_cost_it_once(tiny_suite, tmp_path):
    path = tiny_suite.with_name("two_names.py")
    path.write_text(tiny_suite.read_text().replace("MODELS = {", 'MODELS = {"Same": Popularity(), '))
    plan = make_plan(RunRequest(str(path), tmp_path).load(), Store.open(tmp_path))
    assert plan.cells[0].key == plan.cells[1].key
    assert plan.cells[1].estimate.seconds == 0.0
    assert plan.cost(1).unknown["Popularity"] == 1


def test_a_plan_that_is_only_shown_fetches_nothing(tiny_suite, tmp_path, monkeypatch):
    text = tiny_suite.read_text().replace(
        "CHAIN = ", "from recsys_data.datasets.movielens import MovieLens100K\nOLD = "
    )
    path = tiny_suite.with_name("fetchable.py")
    path.write_text(text.replace("CHAIN", "MovieLens100K()"))
    loaded = RunRequest(str(path), tmp_path / "results", tmp_path / "data").load()
    monkeypatch.delenv("ENCORE_OFFLINE", raising=False)
    monkeypatch.setattr("recsys_data.fetching.source.Source.fetch", None)  # a call would be a TypeError
    plan = make_plan(loaded, Store.open(tmp_path / "results"), context=PlanContext(fetch=False))
    assert {p.state for p in plan.cells} == {"to fetch"}
    assert "and a run fetches it; put it there by hand" in plan.cells[0].why
    monkeypatch.setenv("ENCORE_OFFLINE", "1")
    offline = make_plan(loaded, Store.open(tmp_path / "results"), context=PlanContext(fetch=False))
    assert {p.state for p in offline.cells} == {"skipped"}
    assert "and ENCORE_OFFLINE forbids downloads; put it there by hand" in offline.cells[0].why
    assert "https://files.grouplens.org/datasets/movielens/ml-100k.zip" in plan.cells[0].why
    monkeypatch.setenv("ENCORE_OFFLINE", "1")
    plan = make_plan(loaded, Store.open(tmp_path / "results"), context=PlanContext(fetch=False))
    assert {p.state for p in plan.cells} == {"skipped"}


def test_editing_a_model_beside_the_suite_makes_its_cell_stale(tmp_path, tiny_text, monkeypatch):
    from harness.suites import request

    beside = tmp_path / "beside_tiny.py"
    beside.write_text(
        "from dataclasses import dataclass\nfrom baselines.simple.popularity import Popularity\n\n\n"
        '@dataclass\nclass Beside(Popularity):\n    """Mine."""\n\n    power: float = 1.0\n'
    )
    path = tmp_path / "with_beside.py"
    path.write_text(
        "from beside_tiny import Beside\n"
        + tiny_text.replace('{"Popularity": Popularity()', '{"B": Beside()')
        .replace('["Popularity"]', '["B"]')
        .replace('worse="Popularity"', 'worse="B"')
    )
    store = Store.open(tmp_path / "results")
    asked = RunRequest(str(path), store.root, overrides=Overrides(only="B"))
    first = make_plan(asked.load(), store).to_do[0]
    store_cell(store, first, first.parts)
    assert make_plan(asked.load(), store).cells[0].state == "cached"
    beside.write_text(beside.read_text().replace("power: float = 1.0", "power: float = 2.0"))
    monkeypatch.setattr(request, "_source_hashes", {})  # as a new process begins
    request._load.cache_clear()
    again = make_plan(asked.load(), store).cells[0]
    assert (again.state, again.why) == ("stale", "changed: code: beside_tiny.py")
