"""Running every suite: an error of one does not stop the others; an error that would stop all ends the run."""

import pytest

from harness.running.run_all import SuiteOutcome, run_all, sets_by_suite
from harness.store import StoreUnusable
from harness.suites.parse_overrides import InvalidOverride


def visiting(**deeds):
    def visit(name):
        if isinstance(deeds[name], Exception):
            raise deeds[name]
        return deeds[name]

    return visit


def test_a_suite_that_cannot_be_run_does_not_stop_the_next():
    warned = []
    last = SuiteOutcome("c")
    stops = run_all("abc", visiting(a=ValueError("no such\nfield"), b=KeyError("x"), c=last), warned.append)
    assert stops[2] is last and not last.failed
    assert [stop.reason for stop in stops] == ["no such field", "KeyError: 'x'", ""]
    assert stops[0].failed and stops[1].failed
    assert stops[0].row() == {"suite": "a", "outcome": "FAILED", "why": "no such field"}
    assert warned == ["FAILED a: no such field", "FAILED b: KeyError: 'x'"]


def test_a_suite_that_is_not_meant_is_passed_over_unless_none_is_meant():
    told = []
    stops = run_all(
        "ab", visiting(a=InvalidOverride("--only 'GRU' matches none of x"), b=SuiteOutcome("b")), told.append
    )
    assert stops[0].not_selected and not stops[0].failed
    assert told == ["NOT SELECTED a: --only 'GRU' matches none of x"]
    with pytest.raises(InvalidOverride, match="no suite has a matching cell: a: --only 'GRU' matches none of x"):
        run_all(
            "ab", visiting(a=InvalidOverride("--only 'GRU' matches none of x"), b=InvalidOverride("nor here")), print
        )


@pytest.fixture
def two(tmp_path, tiny_text):
    """A suite with a network, one of popularity alone, and one that cannot be loaded."""
    texts = {
        "whole": tiny_text,
        "plain": tiny_text.replace(', "GRU": GRU(dim=8, embedding_dim=6, epochs=3, patience=3, batch_size=8)', "")
        .split("    claims=")[0] + ")\n",
        "broken": "SUITE = (\n",
    }  # fmt: skip
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text)
    return {name: str(tmp_path / f"{name}.py") for name in texts}


def test_a_suite_without_a_field_runs_as_it_is_and_says_so(two):
    told = []
    found = sets_by_suite(two.values(), ["epochs=1", "GRU.dim=4"], told.append)
    assert found == {two["whole"]: ("epochs=1", "GRU.dim=4"), two["plain"]: ()}
    assert told == [f"{two['plain']} runs without --set epochs=1, GRU.dim=4: it has no such model or field"]


def test_a_change_that_no_suite_can_take_is_refused_before_anything_runs(two):
    with pytest.raises(InvalidOverride, match="no suite can take it: --set 'epoch=1': .*has a field 'epoch'"):
        sets_by_suite(two.values(), ["epoch=1"], print)
    assert sets_by_suite(two.values(), ["dim=large"], print)[two["whole"]] == ("dim=large",), "its own suite refuses it"


@pytest.mark.parametrize("error", [StoreUnusable("no space left"), KeyboardInterrupt()])
def test_what_every_suite_would_suffer_ends_the_tour(error):
    def visit(name):
        raise error

    with pytest.raises(type(error)):
        run_all("ab", visit, print)


def test_a_traceback_is_let_through_where_it_is_asked_for(monkeypatch):
    monkeypatch.setenv("ENCORE_TRACE", "1")
    with pytest.raises(KeyError):
        run_all("a", visiting(a=KeyError("x")), print)
