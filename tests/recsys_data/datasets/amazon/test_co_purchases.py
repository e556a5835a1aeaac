import sys

import h5py
import numpy as np
import pytest

from recsys_data.catalogue.all_datasets import DATASETS
from recsys_data.datasets.amazon.co_purchases import AmazonCoPurchasing, Hdf5Missing, reviews
from recsys_data.interactions import Clock

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


def test_it_is_known_by_name():
    assert DATASETS["amazon-spotlight"] == AmazonCoPurchasing()
