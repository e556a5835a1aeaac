import pytest

from harness.spec import Suite
from harness.suites.load import SuiteNotLoadable, load_suite, suite_names


def refusal(source):
    with pytest.raises(SuiteNotLoadable) as error:
        load_suite(str(source))
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_users_own_file_is_a_suite(tiny_suite):
    suite = load_suite(str(tiny_suite))
    assert isinstance(suite, Suite)
    assert suite.name == "tiny"
    assert load_suite(str(tiny_suite)) is suite, "a file is run once a process"


def test_the_checkouts_suites_are_known_by_name():
    assert {"quickstart", "ml1m"} <= set(suite_names())
    assert "presets" not in suite_names(), "a file without SUITE is no suite"
    assert load_suite("quickstart").name == "quickstart"


def test_an_unknown_name_gets_the_closest_name():
    assert "unknown suite 'quikstart': did you mean 'quickstart'?" in refusal("quikstart")
    assert "suites are" in refusal("zzzzzz")
    assert "no suite file at ./mine.py" in refusal("./mine.py")


def test_a_syntax_error_names_its_line(tmp_path):
    path = tmp_path / "broken.py"
    path.write_text("X = 1\nSUITE = Suite(\n  name='x'\n")
    assert f"{path}, line 2: '(' was never closed" in refusal(path)


def test_an_error_in_the_file_names_its_line(tmp_path):
    path = tmp_path / "raises.py"
    path.write_text("from baselines.simple.popularity import Popularity\n\nPopularity(rate=3)\n")
    assert f"{path}, line 3, raised TypeError" in refusal(path)


def test_a_module_beside_the_file_that_another_hides_is_refused(tmp_path, monkeypatch):
    """A namesake of the user's model in a folder that Python searches first would run in its place."""
    for folder, number in (("first", 1), ("own", 2)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "hidden_net.py").write_text(f"NUMBER = {number}\n")
    monkeypatch.syspath_prepend(tmp_path / "first")
    path = tmp_path / "own" / "hiding.py"
    path.write_text("import json\n\nfrom hidden_net import NUMBER\n\nraise ValueError(NUMBER)\n")
    found = refusal(path)
    assert found.startswith("hiding.py imports hidden_net, and Python finds ") and str(tmp_path / "first") in found
    (tmp_path / "first" / "hidden_net.py").unlink()
    assert "raised ValueError: 2" in refusal(path)


def test_a_file_without_a_suite_is_refused(tmp_path):
    path = tmp_path / "empty.py"
    path.write_text("X = 1\n")
    assert f"{path} defines no SUITE: expected SUITE = Suite(" in refusal(path)
    other = tmp_path / "wrong.py"
    other.write_text("SUITE = 3\n")
    assert "defines a SUITE of type int" in refusal(other)


