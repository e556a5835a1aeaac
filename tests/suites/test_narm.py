"""NARM's suite at smoke size, its data against the paper's table 1, and its settings."""

from dataclasses import replace

import numpy as np
import pytest

from suites.narm import (
    BY_DATE,
    CONNECTED,
    EXPERIMENTS,
    FULL,
    GLOBAL,
    MODELS,
    NETWORKS,
    PAPER,
    PUBLISHED,
    PUBLISHED_SPLIT,
    SUITE,
    TIME_ORDER,
)


def test_it_runs_end_to_end(smoke_run):
    smoke = smoke_run("narm")
    smoke.check_every_row()
    smoke.check_absent()
    smoke.check_levels()
    smoke.check_report()


@pytest.mark.parametrize(("dataset", "train", "test"), [(BY_DATE, 369_859, 55_898), (TIME_ORDER, 719_470, 60_858)])
def test_the_data_have_the_sizes_of_table_1(dataset, train, test):
    if not dataset.present(None):
        pytest.skip(f"{dataset.name} is not in the data folder")
    split = replace(PUBLISHED_SPLIT, validation=0).prepare(dataset.load())
    assert np.maximum(split.train.sequences.lengths - 1, 0).sum() == train
    assert len(split.test.targets) == test


def test_settings_are_those_of_the_released_code():
    model = NETWORKS[FULL]
    assert (model.embedding_dim, model.dim, model.learning_rate, model.batch_size) == (50, 100, 1e-3, 512)
    assert (model.input_dropout, model.dropout, model.epochs, model.max_len) == (0.25, 0.5, 30, 19)
    assert (model.variant, model.batches, model.encoder, model.decoder) == (
        "official",
        "prefixes",
        "hybrid",
        "bilinear",
    )
    assert (NETWORKS[CONNECTED].decoder, NETWORKS[GLOBAL].encoder, NETWORKS[PAPER].variant) == (
        "full",
        "global",
        "paper",
    )
    assert SUITE.metrics[0].name == "Recall@20"  # by which the code chooses its epoch
    assert all(experiment.models is MODELS for experiment in EXPERIMENTS)


def test_the_papers_numbers_are_judged_where_the_data_are_its_own():
    judged = {v.dataset for v in PUBLISHED if v.source == "paper" and not v.not_comparable}
    assert judged == {e.dataset.name for e in EXPERIMENTS} - {TIME_ORDER.name}
    own = {v.metric: v.value for v in PUBLISHED if (v.dataset, v.model, v.source) == (BY_DATE.name, FULL, "paper")}
    assert own == {"Recall@20": 0.6832, "MRR@20": 0.2876}
