import functools
import lzma
import re

import numpy as np
import pytest

from recsys_data.catalogue.all_datasets import DATASETS
from recsys_data.catalogue.summary import summarise_dataset
from recsys_data.datasets.amazon.editions import AmazonFiveCore, AmazonPaper
from recsys_data.datasets.citeulike import CiteULikeHCRNN, CiteULikeLibraries
from recsys_data.datasets.dataset import Dataset
from recsys_data.datasets.diginetica import Diginetica
from recsys_data.datasets.lastfm import LastFMArtistSessions, LastFMUserArtist
from recsys_data.datasets.movielens import MovieLens1MSubsample, MovieLens100K
from recsys_data.datasets.yoochoose import YooChoose64, YooChoose100k
from recsys_data.fetching.source import data_folder
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.interactions import Clock, Counts, Interactions
from recsys_data.protocols.published import AsPublished

# What each real edition must hold, said a second time: events, users or sessions, items, clock, shortest, longest.
REAL = {
    "ml-1m-subsample": (49_653, 1_299, 930, Clock.ABSOLUTE, 10, 100),
    "lastfm-user-artist": (25_539, 270, 5_092, Clock.ABSOLUTE, 13, 100),
    "lastfm-artist-sessions": (1_026_560, 90_532, 31_864, Clock.WITHIN, 2, 20),
    "citeulike-hcrnn": (49_662, 1_798, 1_980, Clock.ABSOLUTE, 4, 100),
    "citeulike-a": (204_986, 5_551, 16_980, Clock.NONE, 10, 403),
    "citeulike-t": (134_860, 7_947, 25_584, Clock.NONE, 3, 1_995),
    "yoochoose-1-64": (557_248, 131_491, 17_745, Clock.WITHIN, 2, 146),
    "yoochoose-100k": (83_846, 21_210, 2_933, Clock.ABSOLUTE, 2, 78),
    "diginetica": (982_961, 202_633, 43_097, Clock.WITHIN, 2, 70),
    "amazon-5core-beauty": (198_502, 22_363, 12_101, Clock.RELATIVE, 5, 204),
    "amazon-5core-sports": (296_337, 35_598, 18_357, Clock.RELATIVE, 5, 296),
    "amazon-5core-toys": (167_597, 19_412, 11_924, Clock.RELATIVE, 5, 550),
    "amazon-sasrec-video-games": (287_107, 31_013, 23_715, Clock.WITHIN, 1, 860),
    "amazon-bert4rec-beauty": (353_962, 40_226, 54_542, Clock.WITHIN, 5, 293),
}


@functools.cache
def loaded(dataset):
    if not dataset.present(None):
        pytest.skip(f"{dataset.name} is not under {data_folder(None)}: set ENCORE_DATA to the folder that has it")
    return dataset.load()


@pytest.mark.parametrize("name", REAL)
def test_real_counts(name):
    data = loaded(DATASETS[name])
    events, users, items, clock, shortest, longest = REAL[name]
    lengths = np.diff(data.offsets)
    assert (len(data), data.num_users, data.num_items) == (events, users, items)
    assert (data.clock, lengths.min(), lengths.max()) == (clock, shortest, longest)
    assert data.edition and ("comparable" in data.edition or "compared" in data.edition or "baselines" in data.edition)


def pairs(sequences):
    return int((sequences.lengths - 1).sum())


@pytest.mark.parametrize(
    ("dataset", "train", "test"), [(YooChoose64(), 369_859, 55_898), (Diginetica(), 719_470, 60_858)]
)
def test_published_sizes_are_met(dataset, train, test):
    split = AsPublished(validation=0, unseen="candidate").prepare(loaded(dataset))
    assert pairs(split.train.sequences) == train
    assert len(split.test) == len(split.test.targets) == test
    assert len(split.validation) == 0 and split.train.num_users == 0


def test_yoochoose_targets_that_training_has_not_seen():
    split = AsPublished().prepare(loaded(YooChoose64()))
    assert len(split.test) == 55_898  # a miss is still asked for
    step = split.steps[-1]
    assert step["unseen"] > 0 and (split.test.targets == -1).sum() <= step["unseen"]
    dropped = AsPublished(unseen="drop").prepare(loaded(YooChoose64()))
    assert len(dropped.test) < 55_898 and (dropped.test.targets >= 0).all()


def test_real_days_and_parts():
    data = loaded(CiteULikeHCRNN())
    assert np.bincount(data.parts).tolist() == [1_294, 144, 360]
    assert np.bincount(data.parts[data.users]).tolist() == [36_104, 4_058, 9_500]
    facts = summarise_dataset(data)
    assert (facts["start"], facts["end"]) == ("2004-11-03T17:25:51+00:00", "2014-12-29T10:38:09+00:00")
    slice_ = loaded(YooChoose100k())
    assert np.bincount(slice_.parts).tolist() == [17_794, 0, 3_416]
    assert slice_.unit == "session"


