"""Comparing rank files: everything that ``compare`` answers, as plain JSON data and as text."""

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
from evaluation.statistics.effects import MARGIN
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
    """All pairs of two or more rank files, compared by user: an object that is valid JSON.

    ``models``: a row for each file and metric; ``comparisons``: a row for each pair and metric, estimates being the
    first minus the second. A family is all pairs of one metric; with one pair the interval is the plain 95 % one, with
    more it is simultaneous (``ci_kind`` says which). ``alternatives`` adds other named tests, each with its warning.
    What is undefined is None. Raises ValueError (or InvalidRankFile, FileNotFoundError) in one sentence.
    """
    if len(paths) < 2:
        raise ValueError(f"a comparison needs at least two rank files, got {len(paths)}")
    chosen = list(dict.fromkeys(metric_named(name) for name in metrics))
    files = [read_rank_file(Path(path), cluster) for path in paths]
    tables = dict(zip(_labels([str(path) for path in paths]), join_rank_files(files), strict=True))
    answer: dict[str, Any] = {"schema": 1, "unit": files[0].cluster_name, "flips": flips, "resamples": resamples}
    answer |= {"margin": margin, "models": [], "comparisons": [], "notes": []}
    for metric in chosen:
        _compare(answer, tables, metric, alternatives)
    answer["notes"] += _other_candidates(tables)
    if any(row["users"] < ROUGH_BELOW for row in answer["comparisons"]):
        answer["notes"].append(
            f"Fewer than {ROUGH_BELOW} users: tests and intervals are rough where few of them carry the difference."
        )
    return answer


def _other_candidates(tables: dict[str, RankTable]) -> list[str]:
    """A sentence for each table that ranks among other numbers of candidates than the first that tells them."""
    told = [(name, ranks.candidates) for name, ranks in tables.items() if (ranks.candidates < UNKNOWN_CANDIDATES).all()]
    notes = []
    for name, candidates in told[1:]:
        first, ours = told[0]
        unequal = np.flatnonzero(ours != candidates)
        if len(unequal):
            a, b = ours[unequal[0]], candidates[unequal[0]]
            notes.append(
                f"{first} and {name} rank {len(unequal):,} of {len(ours):,} targets among other candidates ({a:,} "
                f"against {b:,} at first): their values are not the same quantity."
            )
    return notes


def _compare(answer: dict[str, Any], tables: dict[str, RankTable], metric: Metric, alternatives: bool) -> None:
    """Add the rows of one metric."""
    runs = []
    for name, ranks in tables.items():
        values = metric.per_query(ranks)[0]
        runs.append(ModelRuns(name, {0: metric.per_cluster(ranks)}, deterministic=False, values=values))
    names = list(tables)
    family = {(a, b): "all pairs" for m, a in enumerate(names) for b in names[m + 1 :]}
    settings = {name: answer[name] for name in ("margin", "flips", "resamples")}
    comparison = compare_models(runs, family, higher_is_better=metric.higher_is_better, **settings)
    paired = comparison.paired
    for row in comparison.models:
        answer["models"].append(
            {"model": row.model, "metric": metric.name, "micro": row.mean, "macro": row.macro, "se_cluster": row.error,
             "ci_low": row.interval[0], "ci_high": row.interval[1]}
        )  # fmt: skip
    for pair in comparison.pairs:
        found = _record(pair, paired, len(comparison.pairs), metric)
        if alternatives:
            found["alternatives"] = [_plain(test) for test in _alternatives(paired, pair)]
        answer["comparisons"].append(found)


def _record(pair: PairRow, paired: PairedSums, family: int, metric: Metric) -> dict[str, Any]:
    """One pair as JSON data."""
    ends = pair.interval if family == 1 else pair.simultaneous
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
        "relative": _finite(pair.relative),
        "relative_low": _finite(pair.relative_interval[0]),
        "relative_high": _finite(pair.relative_interval[1]),
        "design_effect": _finite(pair.design_effect) if naive is not None and naive.error > 0 else None,
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
        "word": pair.conclusion_models.value,
        "sentence": pair.sentence,
    }


def _alternatives(paired: PairedSums, pair: PairRow) -> list[Alternative]:
    a, b = paired.index([(pair.a, pair.b)])[0]
    means = paired.sums / paired.counts[:, None]
    return [wilcoxon(means[:, a], means[:, b]), paired_t(means[:, a], means[:, b])]


def _plain(test: Alternative) -> dict[str, Any]:
    return {"name": test.name, "p": test.p, "warning": test.warning}


def _finite(value: float | None) -> float | None:
    """A number that JSON can hold, or None."""
    return float(value) if value is not None and math.isfinite(value) else None


def _labels(names: list[str]) -> list[str]:
    """The names, a repeated one numbered from its second place on: a file may be compared with itself."""
    return [
        name if names[:i].count(name) == 0 else f"{name} ({names[:i].count(name) + 1})" for i, name in enumerate(names)
    ]


def render_text(answer: dict[str, Any]) -> str:
    """The answer of ``compare_files`` for people: a block for each pair and metric, warnings where they belong."""
    blocks = []
    for row in answer["comparisons"]:
        relative = "" if row["relative"] is None else f" ({row['relative']:+.1%})"
        naive = row["naive_p"] is not None and row["design_effect"] is not None
        lines = [
            f"{row['metric'].upper()}: {row['a']} − {row['b']}",
            f"  difference        {row['estimate']:+.5f}{relative}, clustered SE {row['se_cluster']:.5f}",
            f"  interval          {row['ci_low']:+.5f} … {row['ci_high']:+.5f}, {row['ci_kind']}",
            f"  sign-flip p       {_p(row['p_sign_flip'])}, Holm {_p(row['p_adjusted'])}, max-T {_p(row['p_max_t'])}",
            f"  {answer['unit'] + 's':<18}{row['users']:,} ({row['events']:,} events): "
            f"better {row['share_better']:.1%}, tied {row['share_tied']:.1%}, worse {row['share_worse']:.1%}",
            f"  macro difference  {row['macro']:+.5f}; smallest detectable {row['smallest_detectable']:.5f}",
        ]
        if naive:
            lines.append(
                f"  for contrast      event-level SE {row['naive_se']:.5f}, p {_p(row['naive_p'])}; design effect "
                f"{row['design_effect']:.2f}. It takes a user's events for independent: do not decide by it."
            )
        for test in row.get("alternatives", ()):
            lines.append(f"  warning           {test['name']}: p {_p(test['p'])}; it {test['warning']}.")
        blocks.append("\n".join([*lines, f"  {row['sentence']}"]))
    return "\n\n".join([*blocks, *answer["notes"]])


def _p(p: float) -> str:
    return f"{p:.2g}" if p < 0.001 else f"{p:.4f}"
