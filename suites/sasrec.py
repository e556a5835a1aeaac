"""SASRec: self-attention over a user's last events, with its own loss and with cross-entropy.

Kang and McAuley 2018. MovieLens 1M and Games are the paper's own files; its cut of Beauty is not at hand, so its
numbers are shown beside BERT4Rec's cut. Its evaluation ranks the next event among 100 random items that the user has
not had. The same models are ranked against all items, too, as in Klenitskiy and Vasilev's comparison of losses (2023).
Only SASRec's pair on MovieLens 1M was seen in print; other numbers are from memory, shown and not judged.
"""

from collections.abc import Iterator
from typing import Any

from baselines.factors.fpmc import FPMC
from baselines.simple.markov import MarkovChain
from baselines.simple.popularity import Popularity
from evaluation.metrics.accuracy import NDCG, Recall
from evaluation.verdicts.claims import OWN_CLAIM, Published, Ranking
from harness.spec import Citation, Experiment, Suite
from recsys_data.datasets.amazon.editions import AmazonPaper
from recsys_data.datasets.movielens import MovieLens1MSASRec, MovieLens100K
from recsys_data.protocols.candidates import UNSEEN_ITEMS_ONLY, SampledItems
from recsys_data.protocols.per_user import LeaveLastOut
from recsys_models.rnn import GRU
from recsys_models.sasrec import SASRec
from suites.presets import BPR_DONKERS
from training.losses.loss import CrossEntropy
from training.optimisers.optimisers import Adam

KANG_2018 = Citation(
    authors="Kang and McAuley",
    title="Self-Attentive Sequential Recommendation",
    venue="ICDM",
    year=2018,
    doi="10.1109/ICDM.2018.00035",
)

# 1. Data and protocols. The catalogue holds every item of the file; candidates exclude the user's history.
FILMS, GAMES, BEAUTY, SMALL_FILMS = MovieLens1MSASRec(), AmazonPaper("SASRec"), AmazonPaper("BERT4Rec"), MovieLens100K()
SAMPLED = LeaveLastOut(unseen="candidate", candidates=SampledItems(100, exclude_seen=True))
ALL_UNSEEN = LeaveLastOut(unseen="candidate", candidates=UNSEEN_ITEMS_ONLY)

# 2. The models. main.py of the released code: d = 50, two blocks, one head, 128 sequences a step, Adam at 0.001 with β2
#    0.98, 200 epochs; 200 events and dropout 0.2 on MovieLens 1M, 50 and 0.5 elsewhere. Training stops after 20 epochs
#    without a better one on validation, as the paper says (from memory); the code does not choose an epoch.
OWN, PAPER, ENTROPY = "SASRec", "SASRec (paper's equations)", "SASRec (cross-entropy)"
KLENITSKIY = "SASRec (Klenitskiy and Vasilev)"
RELEASED = {"epochs": 200, "patience": 20}
# their SASRec.yaml: d = 64, dropout 0.1, 100 epochs, patience 10, padding on the right
LATER = {"dim": 64, "dropout": 0.1, "optimiser": Adam(), "epochs": 100, "patience": 10, "positions": "from the start"}
POP, BPR, CHAIN, GRU_LABEL = "Popularity", "BPR-MF", "Markov chain", "GRU"
BASELINES = {POP: Popularity(), CHAIN: MarkovChain(), BPR: BPR_DONKERS, "FPMC": FPMC()}


def models(max_len: int, dropout: float) -> dict[str, Any]:
    """SASRec with either loss, a GRU trained with cross-entropy, and the paper's simple baselines."""
    released = {**RELEASED, "max_len": max_len, "dropout": dropout}
    return {
        OWN: SASRec(**released),
        PAPER: SASRec(**released, variant="paper"),
        ENTROPY: SASRec(**released, loss=CrossEntropy()),
        KLENITSKIY: SASRec(**LATER, max_len=max_len, loss=CrossEntropy()),
        GRU_LABEL: GRU(dim=64, embedding_dim=64, max_len=max_len, dropout=0.1, epochs=100, patience=10),
        **BASELINES,
    }


FILM_MODELS, OTHERS = models(200, 0.2), models(50, 0.5)
EXPERIMENTS = [
    Experiment(FILMS, SAMPLED, FILM_MODELS, label="among 100 sampled"),
    Experiment(FILMS, ALL_UNSEEN, FILM_MODELS, label="all unseen items"),
    Experiment(GAMES, SAMPLED, OTHERS, label="among 100 sampled"),
    Experiment(BEAUTY, SAMPLED, OTHERS, label="among 100 sampled"),
    Experiment(SMALL_FILMS, ALL_UNSEEN, FILM_MODELS, label="all unseen items"),
]

