import numpy as np
from sklearn.utils import murmurhash3_32  # the hash Spotlight's user split is made with

from recsys_data.hashing import hash_ids


def test_whole_numbers_hash_as_scikit_learns():
    ids = np.array([0, 1, 2, 71_567, 2**31 - 1, -5])
    for seed in (0, 72, 2**32 - 1):
        expected = murmurhash3_32(ids.astype(np.int32), seed=seed, positive=True)
        assert hash_ids(ids, seed).tolist() == expected.tolist()


def test_texts_hash_as_scikit_learns():
    ids = np.array(["", "a", "user_000008", "naïve", "abcd", "abcdefg"])
    assert hash_ids(ids, 3).tolist() == [murmurhash3_32(text, seed=3, positive=True) for text in ids.tolist()]


def test_large_numbers_hash_as_their_text():
    assert hash_ids(np.array([2**40]), 1).tolist() == hash_ids(np.array([str(2**40)]), 1).tolist()
