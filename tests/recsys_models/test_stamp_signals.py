"""STAMP on sessions where neither the general taste nor the last click is enough alone."""

import numpy as np
import pytest

from baselines.simple.markov import MarkovChain
from recsys_data.generated.planted import best_mrr
from recsys_data.interactions import Clock, Interactions
from recsys_models.stamp import STAMP, STMO, STMP
from tests.recsys_models.planted_splits import cut, fitted_mrr
from training.run import Run

TASTES, PLACES, LENGTH = 6, 10, 12
TRUE_TO_TASTE, TRUE_TO_PLACE = 0.7, 0.8
SETTINGS = {"dim": 32, "batch_size": 256, "learning_rate": 1e-2, "epochs": 10}


def taste_and_last_click(num_sessions=1200, seed=0):
    """Items (taste, place): the next taste is the session's with 0.7, the next place follows the last one's with 0.8.

    Otherwise the taste is another one, and the place any.
    """
    rng = np.random.default_rng(seed)
    shape = num_sessions, LENGTH
    own = rng.integers(TASTES, size=(num_sessions, 1))
    others = (own + rng.integers(1, TASTES, shape)) % TASTES
    tastes = np.where(rng.random(shape) < TRUE_TO_TASTE, own, others)
    following, places = rng.permutation(PLACES), rng.integers(PLACES, size=shape)
    follows = rng.random(shape) < TRUE_TO_PLACE
    for t in range(1, LENGTH):
        places[:, t] = np.where(follows[:, t], following[places[:, t - 1]], places[:, t])
    items = rng.permutation(TASTES * PLACES)[tastes * PLACES + places]
    sessions = np.repeat(np.arange(num_sessions), LENGTH)
    return Interactions.from_events("taste and last click", sessions, items.ravel(), None, clock=Clock.WITHIN)


def one_and_the_rest(one, size):
    """Probabilities of the likely one, and of the others alike."""
    return np.r_[one, np.full(size - 1, (1 - one) / (size - 1))]


TASTE = one_and_the_rest(TRUE_TO_TASTE, TASTES)
PLACE = one_and_the_rest(TRUE_TO_PLACE + (1 - TRUE_TO_PLACE) / PLACES, PLACES)
# the best ranking where taste and last click are known: 0.658; where the last click is: its own taste is the session's
# with 0.7, so the next one is like it with 0.7² + 5 · 0.06² = 0.508: 0.543
BEST = best_mrr(np.outer(TASTE, PLACE).ravel())
LAST_CLICK_ALONE = best_mrr(np.outer(one_and_the_rest(TASTE @ TASTE, TASTES), PLACE).ravel())


@pytest.fixture(scope="module")
def data():
    return taste_and_last_click()


@pytest.fixture(scope="module")
def full(data):
    return fitted_mrr(STAMP(**SETTINGS), data)


def test_stamp_comes_near_the_optimum(full):
    assert 0.95 * BEST < full < 1.02 * BEST


def test_the_last_click_is_needed(data, full):
    """Without it the mean of the session betrays little of the place."""
    assert fitted_mrr(STMP(**SETTINGS, last_click=False), data) < 0.6 * full


def test_the_taste_is_needed(data, full):
    for blind in (MarkovChain(), STMO(**SETTINGS)):
        found = fitted_mrr(blind, data)
        assert found < 1.03 * LAST_CLICK_ALONE
        assert found < 0.9 * full


def test_resumes_where_it_was_killed(data, tmp_path):
    """A fit cut off after two epochs and begun again ends with the bits of one that was left alone."""
    train, _ = cut(data)
    model = {"dim": 8, "batch_size": 512, "dropout": 0.2, "learning_rate": 1e-2}

    class Killed(Exception):
        pass

    def kill(record):
        if record.get("epoch") == 2:
            raise Killed

    with pytest.raises(Killed):
        STAMP(**model, epochs=4).fit(train, Run(3, checkpoint=tmp_path, log=kill))
    resumed = STAMP(**model, epochs=4).fit(train, Run(3, checkpoint=tmp_path))
    calm = STAMP(**model, epochs=4).fit(train, Run(3))
    assert resumed.resumed_from_ == 2
    for one, other in zip(resumed.network_.parameters(), calm.network_.parameters(), strict=True):
        assert np.array_equal(one.detach(), other.detach())
