"""Order control: how much of the published level on Diginetica can be read off one fixed order of the items.

In the edition of Diginetica behind the published numbers of NARM and STAMP, the items of every session stand in one and
the same order, so what comes next is partly what is larger in that order. This suite takes the edition in the order of
time and changes nothing but the order inside each session: time, shuffled, and two random orders of all items, which
know nothing of time or of users. docs/suites/order_control.md tells what came out.
"""

from dataclasses import replace

from evaluation.metrics.accuracy import MRR, Recall
from evaluation.verdicts.claims import OWN_CLAIM, AcrossProtocols, Compound, Published
from harness.spec import Experiment, Suite
from recsys_data.protocols.inner_order import InnerOrder
from suites import narm
from suites.presets import session_rec_methods
from suites.session_baselines import DIGINETICA, PUBLISHED_SPLIT
from suites.stamp import BY_FILE, BY_TIME, GRU_TUNED, LIU_2018, WHOLE

# 1. The same sessions in four inner orders.
TIME, SHUFFLED, DRAWN = "time", "shuffled", ("one order, draw 0", "one order, draw 1")
ORDERS = {
    TIME: InnerOrder("time", protocol=PUBLISHED_SPLIT),
    SHUFFLED: InnerOrder("shuffled", protocol=PUBLISHED_SPLIT),
    **{label: InnerOrder("global", draw, PUBLISHED_SPLIT) for draw, label in enumerate(DRAWN)},
}

# 2. Published settings, the same under every order. session-rec tuned each method twice, in the order of time and of
#    the file; the second setting is a row of its own, so that tuning and order are not mixed up.
MARKOV, RULES, KNN, VECTOR = "Markov chain", "Sequential rules", "S-KNN", "V-SKNN"
GRU, STAMP, NARM = "GRU4Rec", "STAMP", "NARM"
STAMP_SHORT = "STAMP (4 epochs)"
IN_FILE_ORDER = "(tuned in file order)"
REFERENCES = {label: session_rec_methods("Diginetica")[label] for label in (MARKOV, RULES, KNN, VECTOR)}
RETUNED = {
    f"{label} {IN_FILE_ORDER}": session_rec_methods("Diginetica, file order", "listed_last")[label]
    for label in (RULES, KNN, VECTOR)
}
LEARNERS = {
    GRU: BY_TIME[GRU_TUNED],
    f"{GRU} {IN_FILE_ORDER}": BY_FILE[GRU_TUNED],
    # both with the released settings and whole sessions in a batch; there is no validation part: the last epoch counts
    STAMP: BY_TIME[WHOLE],
    # fewer epochs than published: what the last of ten costs, where the code takes its best one on the test part
    STAMP_SHORT: replace(BY_TIME[WHOLE], epochs=4),
    NARM: narm.NETWORKS[narm.WHOLE],
}
MODELS = {**REFERENCES, **RETUNED, **LEARNERS}

# 3. Recall@20 and MRR@20 in per cent, all of Diginetica in the order of the file: the level that a global order alone
#    should give, and the order of time should not.
METRICS = ("Recall@20", "MRR@20")
LEVELS = [
    (STAMP, (62.03, 27.38), "STAMP (2018)", "main table, by the released logs"),
    (NARM, (62.58, 27.35), "NARM (2017)", "table 3"),
    (STAMP, (61.09, 27.60), "session-rec", "docs/tables_single, file order, tuned"),
    (MARKOV, (50.99, 26.82), "session-rec", "docs/tables_single, file order"),
    (f"{RULES} {IN_FILE_ORDER}", (55.82, 27.19), "session-rec", "docs/tables_single, file order"),
    (f"{KNN} {IN_FILE_ORDER}", (50.14, 18.78), "session-rec", "docs/tables_single, file order"),
    (f"{VECTOR} {IN_FILE_ORDER}", (51.52, 26.25), "session-rec", "docs/tables_single, file order"),
    (f"{GRU} {IN_FILE_ORDER}", (64.04, 30.54), "session-rec", "docs/tables_single, file order"),
]
PUBLISHED = [
    Published(
        DIGINETICA.name, model, metric, round(per_cent / 100, 4), place, source=source, protocol=ORDERS[order].name
    )
    for order in (TIME, *DRAWN)
    for model, pair, source, place in LEVELS
    for metric, per_cent in zip(METRICS, pair, strict=True)
]


# 4. Encore's own claims.
def gains(model: str, better: str, worse: str) -> list[AcrossProtocols]:
    """Claim that a model scores higher under one inner order than under another, in both metrics."""
    return [
        AcrossProtocols(
            f"{model} has a higher {metric} under {better!r} than under {worse!r}",
            model, DIGINETICA.name, metric, ORDERS[better].name, ORDERS[worse].name, place=OWN_CLAIM,
        )
        for metric in METRICS
    ]  # fmt: skip


CLAIMS = [
    *(
        Compound(
            f"a global order alone gives more than time does: {model}",
            [claim for order in DRAWN for claim in gains(model, order, TIME)],
            place=OWN_CLAIM,
        )
        for model in (MARKOV, RULES, KNN, VECTOR, GRU, STAMP, NARM)
    ),
    Compound("time gives more than shuffling does: Markov chain", gains(MARKOV, TIME, SHUFFLED), place=OWN_CLAIM),
]

SUITE = Suite(
    name="order_control",
    title="Order control: Diginetica in time, shuffled, and in one random order of all items",
    paper=LIU_2018,
    experiments=[Experiment(DIGINETICA, order, MODELS, label=label) for label, order in ORDERS.items()],
    seeds=range(3),
    metrics=[MRR(20), Recall(20)],
    baselines=[*REFERENCES, *RETUNED],
    comparisons=[*((label, MARKOV) for label in (GRU, STAMP, NARM)), (STAMP_SHORT, STAMP)],
    published=PUBLISHED,
    claims=CLAIMS,
    notes=[
        "Only the order inside a session differs between the protocols: same sessions, same items, same parts. The "
        "target of a query is another item, so levels are compared per session, not per query.",
        "A global order here is a seeded hash of the item's id. A model that reaches a published level under it has "
        "shown that the level needs no knowledge of time, nor of users.",
        "The published numbers were measured on sessions in the order of the file, which is a global order too, but "
        "another one; they are judged here to see which inner order gives their level.",
    ],
)  # fmt: skip
