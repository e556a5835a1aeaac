"""Values survive JSON; a record that does not fit is refused by the name of its field."""

import enum
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from evaluation.json_codec import from_json, to_json


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True)
class Inner:
    size: float
    ends: tuple[float, float] | None = None


@dataclass(frozen=True)
class Outer:
    name: str
    colour: Colour
    inner: Inner
    counts: dict[int, float]
    parts: tuple[Inner, ...] = ()
    either: int | str = 0
    flag: bool = False
    extra: Any = None
    derived: int = field(init=False, default=7)


VALUE = Outer("a", Colour.BLUE, Inner(1.5, (0.0, 2.0)), {3: 0.25}, (Inner(0.5), Inner(2.0)), "x", True, [1, None])


def through(value, **options):
    return json.loads(json.dumps(to_json(value, **options)))


def test_a_value_survives_json():
    assert from_json(Outer, through(VALUE)) == VALUE
    assert "derived" not in to_json(VALUE)


def test_numpy_numbers_and_containers_become_plain():
    found = to_json({1: np.float64(0.5), "n": np.int32(3), "a": np.arange(3), "r": range(2), "s": {"b", "a"}})
    assert found == {"1": 0.5, "n": 3, "a": [0, 1, 2], "r": [0, 1], "s": ["a", "b"]}
    assert {type(found["1"]), type(found["n"])} == {float, int}
    assert to_json(Path("a/b")) == "a/b"
    assert to_json(np.bool_(True)) is True


def test_numbers_that_are_not_finite_are_null_unless_exact():
    odd = [math.inf, math.nan, np.float64(-math.inf)]
    assert to_json(odd) == [None, None, None]
    exact = through(odd, exact=True)
    assert (exact[0], exact[2]) == (math.inf, -math.inf)
    assert math.isnan(exact[1])
    assert math.isnan(from_json(Inner, through(Inner(math.inf))).size)


@pytest.mark.parametrize("change, message", [
    ({"colour": "green"}, r"Outer\.colour must be one of red, blue, got 'green'"),
    ({"name": 3}, r"Outer\.name must be a text, got 3"),
    ({"flag": 1}, r"Outer\.flag must be true or false, got 1"),
    ({"inner": {"size": "large"}}, r"Outer\.inner\.size must be a number, got 'large'"),
    ({"inner": {}}, r"Outer\.inner needs the field 'size'"),
    ({"inner": 3}, r"Outer\.inner must be an object, got 3"),
    ({"parts": [{"size": 1.0, "ends": [1.0]}]}, r"Outer\.parts\[0\]\.ends must be a list of 2"),
    ({"parts": 3}, r"Outer\.parts must be a list, got 3"),
    ({"either": 1.5}, r"Outer\.either must be a text, got 1\.5"),
    ({"shape": 1}, r"Outer has no field 'shape': it has name, colour"),
])  # fmt: skip
def test_a_record_that_does_not_fit_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        from_json(Outer, through(VALUE) | change)


def test_a_missing_field_takes_its_default():
    record = through(VALUE)
    del record["parts"]
    assert from_json(Outer, record).parts == ()
    assert from_json(tuple[Inner | None, str], [None, "x"]) == (None, "x")
    assert from_json(list[int], [1, 2]) == [1, 2]
