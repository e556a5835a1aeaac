"""Compare rank files: the result of the ``compare`` command as JSON data and as text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.comparison.pairwise import ModelRuns, compare_models
from evaluation.comparison.table import PairRow
from evaluation.metrics.accuracy import Metric, metric_named
from evaluation.rank_files.join import join_rank_files
from evaluation.rank_files.read import UNKNOWN_CANDIDATES, read_rank_file
from evaluation.ranking.rank_table import RankTable
from evaluation.statistics.effects import MARGIN, agreeing
from evaluation.statistics.naive import Alternative, paired_t, wilcoxon
from evaluation.statistics.paired_sums import PairedSums
from evaluation.statistics.significance import FLIPS, RESAMPLES, ROUGH_BELOW

DEFAULT_METRICS = ("mrr@20", "recall@20")


def compare_files(
    paths: Sequence[Path | str],
    metrics: Sequence[str] = DEFAULT_METRICS,
    *,
    cluster: str | None = None,
    alternatives: bool = False,
    flips: int = FLIPS,
    resamples: int = RESAMPLES,
    margin: float = MARGIN,
) -> dict[str, Any]:
    """Compare all pairs of two or more rank files by user; return JSON data.

    ``models``: a row per file and metric; ``comparisons``: a row per pair and metric, with estimates of the first minus
    the second. A family is all pairs of one metric; one pair has a plain 95 % interval, more have simultaneous ones
    (see ``ci_kind``); where one disagrees with the adjusted p about 0, its end is moved to 0. ``alternatives`` adds
    other named tests, each with its warning. Undefined values are None. Raises ValueError, InvalidRankFile or
    FileNotFoundError.
    """
    if len(paths) < 2:
        raise ValueError(f"a comparison needs at least two rank files, got {len(paths)}")
    chosen = list(dict.fromkeys(metric_named(name) for name in metrics))
    files = [read_rank_file(Path(path), cluster) for path in paths]
    tables = dict(zip(_labels([str(path) for path in paths]), join_rank_files(files), strict=True))
    result: dict[str, Any] = {"schema": 2, "unit": files[0].cluster_name, "flips": flips, "resamples": resamples}
    result |= {"margin": margin, "models": [], "comparisons": [], "notes": []}
    for metric in chosen:
        _compare(result, tables, metric, alternatives)
    result["notes"] += _other_candidates(tables)
    if any(row["users"] < ROUGH_BELOW for row in result["comparisons"]):
        result["notes"].append(
            f"Fewer than {ROUGH_BELOW} users: tests and intervals are rough where few of them carry the difference."
        )
    return result


def _other_candidates(tables: dict[str, RankTable]) -> list[str]:
    """Return a note per table whose numbers of candidates differ from the first table that has them."""
    counted = [
        (name, ranks.candidates) for name, ranks in tables.items() if (ranks.candidates < UNKNOWN_CANDIDATES).all()
    ]
    notes = []
    for name, candidates in counted[1:]:
        first, ours = counted[0]
        unequal = np.flatnonzero(ours != candidates)
        if len(unequal):
            a, b = ours[unequal[0]], candidates[unequal[0]]
            notes.append(
                f"{first} and {name} rank {len(unequal):,} of {len(ours):,} targets among other candidates ({a:,} "
                f"against {b:,} in the first of them): their values are not the same quantity."
            )
    return notes


def _compare(result: dict[str, Any], tables: dict[str, RankTable], metric: Metric, alternatives: bool) -> None:
    """Add the rows of one metric to ``result``."""
    runs = []
    for name, ranks in tables.items():
        values = metric.per_query(ranks)[0]
        runs.append(ModelRuns(name, {0: metric.per_cluster(ranks)}, deterministic=False, values=values))
    names = list(tables)
    family = {(a, b): "all pairs" for m, a in enumerate(names) for b in names[m + 1 :]}
    settings = {name: result[name] for name in ("margin", "flips", "resamples")}
    comparison = compare_models(runs, family, higher_is_better=metric.higher_is_better, **settings)
    paired = comparison.paired
    for row in comparison.models:
        result["models"].append(
            {"model": row.model, "metric": metric.name, "micro": row.mean, "macro": row.macro, "se_cluster": row.error,
             "ci_low": row.interval[0], "ci_high": row.interval[1]}
        )  # fmt: skip
    for pair in comparison.pairs:
        found = _pair_record(pair, paired, len(comparison.pairs), metric)
        if alternatives:
            found["alternatives"] = [_test_record(test) for test in _alternatives(paired, pair)]
        result["comparisons"].append(found)


def _pair_record(pair: PairRow, paired: PairedSums, family: int, metric: Metric) -> dict[str, Any]:
    """Return one pair as JSON data."""
    ends = pair.interval if family == 1 else pair.simultaneous
    ends = agreeing(ends, pair.difference, pair.decision.significant)
    relative = pair.decision.relative_interval
    naive = pair.naive
    return {
        "a": pair.a,
        "b": pair.b,
        "metric": metric.mlflow_name.replace("_at_", "@"),
        "estimate": pair.difference,
        "se_cluster": pair.error,
        "ci_low": ends[0],
        "ci_high": ends[1],
        "ci_kind": "95 % cluster bootstrap" if family == 1 else f"95 % simultaneous over {family} pairs (max-T)",
        "p_sign_flip": pair.p,
        "p_adjusted": pair.p_holm,
        "p_max_t": pair.p_max_t,
        "relative": _finite_or_none(pair.relative),
        "relative_low": _finite_or_none(relative[0]),
        "relative_high": _finite_or_none(relative[1]),
        "design_effect": _finite_or_none(pair.design_effect) if naive is not None and naive.error > 0 else None,
        "users": paired.num_clusters,
        "events": paired.num_events,
        "micro": pair.difference,
        "macro": pair.macro,
        "share_better": pair.shares.better,
        "share_tied": pair.shares.tied,
        "share_worse": pair.shares.worse,
        "standardised": pair.standardised,
        "smallest_detectable": pair.smallest_detectable,
        "naive_se": naive.error if naive is not None else None,
        "naive_p": naive.p if naive is not None else None,
        "conclusion": pair.decision.conclusion.value,
        "sentence": pair.sentence,
    }


def _alternatives(paired: PairedSums, pair: PairRow) -> list[Alternative]:
    a, b = paired.index([(pair.a, pair.b)])[0]
    means = paired.sums / paired.counts[:, None]
    return [wilcoxon(means[:, a], means[:, b]), paired_t(means[:, a], means[:, b])]


def _test_record(test: Alternative) -> dict[str, Any]:
    return {"name": test.name, "p": test.p, "warning": test.warning}


def _finite_or_none(value: float | None) -> float | None:
    """Return a finite number, or None."""
    return float(value) if value is not None and math.isfinite(value) else None


def _labels(names: list[str]) -> list[str]:
    """Return the names with repeated ones numbered from the second on, since a file may be compared with itself."""
    return [
        name if names[:i].count(name) == 0 else f"{name} ({names[:i].count(name) + 1})" for i, name in enumerate(names)
    ]


def render_text(result: dict[str, Any]) -> str:
    """Format the result of ``compare_files`` as text: a block per pair and metric, with warnings."""
    blocks = []
    for row in result["comparisons"]:
        relative = "" if row["relative"] is None else f" ({row['relative']:+.1%})"
        naive = row["naive_p"] is not None and row["design_effect"] is not None
        lines = [
            f"{row['metric'].upper()}: {row['a']} − {row['b']}",
            f"  difference        {row['estimate']:+.5f}{relative}, clustered SE {row['se_cluster']:.5f}",
            f"  interval          {row['ci_low']:+.5f} … {row['ci_high']:+.5f}, {row['ci_kind']}",
            f"  sign-flip p       {_p(row['p_sign_flip'])}, Holm {_p(row['p_adjusted'])}, max-T {_p(row['p_max_t'])}",
            f"  {result['unit'] + 's':<18}{row['users']:,} ({row['events']:,} events): "
            f"better {row['share_better']:.1%}, tied {row['share_tied']:.1%}, worse {row['share_worse']:.1%}",
            f"  macro difference  {row['macro']:+.5f}; smallest detectable {row['smallest_detectable']:.5f}",
        ]
        if naive:
            lines.append(
                f"  for contrast      event-level SE {row['naive_se']:.5f}, p {_p(row['naive_p'])}; design effect "
                f"{row['design_effect']:.2f}. It assumes independent events of a user: do not decide by it."
            )
        for test in row.get("alternatives", ()):
            lines.append(f"  warning           {test['name']}: p {_p(test['p'])}; it {test['warning']}.")
        blocks.append("\n".join([*lines, f"  {row['sentence']}"]))
    return "\n\n".join([*blocks, *result["notes"]])


def _p(p: float) -> str:
    return f"{p:.2g}" if p < 0.001 else f"{p:.4f}"
