"""A cell that two suites with different metrics share."""

import pytest

from evaluation.metrics.accuracy import MRR, NDCG
from evaluation.metrics.coverage import ItemCoverage
from evaluation.metrics.lists import CatalogueCoverage
from evaluation.ranking.rank_table import RankTable
from evaluation.results.suite_results import read_suite
from harness.cells.add_metrics import add_metrics
from harness.running.plan import make_plan
from harness.running.session import run_session
from harness.store import Store
from harness.suites.overrides import Overrides
from harness.suites.request import RunRequest

IMPORTS = (
    "from evaluation.metrics.lists import CatalogueCoverage\nfrom evaluation.metrics.coverage import ItemCoverage\n"
)


@pytest.fixture
def store(tmp_path):
    return Store.open(tmp_path / "results")


@pytest.fixture
def plan(tmp_path, tiny_text, store):
    """Plans the tiny suite's popularity with metrics given as text."""

    def go(name, metrics):
        text = tiny_text.replace('name="tiny"', f'name="{name}"').replace("[MRR(20), Recall(20)]", metrics)
        path = tmp_path / f"{name}.py"
        path.write_text(IMPORTS + text)
        return make_plan(RunRequest(str(path), store.root, overrides=Overrides(only="Popularity")).load(), store)

    return go


@pytest.fixture
def run(plan, store):
    """Runs such a plan; how many cells were computed, and the stored one."""

    def go(name, metrics):
        planned = plan(name, metrics)
        outcome = run_session(planned, store)
        assert not outcome.failed
        [cell] = read_suite(store.root, name).cells
        return len(planned.to_do), cell

    return go


def lists_of(cell):
    return RankTable.read(cell.folder / "ranks.parquet").top_items


def test_a_cell_without_lists_does_not_serve_a_suite_that_needs_them(run):
    assert lists_of(run("first", "[MRR(20)]")[1]) is None
    computed, cell = run("second", "[MRR(20), CatalogueCoverage(5)]")
    assert computed == 1
    assert lists_of(cell).shape[1] == 5
    assert cell.metrics["CatalogueCoverage@5"] == pytest.approx(
        CatalogueCoverage(5).measure(RankTable.read(cell.folder / "ranks.parquet"))
    )


def test_lists_of_another_length_are_other_cells_and_none_needed_changes_no_key(plan):
    keys = [plan(name, f"[MRR(20){more}]").to_do[0].key for name, more in (
        ("none", ""), ("five", ", CatalogueCoverage(5)"), ("ten", ", CatalogueCoverage(10)"),
        ("reach", ", ItemCoverage(5)"))]  # fmt: skip
    assert keys[0] == keys[3], "what ranks hold needs no lists"
    assert len(set(keys)) == 3


def test_a_measure_of_the_whole_table_is_added_once_and_stands_in_nobodys_way(run, store):
    first = run("first", "[MRR(20), ItemCoverage(5)]")[1]
    computed, cell = run("second", "[MRR(20), ItemCoverage(10), Recall(10)]")
    assert computed == 0 and cell.key == first.key
    ranks = RankTable.read(cell.folder / "ranks.parquet")
    assert set(cell.metrics) == {"MRR@20", "ItemCoverage@5", "ItemCoverage@10", "Recall@10"}
    assert cell.metrics["ItemCoverage@10"] == pytest.approx(ItemCoverage(10).measure(ranks))
    assert not add_metrics(store, cell.key, [MRR(20), ItemCoverage(5), ItemCoverage(10)]), "nothing is missing"
    assert add_metrics(store, cell.key, [NDCG(10)])
