"""Estimates of a cell's cost from measured cells: the most similar first, each with its basis."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from harness.running import estimates
from harness.running import run_cost as run_costs
from harness.running.estimates import Estimate, StoredCells
from harness.running.run_cost import run_cost, total_cost
from harness.store import Store
from harness.system import probe
from harness.system.compiled_kernels import has_compiled_kernels
from speed.reference_timings import SESSIONS
from tests.stored_records import write_sealed

GRU = {"type": "recsys_models.rnn.GRU", "dim": 8}
WIDE = {**GRU, "dim": 64}
RUN = ("worker", "forking_worker", "cell", "fork", "event", "report", "report_cell", "tracking", "tracking_cell")


@pytest.fixture
def store(tmp_path):
    return Store.open(tmp_path)


def put(store, key, dataset, split, events, fields, fit=30.0, score=10.0, queries=100, memory=500.0, device="cpu",
        epochs=None, items=50):  # fmt: skip
    """A measured cell whose folder takes 1,000 bytes a test query."""
    counts = {"train_events": events, "test_queries": queries, "items": items}
    record = {
        "key": key, "dataset": dataset, "key_parts": {"split": split}, "model_fields": fields, "device": device,
        "seconds": {"fit": fit, "score": score}, "counts": counts, "epochs": epochs,
        "peak_memory_mb": memory, "finished": key,
    }  # fmt: skip

    def write(folder):
        for length in (0, 1000 * queries):  # the record's own length is known after the first
            taken = (folder / "cell.json").stat().st_size if length else 0
            (folder / "ranks.parquet").write_bytes(b"0" * (length - taken))
            write_sealed(folder / "cell.json", record)

    store.commit(key, write)


def ask(store, fields=GRU, split="here", events=1000, queries=200, device="cpu", items=50, validation=0, code=(),
        unit="user"):  # fmt: skip
    sizes = {"train_events": events, "test_queries": queries, "validation_queries": validation}
    data = {"items": items, "events": 2 * events, "unit": unit}
    prepared = SimpleNamespace(fingerprint=split, sizes=sizes, data=data)
    parts = {"model fields": fields, "device": device, "code": dict.fromkeys(code)}
    return StoredCells.of(store).estimate(parts, prepared)


@pytest.fixture(autouse=True)
def reference(monkeypatch):
    """Timings of a machine of this one's speed, on which nothing but cells takes time."""
    made = {"speed": 100.0, "run": dict.fromkeys(RUN, 0.0), "kernels": {}, "records": []}
    for module in (estimates, run_costs):
        monkeypatch.setattr(module, "reference_timings", lambda: made)
    monkeypatch.setattr(estimates, "machine_speed", lambda folder: 100.0)
    return made


def test_nothing_is_known_of_what_was_never_run(store):
    own = {"type": "mine.Own"}
    for found, model, device in ((ask(store, own), "Own", "cpu"), (ask(store, device="cuda"), "GRU", "cuda")):
        assert (found.seconds, found.memory_mb, found.disk_mb, found.kind) == (None, None, None, "not known")
        assert (found.basis, found.unmeasured) == (f"no {model} has been run on {device}", model)
    put(store, "a", "ml-100k", "there", 500, {"type": "baselines.simple.markov.MarkovChain"})
    unknown = ask(store, own)
    assert (unknown.seconds, unknown.memory_mb) == (None, None)
    assert unknown.disk_mb == pytest.approx(0.2), "1,000 bytes a query, whatever the model"


def test_the_same_fields_on_the_same_split_come_first(store):
    put(store, "a", "ml-100k", "here", 1000, GRU, fit=30, score=10, queries=200)
    put(store, "b", "ml-100k", "here", 1000, GRU, fit=50, score=10, queries=200, memory=700)
    put(store, "c", "ml-1m", "there", 1000, GRU, fit=999)
    estimate = ask(store)
    assert estimate.seconds == pytest.approx(50.0), "the median of 40 and 60"
    assert estimate.memory_mb == 700
    assert estimate.basis == "measured on these data, 2 runs"


def test_other_data_are_scaled_fitting_by_events_and_scoring_by_queries(store):
    put(store, "a", "ml-100k", "there", 500, GRU, fit=30, score=10, queries=100)
    put(store, "b", "smoke", "tiny", 10, GRU, fit=5, score=5, queries=10)
    put(store, "c", "ml-100k", "there", 500, WIDE, fit=999)
    estimate = ask(store)
    assert estimate.seconds == pytest.approx(30 * 1000 / 500 + 10 * 200 / 100), "from ml-100k, nearer than smoke"
    assert estimate.basis == "by events from ml-100k (500), 1 run"


def test_other_fields_are_the_last_resort_and_said_to_be(store):
    put(store, "a", "ml-100k", "there", 500, WIDE, fit=30, score=10, queries=100)
    assert ask(store).basis == "other fields of GRU, by events from ml-100k (500), 1 run"
    assert ask(store).seconds == pytest.approx(60 * 601_032 / 665_600 + 20 * 8 / 64), "dim (16 dim + 1) + 600,000"
    assert ask(store, device="cuda").seconds is None, "another device was never measured"


