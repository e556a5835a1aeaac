"""STAMP's suite at smoke size, and its numbers against the logs and tables that they come from."""

import json

import pytest

from evaluation.verdicts.claims import Compound
from suites.presets import GRU4REC_2016, session_rec_methods
from suites.session_baselines import PUBLISHED_SPLIT, SESSION_REC_SPLIT
from suites.stamp import (
    BY_DATE,
    CHOSEN,
    CLICKS,
    EXPERIMENTS,
    FILE_ORDER,
    FRACTIONS,
    FULL,
    GRU,
    GRU_TUNED,
    LAST_WEEK,
    LOGS,
    MAIN_TABLE,
    MASKED,
    PUBLISHED,
    RERUNS,
    SESSION_REC_QUARTER,
    SUITE,
    TIME_ORDER,
    TUNED,
    UNMASKED,
)

# P@20 and MRR@20 of the released logs, which hold the rank of every test event
RELEASED = {(CLICKS, 64): (68.748, 29.679), (CLICKS, 4): (70.444, 30.005), (FILE_ORDER, 1): (62.040, 27.387)}


@pytest.fixture(scope="module")
def smoke(smoke_run):
    return smoke_run("stamp")


def test_it_runs_end_to_end(smoke):
    smoke.check_every_row()
    smoke.check_absent()
    smoke.check_levels()
    smoke.check_report()


def test_the_row_chosen_on_the_test_part_has_the_scores_of_the_test_part(smoke):
    stored = {}
    for cell in smoke.record["cells"]:
        if (cell["dataset"], cell["model"], cell["state"]) == (BY_DATE.name, FULL, "DONE"):
            record = json.loads((smoke.folder.parent / "cells" / cell["key"] / "cell.json").read_text())
            stored[cell["protocol"]] = record
    plain, chosen = (stored[protocol.name] for protocol in (CHOSEN.protocol, CHOSEN))
    assert chosen["validation"]["MRR@20"] == chosen["metrics"]["MRR@20"]
    assert plain["validation"] == {}
    for name in ("train_events", "test_queries", "items"):
        assert chosen["counts"][name] == plain["counts"][name]


def test_stamps_own_row_is_that_of_the_logs_cut_off():
    own = {where: pair for where, pair, _, reason, _ in MAIN_TABLE if not reason}
    assert {(dataset, protocol.fraction) for dataset, protocol in own} == set(RELEASED)
    for (dataset, protocol), printed in own.items():
        for value, logged in zip(printed, RELEASED[dataset, protocol.fraction], strict=True):
            assert -0.011 < value - logged <= 0


def test_the_papers_and_narms_numbers_are_judged_on_their_own_data_alone():
    judged = [value for value in PUBLISHED if value.certain and not value.not_comparable]
    assert {value.source for value in judged} == {"paper", "session-rec", "SR-GNN", "NARM"}
    assert {value.value for value in judged if value.source == "SR-GNN"} == {0.4564}
    assert all(value.place == LOGS for value in PUBLISHED if value.source == "paper")
    where = {source: {(v.dataset, v.protocol) for v in judged if v.source == source} for source in ("paper", "NARM")}
    by_id = {(CLICKS.name, FRACTIONS[part].name) for part in (64, 4)}
    in_file_order = {(FILE_ORDER.name, LAST_WEEK.name)}
    assert where["paper"] == by_id | in_file_order
    assert where["NARM"] == in_file_order | {(BY_DATE.name, PUBLISHED_SPLIT.name)}
    first = {
        v.model: v.value for v in judged if v.dataset == BY_DATE.name and v.metric == "MRR@20" and v.source == "NARM"
    }
    assert first == {"Popularity": 0.0165, "Session popularity": 0.1835, "Item-kNN (last item)": 0.2181,
                     "BPR-MF": 0.1208, "FPMC": 0.1501, "GRU4Rec": 0.2289, "NARM": 0.2876}  # fmt: skip


def test_others_reruns_stand_beside_the_rows_that_they_speak_of():
    rows = {(e.dataset.name, e.protocol.name, label) for e in EXPERIMENTS for label in e.models}
    shown = [value for value in PUBLISHED if value.source in ("RecBole", "torch-rechub")]
    assert [round(100 * value.value, 2) for value in shown] == [
        43.66, 14.53, 46.49, 15.56, 66.75, 28.59, 70.79, 30.74, 55.78
    ]  # fmt: skip
    for value in shown:
        assert value.not_comparable and (value.dataset, value.protocol, value.model) in rows


