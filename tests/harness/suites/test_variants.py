"""Names of variants: safe as folder names, distinct, and the same for the same changes."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.suites.load import SuiteNotLoadable, load_suite
from harness.suites.overrides import Overrides
from harness.suites.request import RunRequest
from harness.suites.variants import safe_name, stored_options, variant_name
from recsys_data.sealed_json import sealed_text


@pytest.fixture
def loaded(tiny_suite, tmp_path):
    """Loads the tiny suite with some overrides and fields of the request."""

    def load(threads=1, other_device=False, precision="float32", engine="torch", **overrides):
        return RunRequest(str(tiny_suite), tmp_path, overrides=Overrides(**overrides), threads=threads,
                          other_device=other_device, precision=precision, engine=engine).load()  # fmt: skip

    return load


@pytest.mark.parametrize("options, name", [
    ({}, "tiny"),
    ({"only": "GRU", "protocol": "*"}, "tiny"),
    ({"seeds": (0,)}, "tiny"),
    ({"seeds": (1, 0)}, "tiny"),
    ({"seeds": (0, 1, 2)}, "tiny@seeds=3"),
    ({"seeds": (7,)}, "tiny@seeds=7,"),
    ({"limit_users": 12}, "tiny@limit-users=12"),
    ({"threads": 2}, "tiny@threads=2"),
    ({"other_device": True}, "tiny@device=cpu"),
    ({"precision": "bfloat16"}, "tiny@precision=bfloat16"),
    ({"engine": "compiled", "threads": 2}, "tiny@threads=2,engine=compiled"),
    ({"sets": ("GRU.dim=64",), "limit_users": 12, "seeds": (7, 9)}, "tiny@GRU.dim=64,limit-users=12,seeds=7,9"),
    ({"sets": ("GRU.dim=64", "GRU.batch_size=4", "GRU.dim=64")}, "tiny@GRU.batch_size=4,GRU.dim=64"),
    ({"sets": ("dim=64", "GRU.dim=32")}, "tiny@dim=64,GRU.dim=32"),
    ({"sets": ("GRU.dim=32", "dim=64")}, "tiny@GRU.dim=32,dim=64"),
])  # fmt: skip
def test_what_changes_the_cells_is_part_of_the_name(loaded, options, name):
    found = loaded(**options)
    assert found.suite.name == name
    changes = name.partition("@")[2]
    assert found.suite.title == (f"Tiny ({', '.join(found.variant)})" if changes else "Tiny")
    assert (",".join(found.variant)) == changes


def test_seeds_of_the_suite_select_and_others_replace_them(loaded):
    own = loaded(seeds=(1,))
    assert own.suite.seeds == [0, 1] and own.chosen == (True, False, True)  # popularity has no other seed
    other = loaded(seeds=(1, 7))
    assert other.suite.seeds == [1, 7] and other.chosen == (True, True, True)


def test_the_command_of_a_record_has_no_selection(loaded):
    command = loaded(sets=("GRU.dim=64",), only="GRU", seeds=(1,), protocol="*").command()
    assert command.endswith("tiny.py --set GRU.dim=64")
    assert loaded(seeds=(7,), only="GRU").command().endswith("tiny.py --seeds 7,")


@given(st.text(min_size=1, max_size=300), st.text(min_size=1, max_size=300))
def test_names_are_safe_distinct_and_read_back(one, other):
    first, second = variant_name("s", [one]), variant_name("s", [other])
    assert re.fullmatch(r"s@[A-Za-z0-9._=,+()-]{1,170}", first)
    assert (first == second) == (one == other)
    assert safe_name(first) == first == safe_name(f"s@{one}")


def test_a_name_that_is_not_stored_is_left_to_the_loader(tmp_path):
    for name in ("ml1m", "tiny", "./tiny.py", "ml1m@GRU.dim=3"):
        assert stored_options(name, tmp_path) is None
    with pytest.raises(SuiteNotLoadable, match="unknown suite 'ml1m@GRU.dim=3': a variant can be named once it has"):
        load_suite("ml1m@GRU.dim=3")


@pytest.mark.parametrize("changes", [{"file": []}, {"options": None}, {"suite": 3}, {"file": "\0"}, {"file": "\ud800"}])
def test_a_record_that_does_not_say_what_was_run_is_named(tmp_path, changes):
    record = {"file": "x.py", "suite": "mine", "options": {}} | changes
    path = tmp_path / "suites" / "mine" / "suite.json"
    path.parent.mkdir(parents=True)
    path.write_text(sealed_text(record))
    said = rf"{path} is damaged \(its field {next(iter(changes))} is not as a run writes it\): remove it and run again"
    with pytest.raises(ValueError, match=said):
        stored_options("mine", tmp_path)
