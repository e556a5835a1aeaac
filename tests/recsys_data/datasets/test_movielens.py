import functools
import lzma

import numpy as np
import pytest

from recsys_data.datasets.dataset import Dataset, check_counts
from recsys_data.datasets.movielens import (
    MovieLens1M,
    MovieLens1MLate,
    MovieLens1MOrdered,
    MovieLens1MSASRec,
    MovieLens10M,
    MovieLens100K,
)
from recsys_data.datasets.subsample import LimitUsers
from recsys_data.fetching.compressed import read_bytes
from recsys_data.fetching.errors import DataMissing
from recsys_data.fetching.source import data_folder, locate
from recsys_data.interactions import Clock, Counts, Interactions

# What the data must hold, said a second time and independently of the code under test.
REAL = [
    (MovieLens100K(), 100_000, 943, 1_682, Clock.ABSOLUTE),
    (MovieLens1MOrdered(), 1_000_209, 6_040, 3_706, Clock.WITHIN),
    (MovieLens1MLate(), 200_042, 1_783, 3_511, Clock.ABSOLUTE),
    (MovieLens1MSASRec(), 999_611, 6_040, 3_416, Clock.WITHIN),
]


@functools.cache
def real(dataset):
    if not dataset.present(None):
        pytest.skip(f"{dataset.name} is not under {data_folder(None)}: set ENCORE_DATA to the folder that has it")
    return dataset.load()


@pytest.mark.parametrize(("dataset", "events", "users", "items", "clock"), REAL, ids=lambda v: getattr(v, "name", None))
def test_real_counts(dataset, events, users, items, clock):
    loaded = real(dataset)
    assert (len(loaded), loaded.num_users, loaded.num_items) == (events, users, items)
    assert loaded.clock is clock
    assert (np.diff(loaded.users) >= 0).all()


def test_real_ml_100k_times_and_ratings():
    loaded = real(MovieLens100K())
    assert loaded.timestamps.min() == 874_724_710 and loaded.timestamps.max() == 893_286_638
    assert np.bincount(loaded.ratings.astype(int)).tolist() == [0, 6_110, 11_370, 27_145, 34_174, 21_201]


def test_real_ml_1m_first_user_and_ratings():
    loaded = real(MovieLens1MOrdered())
    assert loaded.item_ids[loaded.items[:2]].tolist() == [3186, 1270]  # the first two lines of the file
    assert loaded.timestamps[:3].tolist() == [0, 1, 2]
    assert np.bincount(loaded.ratings.astype(int))[1:].tolist() == [56_174, 107_557, 261_197, 348_971, 226_310]


def lines(name):
    """The rows of a file of whole numbers that lies beside the data, read without the code under test."""
    path = locate(data_folder(None), name)
    if path is None:
        pytest.skip(f"{name} is not under {data_folder(None)}")
    return np.array([row.split()[:4] for row in read_bytes(path).decode().splitlines() if row[0].isdigit()], dtype=int)


def histories(loaded):
    """The movies of each user in order, by raw ids."""
    parts = np.split(loaded.item_ids[loaded.items], loaded.offsets[1:-1])
    return {int(user): part.tolist() for user, part in zip(loaded.user_ids, parts, strict=True)}


def test_the_ordered_edition_is_sasrecs_file_where_that_has_the_event():
    ours, theirs = histories(real(MovieLens1MOrdered())), histories(real(MovieLens1MSASRec()))
    users = dict(lines("ml-1m/sas_to_original_users.txt").tolist())
    movies = dict(lines("ml-1m/sas_to_original_items.txt").tolist())
    assert len(theirs) == len(ours) == 6_040 and len(movies) == 3_416
    kept = set(movies.values())
    for user, items in theirs.items():
        assert [movies[item] for item in items] == [movie for movie in ours[users[user]] if movie in kept]


def test_the_late_edition_has_the_true_times_of_the_ordered_one():
    late, ordered = real(MovieLens1MLate()), histories(real(MovieLens1MOrdered()))
    cut = 1875  # two ratings of this user share the second of the cut; the edition has the first of them only
    found = histories(late)
    assert found[cut] == [ordered[cut][-97], *ordered[cut][-95:]] and late.timestamps.min() == 975_768_738
    for user, movies in found.items():
        assert user == cut or ordered[user][-len(movies) :] == movies  # the user's last ratings, in the same order
    assert sum(len(movies) == len(ordered[user]) for user, movies in found.items()) == 640
    ends = {user: time for user, _, _, time in lines("ml-1m/last-event.tsv").tolist()}
    last = late.timestamps[late.offsets[1:] - 1]
    assert [ends[int(user)] for user in late.user_ids] == last.tolist()
    assert late.timestamps.max() == 1_046_454_590


