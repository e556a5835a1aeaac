from dataclasses import dataclass, field
from typing import Literal

import pytest

from harness.spec import Cell, Experiment, Suite, expand
from harness.suites.overrides import Overrides, only_pattern, protocol_pattern, set_field
from harness.suites.parse_overrides import InvalidOverride, format_seeds, parse_seeds


@dataclass(frozen=True)
class Named:
    name: str


@dataclass(frozen=True)
class Margin:
    margin: float = 1.0


@dataclass(frozen=True)
class Slope:
    rate: float = 1.0

    def __post_init__(self):
        if self.rate < 0:
            raise ValueError(f"rate must be at least 0, got {self.rate}")


@dataclass(frozen=True)
class Needy:
    rate: float


@dataclass
class Net:
    dim: int = 8
    dropout: float = 0.0
    bias: bool = True
    session_gap: float | None = None
    rule: Literal["paper", "official"] = "paper"
    loss: Margin = field(default_factory=Margin)
    rule_of_steps: Margin | Slope | Needy = field(default_factory=Margin)
    deterministic = False

    def __post_init__(self):
        if self.dim < 1:
            raise ValueError(f"dim must be at least 1, got {self.dim}")


@dataclass
class Plain:
    deterministic = True


def experiments():
    return [Experiment(Named("ml"), Named("p"), {"GRU": Net(), "LSTM 2.0": Net(), "Popularity": Plain()})]


def models(text):
    return set_field(experiments(), text)[0].models


def test_a_field_of_one_model_or_of_all_that_have_it():
    assert [models("GRU.dim=64")[name].dim for name in ("GRU", "LSTM 2.0")] == [64, 8]
    assert [models("LSTM 2.0.dim=64")[name].dim for name in ("GRU", "LSTM 2.0")] == [8, 64]
    assert [models("dim=64")[name].dim for name in ("GRU", "LSTM 2.0")] == [64, 64]
    assert models("loss.margin=0.5")["GRU"].loss == Margin(0.5)
    assert models("GRU.loss.margin=2")["GRU"].loss.margin == 2.0


@pytest.mark.parametrize("text, name, value", [("dropout=1e-1", "dropout", 0.1), ("bias=false", "bias", False),
                                               ("session_gap=60", "session_gap", 60.0),
                                               ("session_gap=none", "session_gap", None),
                                               ("rule=official", "rule", "official"),
                                               ("rule_of_steps=Slope", "rule_of_steps", Slope()),
                                               ("rule_of_steps=slope", "rule_of_steps", Slope())])  # fmt: skip
def test_values_are_read_as_the_fields_type(text, name, value):
    assert getattr(models(text)["GRU"], name) == value


@pytest.mark.parametrize("text, sentence", [
    ("GRU.dmi=64", "Net has no field 'dmi': did you mean 'dim'?"),
    ("dmi=64", "no model of this suite has a field 'dmi': did you mean 'dim'?"),
    ("GRUU.dim=64", "no model is called 'GRUU': did you mean 'GRU'?"),
    ("dim=large", "Net.dim must be a whole number, got 'large'"),
    ("dim=2.5", "Net.dim must be a whole number, got '2.5'"),
    ("dropout=nan", "Net.dropout must be a number, got 'nan'"),
    ("bias=maybe", "Net.bias must be true or false, got 'maybe'"),
    ("rule=mine", "Net.rule must be one of paper, official, got 'mine'"),
    ("session_gap=soon", "Net.session_gap must be a number or none, got 'soon'"),
    ("rule_of_steps=Slop", "Net.rule_of_steps must be Margin or Slope or Needy, got 'Slop'"),
    ("rule_of_steps=Needy", "Net.rule_of_steps must be Margin or Slope or Needy, got 'Needy'"),
    ("rule_of_steps.rate=1", "Margin has no field 'rate'"),
    ("dim=0", "dim must be at least 1, got 0"),
    ("dim", "expected MODEL.FIELD=VALUE or FIELD=VALUE"),
])  # fmt: skip
def test_errors_of_set_are_one_sentence(text, sentence):
    with pytest.raises(InvalidOverride) as error:
        set_field(experiments(), text)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_seeds_are_counted_or_listed():
    assert parse_seeds("5") == (0, 1, 2, 3, 4)
    assert parse_seeds("0") == (0,)
    assert parse_seeds("0,3,7") == (0, 3, 7)
    assert parse_seeds("7,") == (7,)
    assert parse_seeds("0-4") == (0, 1, 2, 3, 4)
    assert parse_seeds("7-7, 2 - 3") == (7, 2, 3)
    for text in ("4-0", "1-2-3", "-", "0-", "x", "1,x", "", "1.5", "-1", "²", "٣"):
        with pytest.raises(InvalidOverride, match="is not understood"):
            parse_seeds(text)
    with pytest.raises(InvalidOverride, match="twice"):
        parse_seeds("3,3")
    with pytest.raises(InvalidOverride, match="twice"):
        parse_seeds("0-4,3")
    with pytest.raises(InvalidOverride, match="more than 10,000 seeds; give fewer"):
        parse_seeds("0-99999999999999999999999")
    with pytest.raises(
        InvalidOverride,
        match="means more than 10,000 seeds; write --seeds 20261122, .with the comma",
    ):
        parse_seeds("20261122")
    assert parse_seeds("20261122,") == (20261122,)


