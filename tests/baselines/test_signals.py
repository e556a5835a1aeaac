"""Every baseline on planted signals: near the optimum on what it is for, near chance once events are dealt out anew."""

import copy

import pytest

from baselines.factors.bpr_mf import BPRMF
from baselines.factors.fpmc import FPMC
from baselines.factors.sequential_mf import SequentialMF
from baselines.neighbours.decayed_knn import DecayedItemKNN
from baselines.neighbours.item_knn import ItemKNN
from baselines.neighbours.session_knn import SessionKNN, VectorSessionKNN
from baselines.neighbours.user_knn import UserKNN
from baselines.simple.markov import MarkovChain
from baselines.simple.popularity import Popularity, RecentPopularity
from baselines.simple.random_scores import Random
from baselines.simple.repeat import LastItemRepeat
from baselines.simple.rules import AssociationRules, SequentialRules
from baselines.simple.session_popularity import SessionPopularity
from evaluation.metrics.accuracy import MRR
from evaluation.ranking.rank import rank_held_out
from recsys_data.generated.planted import PlantedSignal
from recsys_data.protocols.per_user import PerUserFractions
from training.run import Run

MODELS = {
    "popularity": Popularity(),
    "recent popularity": RecentPopularity(share=0.5),
    "session popularity": SessionPopularity(),
    "random": Random(),
    "repeat": LastItemRepeat(),
    "Markov chain": MarkovChain(),
    "Markov chain, last occurrences": MarkovChain(counting="last_occurrence"),
    "association rules": AssociationRules(),
    "sequential rules": SequentialRules(),
    "item-kNN": ItemKNN(),
    "item-kNN, last item": ItemKNN(query="last_item", self_similarity="repeats"),
    "decayed item-kNN": DecayedItemKNN(),
    "decayed item-kNN by days": DecayedItemKNN(age="days", half_life=0.1),
    "user-kNN": UserKNN(),
    "session-kNN": SessionKNN(),
    "vector session-kNN": VectorSessionKNN(),
    "BPR-MF": BPRMF(dim=16),
    "BPR-MF, session form": BPRMF(dim=16, query="history_mean"),
    "FPMC": FPMC(dim=8, chain_dim=32, epochs=40),
    "sequential MF, shared (reconstruction)": SequentialMF(learning_rate=0.05),
    "sequential MF, separate (reconstruction)": SequentialMF("separate", learning_rate=0.05, epochs=60),
}
PROTOCOL = PerUserFractions(train=0.7, validation=0.1, test=0.2)
made = {}


def split(signal, permuted=False):
    if (signal, permuted) not in made:
        made[signal, permuted] = PROTOCOL.prepare(PlantedSignal(signal, permuted=permuted).load())
    return made[signal, permuted]


def mrr(model, part):
    fitted = copy.deepcopy(model).fit(part.train, Run(7))
    return MRR(20).measure(rank_held_out(fitted, part.test, part.train.item_counts))


@pytest.mark.parametrize("name", MODELS)
def test_near_the_optimum_on_the_declared_signal(name):
    model = MODELS[name]
    for signal in model.signals - {"chance"}:
        part = split(signal)
        assert mrr(model, part) > 0.9 * part.facts["best"]["MRR@20"], signal


@pytest.mark.parametrize("signal", ["order", "repeats"])
@pytest.mark.parametrize("name", MODELS)
def test_near_chance_on_permuted_events(name, signal):
    part = split(signal, permuted=True)
    assert mrr(MODELS[name], part) < 1.2 * part.facts["chance"]["MRR@20"]


def test_random_is_at_chance_everywhere():
    # of 60 items the mean reciprocal rank within 20 is Σ_{r ≤ 20} 1 / r / 60 = 0.0600
    for signal in ("order", "co-occurrence", "repeats", "popularity"):
        assert mrr(Random(), split(signal)) == pytest.approx(0.0600, abs=0.01)
