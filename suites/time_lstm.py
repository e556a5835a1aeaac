"""Time-LSTM: Zhu et al. (IJCAI 2017), its cells and their rivals, in the official code's protocol and in a sounder one.

The paper's table is not published here: it was not to be had, and half-remembered cells are no numbers. A user could
not obtain it with the official code (ZJULearning/time_lstm, issue 4), whose data left the net (issue 12). So the suite
asks the abstract's claim, and sets beside each other what paper, code and a fair comparison make of it.
docs/suites/time_lstm.md tells every departure.
"""

from dataclasses import replace

from baselines.neighbours.item_knn import ItemKNN
from baselines.simple.markov import MarkovChain
from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import MRR, Recall
from evaluation.verdicts.claims import Compound, Ranking
from harness.spec import Citation, Experiment, Suite
from recsys_data.datasets.citeulike import CiteULikeHCRNN, CiteULikeLog
from recsys_data.datasets.lastfm import LastFM1K, LastFMUserArtist
from recsys_data.protocols.candidates import ALL_ITEMS
from recsys_data.protocols.filters import MinItemEvents, MinUserEvents, TopItems, Truncate
from recsys_data.protocols.growing_prefixes import GrowingPrefixes
from recsys_data.protocols.time_lstm_gaps import OfficialTopItems
from recsys_models.phased_lstm import PhasedLSTM
from recsys_models.time_lstm import LSTMT, PeepholeLSTM, TimeLSTM1, TimeLSTM2, TimeLSTM3
from suites.stamp import GRU_2016
from training.optimisers.optimisers import Adagrad

ZHU_2017 = Citation(
    authors="Zhu, Li, Liao, Wang, Guan, Liu and Cai",
    title="What to do next: modeling user behaviors by Time-LSTM",
    venue="IJCAI",
    year=2017,
    doi="10.24963/ijcai.2017/504",
)
METRICS = ("Recall@10", "MRR@10")

# 1. The data. Last.fm: a track is its title; the 5,000 most played, a user's first 200 (lastfm.py, train.sh).
#    CiteULike: "users and items with few interactions are filtered" (§5.1); how few is not said: fewer than five.
LASTFM, CITEULIKE = LastFM1K(), CiteULikeLog()
LASTFM_HERE, CITEULIKE_HERE = LastFMUserArtist(), CiteULikeHCRNN()  # artists of 270 users; another filter's postings
FIRST_200 = Truncate(200, keep="first")  # the max_len of train.sh; the paper's is not known (issue 5)
TRACKS = (TopItems(5000), FIRST_200, MinUserEvents(3))
PAPERS = (MinUserEvents(5), MinItemEvents(5), TopItems(5000), FIRST_200, MinUserEvents(3))


# 2. The protocols: 80 % of the users train, the last event of the others is asked, its time told.
def official(filters: tuple, candidates: dict | None = None) -> GrowingPrefixes:
    """The code's: the longest histories test, as its files are sorted so; their prefixes join after epoch 10 of 50."""
    return GrowingPrefixes(test=0.2, draw="length order", fixed_epochs=10, epochs=50, filters=filters,
                           **(candidates or {}))  # fmt: skip


FULL = {"candidates": ALL_ITEMS}  # beside the code's 100 sampled items, three times


def sounder(filters: tuple) -> GrowingPrefixes:
    """Users by chance, nothing of a test user learnt, a tenth of the users to stop by, all items ranked."""
    return GrowingPrefixes(test=0.2, validation=0.1, draw="without replacement", grow=False, filters=filters, **FULL)


# 3. The models. train.sh: 128 units, batches of five users, 50 epochs, rate 0.01; main.py: AdaGrad, no clipping.
CODE = {"dim": 128, "max_len": 200, "batch_size": 5, "epochs": 50, "patience": 5, "learning_rate": 1e-2,
        "optimiser": Adagrad()}  # fmt: skip
# a batch here is filled with short histories up to its size: these sizes leave about five users in it
OF_100_EVENTS, OF_30_EVENTS = {"batch_size": 2}, {"batch_size": 1}
SESSION_RNN, LSTM, LSTM_T, PHASED = "Session-RNN", "LSTM", "LSTM with time", "Phased LSTM"
TIME_LSTMS = ("Time-LSTM 1", "Time-LSTM 2", "Time-LSTM 3")
AS_CODED = "(official code)"


def paper_rows(change: dict) -> dict:
    """The paper's models; σ_Δ is read as a sigmoid, and gaps are in days: neither is settled by the text."""
    fields = {**CODE, **change}
    return {
        SESSION_RNN: replace(GRU_2016, epochs=50, patience=5),  # its settings in the paper are not known
        LSTM: PeepholeLSTM(**fields),
        LSTM_T: LSTMT(**fields),
        PHASED: PhasedLSTM(**fields),  # periods of an hour to thirty days
        TIME_LSTMS[0]: TimeLSTM1(**fields),
        TIME_LSTMS[1]: TimeLSTM2(**fields),  # w_1 ≤ 0
        TIME_LSTMS[2]: TimeLSTM3(**fields),
    }