def test_an_unresolvable_field_type_is_refused(monkeypatch):
    monkeypatch.setitem(Net.__annotations__, "dim", "Unheard")
    with pytest.raises(InvalidOverride, match="the types of Net's fields cannot be resolved: .*Unheard"):
        set_field(experiments(), "dim=3")


@pytest.mark.parametrize("seeds", [(0,), (7,), (0, 1), (3, 0)])
def test_seeds_are_written_as_they_are_read(seeds):
    assert parse_seeds(format_seeds(seeds)) == seeds


def suite():
    return Suite("s", "S", experiments(), seeds=[0, 1], metrics=["m"])


@pytest.mark.parametrize("pattern, kept", [("", 5), ("ml/GRU", 2), ("gru", 2), ("ML", 5), ("ml/*", 5), ("*/Pop*", 1)])
def test_only_matches_data_set_and_model(pattern, kept):
    assert sum(Overrides(only=pattern).selection(suite())) == kept


def test_only_that_matches_nothing_lists_the_labels():
    with pytest.raises(InvalidOverride, match="'ml/XYZ' matches none of ml/GRU, ml/LSTM 2.0, ml/Popularity"):
        Overrides(only="ml/XYZ").selection(suite())
    with pytest.raises(InvalidOverride, match="--only 'GRUU' matches none of .*; did you mean 'GRU'?"):
        Overrides(only="Popularity|GRUU").selection(suite())
    assert sum(Overrides(only="Popularity|ml/GRU").selection(suite())) == 3


def two_protocols():
    """One data set with two protocols; one model has both."""
    rows = {"half [2/3], seen kept": ("", {"POP": Plain(), "GRU": Net()}),
            "half [2/3], seen left out": ("unseen [2/3]", {"POP": Plain()})}  # fmt: skip
    places = [Experiment(Named("ml"), Named(rule), models, label=label) for rule, (label, models) in rows.items()]
    return Suite("s", "S", places, seeds=[0], metrics=["m"])


@pytest.mark.parametrize("only, protocol, kept", [
    ("", "", [1, 1, 1]), ("", "*kept", [1, 1, 0]), ("POP", "", [1, 0, 1]), ("pop", "*LEFT OUT", [0, 0, 1]),
    ("ml/*", "half*", [1, 1, 1]), ("", "Unseen*", [0, 0, 1]),
])  # fmt: skip
def test_cells_with_one_name_are_selected_by_protocol(only, protocol, kept):
    assert Overrides(only=only, protocol=protocol).selection(two_protocols()) == kept


def test_the_patterns_of_a_cell_select_it_alone():
    suite = two_protocols()
    for number, cell in enumerate(expand(suite)):
        chosen = Overrides(only=only_pattern(cell), protocol=protocol_pattern(cell, suite)).selection(suite)
        assert chosen == [place == number for place in range(3)]
    gru = [*expand(suite)][1]
    assert protocol_pattern(gru, suite) == "", "no pattern is needed if there is one protocol"


def test_a_protocol_that_matches_nothing_lists_the_protocols():
    with pytest.raises(InvalidOverride) as error:
        Overrides(only="gru", protocol="*left out").selection(two_protocols())
    assert str(error.value) == "--protocol '*left out' matches none of the protocols of 'gru': half [2/3], seen kept"


def test_of_many_labels_the_closest_are_named():
    models = {f"Model {letter}": Net() for letter in "abcdefghijklmn"} | {"Popularity": Plain()}
    many = Suite("s", "S", [Experiment(Named("ml"), Named("p"), models)], seeds=[0], metrics=["m"])
    with pytest.raises(
        InvalidOverride, match="'popularty' matches none of 15 .* labels; the closest names are Popularity, "
    ):
        Overrides(only="popularty").selection(many)
    with pytest.raises(InvalidOverride, match="matches none of 15 .* labels; the closest names are ml/Popularity, "):
        Overrides(only="ml/Popularty").selection(many)


def test_pattern_signs_in_names_are_escaped():
    odd = Cell(Experiment(Named("ml"), Named("p"), {}), "kNN [k*]", Net(), 0)
    other = Cell(Experiment(Named("ml"), Named("p"), {}), "kNN k", Net(), 0)
    pattern = only_pattern(odd)
    both = Suite("s", "S", [Experiment(Named("ml"), Named("p"), {c.model_name: c.model for c in (odd, other)})],
                 seeds=[0], metrics=["m"])  # fmt: skip
    assert Overrides(only=pattern).selection(both) == [True, False]


def test_users_are_limited_and_marked():
    from recsys_data.generated.markov_chain import MarkovChainSequences

    experiment = Experiment(MarkovChainSequences(num_users=20), Named("p"), {})
    small = Overrides(limit_users=5).apply(Suite("s", "S", [experiment], seeds=[0], metrics=["m"]))
    loaded = small.experiments[0].dataset.load(None)
    assert loaded.num_users == 5
    assert "5 of 20" in loaded.facts["caveats"][0]
    assert small.experiments[0].dataset.name == MarkovChainSequences(num_users=20).name
