"""Full: which model is best? Every data set × every model and baseline under one protocol, five seeds.

All events before a moment train, those after it test, every item is ranked, and no later information is used. Data sets
without a clock that compares users get the next best split, and its name says so. Models are those of the zoo, at one
size, with one setting for all networks: the gain from tuning is another question. docs/suites/full.md says what this
suite answers and what it does not.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

from evaluation.metrics.accuracy import MRR, NDCG, Recall
from harness.spec import Experiment, Suite
from recsys_data.datasets.amazon.co_purchases import AmazonCoPurchasing
from recsys_data.datasets.amazon.editions import AmazonFiveCore, AmazonPaper
from recsys_data.datasets.amazon.reviews import AmazonReviews
from recsys_data.datasets.citeulike import CiteULikeHCRNN, CiteULikeLibraries, CiteULikeLog
from recsys_data.datasets.diginetica import Diginetica, DigineticaViews
from recsys_data.datasets.lastfm import LastFM1K, LastFMArtistSessions, LastFMUserArtist
from recsys_data.datasets.movielens import (
    MovieLens1M,
    MovieLens1MLate,
    MovieLens1MOrdered,
    MovieLens1MSASRec,
    MovieLens1MSubsample,
    MovieLens10M,
    MovieLens100K,
)
from recsys_data.datasets.yoochoose import YooChoose64, YooChoose100k, YooChooseClicks
from recsys_data.interactions import Clock
from recsys_data.protocols.by_time import GlobalTimeCut
from recsys_data.protocols.by_user import DisjointUsers
from recsys_data.protocols.per_user import LeaveLastOut, RandomFractions
from recsys_data.protocols.published import AsPublished
from recsys_data.protocols.targets import EVERY_POSITION
from recsys_models.narm import NARM
from recsys_models.sasrec import SASRec
from recsys_models.stamp import STMP
from suites import zoo

# 1. The models of the zoo, larger. Networks keep the learning rate and the optimiser that they have there.
NETWORK = {"dim": 128, "embedding_dim": 64, "batch_size": 64, "epochs": 100, "patience": 8}
MEMORY = {**NETWORK, "batch_size": 1024}  # STAMP's and NARM's batches count targets, not windows
ATTENTION = {**NETWORK, "patience": 20}  # SASRec's own loss learns slowly
FACTORS = {"dim": 64, "chain_dim": 64, "epochs": 100, "patience": 8}
SESSIONS = {"neighbours": 500}  # session-rec searches between 50 and 1,500


def resized(model: Any, size: Mapping[str, Any]) -> Any:
    """Replace the fields of ``size`` that a model has; an item embedding of None stays None."""
    known = {field.name for field in fields(model)}
    unset = {"embedding_dim"} if getattr(model, "embedding_dim", None) is None else set()
    return replace(model, **{name: value for name, value in size.items() if name in known - unset})


def larger(label: str, model: Any) -> Any:
    """A model of the zoo at the size of this suite."""
    if label in ("S-KNN", "V-SKNN"):
        return resized(model, SESSIONS)
    if isinstance(model, STMP | NARM):
        return resized(model, MEMORY)
    if isinstance(model, SASRec):
        return resized(model, ATTENTION)
    return resized(model, FACTORS if model.family == "factorisation" else NETWORK if label in zoo.NETWORKS else {})


MODELS = {label: larger(label, model) for label, model in zoo.MODELS.items()}


def models_for(clock: Clock, *, users: bool = True) -> dict[str, Any]:
    """The models that need no better clock and, without ``users``, no vector per user.

    Where sessions have no order, session neighbours are sampled from those listed last instead of the most recent.
    """
    chosen = {}
    for label, model in MODELS.items():
        if getattr(model, "sampling", "") == "recent" and not clock.has_global_order:
            model = replace(model, sampling="listed_last")
        needs = getattr(model, "clock", Clock.NONE)
        known = {Clock.ABSOLUTE: clock is Clock.ABSOLUTE, Clock.RELATIVE: clock.has_gaps,
                 Clock.BETWEEN: clock.has_global_order}.get(needs, True)  # fmt: skip
        if known and (users or "users" not in model.signals):
            chosen[label] = model
    return chosen


# 2. The data, by what their clock allows. Items that training has not seen count as misses, for all models alike.
MISS = {"unseen": "miss"}
TIMES = [  # user histories with true times: one cut in time for all
    MovieLens100K(),
    MovieLens1M(),
    MovieLens10M(),
    MovieLens1MLate(),
    MovieLens1MSubsample(),
    LastFM1K(),
    LastFMUserArtist(),
    CiteULikeLog(),
    CiteULikeHCRNN(),
    AmazonReviews("Beauty"),
    AmazonReviews("Video_Games"),
    AmazonReviews("Digital_Music"),
    AmazonCoPurchasing(),
]
SESSION_TIMES = [YooChoose100k(), YooChooseClicks(), DigineticaViews(), DigineticaViews(sample=True)]
CUT_IN_TIME_BY_OTHERS = [YooChoose64(), Diginetica()]  # the published test part is the last days
GAPS = [AmazonFiveCore("Beauty"), AmazonFiveCore("Sports_and_Outdoors"), AmazonFiveCore("Toys_and_Games")]
ORDER = [MovieLens1MOrdered(), MovieLens1MSASRec(), AmazonPaper("SASRec"), AmazonPaper("BERT4Rec")]
SESSION_ORDER = [LastFMArtistSessions()]
OTHER_SESSIONS = DisjointUsers(test=0.1, validation=0.1, target_rule=EVERY_POSITION, **MISS)
NO_ORDER = [CiteULikeLibraries("a"), CiteULikeLibraries("t")]  # recommendation without order

GROUPS = [
    (TIMES, GlobalTimeCut(test=0.1, validation=0.1, **MISS), models_for(Clock.ABSOLUTE)),
    (SESSION_TIMES, GlobalTimeCut(test=0.1, validation=0.1, by="end", **MISS), models_for(Clock.ABSOLUTE, users=False)),
    (CUT_IN_TIME_BY_OTHERS, AsPublished(validation=0.1, **MISS), models_for(Clock.WITHIN, users=False)),
    (GAPS, LeaveLastOut(**MISS), models_for(Clock.RELATIVE)),
    (ORDER, LeaveLastOut(**MISS), models_for(Clock.WITHIN)),
    (SESSION_ORDER, OTHER_SESSIONS, models_for(Clock.WITHIN, users=False)),
    (NO_ORDER, RandomFractions(train=0.8, validation=0.1, test=0.1, **MISS), models_for(Clock.WITHIN)),
]

SUITE = Suite(
    name="full",
    title="Full: every data set, every model, one protocol",
    experiments=[Experiment(dataset, rule, models) for datasets, rule, models in GROUPS for dataset in datasets],
    seeds=range(5),
    metrics=[MRR(20), Recall(20), NDCG(10)],
    baselines=list(zoo.BASELINES),
    notes=[
        "One setting for all networks, not tuned per data set: a model may rank lower here for lack of tuning.",
        "Only the global time cut keeps the future out of training. Leave last out, random users and random order do "
        "not; each result carries a caveat for every further leak that the audit finds.",
        "Users who first appear after the cut are new: models with user vectors use a mean for them.",
    ],
)
