import math
from types import SimpleNamespace

import numpy as np
import pytest

from recsys_data.checks import check_choice, check_range, did_you_mean


@pytest.mark.parametrize(
    ("value", "bounds", "sentence"),
    [
        (0, {"at_least": 1}, "x must be at least 1, got 0"),
        (1.0, {"at_least": 0, "below": 1}, "x must be at least 0 and below 1, got 1.0"),
        (0, {"above": 0, "unit": "seconds", "or_none": True}, "x must be above 0 seconds or None, got 0"),
        (1.5, {"above": 0, "at_most": 1}, "x must be above 0 and at most 1, got 1.5"),
        (math.inf, {"at_least": 0, "finite": True}, "x must be at least 0 and finite, got inf"),
        (math.nan, {"at_least": 0}, "x must be at least 0, got nan"),
        (None, {"at_least": 0}, "x must be at least 0, got None"),
        ("3", {"at_least": 0}, "x must be at least 0, got '3'"),
    ],
)
def test_a_value_outside_is_refused_in_one_sentence(value, bounds, sentence):
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        check_range(SimpleNamespace(x=value), "x", **bounds)


@pytest.mark.parametrize(
    ("value", "bounds"),
    [(1, {"at_least": 1}), (0.999, {"below": 1}), (None, {"above": 0, "or_none": True}), (math.inf, {"at_least": 0}),
     (1, {"at_most": 1}), (np.float64(0.5), {"above": 0, "below": 1})],
)  # fmt: skip
def test_a_value_inside_passes(value, bounds):
    check_range(SimpleNamespace(x=value), "x", **bounds)


def test_each_named_field_is_looked_at():
    with pytest.raises(ValueError, match="second must be at least 1, got 0"):
        check_range(SimpleNamespace(first=1, second=0), "first", "second", at_least=1)


def test_a_choice():
    check_choice(SimpleNamespace(unit="steps"), "unit", ("steps", "epochs"))
    with pytest.raises(ValueError, match="^unit must be one of steps, epochs, got 'hours'$"):
        check_choice(SimpleNamespace(unit="hours"), "unit", ("steps", "epochs"))


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("gru", "did you mean 'GRU'?"),  # any case
        ("Markow chain", "did you mean 'Markov chain'?"),
        ("BERT4Rec", "expected GRU or Markov chain"),
    ],
)
def test_the_closest_name(name, hint):
    assert did_you_mean(name, iter(["GRU", "Markov chain"]), "expected GRU or Markov chain") == hint
    assert did_you_mean("zzz", []) == ""
    assert did_you_mean("GRUU", ["GRU"], closeness=0.9) == ""