@pytest.mark.parametrize("old, new, sentence", [
    ("seeds=range(2)", "seeds=[]", "SUITE has no seeds"),
    ('name="tiny"', 'name="a/b"', "is not a valid folder name"),
    ('name="tiny"', 'name="a\\x1b[31mb"', "is not a valid folder name"),
    ('name="tiny"', 'name="cells"', "is reserved for the store"),
    ('name="tiny"', 'name="a@b"', "has an @, which marks the variants of a suite"),
    ('"Popularity": Popularity()', '"Popularity": Popularity', "is not a dataclass value"),
    ('"Popularity": Popularity()', '"Popularity": CHAIN', "has no attribute 'fit'"),
    ("experiments=[Experiment(CHAIN", "experiments=[Experiment(CHAIN, PerUserFractions(train=0.8, validation=0.1, "
     "test=0.1), MODELS), Experiment(CHAIN", "is defined twice"),
    ("experiments=[Experiment(CHAIN, PerUserFractions(train=0.8, validation=0.1, test=0.1), MODELS)]",
     "experiments=Experiment(CHAIN, PerUserFractions(train=0.8, validation=0.1, test=0.1), MODELS)",
     "SUITE's experiments must be a list, got Experiment("),
    ("experiments=[Experiment(", "experiments=[tuple, (", "experiments must be Experiment(…) from harness.spec, got "
     "<class 'tuple'>"),
    ("Experiment(CHAIN", "Experiment('ml-100k'", "an experiment's dataset must be a value with a name, got 'ml-100k'"),
    ("MODELS)", "[Popularity()])", "must map labels to recommenders, at least one, got [Popularity()]"),
    ("MODELS)", "{})", "must map labels to recommenders, at least one, got {}"),
    ("MODELS)", "MODELS, max_padded_events=0)", "max_padded_events must be a whole number of at least 1, got 0"),
    ("MODELS)", "MODELS, label=3)", "an experiment's label must be a short name on one line, got 3"),
    ("MODELS)", "MODELS, label='a'), Experiment(CHAIN, PerUserFractions(train=0.8, validation=0.1, test=0.1), "
     "{'POP': Popularity()}, label='b')", "have the labels 'a' and 'b'; give them one"),
    ("MODELS)", "MODELS, label='A'), Experiment(CHAIN, PerUserFractions(train=0.6, validation=0.1, test=0.3), "
     "MODELS, label='a')", "'a' names two protocols on markov-"),
    ("seeds=range(2)", "seeds=5", "SUITE's seeds must be a list, got 5"),
    ("seeds=range(2)", "seeds=['a']", "seeds must be whole numbers of at least 0, got 'a'"),
    ("seeds=range(2)", "seeds=[1, 1]", "SUITE's seeds list 1 twice"),
    ("seeds=range(2)", "seeds=(s for s in range(2))", "SUITE's seeds must be a list, got <generator"),
    ("[MRR(20), Recall(20)]", "['MRR@20']",
     "SUITE's first metric must be from evaluation.metrics, such as MRR(20), got 'MRR@20'"),
    ("[MRR(20), Recall(20)]", "[MRR(20), MRR(20)]", "SUITE's metrics list MRR@20 twice"),
    ('baselines=["Popularity"]', 'baselines=["Popular"]', "SUITE's baselines name 'Popular', but its models are "),
    ("claims=[", "comparisons=['AB'], claims=[", "comparisons must be pairs of model labels, got 'AB'"),
    ("claims=[", "claims=['GRU is best', ",
     "SUITE's claims must be values from evaluation.verdicts.claims, got 'GRU is best'"),
    ("claims=[", "notes='a note', claims=[", "SUITE's notes must be a list, got 'a note'"),
    ('name="tiny"', "name=3", "SUITE's name 3 is not a valid folder name"),
    ('name="tiny"', 'name="derived"', "is reserved for the store"),
    ("SUITE = ", "raise SystemExit(3)\nSUITE = ", "raised SystemExit: 3"),
])  # fmt: skip
def test_an_invalid_suite_is_refused(tiny_suite, old, new, sentence):
    text = tiny_suite.read_text()
    assert old in text
    path = tiny_suite.with_name(f"variant_{abs(hash(sentence))}.py")
    path.write_text(text.replace(old, new))
    assert sentence in refusal(path)


@pytest.mark.parametrize("spaces, sentence", [
    ('"Gru": {"dim": Choice(4, 8)}', "tuning names 'Gru', but the experiment's models are Popularity, GRU"),
    ('"GRU": {"dims": Choice(4, 8)}', "tuning of 'GRU': GRU has no field 'dims'; did you mean 'dim'?"),
    ('"GRU": {"dropout": Uniform(0.5, 1.0)}', "tuning of 'GRU' includes dropout=1.0, which is invalid: dropout must be "
     "at least 0 and below 1, got 1.0"),
    ('"GRU": {"loss": Choice(object())}', "tuning of 'GRU'.loss: a field of type object cannot be part of a cell's"),
    ('"GRU": {}', "the space of 'GRU' is empty"),
])  # fmt: skip
def test_an_invalid_search_is_refused(tiny_suite, spaces, sentence):
    path = tiny_suite.with_name(f"tuning_{abs(hash(spaces))}.py")
    text = tiny_suite.read_text().replace("MODELS)]", f"MODELS, tuning=Tuning(3, {{{spaces}}}))]")
    path.write_text(text.replace("CHAIN =", "from harness.tuning import Choice, Tuning, Uniform\nCHAIN ="))
    assert sentence in refusal(path)


def test_modules_beside_a_users_file_can_be_imported(tiny_suite):
    (tiny_suite.parent / "encore_test_beside.py").write_text("NAME = 'beside'\n")
    path = tiny_suite.with_name("importing.py")
    path.write_text(
        tiny_suite.read_text().replace("CHAIN =", "from encore_test_beside import NAME\nCHAIN =")
        .replace('name="tiny"', "name=NAME")
    )  # fmt: skip
    assert load_suite(str(path)).name == "beside"
