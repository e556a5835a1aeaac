"""Every suite in turn: what one does wrong does not stop the others, what all would suffer does."""

import pytest

from harness.overrides import BadOverride
from harness.store import StoreUnusable
from harness.tour import Stop, tour


def visiting(**deeds):
    def visit(name):
        if isinstance(deeds[name], Exception):
            raise deeds[name]
        return deeds[name]

    return visit


def test_a_suite_that_cannot_be_run_does_not_stop_the_next():
    warned = []
    last = Stop("c")
    stops = tour("abc", visiting(a=ValueError("no such\nfield"), b=KeyError("x"), c=last), warned.append)
    assert stops[2] is last and not last.failed
    assert [stop.reason for stop in stops] == ["no such field", "KeyError: 'x'", ""]
    assert stops[0].failed and stops[1].failed
    assert stops[0].row() == {"suite": "a", "outcome": "FAILED", "why": "no such field"}
    assert warned == ["FAILED a: no such field", "FAILED b: KeyError: 'x'"]


def test_a_suite_that_is_not_meant_is_passed_over_unless_none_is_meant():
    stops = tour("ab", visiting(a=BadOverride("--only 'GRU' matches none of x"), b=Stop("b")), print)
    assert stops[0].passed and not stops[0].failed
    with pytest.raises(BadOverride, match="nothing of any suite is meant: a: --only 'GRU' matches none of x"):
        tour("ab", visiting(a=BadOverride("--only 'GRU' matches none of x"), b=BadOverride("nor here")), print)


@pytest.mark.parametrize("error", [StoreUnusable("no space left"), KeyboardInterrupt()])
def test_what_every_suite_would_suffer_ends_the_tour(error):
    def visit(name):
        raise error

    with pytest.raises(type(error)):
        tour("ab", visit, print)


def test_a_traceback_is_let_through_where_it_is_asked_for(monkeypatch):
    monkeypatch.setenv("ENCORE_TRACE", "1")
    with pytest.raises(KeyError):
        tour("a", visiting(a=KeyError("x")), print)
