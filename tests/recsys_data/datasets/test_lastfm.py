import pytest

from recsys_data.datasets.lastfm import LastFM1K, read_log
from recsys_data.interactions import Clock
from tests.recsys_data.splits import events, history

LOG = (  # newest first, a stray quote, an empty title, two listens of one second
    'user_000001\t2009-05-04T23:08:57Z\tid1\tDeep "Dish\tt1\tComposition 1\n'
    "user_000001\t2009-05-04T13:54:10Z\tid2\tBjörk\tt2\tSame\n"
    "user_000001\t2009-05-04T13:54:10Z\tid3\tOther\t\tSame\n"
    "user_000001\t2009-05-03T00:00:00Z\tid3\tOther\t\t\n"
    "user_000002\t2006-01-01T00:00:01Z\tid3\tOther\tt3\tAlone\n"
)


@pytest.fixture
def log(tmp_path):
    path = tmp_path / "log.tsv"
    path.write_text(LOG)
    return path


@pytest.mark.parametrize(
    ("item", "first", "second"),
    [
        ("track", ["Same", "Same", "Composition 1"], ["Alone"]),
        ("artist and track", ["Other\tSame", "Björk\tSame", 'Deep "Dish\tComposition 1'], ["Other\tAlone"]),
        ("track id", ["t2", "t1"], ["t3"]),
        ("artist", ["Other", "Other", "Björk", 'Deep "Dish'], ["Other"]),
    ],
)
def test_the_listening_log_by_hand(log, item, first, second):
    data, rows = read_log(log, "l", item)
    assert rows == 5 and history(data, 0)[0] == first and history(data, 1)[0] == second
    assert data.clock is Clock.ABSOLUTE and history(data, 0)[1][-1] == 1241478537  # date -u -d 2009-05-04T23:08:57Z +%s
    assert data.num_items == len(set(first + second))


def test_a_cut_log_is_refused(tmp_path):
    path = tmp_path / LastFM1K.source.files[0]
    path.parent.mkdir()
    path.write_text(LOG)
    with pytest.raises(ValueError, match="holds 5 rows of 2 users; expected 19,150,868 rows of 992"):
        LastFM1K().load(tmp_path)
    path.write_text(LOG + "user_000002\t2006-13-01T00:00:01Z\tid3\tOther\tt3\tAlone\n")
    with pytest.raises(ValueError, match="row 6, column timestamp is '2006-13-01T00:00:01Z'; expected a time such as"):
        LastFM1K().load(tmp_path)


@pytest.mark.parametrize(("taken", "expected"), [("last", ["j", "b"]), ("first", ["a", "b"])])
def test_a_tenth_of_the_log(taken, expected):
    # ⌈0.1·10⌉ = 1 of ten listens and ⌈0.1·1⌉ = 1 of one
    data = events(["abcdefghij", "b"])
    kept = data.keep(LastFM1K(share=0.1, keep=taken)._sample_mask(data))
    assert [history(kept, user)[0] for user in (0, 1)] == [[letter] for letter in expected]


def test_a_random_tenth_is_seeded():
    data = events(["abcdefghij" * 3, "b"])
    masks = [LastFM1K(share=0.2, keep="random", seed=seed)._sample_mask(data) for seed in (0, 0, 1)]
    assert masks[0].sum() == 6 + 1 and (masks[0] == masks[1]).all() and (masks[0] != masks[2]).any()


def test_a_share_is_exact():
    data = events(["ab" * 50])
    assert LastFM1K(share=0.07)._sample_mask(data).sum() == 7  # in floats 0.07 · 100 is a little more than 7


def test_names_tell_the_variant():
    assert LastFM1K().name == "lastfm-1k"
    assert LastFM1K("artist and track", 0.1, "random").name == "lastfm-1k-artist-and-track-10-random"
