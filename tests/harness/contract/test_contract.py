"""The contract: a right model keeps every rule, and each wrong one is told in words what it breaks."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmark import app
from harness.contract.check import BROKEN, HOLDS, RULES, check_contract
from harness.contract.subject import Subject
from tests.harness.contract import wrong_models

WRONG = {
    "KeepsCounts": {"fitting again gives the same bits": "fit begins from what an earlier fit left"},
    "GlobalGenerator": {"fitting again gives the same bits": "two fits with the same seed give different scores"},
    "SeededButDeclaredDeterministic": {"the seed has no effect where declared": "another seed gives other scores"},
    "ChangesAField": {
        "fit leaves the fields alone and returns self": "fit changed the field smoothing from 0.01 to 0.5"
    },
    "ReadsPadding": {
        "a row alone agrees with the row in a batch": "a short row is filled with −1 on its right",
        "more padding changes nothing": "five more padded slots",
        "a query reads no later event": "reads the future",
    },
    "ReadsTheFuture": {
        "a query reads no later event": "when the row holds 5 later events: the model reads the future",
        "near chance on permuted events": "it has seen the events that it is to predict",
    },
    "FailsOnEmptyHistories": {
        "an empty history and an unknown user have an answer": "it raised IndexError: pop from empty list (",
    },
    "NaNForUnseenItems": {"items unseen in training have an answer": "an item that training has not seen"},
    "LearnsPopularityAlone": {"near the optimum on the signals it declares": "it declares the signal 'order', but on"},
    "ReturnsNothing": {"fit leaves the fields alone and returns self": "fit must return the fitted model"},
    "RowsOfAnotherShape": {"fitting again gives the same bits": "got Dense scores of shape (4, 59)"},  # met there first
    "DeclaresNothing": {"declares itself": "write @dataclass above the class"},
}


def outcomes(kind):
    return {outcome.rule: outcome for outcome in check_contract(Subject(kind.__name__, kind()))}


def test_a_right_model_keeps_every_rule():
    found = outcomes(wrong_models.Chain)
    assert [rule.name for rule in RULES] == list(found)
    assert {outcome.state for outcome in found.values()} == {HOLDS}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_model_is_told_what_it_breaks(name):
    found = outcomes(getattr(wrong_models, name))
    for rule, words in WRONG[name].items():
        assert found[rule].state == BROKEN
        assert words in " ".join(found[rule].sentences)


@pytest.mark.parametrize("name", ["KeepsCounts", "GlobalGenerator", "ChangesAField", "NaNForUnseenItems"])
def test_what_a_wrong_model_keeps_holds(name):
    broken = [rule for rule, outcome in outcomes(getattr(wrong_models, name)).items() if outcome.state == BROKEN]
    assert set(broken) <= {*WRONG[name], "near the optimum on the signals it declares"}


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def own_file(tmp_path):
    """A copy of the wrong models, as a user's file."""
    return Path(shutil.copy(Path(wrong_models.__file__), tmp_path / "mine.py"))


def test_the_command_names_model_rule_fault_and_line(own_file):
    text = own_file.read_text()
    start = text.index("class FailsOnEmptyHistories")
    own_file.write_text(
        text[: text.index("class KeepsCounts")] + text[start : text.index("@dataclass\nclass NaNForUnseenItems")]
    )
    result = call("check", own_file)
    assert result.exit_code == 1
    assert "model Chain\n  holds: declares itself\n" in result.output
    number = own_file.read_text().splitlines().index("            list(batch.items[row, :read]).pop()") + 1
    place = f"mine.py, line {number}, score)"
    assert "  BROKEN: an empty history and an unknown user have an answer\n    it raised IndexError" in result.output
    assert place in result.output


def test_fields_can_be_set_and_json_has_every_rule(own_file):
    own_file.write_text(own_file.read_text().split("\n\n\nclass KeepsCounts")[0])
    assert call("check", own_file).exit_code == 0
    result = call("check", own_file, "--set", "smoothing=1e30", "--json")
    assert result.exit_code == 1
    rows = json.loads(result.stdout)
    assert len(rows) == len(RULES)
    assert [row["rule"] for row in rows if row["state"] == BROKEN] == ["near the optimum on the signals it declares"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x = 1", "has nothing to check"),
        ("class A:\n    def fit(self, train, run): ...", "the class A has no method score"),
        ("class A:\n    def __init__(self, n): ...\n    def fit(self): ...\n    def score(self): ...",
         "A() raised TypeError"),
        ("x = (", "line 1"),
        ("raise KeyError('no')", "line 1, raised KeyError"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_checked_gives_one_sentence(tmp_path, text, words):
    (tmp_path / "odd.py").write_text(text)
    result = call("check", tmp_path / "odd.py")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert words in line


def test_no_file(tmp_path):
    result = call("check", tmp_path / "none.py")
    assert result.exit_code == 2
    assert result.stderr.startswith("error: no Python file at ")
