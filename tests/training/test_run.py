import numpy as np

from training.run import Run


def test_streams_differ_by_seed_and_purpose_and_start_anew():
    def draw(seed, purpose):
        return Run(seed=seed).generator(purpose).random(4)

    assert np.array_equal(draw(1, "weights"), draw(1, "weights"))
    assert not np.array_equal(draw(1, "weights"), draw(1, "order"))
    assert not np.array_equal(draw(1, "weights"), draw(2, "weights"))
    assert 0 <= Run(seed=1).derived_seed("x") < 2**63