def official_rows(change: dict) -> dict:
    """The code's: seconds, tanh inside the time gates, and w_1 ≥ −1e−5, which leaves most of it without a gradient."""
    fields = {**CODE, **change}
    seconds = {**fields, "time_unit": 1.0}
    gates = {**seconds, "inner": "tanh"}
    return {
        f"{LSTM_T} {AS_CODED}": LSTMT(**seconds),
        f"{PHASED} {AS_CODED}": PhasedLSTM(**fields, variant="official", periods=(10.0, 100.0)),
        f"{TIME_LSTMS[0]} {AS_CODED}": TimeLSTM1(**gates),
        f"{TIME_LSTMS[1]} {AS_CODED}": TimeLSTM2(**gates, variant="official"),
        f"{TIME_LSTMS[2]} {AS_CODED}": TimeLSTM3(**gates, variant="official"),
    }


def past_rows(change: dict) -> dict:
    """The paper's models told only what has happened: the gap before each event, not the one to the next."""
    fields = {**CODE, **change, "gap": "previous"}
    models = (LSTMT, TimeLSTM1, TimeLSTM2, TimeLSTM3)
    return {f"{label} (past gaps)": model(**fields) for label, model in zip((LSTM_T, *TIME_LSTMS), models, strict=True)}


REFERENCES = {"Popularity": Popularity(), "Markov chain": MarkovChain(), "Item-kNN": ItemKNN()}


SETS = [(LASTFM, TRACKS, {}), (CITEULIKE, PAPERS, OF_30_EVENTS),
        (LASTFM_HERE, TRACKS, OF_100_EVENTS), (CITEULIKE_HERE, (FIRST_200,), OF_30_EVENTS)]  # fmt: skip
EXPERIMENTS = [
    experiment
    for dataset, filters, change in SETS
    for experiment in (
        Experiment(dataset, official(filters), {**paper_rows(change), **official_rows(change), **REFERENCES}),
        Experiment(dataset, official(filters, FULL), {**paper_rows(change), **REFERENCES}),
        Experiment(dataset, sounder(filters), {**paper_rows(change), **past_rows(change), **REFERENCES}),
    )
]
# The code gives the gap of a track outside the vocabulary to the wrong neighbour: its own models on its own gaps.
WRONG_GAPS = (OfficialTopItems(5000), FIRST_200, MinUserEvents(3))
EXPERIMENTS += [
    Experiment(dataset, official(WRONG_GAPS), official_rows(change)) for dataset, _, change in (SETS[0], SETS[2])
]


# 4. What was claimed: "the superiority of the recommendation method using Time-LSTM over the traditional methods".
def superior(model: str, dataset: str, protocol: GrowingPrefixes, how: str, suffix: str = "") -> Compound:
    """One of the paper's cells above all three rivals in both metrics; ``suffix``: the rows of the code."""
    rivals = (LSTM, f"{LSTM_T}{suffix}", f"{PHASED}{suffix}")
    parts = [
        Ranking(f"{model}{suffix} above {rival} in {metric}", f"{model}{suffix}", rival, dataset, metric,
                place="abstract", protocol=protocol.name)
        for rival in rivals
        for metric in METRICS
    ]  # fmt: skip
    text = f"{model}{suffix} is superior to LSTM, LSTM with time and Phased LSTM on {dataset}, {how}"
    return Compound(text, tuple(parts), place="abstract")


CLAIMS = [
    superior(model, dataset.name, protocol, how, suffix)
    for dataset, filters, _ in SETS
    for protocol, how, suffix in (
        (official(filters), "by the code's protocol", ""),
        (official(filters), "by the code's protocol", f" {AS_CODED}"),
        (sounder(filters), "by the sounder protocol", ""),
    )
    for model in TIME_LSTMS
]

SUITE = Suite(
    name="time_lstm",
    title="Time-LSTM (Zhu et al. 2017)",
    paper=ZHU_2017,
    experiments=EXPERIMENTS,
    seeds=range(5),
    metrics=[Recall(10), MRR(10)],
    baselines=[*REFERENCES, SESSION_RNN, LSTM],
    comparisons=[(f"{label} {AS_CODED}", label) for label in (LSTM_T, PHASED, *TIME_LSTMS)]
    + [(f"{label} (past gaps)", LSTM) for label in TIME_LSTMS],
    claims=CLAIMS,
    notes=[
        "The paper's table was not to be had, so no level is judged. Its row CoFactor is not run.",
        "Time-LSTM and LSTM with time are told when the next event happens, at training and at test; LSTM, the "
        "references and the rows called 'past gaps' are not.",
        "Recall@10 and MRR@10 among 100 sampled items have a chance level of 0.099 and 0.029, and may order models "
        "otherwise than the full ranking beside them.",
        "The code's split tests on the longest histories, learns from prefixes of the test users, has no validation "
        "part, and selects nothing: its last epoch counts here.",
    ],
)
