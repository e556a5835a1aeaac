"""The session baselines: session-rec's settings, its reading of the test parts, and its numbers beside them."""

import pytest

from suites.presets import SESSION_REC, session_rec_methods
from suites.session_baselines import (
    DIGINETICA,
    ON_DIGINETICA,
    ON_YOOCHOOSE,
    PUBLISHED,
    PUBLISHED_SPLIT,
    SESSION_REC_SPLIT,
    SUITE,
    UNTUNED,
    YOOCHOOSE,
)

# conf/save of session-rec, the baselines file of each split, in its own words; Encore's: see recency_weights
WORDS = {"div": "reciprocal", "log": "logarithmic", "linear": "linear", "quadratic": "quadratic"}
FILES = {  # sr: steps, weighting; sknn: k, sample_size, similarity; vsknn: k, sample_size, weighting, _score, idf
    "YooChoose 1/64": ((4, "quadratic"), (500, 1000, "cosine"), (1000, 5000, "log", "quadratic", 2)),
    "YooChoose 1/4": ((2, "log"), (1500, 500, "jaccard"), (1000, 1000, "log", "quadratic", 5)),
    "Diginetica": ((15, "div"), (50, 500, "cosine"), (1500, 10000, "quadratic", "linear", 10)),
    "Diginetica, file order": ((8, "quadratic"), (100, 500, "cosine"), (500, 10000, "quadratic", "quadratic", 10)),
}


@pytest.mark.parametrize("split", FILES)
def test_settings_are_those_of_the_files(split):
    methods = session_rec_methods(split)
    (steps, weighting), s_knn, (k, sample, positions, recency, idf) = FILES[split]
    rules, near, vector = (methods[label] for label in ("Sequential rules", "S-KNN", "V-SKNN"))
    assert (rules.steps, rules.recency) == (steps, WORDS[weighting])
    assert (near.neighbours, near.sample_size, near.similarity) == s_knn
    assert (vector.neighbours, vector.sample_size, vector.idf_weight) == (k, sample, idf)
    assert (vector.position_weights, vector.recency) == (WORDS[positions], WORDS[recency])
    # session-rec keeps 20 rules for each item, knows no back-off, and does not cut negative weights
    for label in ("Markov chain", "Association rules", "Sequential rules"):
        assert (methods[label].neighbours, methods[label].popularity_back_off) == (20, False)
    assert vector.negative_weights and set(SESSION_REC) == set(FILES)


def test_numbers_are_judged_on_session_recs_reading_of_the_test_part_alone():
    assert (SESSION_REC_SPLIT.unseen, PUBLISHED_SPLIT.unseen) == ("drop", "miss")
    assert SESSION_REC_SPLIT.name != PUBLISHED_SPLIT.name
    # on Diginetica both are the same: see test_every_test_item_of_diginetica_is_known
    splits = {YOOCHOOSE.name: SESSION_REC_SPLIT.name, DIGINETICA.name: PUBLISHED_SPLIT.name}
    assert {(value.dataset, value.protocol) for value in PUBLISHED} == set(splits.items())
    assert all(claim.protocol in ("", splits[claim.dataset]) for claim in SUITE.claims)
    assert len(PUBLISHED) == 20
    for value in PUBLISHED:  # beside the row of the tuned method
        rows = {YOOCHOOSE.name: ON_YOOCHOOSE, DIGINETICA.name: ON_DIGINETICA}[value.dataset]
        assert value.model in rows and value.model not in UNTUNED


def test_unseen_items_are_what_the_two_protocols_differ_by():
    if not YOOCHOOSE.present(None):
        pytest.skip("YooChoose 1/64 is not in the data folder")
    dropped, missed = (protocol.prepare(YOOCHOOSE.load()) for protocol in (SESSION_REC_SPLIT, PUBLISHED_SPLIT))
    assert dropped.train.num_items == missed.train.num_items == 17_376
    assert (len(missed.test), len(missed.test.sequences)) == (55_898, 15_324)
    assert (len(dropped.test), len(dropped.test.sequences)) == (55_400, 15_233)
    assert (dropped.test.targets >= 0).all() and (missed.test.targets < 0).any()


def test_every_test_item_of_diginetica_is_known():
    if not DIGINETICA.present(None):
        pytest.skip("Diginetica is not in the data folder")
    dropped, missed = (protocol.prepare(DIGINETICA.load()) for protocol in (SESSION_REC_SPLIT, PUBLISHED_SPLIT))
    assert (len(dropped.test), dropped.steps[-1]["unseen"]) == (60_858, 0)
    assert dropped.fingerprint == missed.fingerprint
