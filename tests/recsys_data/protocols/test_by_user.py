import numpy as np
import pytest
from sklearn.utils import murmurhash3_32

from recsys_data.datasets.movielens import MovieLens1MOrdered
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.interactions import Clock, Interactions
from recsys_data.protocols.by_user import DisjointUsers, HashedUsers, cut_from_the_end
from recsys_data.protocols.filters import MinItemEvents, MinUserEvents, TopItems, Truncate
from recsys_data.protocols.targets import LastOnly
from tests.recsys_data.splits import asked, events, trained

CHAIN = MarkovChainSequences(num_users=90, num_items=25, length=20).load()


def parts(split):
    return set(split.validation.clusters.tolist()), set(split.test.clusters.tolist())


def test_users_are_disjoint_and_as_many_as_asked():
    split = DisjointUsers(test=20, validation=10).prepare(CHAIN)
    validation, test = parts(split)
    assert (len(validation), len(test), split.train.num_users) == (10, 20, 60)
    assert not validation & test
    assert (split.test.sequences.users == -1).all()
    assert len(split.train) == len(CHAIN) - sum(np.diff(CHAIN.offsets)[list(validation | test)])


def test_shares_and_seeds():
    first, again, other = (parts(DisjointUsers(test=0.1, validation=0.2, seed=s).prepare(CHAIN)) for s in (1, 1, 2))
    assert (len(first[0]), len(first[1])) == (18, 9)
    assert first == again != other


def test_drawing_with_replacement_yields_fewer():
    # 45 draws with replacement from 90: the expected number of distinct users is 90·(1 − (1 − 1/90)^45) ≈ 35.5.
    sizes = [len(parts(DisjointUsers(test=45, validation=10, draw="with replacement", seed=s).prepare(CHAIN))[1])
             for s in range(30)]  # fmt: skip
    assert max(sizes) < 45 and np.mean(sizes) == pytest.approx(90 * (1 - (1 - 1 / 90) ** 45), abs=1.5)


def test_users_are_drawn_as_numpy_draws_them():
    order = np.random.default_rng(4).permutation(90)
    assert parts(DisjointUsers(test=60, validation=29, seed=4).prepare(CHAIN)) == (set(order[60:89]), set(order[:60]))
    rng = np.random.default_rng(4)
    test = np.unique(rng.integers(0, 90, size=40))
    others = np.setdiff1d(np.arange(90), test)
    validation = others[np.unique(rng.integers(0, len(others), size=30))]
    drawn = DisjointUsers(test=40, validation=30, draw="with replacement", seed=4).prepare(CHAIN)
    assert parts(drawn) == (set(validation), set(test))


def test_shares_of_users_are_rounded_down_and_ties_in_length_go_by_id():
    split = DisjointUsers(test=0.5, validation=0.2, draw="length order").prepare(events(["abba"] * 5))
    assert parts(split) == ({2}, {3, 4})  # 2 of 2.5 and 1 of 1
    assert DisjointUsers().allows == {"temporal leakage"}
    assert DisjointUsers(extended=True).allows == {"temporal leakage", "sequences cut in two"}


def test_real_ml_1m_after_devooghts_filter():
    if not MovieLens1MOrdered().present(None):
        pytest.skip("ml-1m-ordered is not there: set ENCORE_DATA to the folder that has it")
    filters = (MinUserEvents(2), MinItemEvents(5), MinUserEvents(2))
    split = DisjointUsers(500, 500, filters=filters).prepare(MovieLens1MOrdered().load())
    assert split.train.num_items == 3_416  # unseen items stay candidates
    assert (len(split.validation), len(split.test), split.train.num_users) == (500, 500, 5_040)
    assert [step["removed"] for step in split.steps[:3]] == [0, 1_000_209 - 999_611, 0]


def test_order_of_ids_and_of_lengths():
    histories = ["abcab", "ab", "abc", "abca"]
    by_id = DisjointUsers(test=1, validation=1, draw="id order", target_rule=LastOnly()).prepare(events(histories))
    assert parts(by_id) == ({2}, {3})
    by_length = DisjointUsers(test=1, validation=1, draw="length order", target_rule=LastOnly()).prepare(
        events(histories)
    )
    assert parts(by_length) == ({3}, {0})  # the longest tests
    assert trained(by_length.train.sequences, by_length.item_ids) == ["ab", "abc"]


def test_the_order_of_lengths_is_that_of_whole_histories():
    # c is the most frequent item, then a and b; cut to these and to two events, all histories are of one length.
    histories = ["abccccc", "c", "abab", "baxyz", "aba"]
    draw = DisjointUsers(test=1, validation=1, draw="length order", target_rule=LastOnly(),
                         filters=(TopItems(3), MinUserEvents(2), Truncate(2, keep="first")))  # fmt: skip
    split = draw.prepare(events(histories))
    assert parts(split) == ({2}, {0})  # of the four users left, 0 had seven events and 3, here the third, five


