"""SASRec's suite at smoke size, and its settings."""

import pytest

from recsys_data.protocols.candidates import SampledItems
from suites.sasrec import BEAUTY, FILMS, GAMES, KLENITSKIY, OWN, PUBLISHED, SAMPLED, SUITE


def test_it_runs_end_to_end(smoke_run):
    smoke = smoke_run("sasrec", "--limit-users", "60")
    smoke.check_every_row()
    smoke.check_levels()
    smoke.check_report()


def test_settings_are_those_of_the_released_code():
    for experiment in SUITE.experiments:
        model = experiment.models[OWN]
        films = experiment.dataset.name.startswith("ml-")
        assert (model.max_len, model.dropout) == ((200, 0.2) if films else (50, 0.5))
        assert (model.dim, model.blocks, model.heads, model.batch_size) == (50, 2, 1, 128)
        assert (model.learning_rate, model.optimiser.beta2, model.loss.num_negatives) == (1e-3, 0.98, 1)
        later = experiment.models[KLENITSKIY]
        assert (later.dim, later.dropout, later.patience, later.epochs) == (64, 0.1, 10, 100)
    assert SAMPLED.candidates == SampledItems(100, exclude_seen=True)


def test_only_what_was_seen_in_print_is_judged_and_beauty_is_another_cut():
    judged = {(v.dataset, v.model, v.source, v.value) for v in PUBLISHED if v.certain and not v.not_comparable}
    assert judged == {
        (FILMS.name, OWN, source, value)
        for source, values in (("paper", (0.8245, 0.5905)), ("SASRec.pytorch", (0.8190, 0.5897, 0.8225, 0.5918)))
        for value in values
    }
    assert all(v.not_comparable for v in PUBLISHED if v.dataset == BEAUTY.name)


@pytest.mark.parametrize(("dataset", "users", "items"), [(FILMS, 6_040, 3_416), (GAMES, 31_013, 23_715)])
def test_the_files_are_the_papers_own(dataset, users, items):
    if not dataset.present(None):
        pytest.skip(f"{dataset.name} is not in the data folder")
    data = dataset.load()
    assert (data.num_users, data.num_items) == (users, items)
    assert len(SAMPLED.prepare(data).test.targets) == {FILMS: 6_040, GAMES: 30_901}[dataset]
