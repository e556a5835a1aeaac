"""Judging: from comparison tables to a Verdict on every published number and every claim of a suite."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evaluation.comparison.group import of_one_user
from evaluation.comparison.table import ComparisonTable, ModelRow, PairRow
from evaluation.results.suite_results import SuiteResults
from evaluation.statistics.effects import ALPHA
from evaluation.statistics.equivalence import LENIENT, STRICT, EquivalenceZone, Noise, tost
from evaluation.statistics.multiplicity import holm
from evaluation.verdicts.claims import Claim, Compound, Cost, Gain, Outcome, Ranking, Verdict, claim_from_record
from evaluation.verdicts.published import judge_level, smoke_caveats


def judge_suite(results: SuiteResults, comparisons: Sequence[ComparisonTable]) -> list[Verdict]:
    """A verdict on each published number, then on each claim, in the suite's order.

    A number or claim that names no protocol is judged under every protocol of its data set. Holm adjusts the
    method-level p over all rankings and gains of the suite, parts of compound claims included; a level is an
    equivalence test and needs no adjustment.
    """
    court = _Court(results, tuple(comparisons))
    published = [claim_from_record(record) for record in results.record.get("published", ())]
    claims = [claim_from_record(record) for record in results.record.get("claims", ())]
    adjusted = court.adjust([part for claim in claims for part in getattr(claim, "parts", (claim,))])
    verdicts = []
    for value in published:
        for protocol in court.protocols(value.dataset, value.protocol):
            table = court.table(value.dataset, protocol, value.metric)
            absent = court.absence(value.dataset, protocol, value.model, value.metric)
            verdicts.append(judge_level(value, protocol, table, absent, court.suite_caveats))
    for claim in claims:
        verdicts += court.judge(claim, adjusted)
    return verdicts


@dataclass(frozen=True, eq=False)
class _Court:
    """The stored results and their tables, asked for one claim at a time."""

    results: SuiteResults
    comparisons: tuple[ComparisonTable, ...]

    @property
    def suite_caveats(self) -> tuple[str, ...]:
        return tuple(self.results.record.get("caveats", ()))

    def protocols(self, dataset: str, protocol: str) -> list[str]:
        """The protocols to judge under: the one asked for, or all that were run, or one empty name if none was."""
        held = [entry["protocol"] for entry in self.results.record["cells"] if entry["dataset"] == dataset]
        return [protocol] if protocol else list(dict.fromkeys(held)) or [""]

    def table(self, dataset: str, protocol: str, metric: str) -> ComparisonTable | None:
        wanted = (dataset, protocol, metric)
        return next((t for t in self.comparisons if (t.dataset, t.protocol, t.metric) == wanted), None)

    def absence(self, dataset: str, protocol: str, model: str, metric: str) -> str:
        """Why there is no result of a model, or an empty string."""
        table = self.table(dataset, protocol, metric)
        if table is not None and table.model(model) is not None:
            return ""
        for failure in self.results.failures:
            if (failure.dataset, failure.protocol, failure.model) == (dataset, protocol, model):
                return f"{model} has no result ({failure.state}: {failure.reason})"
        found = [c for c in self.results.cells if (c.dataset, c.protocol, c.model) == (dataset, protocol, model)]
        if found and of_one_user(found[0]):
            return f"the test part of {dataset} asks one user only, so nothing tells how users vary"
        if table is None and any((t.dataset, t.protocol) == (dataset, protocol) for t in self.comparisons):
            return f"{metric} is not measured here"
        return f"the suite holds no result of {model} on {dataset}"

    def pair(self, claim: Ranking | Gain, protocol: str) -> PairRow | None:
        table = self.table(claim.dataset, protocol, claim.metric)
        return None if table is None else table.pair(claim.better, claim.worse)

    def adjust(self, parts: Sequence[Claim]) -> dict[tuple[Ranking | Gain, str], float]:
        """Holm's adjusted method-level p of every ranking and gain under every protocol.

        A pair of one table is one test and counts once, however many claims speak of it.
        """
        asked: dict[tuple[Ranking | Gain, str], tuple[str, ...]] = {}
        raw: dict[tuple[str, ...], float] = {}
        for claim in parts:
            if isinstance(claim, Cost):
                continue
            for protocol in self.protocols(claim.dataset, claim.protocol):
                pair = self.pair(claim, protocol)
                if pair is not None and pair.p_method is not None and not claim.not_comparable:
                    test = claim.dataset, protocol, claim.metric, pair.a, pair.b
                    asked[claim, protocol], raw[test] = test, pair.p_method
        adjusted = dict(zip(raw, holm(list(raw.values())), strict=True))
        return {claimed: float(adjusted[test]) for claimed, test in asked.items()}

    def judge(self, claim: Claim, adjusted: dict[tuple[Ranking | Gain, str], float]) -> list[Verdict]:
        """The verdicts of a claim, one for each protocol it applies to; a compound claim has one."""
        if isinstance(claim, Compound):
            parts = [verdict for part in claim.parts for verdict in self.judge(part, adjusted)]
            return [_compound(claim, parts)]
        verdicts = []
        for protocol in self.protocols(claim.dataset, claim.protocol):
            if isinstance(claim, Cost):
                verdicts.append(self._cost(claim, protocol))
            else:
                verdicts.append(self._direction(claim, protocol, adjusted.get((claim, protocol))))
        return verdicts

    def _direction(self, claim: Ranking | Gain, protocol: str, p: float | None) -> Verdict:
        """A ranking, or the first half of a gain: sign and adjusted p of the method-level difference."""

        def verdict(outcome: Outcome, reason: str, **found: object) -> Verdict:
            return Verdict(claim.text, outcome, reason, about=claim, protocol=protocol, p_adjusted=p, **found)

        if claim.not_comparable:
            return verdict(Outcome.NOT_COMPARABLE, claim.not_comparable)
        pair, table = self.pair(claim, protocol), self.table(claim.dataset, protocol, claim.metric)
        if pair is None or table is None:
            names = (claim.better, claim.worse)
            absent = [self.absence(claim.dataset, protocol, name, claim.metric) for name in names]
            reason = next((reason for reason in absent if reason), "the two are one and the same model")
            return verdict(Outcome.INCONCLUSIVE, reason + ".")
        rows = table.model(claim.better), table.model(claim.worse)
        caveats = smoke_caveats(self.suite_caveats, *(row.caveats for row in rows))
        if isinstance(claim, Gain) and caveats:
            return verdict(Outcome.NOT_COMPARABLE, f"{caveats[0]}: a gain is judged on the whole data only.")
        sign = 1.0 if pair.a == claim.better else -1.0
        fixed = all(row.deterministic for row in rows)
        ends = pair.interval if fixed or pair.method is None else pair.method.interval
        low, high = sorted(sign * end for end in ends)
        found = {"estimate": sign * pair.difference, "interval": (low, high)}
        if isinstance(claim, Gain):  # its size is a ratio; the difference is told in the reason
            found = {"estimate": rows[0].mean / rows[1].mean if rows[1].mean > 0 else None}
        told = f"{claim.better} − {claim.worse} = {sign * pair.difference:+.4f} [{low:+.4f}, {high:+.4f}]"
        if p is None:
            shown = _p(pair.p_holm)
            return verdict(
                Outcome.INCONCLUSIVE,
                f"{told}: one seed speaks of these trained models (adjusted {shown}), "
                f"not of the methods; run at least 3 seeds." + _beware(rows, caveats),
                **found,
            )
        ahead = sign * pair.difference > 0 if table.higher_is_better else sign * pair.difference < 0
        told += f", adjusted {_p(p)}"
        if p >= ALPHA:
            said = f"{told}: the difference of the methods is not told from chance."
            return verdict(Outcome.INCONCLUSIVE, said + _beware(rows, caveats), **found)
        if not ahead:
            said = f"{told}: significantly the other way round."
            return verdict(Outcome.CONTRADICTED, said + _beware(rows, caveats), **found)
        if isinstance(claim, Gain):
            return _gain(claim, protocol, pair, rows, p, table.num_clusters, _beware(rows, caveats))
        return verdict(Outcome.REPRODUCED, told + "." + _beware(rows, caveats), **found)

    def _cost(self, claim: Cost, protocol: str) -> Verdict:
        """A cost ratio by Welch's interval over seeds, on this machine."""

        def verdict(outcome: Outcome, reason: str, **found: object) -> Verdict:
            return Verdict(claim.text, outcome, reason, about=claim, protocol=protocol, **found)

        values, caveats, devices = [], [], {}
        for model in (claim.first, claim.second):
            cells = [
                c for c in self.results.cells if (c.dataset, c.protocol, c.model) == (claim.dataset, protocol, model)
            ]
            records = [cell.record.get("seconds", {}) | cell.record for cell in cells]
            held = [float(r[claim.quantity]) for r in records if r.get(claim.quantity)]
            if not held:
                return verdict(Outcome.INCONCLUSIVE, f"{model} has no record of {claim.quantity} on {claim.dataset}.")
            values.append(held)
            caveats += [caveat for cell in cells for caveat in cell.caveats]
            devices |= {r.get("device_name") or r.get("device") or "this machine": None for r in records}
        smoke = smoke_caveats(self.suite_caveats, caveats)
        if smoke:
            return verdict(Outcome.NOT_COMPARABLE, f"{smoke[0]}: a cost is judged on the whole data only.")
        ratio = float(np.mean(values[0]) / np.mean(values[1]))
        told = f"{claim.quantity} of {claim.first} over {claim.second} is {ratio:.3f} here, {claim.ratio:.3f} there"
        if len(devices) > 1:
            reason = f"{told}; but measured on different devices ({', '.join(devices)})."
            return verdict(Outcome.INCONCLUSIVE, reason, estimate=ratio)
        hardware = f"; measured on {next(iter(devices))}, other hardware than the paper's"
        if min(len(held) for held in values) < 2:
            reason = f"{told}; one run tells nothing of its noise{hardware}."
            return verdict(Outcome.INCONCLUSIVE, reason, estimate=ratio)
        noise = [_relative_noise(f"runs of {m}", v) for m, v in zip((claim.first, claim.second), values, strict=True)]
        found = tost(ratio, claim.ratio, 0.0, [source for source in noise if source.variance > 0])
        outcome = _outcome(found.zone)
        low, high = found.interval
        reason = f"{told}: ratio of the two [{low:.3f}, {high:.3f}] {_where(found.zone)}{hardware}."
        return verdict(outcome, reason, estimate=ratio, interval=(low * claim.ratio, high * claim.ratio))