def test_official_10m_format(tmp_path):
    (tmp_path / "ml-10M100K").mkdir()
    (tmp_path / "ml-10M100K/ratings.dat").write_text("1::122::5::838985046\n1::185::4.5::838983525\n")
    assert MovieLens10M().present(tmp_path)
    with pytest.raises(ValueError, match="holds 2 events, 1 users, 2 items; expected 10,000,054 events"):
        MovieLens10M().load(tmp_path)


def test_plain_and_xz_files_are_found(tmp_path):
    (tmp_path / "ml-100k").mkdir()
    assert locate(tmp_path, "ml-100k/u.data") is None
    (tmp_path / "ml-100k/u.data.xz").write_bytes(lzma.compress(b"1\t2\t3\t4\n"))
    assert read_bytes(locate(tmp_path, "ml-100k/u.data")) == b"1\t2\t3\t4\n"
    (tmp_path / "ml-100k/u.data").write_bytes(b"plain wins")
    assert read_bytes(locate(tmp_path, "ml-100k/u.data")) == b"plain wins"


def test_a_cut_xz_is_said_in_one_sentence(tmp_path):
    path = tmp_path / "u.data.xz"
    path.write_bytes(lzma.compress(b"1\t2\t3\t4\n" * 1000)[:-20])
    with pytest.raises(ValueError, match=r"u.data.xz: cannot be decompressed as xz .*; it is damaged, copy it again"):
        read_bytes(path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("1\t2\t3\t4\n1\t2\t3\n", "row 2, column timestamp is missing: 3 fields, expected 4"),
        ("1\t2\t3\t4\n1\tx\t3\t5\n", "row 2, column item is 'x'; expected a whole number"),
        ("1\t2\t3\t\n", "row 1, column timestamp is empty; expected a whole number"),
        ("1\t2\t3\t4\n", "holds 1 events, 1 users, 1 items; expected 100,000 events, 943 users, 1,682 items"),
    ],
)
def test_unreadable_data_name_row_and_column(tmp_path, text, sentence):
    (tmp_path / "ml-100k").mkdir()
    (tmp_path / "ml-100k/u.data").write_text(text)
    with pytest.raises(ValueError, match=sentence) as caught:
        MovieLens100K().load(tmp_path)
    assert "\n" not in str(caught.value)


def test_missing_data_say_where_to_put_them(tmp_path, monkeypatch):
    monkeypatch.setenv("ENCORE_OFFLINE", "1")
    with pytest.raises(DataMissing) as caught:
        MovieLens1M().load(tmp_path)
    sentence = str(caught.value)
    assert isinstance(caught.value, FileNotFoundError)
    assert "ml-1m/ratings.dat" in sentence and str(tmp_path) in sentence and "ml-1m.zip" in sentence
    with pytest.raises(DataMissing, match="cannot be downloaded automatically"):
        MovieLens1MOrdered().load(tmp_path)


def test_counts_must_match():
    tiny = Interactions.from_events("tiny", [1, 1], [3, 4], None, clock=Clock.WITHIN)
    assert check_counts(tiny, Counts(2, 1, 2), "the file") is tiny
    with pytest.raises(ValueError, match="2 events, 1 users, 2 items; expected 3 events, 1 users, 2 items"):
        check_counts(tiny, Counts(3, 1, 2), "the file")


class Letters:
    """A data set of three users."""

    name, title, licence, citation, expected = "letters", "Letters", "none", "none", Counts(6, 3, 3)

    def present(self, folder):
        return True

    def load(self, folder=None):
        return Interactions.from_events(
            "letters", list("aabbcc"), list("xyyzzx"), None, clock=Clock.WITHIN, facts={"caveats": ["OLD"]}
        )


def test_limit_users_takes_whole_users_and_adds_a_caveat():
    limited = LimitUsers(Letters(), 2)
    part, whole = limited.load(), Letters().load()
    assert isinstance(limited, Dataset) and limited.name == "letters"
    assert part.num_users == 2 and len(part) == 4
    assert part.facts["caveats"] == ["OLD", "SMOKE RUN: 2 of 3 users"]
    assert set(LimitUsers(Letters(), 1).load().user_ids) < set(part.user_ids) < set(whole.user_ids)
    assert LimitUsers(Letters(), 3).load().fingerprint == whole.fingerprint
    assert LimitUsers(Letters(), 3).load().facts["caveats"] == ["OLD"]
    with pytest.raises(ValueError, match="n must be at least 1 user, got 0"):
        LimitUsers(Letters(), 0)


def test_movielens_ratings_dat(tmp_path):
    path = tmp_path / "ml-1m/ratings.dat"
    path.parent.mkdir()
    path.write_text("1::1193::5::978300760\n1::661::3:978302109\n")
    with pytest.raises(ValueError, match="row 2, column timestamp is missing: 3 fields, expected 4"):
        MovieLens1M().load(tmp_path)