def test_the_cost_of_many_is_bounded_by_the_longest_and_says_what_it_leaves_out(monkeypatch):
    monkeypatch.setattr(run_costs, "usable_cores", lambda: 4)
    cells = [
        Estimate(100.0, 300.0, 1.0, "x"),
        Estimate(20.0, 900.0, 2.0, "x"),
        Estimate(None, None, 4.0, "no GRU", unmeasured="GRU"),
    ]
    one, two = total_cost(cells, 1), total_cost(cells, 2)
    assert (one.seconds, one.memory_mb, one.disk_mb, one.known) == (120.0, 900.0, 7.0, 2)
    assert (two.seconds, two.memory_mb) == (100.0, 1200.0)
    assert two.unknown == {"GRU": 1}
    assert total_cost([], 1).cells == 0


EPOCHS = {"type": "recsys_models.rnn.GRU", "dim": 8, "epochs": 20, "loss": {"type": "CrossEntropy"}}


@pytest.mark.parametrize(
    ("ran", "limit", "expected"),
    [(10, 20, 10), (10, 60, 10), (10, 5, 5), (20, 60, 60), (20, 10, 10)],  # stopped early, or ended by its limit
)
def test_fits_are_scaled_by_the_epochs_to_expect(store, ran, limit, expected):
    put(store, "a", "ml-100k", "there", 1000, EPOCHS, fit=30, score=0, queries=200, epochs=ran)
    assert ask(store, EPOCHS | {"epochs": limit}).seconds == pytest.approx(30 * expected / ran)


@pytest.mark.parametrize(
    ("patience", "validation", "expected"),
    [(3, 50, 10), (8, 50, 15), (50, 50, 50), (3, 0, 50)],  # the best was the seventh; never stopped; nothing stops it
)
def test_the_best_epoch_carries_over_and_patience_is_the_models_own(store, patience, validation, expected):
    put(store, "a", "ml-100k", "there", 1000, EPOCHS | {"patience": 3}, fit=30, score=0, queries=200, epochs=10)
    fields = EPOCHS | {"patience": patience, "epochs": 50}
    assert ask(store, fields, validation=validation).seconds == pytest.approx(30 * expected / 10)


def test_a_full_softmax_is_scaled_by_items_and_a_sampled_loss_is_not(store):
    """By hand: dim (16 dim + items) + 600,000 for each target."""
    put(store, "a", "ml-100k", "there", 1000, EPOCHS, fit=30, score=4, queries=200, epochs=10, items=50)
    assert ask(store, EPOCHS, items=1000).seconds == pytest.approx(30 * 609_024 / 601_424 + 4 * 1000 / 50)
    sampled = EPOCHS | {"loss": {"type": "TOP1", "num_negatives": 32}}
    put(store, "b", "ml-100k", "there", 1000, sampled, fit=30, score=0, queries=200, epochs=10, items=50)
    assert ask(store, sampled, items=1000).seconds == pytest.approx(30)


def test_larger_batches_take_less_for_each_target_and_shared_negatives_are_looked_up_once_a_batch(store):
    """By hand: dim (16 dim + items) + 600,000 √(16 / batch), and negatives (1 + 200 / batch) in place of items."""
    put(store, "a", "ml-100k", "there", 1000, EPOCHS | {"batch_size": 16}, fit=30, score=0, queries=200, epochs=10)
    wider = EPOCHS | {"batch_size": 64}
    assert ask(store, wider).seconds == pytest.approx(30 * 301_424 / 601_424)
    sampled = wider | {"loss": {"type": "TOP1", "num_negatives": 2000}}
    assert ask(store, sampled).seconds == pytest.approx(30 * (8 * (128 + 2000 * (1 + 200 / 64)) + 300_000) / 601_424)


def test_a_batch_of_segments_has_many_targets_whatever_its_size(store):
    fields = EPOCHS | {"type": "recsys_models.sasrec.SASRec", "segments": "all"}
    put(store, "a", "ml-100k", "there", 1000, fields | {"batch_size": 16}, fit=30, score=0, queries=200, epochs=10)
    assert ask(store, fields | {"batch_size": 128}).seconds == pytest.approx(30)


def test_a_reference_gives_the_seconds_of_so_many_epochs(reference):
    known = {"model_fields": EPOCHS, "seconds": {"fit": 30.0, "score": 2.0}, "epochs": 10, "peak_memory_mb": 4.0,
             "unit": "user", "counts": {"train_events": 1000, "test_queries": 200, "items": 50}}  # fmt: skip
    reference |= {"records": [known]}
    sizes = {"train_events": 2000, "test_queries": 100, "validation_queries": 0}
    prepared = SimpleNamespace(sizes=sizes, data={"items": 50, "unit": "user"})
    assert estimates.reference_seconds(EPOCHS, prepared, 3) == pytest.approx(2 * 9 + 1)
    assert estimates.reference_seconds({"type": "mine.Own"}, prepared, 3) is None