def _relative_noise(name: str, values: Sequence[float]) -> Noise:
    """The noise that the spread of some runs leaves in the logarithm of their mean."""
    return Noise(name, float(np.var(values, ddof=1)) / float(np.mean(values)) ** 2 / len(values), len(values) - 1)


def _gain(
    claim: Gain, protocol: str, pair: PairRow, rows: tuple[ModelRow, ModelRow], p: float, num_clusters: int, beware: str
) -> Verdict:
    """The second half of a gain, once its direction holds: log(1 + gain) within log(1 ± 5 %) of the published.

    ``beware``: the caveats, as a closing remark.
    """
    ratio = rows[0].mean / rows[1].mean if rows[1].mean > 0 else math.inf
    noise = []
    for row in rows:
        if row.sd:
            seeds = len(row.seed_values)
            variance = (row.sd / row.mean) ** 2 * (1 / claim.runs + 1 / seeds)
            noise.append(Noise(f"the seeds of {row.model}", variance, seeds - 1))
    if not claim.same_test and pair.relative_error is not None:
        relative = pair.relative_error / (1 + pair.relative)  # of the log ratio, whichever way round it is taken
        noise.append(Noise("the test sample", 2 * relative**2, num_clusters - 1))
    if not math.isfinite(ratio):
        return Verdict(
            claim.text,
            Outcome.NOT_REPRODUCED,
            f"{claim.worse} scores 0, so the gain has no size.{beware}",
            about=claim,
            protocol=protocol,
            p_adjusted=p,
        )
    found = tost(ratio, 1 + claim.gain, 0.5 * 10.0**-claim.digits, noise, strict=STRICT, lenient=STRICT)
    low, high = (end * (1 + claim.gain) for end in found.interval)
    told = (
        f"the direction holds (adjusted {_p(p)}); gain {ratio - 1:+.1%} [{low - 1:+.1%}, {high - 1:+.1%}] against the "
        f"published {claim.gain:+.1%}"
    )
    reason = f"{told}: {_where(found.zone, STRICT)}."
    if found.zone is EquivalenceZone.OPEN:
        reason = f"{told}: open, most by {found.dominant}."
    return Verdict(
        claim.text,
        _outcome(found.zone),
        reason + beware,
        estimate=ratio,
        interval=(low, high),
        p_adjusted=p,
        about=claim,
        protocol=protocol,
    )


