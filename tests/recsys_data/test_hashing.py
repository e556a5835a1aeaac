import numpy as np
from sklearn.utils import murmurhash3_32  # the hash of Spotlight's split by user

from recsys_data.hashing import hash_ids


def test_whole_numbers_hash_as_scikit_learns():
    ids = np.array([0, 1, 2, 71_567, 2**31 - 1, -5])
    for seed in (0, 72, 2**32 - 1):
        expected = murmurhash3_32(ids.astype(np.int32), seed=seed, positive=True)
        assert hash_ids(ids, seed).tolist() == expected.tolist()


def test_reference_values():
    ids = np.array([0, 1, -5, 2**31 - 1, -(2**31)])
    assert hash_ids(ids, 72).tolist() == [2656151296, 4135542935, 4144256439, 986696931, 2613704371]
    assert hash_ids(np.array([2**31, 5]), 72).tolist() == [552949424, 244514654]
    assert hash_ids(np.array([], dtype=np.int64)).dtype == np.uint32


def test_texts_hash_as_scikit_learns():
    ids = np.array(["", "a", "user_000008", "naïve", "abcd", "abcdefg"])
    assert hash_ids(ids, 3).tolist() == [murmurhash3_32(text, seed=3, positive=True) for text in ids.tolist()]


def test_large_numbers_hash_as_their_text():
    assert hash_ids(np.array([2**40]), 1).tolist() == hash_ids(np.array([str(2**40)]), 1).tolist()
