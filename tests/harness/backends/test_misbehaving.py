"""A cell fails alone: models that break their process, or leave it changed, are told and change no other cell."""

import pytest

from tests.faults.misbehaving_models import WELL
from tests.faults.misbehaviour import cell_of, difference, run, wrong_record


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The results of the models that behave, alone."""
    return run(tmp_path_factory.mktemp("alone") / "suite", [], jobs=1)


SOME = ["item counts", "default dtype", "seeds", "patched Encore", "sys.exit", "os._exit", "segfault", "SIGKILL",
        "no text", "memory", "hangs in C"]  # fmt: skip


@pytest.mark.parametrize("jobs", [1, 2])
def test_each_misbehaving_model_has_its_own_record_and_the_others_their_bits(undisturbed, tmp_path, jobs):
    found = run(tmp_path / "suite", SOME, jobs=jobs)
    assert [wrong for name in SOME if (wrong := wrong_record(found, name))] == []
    assert [wrong for name in WELL if (wrong := difference(cell_of(undisturbed, name), cell_of(found, name)))] == []
    assert len(found.cells) + len(found.failures) == len(SOME) + len(WELL)
