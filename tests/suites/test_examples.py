"""The worked examples: their suites load, and the ranks that are kept of other programs are those of the split."""

from pathlib import Path

import pytest

from evaluation.rank_files.ranked import Ranked
from harness.suites.load import load_suite
from recsys_data.fetching.errors import DataMissing

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NAMES = ["gru4rec_official", "recbole"]


def suite_of(name):
    return load_suite(str(EXAMPLES / name / "suite.py"))


def test_the_suites_load_and_put_other_code_beside_encores():
    for name in NAMES:
        suite = suite_of(name)
        for experiment in suite.experiments:
            theirs = [label for label, model in experiment.models.items() if isinstance(model, Ranked)]
            assert theirs and {a for a, _ in suite.comparisons} == set(theirs)
            assert {b for _, b in suite.comparisons} <= set(experiment.models) - set(theirs)


@pytest.mark.parametrize("name", NAMES)
def test_kept_ranks_join_the_split(name):
    if not (EXAMPLES / name / "ranks").exists():
        pytest.skip("no ranks of the other program are kept yet")
    suite = suite_of(name)
    for experiment in suite.experiments:
        rows = [(model, seed) for model in experiment.models.values() if isinstance(model, Ranked)
                for seed in suite.seeds if model.file(seed, EXAMPLES / name).exists()]  # fmt: skip
        if not rows:
            continue
        try:
            split = experiment.protocol.prepare(experiment.dataset.load())
        except DataMissing as error:
            pytest.skip(str(error))
        for model, seed in rows:
            assert len(model.read(seed, EXAMPLES / name, split, "the test part").ranks) == len(split.test.targets)
