"""What a suite publishes and claims: names that it does not have and values in per cent are refused, at load."""

import dataclasses
from dataclasses import dataclass

import pytest

from baselines.simple.markov import MarkovChain
from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import MRR, MeanRank, Recall
from evaluation.metrics.coverage import UserCoverage
from evaluation.rank_files.ranked import Ranked
from evaluation.verdicts.claims import Claim, Compound, Cost, Gain, Published, Ranking, Rerun
from harness.spec import Experiment, Suite
from harness.suites.load import load_suite
from harness.suites.overrides import Overrides
from harness.suites.validate import suite_error
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import PerUserFractions

SMALL = MarkovChainSequences(num_users=20, num_items=10, length=10)
LARGE = MarkovChainSequences(num_users=30, num_items=12, length=10)
SPLIT = PerUserFractions(train=0.8, validation=0.1, test=0.1)
OTHER = PerUserFractions(train=0.6, validation=0.2, test=0.2)
S, L = SMALL.name, LARGE.name


def suite(*, published=(), claims=()):
    """On the small chain both models under both splits; on the large one popularity alone, under one split."""
    both = {"Popularity": Popularity(), "Markov": MarkovChain()}
    experiments = [Experiment(SMALL, SPLIT, both), Experiment(SMALL, OTHER, both),
                   Experiment(LARGE, SPLIT, {"Popularity": Popularity()})]  # fmt: skip
    return Suite(name="own", title="Own", experiments=experiments, seeds=[0],
                 metrics=[MRR(20), Recall(20), MeanRank(), UserCoverage(20)],
                 published=published, claims=claims)  # fmt: skip


def ranking(better="Markov", worse="Popularity", dataset=S, metric="MRR@20", **more):
    return Ranking("order matters", better, worse, dataset, metric, **more)


def published(value=0.2, model="Markov", dataset=S, metric="MRR@20", **more):
    return Published(dataset, model, metric, value, "table 1", **more)


@dataclass(frozen=True)
class OwnClaim(Claim):
    """A user's kind of claim, about any metric that the suite lists."""

    text: str
    dataset: str
    metric: str
    named: tuple[str, ...]

    @property
    def models(self):
        return self.named

    def judge(self, evidence, protocol):
        raise NotImplementedError


@pytest.mark.parametrize("claims", [
    [ranking(), ranking(protocol=OTHER.name), ranking(metric="ndcg_at_10")],
    [Gain("g", "Markov", "Popularity", S, "MRR@20", 3.13), Gain("g", "Markov", "Popularity", S, "MRR@20", -0.76)],
    [Gain("g", "Markov", "Popularity", S, "MRR@20", 313.0, above_tenfold=True)],
    [Cost("c", "Markov", "Popularity", S, 2.0), Compound("all", (ranking(), ranking("Popularity", "Markov")))],
    [OwnClaim("covers", S, "UserCoverage@20", ("Markov",)), OwnClaim("everywhere", "", "MRR@20", ())],
])  # fmt: skip
def test_what_the_suite_has_is_accepted(claims):
    values = [published(), published(1.0), published(7.5, metric="MeanRank"), published(0.0), published(metric="MRR@5")]
    assert suite_error(suite(published=values, claims=claims)) == ""


@pytest.mark.parametrize("claim, words", [
    (ranking("Markow"), ["claim 'order matters' names the model 'Markow'", "did you mean 'Markov'?"]),
    (ranking(worse="zzz"), ["the model 'zzz', which the suite does not run: it has Popularity, Markov"]),
    (ranking(dataset=S + "s"), [f"names the data set '{S}s'", f"did you mean '{S}'?"]),
    (ranking(protocol=SPLIT.name[:-1]), ["names the protocol ", f"did you mean {SPLIT.name!r}?"]),
    (ranking(metric="MRR20"), ["names the metric 'MRR20'", "did you mean 'MRR@20'?"]),
    (ranking(metric="AUC"), ["names the metric 'AUC', which cannot be judged: unknown metric"]),
    (ranking(metric="UserCoverage@20"), ["UserCoverage@20", "has no test by user"]),
    (ranking(dataset=L), [f"names the model on {L} 'Markov'", "it has Popularity"]),
    (ranking("Popularity", "Popularity", dataset=L, protocol=OTHER.name), [f"the protocol on {L} '{OTHER.name}'"]),
    (Gain("g", "Markov", "Popularty", S, "MRR@20", 0.1), ["claim 'g' names the model 'Popularty'", "'Popularity'"]),
    (Cost("c", "Markov", "GRU", S, 2.0), ["claim 'c' names the model 'GRU'"]),
    (Compound("all", (ranking(), Compound("some", (ranking("Markow"),)))), ["names the model 'Markow'"]),
    (OwnClaim("own", S, "MRR@20", ("Markow",)), ["claim 'own' names the model 'Markow'", "did you mean 'Markov'?"]),
    (OwnClaim("own", S, "Gini", ("Markov",)), ["names the metric 'Gini'"]),
    (Gain("g", "Markov", "Popularity", S, "MRR@20", 313.0),
     ["claim 'g': gain 313 of 'Markov' over 'Popularity' means +31,300 %", "write gain=3.13 for 313 %",
      "above_tenfold=True"]),
    (Compound("all", (Gain("g", "Markov", "Popularity", S, "MRR@20", 12),)), ["write gain=0.12 for 12 %"]),
])  # fmt: skip
def test_a_claim_of_something_else_is_refused_with_the_nearest_name(claim, words):
    error = suite_error(suite(claims=[ranking(), claim]))
    assert "\n" not in error
    for word in words:
        assert word in error