def test_the_extended_set_trains_on_first_halves():
    histories = ["abcde", "edcba", "abcde"]
    split = DisjointUsers(test=1, validation=1, draw="id order", extended=True).prepare(events(histories))
    assert trained(split.train.sequences, split.item_ids) == ["abcde", "ed", "ab"]
    assert asked(split, "test") == [(2, "ab", "cde")]
    assert split.test.sequences.users.tolist() == [2]  # known users now


def test_windows_by_hand():
    data = events(["abcdefg", "ab", "abcd"])
    windows, too_short = cut_from_the_end(data, max_len=3, min_len=2)
    # a|bcd|efg, ab, a|bcd
    assert windows.tolist() == [0, 1, 1, 1, 2, 2, 2, 3, 3, 4, 5, 5, 5]
    assert too_short.tolist() == [True] + [False] * 6 + [False] * 2 + [True] + [False] * 3


def test_one_validation_user_without_a_query_is_refused():
    with pytest.raises(ValueError, match="the validation part has no query: none of its 1 events can be a target"):
        DisjointUsers(test=1, validation=1, draw="id order").prepare(events(["ab", "ab", "a", "ba"]))


def test_hashes_at_the_bounds(monkeypatch):
    hashes = iter([np.array([119, 20, 100, 199, 99]), np.array([149, 0, 50, 0, 0])])
    monkeypatch.setattr("recsys_data.protocols.by_user.hash_ids", lambda ids, seed: next(hashes))
    split = HashedUsers(max_len=4, min_len=4, held_out=0.2).prepare(events(["abcd", "abcd", "abcd", "bcda", "abc"]))
    assert parts(split) == ({0}, {2})  # 19 and 0 of 100 are held out, 20 and 99 are not; then 49 validates and 50 tests
    assert trained(split.train.sequences, split.item_ids) == ["abcd", "bcda"]  # three events are too few
    assert split.steps[0] == {"step": "windows of fewer than 4 events dropped", "removed": 3, "events": 16, "users": 4,
                              "items": 4}  # fmt: skip


def test_hashed_users_and_windows_against_a_plain_loop():
    protocol = HashedUsers(max_len=8, min_len=5)
    split = protocol.prepare(CHAIN)
    seeds = np.random.RandomState(72).randint(0, 2**32 - 1, size=2, dtype=np.int64)
    expected = {"validation": [], "test": []}
    for code, user in enumerate(CHAIN.user_ids):
        if murmurhash3_32(int(user), seed=int(seeds[0]), positive=True) % 100 >= 20:
            continue
        part = "test" if murmurhash3_32(int(user), seed=int(seeds[1]), positive=True) % 100 >= 50 else "validation"
        history = CHAIN.items[CHAIN.offsets[code] : CHAIN.offsets[code + 1]].tolist()
        cuts = list(range(len(history), 0, -8))[::-1]
        for stop in cuts:
            window = history[max(0, stop - 8) : stop]
            if len(window) >= 5:
                expected[part].append((code, window[:-1], window[-1]))
    for part, rows in expected.items():
        held_out = getattr(split, part)
        read = [
            held_out.sequences.row(r)[:n].tolist()
            for r, n in zip(held_out.sequence_of, held_out.history_lengths, strict=True)
        ]
        got = list(zip(held_out.clusters[held_out.sequence_of].tolist(), read, held_out.targets.tolist(), strict=True))
        assert got == rows and rows
    assert split.test.exclude_seen
    assert (np.diff(split.train.sequences.offsets) >= 5).all()


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: DisjointUsers(test=0), "test must be above 0, got 0"),
        (lambda: DisjointUsers(validation=-1), "validation must be at least 0, got -1"),
        (lambda: DisjointUsers(draw="x"), "draw must be one of without replacement, with replacement"),
        (
            lambda: DisjointUsers(extended=True, target_rule=LastOnly()),
            "extended needs the target rule SecondHalf, got LastOnly",
        ),
        (
            lambda: DisjointUsers(test=50, validation=40).prepare(CHAIN),
            "50 test and 40 validation users leave none of 90",
        ),
        (lambda: HashedUsers(max_len=5), "min_len must be at least 2 and at most 5, got 20"),
        (lambda: HashedUsers(min_len=1), "min_len must be at least 2 and at most 100, got 1"),
        (lambda: HashedUsers(held_out=1.0), "held_out must be above 0 and below 1, got 1.0"),
        (lambda: HashedUsers(held_out=0), "held_out must be above 0 and below 1, got 0"),
        (
            lambda: DisjointUsers().prepare(Interactions.from_events("n", [1, 2], [1, 1], None, clock=Clock.NONE)),
            "needs the order of each user's events, and n has no order",
        ),
    ],
)
def test_refusals(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()
