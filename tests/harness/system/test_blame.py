"""The line that an error is blamed on: the user's, whatever lies between, else Encore's."""

import importlib.util
import sys

import numpy as np
import pytest

from evaluation.metrics.accuracy import metric_named
from harness.system.blame import blamed_line

MODULE = """
import functools
import numpy as np

def fails(value):
    return int(value)          # line 6

def calls_a_library():
    functools.reduce(lambda a, b: np.zeros(2) + np.zeros(3), [1, 2])   # line 9

def calls(function):
    return function()          # line 12

def wraps():
    try:
        fails("x")
    except ValueError as error:
        raise RuntimeError("wrapped") from error   # line 18

class Model:
    pass
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """A user's module outside the checkout."""
    path = tmp_path / "mine.py"
    path.write_text(MODULE)
    spec = importlib.util.spec_from_file_location("mine_to_blame", path)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def blamed(function, *args):
    with pytest.raises(Exception) as caught:
        function(*args)
    error = caught.value
    error.__traceback__ = error.__traceback__.tb_next  # without this test
    return blamed_line(error)


def test_the_innermost_line_of_the_user(mine):
    assert blamed(mine.fails, "x") == f"{mine.__file__}, line 6, fails"
    assert blamed(mine.calls_a_library) == f"{mine.__file__}, line 9, <lambda>"
    assert blamed(mine.wraps) == f"{mine.__file__}, line 18, wraps"


def test_the_user_comes_before_what_the_user_called(mine):
    assert blamed(mine.calls, lambda: metric_named("no such metric")).endswith("<lambda>"), "a test is no Encore code"
    line = blamed(mine.calls, metric_named.__get__("no such metric"))
    assert line == f"{mine.__file__}, line 12, calls"


def test_encores_line_where_no_user_is_involved_and_encore_did_not_mean_it(mine):
    line = blamed(metric_named, 3)
    assert "evaluation/metrics/accuracy.py, line " in line
    assert blamed(metric_named, "no such metric") == "", "the sentence says all"
    with pytest.raises(ValueError, match="no such metric") as caught:
        metric_named("no such metric")
    caught.value.__traceback__ = caught.value.__traceback__.tb_next
    assert blamed_line(caught.value, mine.Model) == f"{mine.__file__}, line 20, Model"
    assert blamed_line(caught.value, dict) == blamed_line(caught.value, type(metric_named("MRR@5"))) == ""


def test_no_line_for_an_error_that_was_never_raised_or_has_only_libraries():
    assert blamed_line(ValueError("x")) == ""
    assert blamed(np.linalg.inv, np.zeros((2, 2))) == ""