def test_real_times_of_the_samples():
    facts = summarise_dataset(loaded(MovieLens1MSubsample()))
    assert (facts["start"], facts["end"]) == ("2000-04-25T23:05:54+00:00", "2003-02-27T14:18:34+00:00")
    facts = summarise_dataset(loaded(LastFMUserArtist()))
    assert (facts["start"], facts["end"]) == ("2005-06-30T05:38:15+00:00", "2009-06-18T11:23:39+00:00")


def test_real_amazon_gaps():
    data = loaded(AmazonFiveCore("Beauty"))
    first = np.flatnonzero(data.user_ids == 1)[0]
    history = slice(data.offsets[first], data.offsets[first + 1])
    # the file's first line: items 1 to 5, gaps 0 0 9244800 62899200 0
    assert data.item_ids[data.items[history]].tolist() == [1, 2, 3, 4, 5]
    assert data.timestamps[history].tolist() == [0, 0, 9_244_800, 72_144_000, 72_144_000]
    assert (data.timestamps % 86_400 == 0).all()


def test_real_diginetica_repeats():
    data = loaded(Diginetica())
    test = data.keep((data.parts == 2)[data.users])
    same = test.users[1:] == test.users[:-1]
    seen = set()
    repeats = np.array(
        [
            (pair in seen) or seen.add(pair) or False
            for pair in zip(test.users.tolist(), test.items.tolist(), strict=True)
        ]
    )
    immediate = np.r_[False, same & (test.items[1:] == test.items[:-1])]
    assert repeats.sum() / 60_858 == pytest.approx(0.2051, abs=5e-5)  # 20.51 % of the events that are predicted
    assert immediate.sum() / repeats.sum() == pytest.approx(0.446, abs=5e-4)  # and 44.6 % of these at once


def test_last_fm_sessions_keep_their_order():
    data = loaded(LastFMArtistSessions())
    first = np.flatnonzero(data.user_ids == 25_947)[0]  # the first line of the test file
    history = data.items[data.offsets[first] : data.offsets[first + 1]]
    assert data.item_ids[history].tolist() == [4806, 6552]


def test_every_data_set_is_whole():
    for name, dataset in DATASETS.items():
        assert isinstance(dataset, Dataset) and dataset.name == name
        assert re.fullmatch(r"[a-z0-9-]+", name)
        assert dataset.title and dataset.licence and dataset.citation
        assert dataset.expected is None or dataset.expected.events > 0
    assert len({dataset.title for dataset in DATASETS.values()}) == len(DATASETS)
    assert set(REAL) < set(DATASETS)


def put(folder, name, text):
    path = folder / f"{name}.xz"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lzma.compress(text.encode()))


def test_cut_files_are_refused_in_one_sentence(tmp_path):
    put(tmp_path, "citeulike-a/users.dat", "2 10 20\n3 10 20\n")
    with pytest.raises(ValueError, match="line 2 has 2 articles and announces"):
        CiteULikeLibraries("a").load(tmp_path)
    put(tmp_path, "amazon/5core-Beauty.txt", "1 5 6\t0 86400\n2 5\t0 0\n")
    with pytest.raises(ValueError, match="line 2 is truncated; expected a user, n items and n gaps"):
        AmazonFiveCore("Beauty").load(tmp_path)
    put(tmp_path, "amazon/5core-Beauty.txt", "1 5 6\t0 86400\n2\n")
    with pytest.raises(ValueError, match="line 2 is truncated; expected a user, n items and n gaps"):
        AmazonFiveCore("Beauty").load(tmp_path)
    put(tmp_path, "diginetica/train-sessions.txt", "1 2 3\n4 x 5\n")
    put(tmp_path, "diginetica/test-sessions.txt", "1 2\n")
    with pytest.raises(ValueError, match="line 2 holds 'x'; expected whole numbers only"):
        Diginetica().load(tmp_path)
    put(tmp_path, "diginetica/train-sessions.txt", "1 2 3\n")
    with pytest.raises(ValueError, match="holds 5 events, 2 sessions, 3 items; expected 982,961 events"):
        Diginetica().load(tmp_path)


def test_fields_name_what_there_is():
    with pytest.raises(
        ValueError, match="category must be one of Beauty, Sports_and_Outdoors, Toys_and_Games, got 'B'"
    ):
        AmazonFiveCore("B")
    with pytest.raises(ValueError, match="paper must be one of SASRec, BERT4Rec, got 'x'"):
        AmazonPaper("x")
    with pytest.raises(ValueError, match="which must be one of a, t, got 'b'"):
        CiteULikeLibraries("b")
    assert AmazonPaper("SASRec").expected == Counts(287_107, 31_013, 23_715)
    assert MovieLens100K().expected == Counts(100_000, 943, 1_682)


def test_describe_is_plain():
    facts = summarise_dataset(MarkovChainSequences().load())
    assert facts["users"] == 300 and facts["sessions"] is None and facts["clock"] == "absolute"
    sessions = summarise_dataset(
        Interactions.from_events("s", [1, 1, 1, 2], ["a", "b", "a", "c"], None, clock=Clock.WITHIN, unit="session")
    )
    assert sessions["users"] is None and sessions["sessions"] == 2
    assert sessions["start"] is None and sessions["repeats"] == 1 / 4
    assert (sessions["shortest"], sessions["median"], sessions["longest"]) == (1, 2.0, 3)
