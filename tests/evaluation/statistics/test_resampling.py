"""Signed and resampled sums against plain NumPy on the same random bits."""

import numpy as np

from evaluation.statistics.resampling import flipped_sums, resampled_sums


def test_signed_sums_are_those_of_the_same_bits():
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(21, 3))
    blocks = np.concatenate(list(flipped_sums(columns, 5000, np.random.default_rng(9))))
    draw = np.random.default_rng(9)
    expected = []
    for size in (4096, 904):
        bits = draw.integers(0, 256, size=(3, size), dtype=np.uint8)
        signs = np.array([[2.0 * ((bits[u // 8, f] >> (u % 8)) & 1) - 1 for u in range(21)] for f in range(size)])
        expected.append(signs @ columns)
    np.testing.assert_allclose(blocks, np.concatenate(expected), atol=1e-12)


def test_resampled_sums_draw_each_cluster_once_on_average():
    sums = resampled_sums(np.eye(50), 4000, np.random.default_rng(0))
    assert (sums.sum(axis=1) == 50).all()
    np.testing.assert_allclose(sums.mean(axis=0), 1.0, atol=0.08)
    np.testing.assert_allclose(sums.var(axis=0), 49 / 50, atol=0.12)  # binomial: G · 1/G · (1 − 1/G)
