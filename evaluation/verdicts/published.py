"""The verdict on a published number: rerun over published, by equivalence within ±5 % or ±10 %."""

from __future__ import annotations

from collections.abc import Iterable

from evaluation.comparison.table import ComparisonTable, ModelRow
from evaluation.statistics.equivalence import Equivalence, EquivalenceZone, Noise, seed_noise, seeds_to_decide, tost
from evaluation.verdicts.claims import Outcome, Published, Verdict

SMOKE = "SMOKE RUN"


def smoke_caveats(*caveats: Iterable[str]) -> tuple[str, ...]:
    """The caveats that mark a smoke run, once each."""
    return tuple(dict.fromkeys(caveat for group in caveats for caveat in group if caveat.startswith(SMOKE)))


def judge_level(
    value: Published, protocol: str, table: ComparisonTable | None, absent: str, suite_caveats: tuple[str, ...]
) -> Verdict:
    """The verdict on ``value`` from the table of its data set, protocol and metric.

    NOT COMPARABLE comes first: other data or candidates, a number of uncertain reading, a smoke run. Then: no result,
    or one seed of a learner, is INCONCLUSIVE; the rest is decided by the 90 % interval of the ratio.
    """
    subject = f"{value.model} on {value.dataset}: {value.metric} = {value.value:.{value.digits}f} ({value.place})"

    def verdict(outcome: Outcome, reason: str, **found: object) -> Verdict:
        return Verdict(subject, outcome, reason, about=value, protocol=protocol, **found)

    row = None if table is None else table.model(value.model)
    mean = None if row is None else row.mean
    if value.not_comparable:
        return verdict(Outcome.NOT_COMPARABLE, value.not_comparable, rerun_value=mean)
    if not value.certain:
        reason = f"The {value.source}'s number is not certain, so it is shown and not judged."
        return verdict(Outcome.NOT_COMPARABLE, reason, rerun_value=mean)
    if row is None or table is None:
        return verdict(Outcome.INCONCLUSIVE, f"{absent}.")
    smoke = smoke_caveats(suite_caveats, row.caveats)
    if smoke:
        return verdict(
            Outcome.NOT_COMPARABLE, f"{smoke[0]}: a level is judged on the whole data only.", rerun_value=mean
        )
    if value.value <= value.half_unit:
        reason = "The published value is 0 up to its rounding, so there is no ratio."
        return verdict(Outcome.INCONCLUSIVE, reason, rerun_value=mean)
    if row.mean <= 0:
        return verdict(Outcome.NOT_REPRODUCED, "The rerun's value is 0.", rerun_value=mean)
    if not row.deterministic and row.sd is None:
        reason = f"Ratio {row.mean / value.value:.3f}; one seed tells nothing of the seed noise: run at least 3 seeds."
        return verdict(Outcome.INCONCLUSIVE, reason, estimate=row.mean / value.value, rerun_value=mean)
    others = _sample_noise(value, row, table)
    seeds = seed_noise((row.sd or 0.0) / row.mean, len(row.seed_values), value.runs)
    found = tost(row.mean, value.value, value.half_unit, [*seeds, *others])
    outcome = {
        EquivalenceZone.STRICT: Outcome.REPRODUCED,
        EquivalenceZone.LENIENT: Outcome.REPRODUCED,
        EquivalenceZone.OPEN: Outcome.INCONCLUSIVE,
    }
    return verdict(
        outcome.get(found.zone, Outcome.NOT_REPRODUCED),
        _reason(value, row, found, others),
        estimate=found.ratio,
        interval=found.interval,
        rerun_value=mean,
    )


def _sample_noise(value: Published, row: ModelRow, table: ComparisonTable) -> list[Noise]:
    """The chance of both test samples, √2 times the cluster error, where the rerun's test set is another draw."""
    if value.same_test or row.error == 0:
        return []
    return [Noise("the test sample", 2 * (row.error / row.mean) ** 2, table.num_clusters - 1)]


def _reason(value: Published, row: ModelRow, found: Equivalence, others: list[Noise]) -> str:
    low, high = found.interval
    count = "deterministic" if row.deterministic else f"{len(row.seed_values)} seeds"
    told = f"Rerun {row.mean:.{value.digits + 1}f} ({count}), ratio {found.ratio:.3f} [{low:.3f}, {high:.3f}]"
    where = {
        EquivalenceZone.STRICT: "within ±5 %",
        EquivalenceZone.LENIENT: "within ±10 %, not ±5 %",
        EquivalenceZone.ABOVE: "above +10 %",
        EquivalenceZone.BELOW: "below −10 %",
    }
    label = f" As {value.rerun.value}."
    beware = f" Caveat: {'; '.join(row.caveats)}." if row.caveats else ""
    if found.zone is not EquivalenceZone.OPEN:
        return f"{told}: {where[found.zone]}.{label}{beware}"
    return f"{told}: it straddles the margin. {_what_would_decide(value, row, found, others)}{label}{beware}"


def _what_would_decide(value: Published, row: ModelRow, found: Equivalence, others: list[Noise]) -> str:
    if row.deterministic:
        return f"No number of seeds can decide it; most of the doubt is {found.dominant}."
    deviation = (row.sd or 0.0) / row.mean
    needed = seeds_to_decide(row.mean, value.value, value.half_unit, deviation, value.runs, others)
    if needed is None:
        return f"No number of seeds can decide it; most of the doubt is {found.dominant}."
    return f"About {needed} seeds would decide it; most of the doubt is {found.dominant}."
