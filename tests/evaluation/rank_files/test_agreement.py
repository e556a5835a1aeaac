"""Interval, adjusted p and conclusion of ``compare`` on random rank files: they never disagree."""

import numpy as np
import pytest

from evaluation.rank_files.comparison.compare import compare_files


def write(path, users, ranks):
    rows = [f"{user},{rank}" for user, rank in zip(users, ranks, strict=True)]
    path.write_text("\n".join(["user,rank", *rows]) + "\n")
    return path


@pytest.mark.parametrize("files", [2, 4])
def test_interval_p_and_conclusion_never_disagree(tmp_path, files):
    disputed = significant = 0
    for seed in range(40):
        rng = np.random.default_rng([seed, files])
        users = np.repeat(np.arange(rng.integers(4, 16)), 3)
        hard = rng.normal(2, 0.5, len(users))
        ranks = [np.maximum(1, np.exp(hard + 0.35 * n + rng.normal(0, 0.5, len(users)))).astype(int)
                 for n in range(files)]  # fmt: skip
        paths = [write(tmp_path / f"{n}.csv", users, found) for n, found in enumerate(ranks)]
        for row in compare_files(paths, ["mrr"], flips=500, resamples=200)["comparisons"]:
            low, high = row["ci_low"], row["ci_high"]
            clear = row["p_adjusted"] < 0.05
            significant += clear
            disputed += 0 in (low, high)
            assert not (low < 0 < high if clear else low > 0 or high < 0)
            assert not (row["relative_low"] < 0 < row["relative_high"] if clear else row["relative_low"] > 0)
            assert clear or row["conclusion"] not in ("better", "worse")
            if row["conclusion"] == "practically equal":
                assert row["relative_low"] > -0.05 and row["relative_high"] < 0.05
    assert significant and disputed
