"""One step of each compiled loop against the numeric gradient of ln σ(x̂_i − x̂_j) − λ ‖Θ‖² / 2 in float64."""

import numpy as np
import pytest

from baselines.factors.kernels import bpr_steps, fpmc_steps, shared_steps

RATE, DECAY = 0.5, 0.03
USER, TARGET, NEGATIVE = 2, 4, 1
CONTEXT = np.array([[3, 0]], dtype=np.int32)
ROW, LIKED, OTHER = np.array([USER]), np.array([TARGET]), np.array([NEGATIVE])


def tables(seed, **sizes):
    rng = np.random.default_rng(seed)
    return {name: (0.7 * rng.standard_normal(size)).astype(np.float32) for name, size in sizes.items()}


def numeric_steps(factors, score, decays):
    """What one step should add: rate · (d objective / dΘ), by central differences."""
    exact = {name: array.astype(np.float64) for name, array in factors.items()}

    def likelihood():
        return -np.log1p(np.exp(-(score(exact, TARGET) - score(exact, NEGATIVE))))

    steps = {}
    for name, array in exact.items():
        slope = np.zeros_like(array)
        for place in np.ndindex(array.shape):
            kept = array[place]
            array[place] = kept + 1e-6
            up = likelihood()
            array[place] = kept - 1e-6
            slope[place] = (up - likelihood()) / 2e-6
            array[place] = kept
        steps[name] = RATE * (slope - decays(name, array))
    return steps


def touched(rows):
    """A mask that lets only the rows of a step decay."""

    def mask(array, weight):
        out = np.zeros_like(array)
        out[rows] = weight * array[rows]
        return out

    return mask


def check(factors, run, score, decays):
    expected = numeric_steps(factors, score, decays)
    before = {name: array.copy() for name, array in factors.items()}
    loss, made = run(factors)
    assert made == 1
    margin = score(before, TARGET) - score(before, NEGATIVE)
    assert loss == pytest.approx(np.log1p(np.exp(-margin)), rel=1e-5)
    for name in factors:
        np.testing.assert_allclose(factors[name] - before[name], expected[name], rtol=2e-4, atol=2e-6, err_msg=name)


@pytest.mark.parametrize("with_biases", [True, False])
def test_bpr(with_biases):
    factors = tables(0, users=(3, 7), items=(5, 7), biases=5)

    def score(f, i):
        return f["users"][USER] @ f["items"][i] + (f["biases"][i] if with_biases else 0)

    def decays(name, array):
        out = np.zeros_like(array)
        if name == "users":
            out[USER] = 0.01 * array[USER]
        elif name == "items":
            out[TARGET], out[NEGATIVE] = 0.02 * array[TARGET], 0.03 * array[NEGATIVE]
        elif with_biases:
            out[[TARGET, NEGATIVE]] = 0.04 * array[[TARGET, NEGATIVE]]
        return out

    def run(f):
        return bpr_steps(
            ROW, LIKED, OTHER, f["users"], f["items"], f["biases"], RATE, 0.01, 0.02, 0.03, 0.04, with_biases
        )

    check(factors, run, score, decays)


@pytest.mark.parametrize(("learn", "with_users"), [(True, True), (False, True), (False, False)])
def test_fpmc(learn, with_users):
    factors = tables(1, users=(3, 4), items=(5, 4), next=(5, 6), last=(5, 6), gammas=2)

    def score(f, i):
        chain = sum(f["gammas"][k] * (f["next"][i] @ f["last"][CONTEXT[0, k]]) for k in range(2))
        return chain + (f["users"][USER] @ f["items"][i] if with_users else 0)

    rows = {"users": [USER], "items": [TARGET, NEGATIVE], "next": [TARGET, NEGATIVE], "last": [3, 0], "gammas": [0, 1]}

    def decays(name, array):
        still = (name in ("users", "items") and not with_users) or (name == "gammas" and not learn)
        return touched(rows[name])(array, 0 if still else DECAY)

    def run(f):
        return fpmc_steps(
            ROW,
            CONTEXT,
            LIKED,
            OTHER,
            f["users"],
            f["items"],
            f["next"],
            f["last"],
            f["gammas"],
            RATE,
            DECAY,
            learn,
            with_users,
        )

    if not learn:
        gammas = factors.pop("gammas")
        check(factors, lambda f: run({**f, "gammas": gammas}), lambda f, i: score({**f, "gammas": gammas}, i), decays)
    else:
        check(factors, run, score, decays)


