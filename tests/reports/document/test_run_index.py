from evaluation.results.suite_results import read_suite
from reports.document.run_index import RunIndex


def test_models_keep_their_colour_on_every_data_set(store):
    index = RunIndex.of(read_suite(store, "little"))
    colors = {}
    for runs in index.runs:
        colors.setdefault(runs.model, set()).add(runs.color)
    assert all(len(found) == 1 for found in colors.values())
    assert len(set.union(*colors.values())) == 5
