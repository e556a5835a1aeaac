import enum
from dataclasses import dataclass
from typing import ClassVar

import pytest

from harness.spec import Experiment, Suite, canonical, expand, written_form, written_name


@dataclass
class Learner:
    dim: int = 4
    deterministic: ClassVar[bool] = False


@dataclass
class Counter:
    deterministic: ClassVar[bool] = True


@dataclass(frozen=True)
class Named:
    name: str


def suite(**changes):
    models = {"b": Learner(), "a": Counter()}
    experiments = [Experiment(Named("one"), Named("p"), models), Experiment(Named("two"), Named("p"), models)]
    return Suite(**{"name": "s", "title": "S", "experiments": experiments, "seeds": (5, 3), "metrics": (), **changes})


def test_expands_in_the_written_order_and_runs_the_deterministic_once():
    assert [c.label for c in expand(suite())] == ["one/b/5", "one/b/3", "one/a/0", "two/b/5", "two/b/3", "two/a/0"]
    assert [c.label for c in expand(suite(), seeds=[9])] == ["one/b/9", "one/a/0", "two/b/9", "two/a/0"]


def test_a_label_tells_cells_of_two_protocols_apart():
    experiments = [Experiment(Named("one"), Named(p), {"a": Counter()}, label=p) for p in ("in time", "shuffled")]
    assert [c.label for c in expand(suite(experiments=experiments))] == ["one/a/0 (in time)", "one/a/0 (shuffled)"]


def test_random_seed_depends_on_split_fields_and_seed_not_on_names():
    def root(cell, split="f"):
        return cell.random_seed(split)

    b5, b3, *_ = expand(suite())
    assert root(b5) != root(b3)
    assert root(b5) != root(b5, "g")
    wider = Experiment(Named("one"), Named("p"), {"b": Learner(dim=5)})
    renamed = Experiment(Named("uno"), Named("q"), {"anything": Learner()})
    assert root(next(expand(suite(experiments=[wider])))) != root(b5)
    assert root(next(expand(suite(experiments=[renamed])))) == root(b5)


class Colour(enum.Enum):
    RED = "red"


def test_describe_writes_values_down_or_refuses():
    assert written_form(Learner(dim=2)) == {"type": "Learner", "dim": 2}
    assert written_form({"x": (1, range(2), {3, 1}, Colour.RED, None)}) == {"x": [1, [0, 1], [1, 3], "red", None]}
    with pytest.raises(TypeError, match="cannot be part of a cell's key"):
        written_form(lambda: 0)


def test_a_written_name_is_the_classes_own_and_not_inherited():
    @dataclass
    class Renamed(Learner):
        written_name: ClassVar[str] = "Learner"

    @dataclass
    class Sub(Renamed):
        pass

    assert written_name(Renamed) == "Learner"
    assert written_name(Sub).endswith("Sub")


def test_canonical_text_is_blind_to_order():
    assert canonical({"b": 1, "a": 2}) == canonical({"a": 2, "b": 1}) == '{"a":2,"b":1}'