def test_a_first_run_is_estimated_from_reference_timings_at_this_machines_speed(store, reference):
    fields = {"type": "recsys_models.rnn.GRU", "dim": 32, "epochs": 60}
    known = {"model_fields": fields, "seconds": {"fit": 30.0, "score": 2.0}, "epochs": 10, "peak_memory_mb": 400.0,
             "unit": "user", "counts": {"train_events": 1000, "test_queries": 200, "items": 50}}  # fmt: skip
    reference |= {"speed": 300.0, "records": [known]}
    estimate = ask(store, fields, events=2000)
    assert estimate.seconds == pytest.approx(3 * (2 * 30 + 2)), "a third of the speed, twice the events"
    assert estimate.basis == "from reference timings, × 3.00 for this machine's speed"
    assert ask(store, fields, events=2000, unit="session").seconds == estimate.seconds, "nothing nearer is known"
    of_sessions = known | {"unit": "session", "seconds": {"fit": 3.0, "score": 2.0}}
    reference |= {"records": [known, of_sessions]}
    assert ask(store, fields, events=2000).seconds == estimate.seconds, "long histories stay as they were"
    assert ask(store, fields, events=2000, unit="session").seconds == pytest.approx(3 * (2 * 3 + 2))


def test_the_shipped_timings_have_every_model_of_the_zoo_and_every_cost_of_a_run():
    shipped = json.loads(estimates.REFERENCE.read_text())
    assert shipped["speed"] > 0
    assert len({record["model"] for record in shipped["records"]}) >= 37
    users, sessions = ({r["model"] for r in shipped["records"] if r["unit"] == unit} for unit in ("user", "session"))
    assert sessions == set(SESSIONS) and sessions < users
    assert shipped["run"].keys() == set(RUN)
    assert all((estimates.ROOT / name).is_file() for name in shipped["kernels"])


def test_a_run_costs_more_than_its_cells(tmp_path, reference, monkeypatch):
    """By hand, at half the speed: ten cells, two at a time, four of them in processes of their own."""
    monkeypatch.setattr(run_costs, "usable_cores", lambda: 2)
    reference |= {"speed": 200.0, "run": dict(zip(RUN, (3.0, 5.0, 0.1, 0.2, 0.0, 2.0, 0.03, 6.0, 0.04), strict=True))}
    shared = [Estimate(10.0, 1.0, 1.0, "", "measured", once={"split a": 4.0})] * 6
    alone = [Estimate(10.0, 1.0, 1.0, "", "measured", alone=True, once={"split a": 4.0, "k.py": 7.0})] * 4
    cells = 2 * (10 * 0.1 + 4 * 0.2) / 2
    once = 4.0 + 7.0
    assert run_cost(shared + alone, 2, tmp_path).seconds == pytest.approx(
        50.0 + cells + once + 2 * (3.0 + 5.0 + 2.0 + 10 * 0.03 + 6.0 + 10 * 0.04)
    )
    assert run_cost([], 1, tmp_path).seconds == 0.0
    assert run_cost([Estimate(unmeasured="Own")], 1, tmp_path).seconds == 0.0


def test_workers_split_the_data_and_compile_what_never_was(store, reference, monkeypatch):
    monkeypatch.setattr(estimates, "has_compiled_kernels", lambda path: path.name == "done.py")
    reference |= {"speed": 200.0, "kernels": {"a/done.py": 9.0, "a/kernels.py": 5.0, "b/other.py": 3.0}}
    reference["run"]["event"] = 0.001
    found = ask(store, events=1000, code=["a/done.py", "a/kernels.py", "a/model.py"])
    assert found.once == {"split here": pytest.approx(4.0), "a/kernels.py": 10.0}, "2,000 events, at half the speed"


def test_the_validation_part_is_ranked_once_more_after_the_fit(store):
    put(store, "a", "ml-100k", "here", 1000, GRU, fit=30, score=10, queries=200)
    assert ask(store, validation=100).seconds == pytest.approx(30 + 10 * 300 / 200)


def test_kernels_are_compiled_once_they_are_in_the_cache_of_numba(tmp_path, monkeypatch):
    source = tmp_path / "code" / "kernels.py"
    source.parent.mkdir()
    source.write_text(
        "from numba import njit\n\n@njit(cache=True)\ndef one(n):\n    return n + 1\n\nif __name__ == '__main__':\n"
        "    import kernels\n    kernels.one(1)\n"
    )
    for folder in ("", str(tmp_path / "cache")):
        monkeypatch.setenv("NUMBA_CACHE_DIR", folder)
        assert not has_compiled_kernels(source)
        subprocess.run([sys.executable, str(source)], check=True)
        assert has_compiled_kernels(source)
    os.utime(source, (2e9, 2e9))
    assert not has_compiled_kernels(source), "it has changed since"


def test_a_machine_is_probed_once_for_a_store(tmp_path, monkeypatch):
    monkeypatch.setattr(probe, "measure_speed", lambda: 7.0)
    assert probe.machine_speed(tmp_path) == 7.0
    monkeypatch.setattr(probe, "measure_speed", lambda: 9.0)
    assert probe.machine_speed(tmp_path) == 7.0
    (tmp_path / "machine_speed.json").write_text("{")
    assert probe.machine_speed(tmp_path) == 9.0, "a damaged file is measured again"
