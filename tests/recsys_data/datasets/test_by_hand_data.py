import sys

import h5py
import numpy as np
import pytest

from recsys_data.datasets.amazon_hdf5 import AmazonCoPurchasing, Hdf5Missing, reviews
from recsys_data.datasets.catalogue import DATASETS
from recsys_data.datasets.citeulike import CiteULikeLog
from recsys_data.fetching.errors import DataMissing
from recsys_data.interactions import Clock

LOG = """\
42|61baaeba8de136d9c1aa9c18ec3860e8|2004-11-04 02:25:05.373798+00|ecoli
42|61baaeba8de136d9c1aa9c18ec3860e8|2004-11-04 02:25:05.373798+00|metabolism
43|61baaeba8de136d9c1aa9c18ec3860e8|2004-11-04 02:25:06+00|barabasi
42|0a|2004-11-04 02:25:05.373798+00|no-tag
42|61baaeba8de136d9c1aa9c18ec3860e8|2004-11-05 00:00:00+00|again
"""


def put_log(folder, text):
    path = folder / "citeulike" / "who-posted-what.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_the_log_by_hand(tmp_path):
    put_log(tmp_path, LOG)
    data = CiteULikeLog().load(tmp_path)
    assert (len(data), data.num_users, data.num_items, data.clock) == (4, 2, 2, Clock.ABSOLUTE)  # two tags, one posting
    assert data.user_ids[data.users].tolist()[0] == "0a"
    assert data.item_ids[data.items].tolist() == [42, 42, 43, 42]
    # 2004-11-04 00:00 UTC is 12,726 days after 1970: 1,099,526,400 s; 02:25:05 is 8,705 s more
    assert data.timestamps[1] == pytest.approx(1_099_535_105.373798, abs=1e-6)
    assert data.timestamps[2:].tolist() == [1_099_535_106, 1_099_612_800]


def test_the_log_cut_to_three_columns_is_the_same(tmp_path):
    put_log(tmp_path, LOG)
    whole = CiteULikeLog().load(tmp_path)
    lines = [line.rpartition("|")[0] for line in LOG.splitlines()]
    put_log(tmp_path, "\n".join(dict.fromkeys(lines)) + "\n")  # awk and uniq, as the paper's README has it
    assert CiteULikeLog().load(tmp_path).fingerprint == whole.fingerprint


def test_a_broken_log_and_a_missing_one_say_so(tmp_path):
    with pytest.raises(DataMissing, match=r"who-posted-what.txt not found .* its official address no longer exists"):
        CiteULikeLog().load(tmp_path)
    put_log(tmp_path, LOG + "44|0a\n")
    with pytest.raises(ValueError, match="row 6, column time is missing: 2 fields, expected 4"):
        CiteULikeLog().load(tmp_path)
    put_log(tmp_path, LOG + "44|0a|yesterday|x\n")
    with pytest.raises(ValueError, match="event 6 has the time 'yesterday'"):
        CiteULikeLog().load(tmp_path)


COLUMNS = {
    "user_id": np.array([3, 3, 1], np.int32),
    "item_id": np.array([8, 9, 8], np.int32),
    "rating": np.array([5, 4, 1], np.int32),
    "timestamp": np.array([1_000_086_400, 1_000_000_000, 1_000_000_000], np.int32),
}


def test_reviews_by_hand():
    data = reviews("r", COLUMNS, "f.hdf5")
    assert data.user_ids.tolist() == [1, 3] and data.item_ids[data.items].tolist() == [8, 9, 8]
    assert data.ratings.tolist() == [1, 4, 5] and data.clock is Clock.ABSOLUTE
    with pytest.raises(ValueError, match=r"f.hdf5: no array rating; found user_id, item_id, timestamp"):
        reviews("r", {name: column for name, column in COLUMNS.items() if name != "rating"}, "f.hdf5")


def hdf5_path(folder):
    path = folder / "amazon" / "amazon_co_purchasing.hdf5"
    path.parent.mkdir()
    return path


def test_the_file_of_spotlight_is_read(tmp_path):
    with h5py.File(hdf5_path(tmp_path), "w") as file:
        for name, column in COLUMNS.items():
            file.create_dataset(name, data=column, compression="gzip")
    data = AmazonCoPurchasing().load(tmp_path)
    assert data.fingerprint == reviews(data.name, COLUMNS, "by hand").fingerprint
    assert data.item_ids[data.items].tolist() == [8, 9, 8] and "times in seconds" in data.edition


def test_hdf5_that_cannot_be_read_says_why(tmp_path, monkeypatch):
    hdf5_path(tmp_path).write_bytes(b"cut off")
    with pytest.raises(ValueError, match="cannot be read as HDF5"):
        AmazonCoPurchasing().load(tmp_path)
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(Hdf5Missing, match="amazon_co_purchasing.hdf5 is HDF5, and h5py is not installed; pip install"):
        AmazonCoPurchasing().load(tmp_path)


def test_both_are_known_by_name():
    assert DATASETS["citeulike-log"] == CiteULikeLog() and DATASETS["amazon-spotlight"] == AmazonCoPurchasing()