def test_settings_are_those_of_the_released_runs():
    found = {}
    for experiment in EXPERIMENTS:
        if FULL in experiment.models:
            model = experiment.models[FULL]
            assert (model.variant, model.batches, model.dim) == ("official", "equal lengths", 100)
            assert (model.batch_size, model.epochs) == (512, 10)
            key = experiment.dataset, getattr(experiment.protocol, "fraction", 1)
            found[key] = model.learning_rate, model.lookup_norm
            if TUNED in experiment.models:
                assert experiment.models[TUNED].learning_rate < model.learning_rate
    assert found == {
        (BY_DATE, 1): (0.003, 1.0),
        (CLICKS, 64): (0.003, 1.0),
        (CLICKS, 4): (0.005, 1.0),
        (TIME_ORDER, 1): (0.005, 1.5),
        (FILE_ORDER, 1): (0.005, 1.5),
    }


def test_session_recs_numbers_stand_beside_its_settings_and_its_test_parts():
    # conf/save of session-rec, the models file of each split: STAMP's rate and epochs, GRU4Rec's rate and dropout
    tuned = {
        (BY_DATE, SESSION_REC_SPLIT): ("YooChoose 1/64", 4e-4, 30, 0.01, 0.5),
        (TIME_ORDER, PUBLISHED_SPLIT): ("Diginetica", 7e-4, 10, 0.02, 0.1),
        (CLICKS, SESSION_REC_QUARTER): ("YooChoose 1/4", 2e-4, 20, 0.09, 0.1),
        (FILE_ORDER, LAST_WEEK): ("Diginetica, file order", 4e-4, 30, 0.05, 0.2),
    }
    assert list(RERUNS) == list(tuned)
    for experiment in EXPERIMENTS:
        where, models = (experiment.dataset, experiment.protocol), experiment.models
        if where in tuned:
            split, rate, epochs, gru_rate, dropped = tuned[where]
            assert experiment.protocol.unseen == "drop" or experiment.dataset is TIME_ORDER  # where nothing is unseen
            assert (models[TUNED].learning_rate, models[TUNED].epochs) == (rate, epochs)
            gru = models[GRU_TUNED]
            assert (gru.learning_rate, max(gru.dropout, gru.state_dropout)) == (gru_rate, dropped)
            for label, method in session_rec_methods(split, models["S-KNN"].sampling).items():
                assert models[label] == method
        else:
            assert not {TUNED, GRU_TUNED, "S-KNN", "V-SKNN"} & set(models)
    judged = {(v.dataset, v.protocol) for v in PUBLISHED if v.source == "session-rec" and not v.not_comparable}
    assert judged == {(dataset.name, protocol.name) for dataset, protocol in tuned}


def test_gru4rec_drops_states_whatever_it_reads():
    for experiment in EXPERIMENTS:
        for label in (GRU, GRU_TUNED):
            if label in experiment.models:
                model = experiment.models[label]
                on_states = model.dropout if model.inputs == "one-hot" else model.state_dropout
                assert on_states > 0.0, (label, experiment.dataset.name)
    assert (GRU4REC_2016.inputs, GRU4REC_2016.dropout, GRU4REC_2016.session_order) == ("one-hot", 0.5, "listed")


def test_bpr_mf_is_that_of_hidasis_code():
    # its update adds to the session's and both items' factors, and never to the biases, which stay 0; its negative is
    # an event's item, whatever the session holds
    for experiment in EXPERIMENTS:
        if model := experiment.models.get("BPR-MF"):
            assert not model.biases and model.query == "history_mean"
            assert (model.negatives.draw, model.negatives.check) == ("popularity", "none")


def test_the_row_chosen_on_the_test_part_is_the_published_row_without_an_early_end():
    chosen = next(e.models[FULL] for e in EXPERIMENTS if e.protocol == CHOSEN)
    plain = next(e.models[FULL] for e in EXPERIMENTS if (e.dataset, e.protocol) == (BY_DATE, CHOSEN.protocol))
    assert {name for name, value in vars(plain).items() if value != vars(chosen)[name]} == {"patience"}
    assert chosen.patience == chosen.epochs


def test_the_page_of_recbole_differs_in_the_mask_alone():
    rows = next(e.models for e in EXPERIMENTS if e.dataset.name == "ml-100k")
    masked, unmasked = vars(rows[MASKED]), vars(rows[UNMASKED])
    assert {name for name in masked if masked[name] != unmasked[name]} == {"variant"}


def test_the_main_claim_is_made_on_every_data_set_of_sessions():
    compounds = [claim for claim in SUITE.claims if isinstance(claim, Compound)]
    assert len(compounds) == 5
    for claim in compounds:
        assert {part.better for part in claim.parts} == {FULL}
        assert {part.metric for part in claim.parts} == {"Recall@20"}
