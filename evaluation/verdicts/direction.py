"""Direction: the sign of a difference between two models with its test, which rankings and gains share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from evaluation.comparison.table import ComparisonTable, ModelRow, PairRow
from evaluation.printed_numbers import format_number, fraction, interval, p_text
from evaluation.statistics.crossed import MethodTest
from evaluation.statistics.effects import ALPHA
from evaluation.statistics.needed_sizes import POWER, needed_sizes
from evaluation.verdicts.evidence import Evidence, caveat_sentence, smoke_caveats
from evaluation.verdicts.verdict import Outcome


class NamesPair(Protocol):
    """A claim about ``better`` and ``worse`` in a metric."""

    better: str
    worse: str
    dataset: str
    metric: str


@dataclass(frozen=True, eq=False)
class Direction:
    """The test of better − worse under one protocol.

    difference, interval: of the methods where seeds allow, else of the trained models; the interval agrees with p, of
    the methods, adjusted by Holm over all claims; None where a learner has one seed. rows: better, worse. found: what
    was found, without caveats.
    """

    outcome: Outcome
    found: str
    difference: float
    interval: tuple[float, float]
    p: float | None
    rows: tuple[ModelRow, ModelRow]
    pair: PairRow
    table: ComparisonTable
    smoke: tuple[str, ...]
    caveats: str

    @property
    def reason(self) -> str:
        """What was found, with caveats."""
        return self.found + self.caveats

    @property
    def ratio(self) -> float | None:
        """The ratio better / worse; None where worse scores 0."""
        better, worse = self.rows
        return better.mean / worse.mean if worse.mean > 0 else None

    @property
    def single_seed_ratios(self) -> list[float]:
        """The ratio better / worse of each seed that both have, ascending; empty where seeds do not matter."""
        values = [row.seed_values for row in self.rows if not row.deterministic]
        seeds = sorted(set.intersection(*map(set, values))) if values else []
        pairs = [[row.mean if row.deterministic else row.seed_values[seed] for row in self.rows] for seed in seeds]
        return sorted(better / worse for better, worse in pairs if worse > 0)


def why_no_direction(claim: NamesPair, evidence: Evidence, protocol: str) -> str:
    """Return the reason why two models cannot be compared."""
    reasons = (evidence.why_missing(claim.dataset, protocol, m, claim.metric) for m in (claim.better, claim.worse))
    return next((reason for reason in reasons if reason), "the claim names one model twice") + "."


def direction_of(claim: NamesPair, evidence: Evidence, protocol: str, sign: int = 0) -> Direction | None:
    """Return the test of ``better`` against ``worse``; None where one of them has no result.

    sign: the claimed sign of better − worse, +1 or −1; 0: the one by which ``better`` is better in this metric.
    """
    labels = (claim.dataset, protocol, claim.metric)
    pair, table = evidence.pair(*labels, claim.better, claim.worse), evidence.table(*labels)
    if pair is None or table is None:
        return None
    rows = table.model(claim.better), table.model(claim.worse)
    p = evidence.adjusted_p(*labels, claim.better, claim.worse)
    low, high = evidence.interval(*labels, claim.better, claim.worse)
    difference = pair.difference if pair.a == claim.better else -pair.difference
    smoke = smoke_caveats(evidence.caveats, *(row.caveats for row in rows))
    caveats = caveat_sentence(smoke, *(row.caveats for row in rows))
    claimed = sign or (1 if table.higher_is_better else -1)
    found = f"{claim.better} − {claim.worse} = {fraction(difference, sign=True)} {interval(low, high, sign=True)}"
    if p is None:
        outcome = Outcome.INCONCLUSIVE
        reason = (
            f"{found}: with one seed the test applies to these trained models (adjusted "
            f"{p_text(pair.decision.p_adjusted)}), not to the methods; run at least 3 seeds."
        )
    elif p >= ALPHA:
        outcome = Outcome.INCONCLUSIVE
        reason = f"{found}, adjusted {p_text(p)}: the difference between the methods is not statistically significant."
        if pair.method is not None:
            seeds = min((len(row.seed_values) for row in rows if not row.deterministic), default=0)
            reason += what_would_decide(pair.method, table.num_clusters, seeds, evidence.level(*labels, pair.a, pair.b))
    elif difference * claimed < 0:
        outcome, reason = Outcome.CONTRADICTED, f"{found}, adjusted {p_text(p)}: significant in the other direction."
    else:
        outcome, reason = Outcome.REPRODUCED, f"{found}, adjusted {p_text(p)}."
    return Direction(outcome, reason, difference, (low, high), p, rows, pair, table, smoke, caveats)


def what_would_decide(test: MethodTest, num_users: int, num_seeds: int, level: float) -> str:
    """Say what would show a difference of the size that was found, after a space; empty where nothing does.

    For the arguments see needed_sizes.
    """
    sizes = needed_sizes(test, num_users, num_seeds, level)
    if sizes is None:
        return ""
    ways = []
    if sizes.users is not None:
        ways.append(f"about {_rounded(sizes.users)} test users (here {num_users:,})")
    if sizes.seeds is not None:
        ways.append(f"about {_rounded(sizes.seeds)} seeds (here {num_seeds})")
    if not ways and sizes.times is not None:
        ways.append(f"about {_rounded(sizes.times)} times as many test users and seeds")
    return f" To show it with probability {100 * POWER:.0f} % takes {' or '.join(ways)}." if ways else ""


def _rounded(number: int) -> str:
    """A whole number with two digits that count."""
    return str(number) if number < 100 else format_number(number, 2)