@pytest.mark.parametrize("value, words", [
    (published(model="Markow"), ["published value 0.2 (table 1) names the model 'Markow'", "did you mean 'Markov'?"]),
    (published(dataset="ml-1m"), ["names the data set 'ml-1m', which the suite does not run", f"it has {S}, {L}"]),
    (published(dataset=L), [f"names the model on {L} 'Markov'"]),
    (published(protocol="per user"), ["names the protocol 'per user'"]),
    (published(metric="Recal@20"), ["names the metric 'Recal@20'", "did you mean 'Recall@20'?"]),
    (published(42.53, digits=2), ["value 42.53 of 'Markov'", "MRR@20 is at most 1", "write 0.4253 for 42.53 %"]),
    (published(31.3, metric="recall_at_20"), ["Recall@20 is at most 1", "write 0.313"]),
    (published(313.0), ["MRR@20 is at most 1; correct it"]),
])  # fmt: skip
def test_a_published_value_of_something_else_is_refused_with_the_likely_one(value, words):
    error = suite_error(suite(published=[published(), value]))
    assert "\n" not in error
    for word in words:
        assert word in error


def test_a_value_that_no_metric_can_have_is_refused_where_it_is_written():
    for value in (-0.1, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="value must be at least 0 and finite"):
            published(value)
    with pytest.raises(ValueError, match=r"gain must be above -1, got -76: .* write -0.76 for -76 %"):
        Gain("g", "Markov", "Popularity", S, "MRR@20", -76)
    with pytest.raises(ValueError, match="gain must be above -1"):
        Gain("g", "Markov", "Popularity", S, "MRR@20", -300)


def test_no_experiment_has_all_models_of_a_claim():
    one = [Experiment(SMALL, SPLIT, {"Popularity": Popularity()}), Experiment(SMALL, OTHER, {"Markov": MarkovChain()})]
    apart = dataclasses.replace(suite(claims=[ranking()]), experiments=one)
    assert f"compares Markov and Popularity on {S}, but no experiment has all of them" in suite_error(apart)


def test_the_suite_is_checked_as_its_file_reads(tiny_suite):
    path = tiny_suite.with_name("narrowed.py")
    path.write_text(tiny_suite.read_text())
    loaded = load_suite(str(path))
    assert loaded.claims
    for overrides in (Overrides(only="*/Popularity"), Overrides(limit_users=5), Overrides(sets=("GRU.dim=4",)),
                      Overrides(seeds=(7,))):  # fmt: skip
        changed = overrides.apply(load_suite(str(path)))
        assert any(overrides.selection(changed))


def test_the_same_code_is_a_row_of_its_ranks():
    """Only ranks that other code computed can be its rerun."""
    error = suite_error(suite(published=[published(rerun=Rerun.SAME)]))
    assert error.endswith("is said to be rerun with the same code, but 'Markov' is Encore's own model; give the ranks "
                          "of that code as Ranked(…), or leave rerun out")  # fmt: skip
    theirs = suite(published=[published(model="Theirs", rerun=Rerun.SAME)])
    for experiment in theirs.experiments[:2]:
        experiment.models["Theirs"] = Ranked("ranks/{seed}.csv", by="their code")
    assert suite_error(theirs) == ""