# 3. Hit@10 (Recall@10: one target) and NDCG@10. PopRec, BPR, FPMC and SASRec of the main table; FMC, TransRec, GRU4Rec,
#    GRU4Rec+ and Caser have no row here.
METRICS = ("Recall@10", "NDCG@10")
TABLE = {
    FILMS: {POP: (0.4329, 0.2377), BPR: (0.5781, 0.3287), "FPMC": (0.7599, 0.5176), OWN: (0.8245, 0.5905)},
    GAMES: {POP: (0.4724, 0.2779), BPR: (0.4853, 0.2875), "FPMC": (0.6802, 0.4680), OWN: (0.7410, 0.5360)},
    BEAUTY: {POP: (0.4003, 0.2277), BPR: (0.3775, 0.2183), "FPMC": (0.4310, 0.2891), OWN: (0.4854, 0.3219)},
}
OTHER_CUT = "another cut of Beauty: 40,226 users and 54,542 items here, 52,024 and 57,289 in the paper"
TWO_RUNS = [(0.8190, 0.5897), (0.8225, 0.5918)]  # the README of SASRec.pytorch


def numbers(where: tuple[Any, Any], model: str, pair: tuple[float, float], **fields: Any) -> Iterator[Published]:
    """Yield the two published numbers of a row; other candidates are drawn here."""
    dataset, protocol = where
    for metric, value in zip(METRICS, pair, strict=True):
        yield Published(dataset.name, model, metric, value, protocol=protocol.name, same_test=False, **fields)


PUBLISHED = [
    value
    for dataset, rows in TABLE.items()
    for model, pair in rows.items()
    for value in numbers(
        (dataset, SAMPLED), model, pair, place="table III", certain=(dataset, model) == (FILMS, OWN),
        not_comparable=OTHER_CUT if dataset is BEAUTY else "",
    )
]  # fmt: skip
PUBLISHED += [
    value
    for pair in TWO_RUNS
    for value in numbers((FILMS, SAMPLED), OWN, pair, place="README, one run", source="SASRec.pytorch")
]
PUBLISHED += [
    value
    for model, pair in ((OWN, (0.2500, 0.1341)), (KLENITSKIY, (0.3152, 0.1821)))
    for value in numbers(
        (FILMS, ALL_UNSEEN), model, pair, place="table 2", source="Klenitskiy and Vasilev 2023", certain=False
    )
]


# 4. The paper's claim over its baselines, and the claim of 2023 about the loss.
def beats(where: tuple[Any, Any], better: str, worse: str, place: str) -> Ranking:
    """Claim that one model beats another in NDCG@10."""
    dataset, protocol = where
    text = f"{better} beats {worse} in NDCG@10 on {dataset.title} ({protocol.name})"
    return Ranking(text, better, worse, dataset.name, METRICS[1], place=place, protocol=protocol.name)


CLAIMS = [
    *(beats((data, SAMPLED), OWN, worse, "table III") for data in TABLE for worse in (POP, BPR, "FPMC")),
    beats((FILMS, ALL_UNSEEN), ENTROPY, OWN, "Klenitskiy and Vasilev 2023"),
    beats((FILMS, ALL_UNSEEN), KLENITSKIY, GRU_LABEL, "Klenitskiy and Vasilev 2023"),
    beats((SMALL_FILMS, ALL_UNSEEN), ENTROPY, OWN, OWN_CLAIM),
    beats((SMALL_FILMS, ALL_UNSEEN), ENTROPY, CHAIN, OWN_CLAIM),
]

SUITE = Suite(
    name="sasrec",
    title="SASRec: self-attentive sequential recommendation (Kang and McAuley 2018)",
    paper=KANG_2018,
    experiments=EXPERIMENTS,
    seeds=range(3),
    metrics=[NDCG(10), Recall(10)],
    baselines=list(BASELINES),
    comparisons=[(OWN, PAPER), (ENTROPY, OWN), (ENTROPY, GRU_LABEL), (KLENITSKIY, ENTROPY)],
    published=PUBLISHED,
    claims=CLAIMS,
    notes=[
        "The paper's numbers rank a target among 100 random items, so they are far above those of a full ranking and "
        "may order models otherwise; the second protocol on MovieLens 1M ranks all items that the user has not rated.",
        "The paper's code excludes the training events of a user from the sampled items, Encore the whole history "
        "before the target; on Games it evaluates 10,000 users drawn at random, here all 30,901 with a test event.",
        'Only the last 200 (or 50) events of each user train, as in the paper; segments="all" trains on every event.',
    ],
)
