"""The tuned suite at smoke size: every tuned model gets the same trials, and its rows tell what they chose."""

import json

import pytest

from evaluation.results.suite_results import read_suite
from harness.spec import written_form
from harness.tuning import Choice
from suites.tuned import MODELS, SPACES, SUITE, TRIALS, untuned


@pytest.fixture(scope="module")
def smoke(smoke_run):
    return smoke_run("tuned", "--limit-users", "60")


def test_it_runs_end_to_end(smoke):
    smoke.check_every_row()
    smoke.check_report()


def test_every_tuned_model_had_the_same_trials_and_no_other_had_any(smoke):
    for cell in read_suite(smoke.folder.parent, smoke.folder.name).cells:
        if cell.model not in MODELS:
            assert cell.search is None
            continue
        assert len(cell.search.trials) == cell.record["tuning"]["trials"] == TRIALS
        assert cell.search.failed == 0
        assert cell.record["tuning"]["validation"] == max(cell.search.scores)


def test_what_was_set_for_the_smoke_run_was_not_searched(smoke):
    heads = {}
    for path in smoke.folder.parent.glob("tuning/*/search.json"):
        head = json.loads(path.read_text())
        heads[head["model"]] = set(head["space"])
    for label, space in SPACES.items():
        assert heads[label] == set(space) - {"dim", "epochs", "batch_size"}


def test_the_report_tells_of_the_search(smoke):
    rows = smoke.rows("tuning-1")
    assert [row["model"] for row in rows] == list(MODELS)
    assert {row["trials"] for row in rows} == {str(TRIALS)}


def test_every_space_may_leave_the_model_as_it_comes():
    """A model that no trial can improve loses nothing by being tuned, as far as a space of numbers allows."""
    for label, space in SPACES.items():
        for field, values in space.items():
            now = getattr(MODELS[label], field)
            if isinstance(values, Choice):
                assert now in values.options, (label, field)
            else:
                assert values.low <= now <= values.high, (label, field)


def test_tuned_rows_differ_from_the_others_by_nothing_but_the_search():
    (experiment,) = SUITE.experiments
    assert set(experiment.tuning.spaces) == set(MODELS)
    for label, model in MODELS.items():
        assert written_form(experiment.models[untuned(label)]) == written_form(model)
