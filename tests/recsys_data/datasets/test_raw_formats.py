import gzip
import json
import lzma

import numpy as np
import pytest

from recsys_data.datasets.amazon_reviews import AmazonReviews
from recsys_data.datasets.diginetica import DigineticaViews
from recsys_data.datasets.lastfm import LastFM1K, read_log
from recsys_data.datasets.movielens import MovieLens1M
from recsys_data.datasets.yoochoose import YooChoose100k, YooChooseClicks, read_clicks
from recsys_data.interactions import Clock
from recsys_data.protocols.by_time import LastDays
from recsys_data.protocols.filters import MinUserEvents
from tests.recsys_data.splits import asked, events

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


def history(data, user):
    span = slice(data.offsets[user], data.offsets[user + 1])
    return data.item_ids[data.items[span]].tolist(), data.timestamps[span].tolist()


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


def test_yoochoose_clicks(tmp_path):
    path = tmp_path / "clicks.dat"
    path.write_text("2,2014-04-07T10:51:09.277Z,214536502,0\n1,2014-04-07T10:54:09.868Z,214536500,S\n"
                    "2,2014-04-07T10:50:00.000Z,7,0\n")  # fmt: skip
    data = read_clicks(path, "y")
    assert data.unit == "session" and history(data, 1)[0] == [7, 214536502]
    assert history(data, 1)[1] == [1396867800.0, 1396867869.277]
    target = tmp_path / YooChooseClicks.source.files[0]
    target.parent.mkdir()
    target.write_text(path.read_text())
    with pytest.raises(ValueError, match="holds 3 events, 2 sessions, 3 items; expected 33,003,944 events"):
        YooChooseClicks().load(tmp_path)


def test_diginetica_orders(tmp_path):
    path = tmp_path / "diginetica/train-item-views.csv.xz"
    path.parent.mkdir()
    rows = "1;NA;10;5000;2016-05-09\n1;NA;11;1000;2016-05-09\n1;NA;12;9000;2016-05-10\n2;5;10;0;2016-05-01\n"
    path.write_bytes(lzma.compress(("session_id;user_id;item_id;timeframe;eventdate\n" + rows).encode()))
    by_time = DigineticaViews().load(tmp_path)
    assert history(by_time, 0)[0] == [11, 10, 12]
    assert history(by_time, 0)[1] == [1462752001.0, 1462752005.0, 1462752009.0]  # 2016-05-09 and 1, 5, 9 s
    by_file = DigineticaViews(order="file").load(tmp_path)
    assert history(by_file, 0)[0] == [10, 11, 12]


def test_real_diginetica_sample():
    dataset = DigineticaViews(sample=True)
    if not dataset.present(None):
        pytest.skip(f"{dataset.name} is not there: set ENCORE_DATA to the folder that has it")
    data = dataset.load()
    assert (len(data), data.num_users, data.num_items) == (12_391, 2_986, 7_139)
    assert DigineticaViews(order="file", sample=True).load().fingerprint != data.fingerprint


def test_amazon_reviews_and_ratings(tmp_path):
    folder = tmp_path / "amazon"
    folder.mkdir()
    reviews = [
        {"reviewerID": "A2", "asin": "000", "overall": 4.0, "unixReviewTime": 1391040000, "reviewText": "\n"},
        {"reviewerID": "A1", "asin": "B1", "overall": 5.0, "unixReviewTime": 1391126400, "helpful": [1, 2]},
    ]
    (folder / "reviews_Beauty_5.json").write_text("\n".join(map(json.dumps, reviews)) + "\n")
    data = AmazonReviews("Beauty").load(tmp_path)
    assert data.user_ids.tolist() == ["A1", "A2"] and data.item_ids.tolist() == ["000", "B1"]
    assert data.items.tolist() == [1, 0] and data.ratings.tolist() == [5, 4]
    (folder / "ratings_Beauty.csv").write_text("A2,000,4.0,1391040000\nA1,B1,5.0,1391126400\n")
    assert AmazonReviews("Beauty", "ratings").load(tmp_path).fingerprint == data.fingerprint
    (folder / "reviews_Beauty_5.json").write_text('{"reviewerID": "A2", "asin": "000", "overall": 4.0}\n')
    with pytest.raises(ValueError, match="1 reviews have no unixReviewTime"):
        AmazonReviews("Beauty").load(tmp_path)


def test_movielens_ratings_dat(tmp_path):
    path = tmp_path / "ml-1m/ratings.dat"
    path.parent.mkdir()
    path.write_text("1::1193::5::978300760\n1::661::3:978302109\n")
    with pytest.raises(ValueError, match="row 2, column timestamp is missing: 3 fields, expected 4"):
        MovieLens1M().load(tmp_path)


def test_the_last_part_of_training():
    # Days 0 … 9, a session of three clicks a day; the last day tests. 1/3 of nine sessions' 18 pairs: 6 pairs, so 3.
    data = events(["aba"] * 10, unit="session", clock=Clock.ABSOLUTE)
    times = data.timestamps + data.users * 86_400.0
    data = type(data)(**{**{k: v for k, v in vars(data).items() if k != "offsets"}, "timestamps": times})
    by_date = LastDays(test=0.9, validation=0, fraction=3).prepare(data)
    assert len(by_date.train.sequences) == 3 and by_date.train.sequences.timestamps.min() == 6 * 86_400
    assert by_date.steps[0]["removed"] == 18 and len(by_date.test) == 2
    by_id = LastDays(test=0.9, validation=0, fraction=2, fraction_by="id").prepare(
        data
    )  # ⌊27/2⌋ = 13 events: 4 whole sessions
    assert len(by_id.train.sequences) == 4


def test_items_new_to_all_of_training_leave_and_those_new_to_the_part_stay():
    words = ["cc", "ab", "ab", "aczb"]
    data = events(words, unit="session", clock=Clock.ABSOLUTE)
    data = type(data)(**{**{k: v for k, v in vars(data).items() if k != "offsets"},
                         "timestamps": data.timestamps + data.users * 86_400.0})  # fmt: skip
    split = LastDays(test=0.9, validation=0, fraction=2, unseen="miss").prepare(data)
    assert asked(split, "test") == [(3, "a", "?"), (3, "a", "b")]  # c is a miss, z is gone


def test_real_yoochoose_slice_is_its_own_last_day():
    if not YooChoose100k().present(None):
        pytest.skip("yoochoose-100k is not there: set ENCORE_DATA to the folder that has it")
    data = YooChoose100k().load()
    split = LastDays(test=1, validation=0, filters=(MinUserEvents(2),)).prepare(data)
    assert np.array_equal(split.test.clusters, np.flatnonzero(data.parts == 2))  # the published test sessions


def test_gz_is_read_by_gzip_not_guessed(tmp_path):
    folder = tmp_path / "amazon"
    folder.mkdir()
    (folder / "ratings_Beauty.csv").write_bytes(gzip.compress(b"A2,000,4.0,1391040000\n"))
    with pytest.raises(ValueError, match="ratings_Beauty.csv"):
        AmazonReviews("Beauty", "ratings").load(tmp_path)
