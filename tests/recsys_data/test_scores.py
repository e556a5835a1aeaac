import numpy as np
import pytest
import torch
from scipy.sparse import csr_matrix

from recsys_data.scores import Dense, Factored, Sparse

VALUES = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], dtype=np.float32)


def answers():
    queries = np.array([[1.0], [2.0]], dtype=np.float32)
    factors = np.array([[1.0], [2.0], [3.0]], dtype=np.float32)
    bias = np.array([0.0, 0.5, 0.0], dtype=np.float32)
    # 1·(1, 2, 3) + (0, .5, 0) and 2·(1, 2, 3) + (0, .5, 0)
    product = np.array([[1, 2.5, 3], [2, 4.5, 6]])
    yield "dense", Dense(VALUES), VALUES
    yield "dense torch", Dense(torch.from_numpy(VALUES)), VALUES
    yield "factored", Factored(queries, factors, bias), product
    yield "factored torch", Factored(*map(torch.from_numpy, (queries, factors, bias))), product
    yield "sparse", Sparse(csr_matrix(([7.0], ([1], [0])), shape=(2, 3)), default=-1.0), [[-1, -1, -1], [7, -1, -1]]
    yield (
        "sparse on counts",
        Sparse(csr_matrix(([7.0], ([1], [0])), shape=(2, 3)), np.arange(3)),
        [[0, 1, 2], [7, 1, 2]],
    )


@pytest.mark.parametrize(("name", "scores", "expected"), list(answers()), ids=lambda x: x if isinstance(x, str) else "")
def test_blocks(name, scores, expected):
    expected = np.asarray(expected)
    kind = torch.from_numpy if "torch" in name else np.asarray
    assert tuple(scores.shape) == (2, 3)
    np.testing.assert_allclose(np.asarray(scores.block(slice(0, 2))), expected)
    np.testing.assert_allclose(np.asarray(scores.block(slice(1, 2))), expected[1:])
    np.testing.assert_allclose(np.asarray(scores.block(slice(0, 2), kind(np.array([2, 0])))), expected[:, [2, 0]])
    own = np.array([[2, 1], [0, 0]])
    np.testing.assert_allclose(np.asarray(scores.block(slice(0, 2), kind(own))), np.take_along_axis(expected, own, 1))
