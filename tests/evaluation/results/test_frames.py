"""Frames of results beside the values they are made of, recomputed by pandas and NumPy."""

import subprocess
import sys

import numpy as np
import pytest

from evaluation.comparison.compare import compare_suite
from evaluation.metrics.accuracy import metric_named
from tests.evaluation.conftest import StoreBuilder, draw_ranks

ALL_KEYS = ["dataset", "protocol", "model", "metric", "seed"]


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    store = StoreBuilder(tmp_path_factory.mktemp("frames"))
    store.learner("GRU", 1.0).add("POP", draw_ranks(0.2, 0), deterministic=True, caveats=["NOTED: yes"])
    return store.suite(baselines=["POP"])


def test_a_suite_has_a_row_per_model_metric_and_seed(results):
    frame = results.to_frame()
    assert len(frame) == (3 + 1) * 2
    assert not frame.duplicated(ALL_KEYS).any()
    for cell in results.cells:
        for metric in ("MRR@20", "Recall@20"):
            [row] = frame.query("model == @cell.model and seed == @cell.seed and metric == @metric").to_dict("records")
            assert row["value"] == metric_named(metric).measure(cell.ranks)
            assert (row["key"], row["caveats"]) == (cell.key, "; ".join(cell.caveats))


def test_a_comparison_has_the_mean_of_the_seeds(results):
    table = compare_suite(results, flips=99, resamples=99)[0]
    seeds = results.to_frame().query("metric == @table.metric").groupby("model")["value"]
    models = table.to_frame().set_index("model")
    np.testing.assert_allclose(models["mean"], seeds.mean()[models.index], rtol=1e-12)
    assert models.loc["GRU", "sd"] == pytest.approx(seeds.std(ddof=1)["GRU"], rel=1e-9)
    assert np.isnan(models.loc["POP", "sd"])
    assert (models["low"] < models["mean"]).all() and (models["mean"] < models["high"]).all()
    [pair] = table.to_frame("pairs").to_dict("records")
    assert pair["difference"] == pytest.approx(models.loc[pair["a"], "mean"] - models.loc[pair["b"], "mean"])
    with pytest.raises(ValueError, match="'models' or 'pairs', got 'seeds'"):
        table.to_frame("seeds")


def test_ranks_give_back_their_metric(results):
    cell = results.cells[0]
    frame = cell.ranks.to_frame()
    assert len(frame) == len(cell.ranks)
    place = frame["greater"] + frame["tied"] / 2 + 1  # no ties here
    assert (1 / place).where(place <= 20, 0).mean() == pytest.approx(cell.metrics["MRR@20"], rel=1e-12)


def test_no_report_loads_pandas():
    code = ("import sys; import reports.report, reports.output.write, evaluation.frames, recsys_data.interactions; "
            "print([name for name in ('pandas', 'seaborn') if name in sys.modules])")  # fmt: skip
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