def _compound(claim: Compound, parts: list[Verdict]) -> Verdict:
    """The verdict of a claim that holds only if every part does."""
    order = (Outcome.CONTRADICTED, Outcome.NOT_REPRODUCED, Outcome.NOT_COMPARABLE, Outcome.INCONCLUSIVE)
    outcome = next((o for o in order if any(v.outcome is o for v in parts)), Outcome.REPRODUCED)
    failing = [v for v in parts if v.outcome is not Outcome.REPRODUCED]
    reason = f"{len(parts) - len(failing)} of {len(parts)} parts hold"
    if failing:
        first = next(v for v in failing if v.outcome is outcome)
        reason += f"; {first.subject} ({first.outcome.value}): {first.reason.rstrip('.')}"
    return Verdict(claim.text, outcome, reason + ".", about=claim, parts=tuple(parts))


def _outcome(level: EquivalenceZone) -> Outcome:
    if level in (EquivalenceZone.STRICT, EquivalenceZone.LENIENT):
        return Outcome.REPRODUCED
    return Outcome.INCONCLUSIVE if level is EquivalenceZone.OPEN else Outcome.NOT_REPRODUCED


def _where(level: EquivalenceZone, margin: float = LENIENT) -> str:
    """Where a ratio lies, in words."""
    sides = {
        EquivalenceZone.ABOVE: f"lies above +{margin:.0%}",
        EquivalenceZone.BELOW: f"lies below −{margin:.0%}",
        EquivalenceZone.OPEN: "straddles the margin",
    }
    return sides.get(level, f"lies {level.value}")


def _p(p: float) -> str:
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def _beware(rows: tuple[ModelRow, ModelRow], caveats: tuple[str, ...]) -> str:
    """The caveats of both models, once each, as a closing remark."""
    told = dict.fromkeys([*caveats, *(caveat for row in rows for caveat in row.caveats)])
    return f" Caveat: {'; '.join(told)}." if told else ""