@pytest.mark.parametrize("with_users", [True, False])
def test_shared(with_users):
    factors = tables(2, users=(3, 6), items=(5, 6), biases=5, gammas=2)

    def score(f, i):
        query = sum(f["gammas"][k] * f["items"][CONTEXT[0, k]] for k in range(2))
        return f["biases"][i] + (query + (f["users"][USER] if with_users else 0)) @ f["items"][i]

    rows = {"users": [USER], "items": [TARGET, NEGATIVE, 3, 0], "biases": [TARGET, NEGATIVE], "gammas": [0, 1]}

    def decays(name, array):
        return touched(rows[name])(array, 0 if name == "users" and not with_users else DECAY)

    def run(f):
        return shared_steps(
            ROW, CONTEXT, LIKED, OTHER, f["users"], f["items"], f["biases"], f["gammas"], RATE, DECAY, True, with_users
        )

    check(factors, run, score, decays)


def test_a_negative_of_minus_one_changes_nothing():
    factors = tables(0, users=(3, 7), items=(5, 7), biases=5)
    before = {name: array.copy() for name, array in factors.items()}
    none = np.array([-1])
    assert bpr_steps(ROW, LIKED, none, *factors.values(), RATE, 0.1, 0.1, 0.1, 0.1, True) == (0.0, 0)
    assert all(np.array_equal(factors[name], before[name]) for name in factors)


def test_extreme_margins_stay_finite():
    users, items = np.full((1, 1), 60.0, np.float32), np.array([[60.0], [-60.0]], np.float32)
    zero, one, biases = np.array([0]), np.array([1]), np.zeros(2, np.float32)
    right = bpr_steps(zero, zero, one, users.copy(), items.copy(), biases, 0.0, 0.0, 0.0, 0.0, 0.0, True)[0]
    wrong = bpr_steps(zero, one, zero, users.copy(), items.copy(), biases, 0.0, 0.0, 0.0, 0.0, 0.0, True)[0]
    assert right == pytest.approx(0, abs=1e-12) and wrong == pytest.approx(7200)


def test_a_negative_that_is_the_target_only_decays():
    def stepped(kernel, factors, *options):
        before = {name: array.copy() for name, array in factors.items()}
        loss, made = kernel(*options)
        assert made == 1 and loss == pytest.approx(np.log(2))
        return {name: np.array_equal(array, before[name]) for name, array in factors.items()}

    f = tables(3, users=(3, 4), items=(5, 4), next=(5, 4), last=(5, 4), biases=5)
    gammas = np.full(2, 0.5, dtype=np.float32)
    user, items, chain = f["users"], f["items"], (f["next"], f["last"])
    assert all(stepped(bpr_steps, f, ROW, LIKED, LIKED, user, items, f["biases"], RATE, 0, 0, 0, 0, True).values())
    assert all(stepped(fpmc_steps, f, ROW, CONTEXT, LIKED, LIKED, user, items, *chain, gammas, RATE, 0, True, True)
               .values())  # fmt: skip
    assert all(stepped(shared_steps, f, ROW, CONTEXT, LIKED, LIKED, user, items, f["biases"], gammas, RATE, 0, True,
                       True).values())  # fmt: skip
    expected = user[USER] * np.float32(1 - RATE * DECAY)
    bpr_steps(ROW, LIKED, LIKED, user, items, f["biases"], RATE, DECAY, DECAY, DECAY, DECAY, True)
    np.testing.assert_allclose(user[USER], expected, rtol=1e-6)
