"""Compare rank files, ranked lists or values by user: the result of the ``compare`` command as JSON data."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from evaluation.comparison.pairwise import ModelRuns, compare_models
from evaluation.comparison.table import PairRow
from evaluation.metrics.accuracy import MeanRank, Metric, metric_named
from evaluation.metrics.cluster_sums import ClusterSums
from evaluation.rank_files.comparison.methods import MethodFiles, check_pairs, methods_of
from evaluation.rank_files.depth import check_depth
from evaluation.rank_files.item_lists import find_true_items, rank_true_items, read_true_items
from evaluation.rank_files.join import join_rank_files
from evaluation.rank_files.rank_columns import UNKNOWN_CANDIDATES
from evaluation.rank_files.read import RankFile, find_tables, to_rank_file
from evaluation.rank_files.tables import FileTable, InvalidRankFile
from evaluation.rank_files.user_values import (
    common_metrics,
    common_users,
    holds_user_values,
    known_metric,
    read_user_values,
)
from evaluation.ranking.rank_table import RankTable
from evaluation.statistics.effects import MARGIN, agreeing
from evaluation.statistics.naive import Alternative, paired_t, wilcoxon
from evaluation.statistics.paired_sums import PairedSums
from evaluation.statistics.significance import FLIPS, RESAMPLES, ROUGH_BELOW

DEFAULT_METRICS = ("mrr@20", "recall@20")


def compare_files(
    paths: Sequence[Path | str],
    metrics: Sequence[str] = (),
    *,
    cluster: str | None = None,
    qrels: Path | str | None = None,
    alternatives: bool = False,
    deterministic: Sequence[str] = (),
    pair_seeds: bool = False,
    flips: int = FLIPS,
    resamples: int = RESAMPLES,
    margin: float = MARGIN,
) -> dict[str, Any]:
    """Compare all pairs of two or more methods by user, or by user and seed; return JSON data.

    ``paths``: a rank file each, or ``NAME=FILE``, where files of one name are the seeds of one method. Two methods with
    several seeds are tested over users × seeds, others as trained models over users alone; ``deterministic`` names
    methods whose one file stands for all seeds; ``pair_seeds``: the n-th files of all methods share a seed.
    ``metrics``: names, by default DEFAULT_METRICS, or all that files with values by user share. ``qrels``: the true
    items, if the files are TREC runs or other lists of items. ``models``: a row per method and metric; ``comparisons``:
    a row per pair and metric, with estimates of the first minus the second. A family is all pairs of one metric; one
    pair has a plain 95 % interval, more have simultaneous ones (see ``ci_kind``). ``alternatives`` adds other named
    tests, each with its warning. ``notes`` say how files were read. Undefined values are None. Raises ValueError,
    InvalidRankFile or FileNotFoundError.
    """
    methods = methods_of(paths, deterministic)
    if pair_seeds:
        check_pairs(methods)
    paths = [path for method in methods for path in method.files]
    result: dict[str, Any] = {"schema": 2, "unit": "", "flips": flips, "resamples": resamples, "margin": margin}
    result |= {"pair_seeds": pair_seeds, "models": [], "comparisons": [], "notes": []}
    if qrels is None and (tables := [find_tables(Path(path)) for path in paths]) and _are_user_values(tables):
        _compare_user_values(result, methods, tables, metrics, cluster, alternatives)
    else:
        chosen = list(dict.fromkeys(metric_named(name) for name in metrics or DEFAULT_METRICS))
        if qrels is None:
            files = [to_rank_file(found, str(path), cluster) for found, path in zip(tables, paths, strict=True)]
        else:
            files = _ranked_files(result, paths, Path(qrels), cluster)
        _compare_ranks(result, methods, files, chosen, alternatives)
    result["notes"] += _few_seeds(methods)
    if any(row["users"] < ROUGH_BELOW for row in result["comparisons"]):
        result["notes"].append(
            f"Fewer than {ROUGH_BELOW} users: tests and intervals are rough where few of them carry the difference."
        )
    return result


def _are_user_values(tables: Sequence[Sequence[FileTable]]) -> bool:
    """Whether all files have values by user; refuse a mixture."""
    found = [all(holds_user_values(table) for table in parts) for parts in tables]
    if any(found) and not all(found):
        values, ranks = (tables[found.index(kind)][0].name for kind in (True, False))
        raise InvalidRankFile(f"{values} has values of metrics by user and {ranks} has none; give files of one kind")
    return all(found)


def _ranked_files(
    result: dict[str, Any], paths: Sequence[Path | str], qrels: Path, cluster: str | None
) -> list[RankFile]:
    """Return the ranks of the true items in ``qrels`` in each file's lists."""
    true = read_true_items(find_true_items(qrels), cluster)
    result["notes"] += true.notes
    return [rank_true_items(find_tables(Path(path)), str(path), true, cluster) for path in paths]


def _compare_ranks(
    result: dict[str, Any],
    methods: Sequence[MethodFiles],
    files: Sequence[RankFile],
    metrics: Sequence[Metric],
    alternatives: bool,
) -> None:
    """Add the rows of all metrics for files with ranks."""
    result["unit"] = files[0].cluster_name
    tables = join_rank_files(files)
    _refuse_equal_seeds(methods, tables)
    result["notes"] += dict.fromkeys(note for file in files for note in file.notes)
    for metric in metrics:
        for file in files:
            check_depth(file.name, file.depth, metric)
            _refuse_unknown_candidates(file, metric)
        runs = _runs(methods, [metric.per_cluster(ranks) for ranks in tables])
        values = [metric.per_query(ranks)[0] for ranks in tables] if len(tables) == len(methods) else [None] * len(runs)
        runs = [replace(run, values=found) for run, found in zip(runs, values, strict=True)]
        _compare(result, runs, metric.name, metric.higher_is_better, alternatives)
    labels = _file_labels(methods)
    result["notes"] += _other_candidates(dict(zip(labels, tables, strict=True)))
    result["notes"] += [
        f"{a} and {b} have the same rank for every target: check that they are not one run under two names."
        for (a, ranks), (b, others) in itertools.combinations(zip(labels, tables, strict=True), 2)
        if _same_ranks(ranks, others)
    ]
    result["notes"] += [
        f"{name} has ranks that the targets of a query cannot have in one list, so each target is taken to be ranked "
        "in a list of its own: Precision, MAP and NDCG are means over these lists."
        for name, ranks in zip(labels, tables, strict=True)
        if not ranks.one_list
    ]


def _same_ranks(ranks: RankTable, others: RankTable) -> bool:
    """Whether two tables of the same targets have all ranks and ties in common."""
    return np.array_equal(ranks.greater, others.greater) and np.array_equal(ranks.tied, others.tied)


def _refuse_equal_seeds(methods: Sequence[MethodFiles], tables: Sequence[RankTable]) -> None:
    """Refuse two seeds of a method with the same ranks: one run would count twice, and hide the noise of seeds."""
    rest = iter(tables)
    for method in methods:
        seeds = zip(method.files, itertools.islice(rest, len(method.files)), strict=True)
        for (file, ranks), (other, others) in itertools.combinations(seeds, 2):
            if _same_ranks(ranks, others):
                raise ValueError(
                    f"{file} and {other} hold the same ranks, so they are not two seeds of {method.name}; give one of "
                    f"them, with --deterministic {method.name!r} if seeds do not matter to it"
                )


def _runs(methods: Sequence[MethodFiles], sums: Sequence[ClusterSums]) -> list[ModelRuns]:
    """Return the runs of each method from the sums of all files, which are in the order of the methods."""
    rest = iter(sums)
    return [
        ModelRuns(method.name, dict(enumerate(itertools.islice(rest, len(method.files)))), method.deterministic)
        for method in methods
    ]


def _file_labels(methods: Sequence[MethodFiles]) -> list[str]:
    """Return a name for each file in notes: its method's, or its own path where the method has several."""
    return [method.name if len(method.files) == 1 else path for method in methods for path in method.files]


def _few_seeds(methods: Sequence[MethodFiles]) -> list[str]:
    """Return a note where one file of a method forbids a test over seeds that others would allow."""
    single = [method.name for method in methods if len(method.files) == 1 and not method.deterministic]
    if not single or len(single) == len(methods):
        return []
    return [
        f"One seed of {', '.join(single)} is given, so only its trained model is compared; give more seeds as "
        "NAME=FILE, or --deterministic NAME if it does not depend on a seed."
    ]


def _refuse_unknown_candidates(file: RankFile, metric: Metric) -> None:
    """Refuse a mean of ranks where a file has misses among an unknown number of candidates."""
    unknown = (file.candidates >= UNKNOWN_CANDIDATES) & (file.greater >= file.candidates)
    if isinstance(metric, MeanRank) and unknown.any():
        raise InvalidRankFile(
            f"{metric.name} needs the number of candidates of the misses in {file.name}, the first in line "
            f"{file.lines[np.argmax(unknown)]}; add a column candidates"
        )


def _compare_user_values(
    result: dict[str, Any],
    methods: Sequence[MethodFiles],
    tables: Sequence[Sequence[FileTable]],
    metrics: Sequence[str],
    cluster: str | None,
    alternatives: bool,
) -> None:
    """Add the rows of all metrics for files with values by user."""
    files = [read_user_values(found, found[0].name, cluster) for found in tables]
    result["unit"] = files[0].cluster_name
    result["notes"] += dict.fromkeys(note for file in files for note in file.notes)
    for title in common_metrics(files, metrics):
        users, known = common_users(files, title), known_metric(title)
        sums = []
        for file in files:
            values = np.array([file.values[title][user] for user in users])
            sums.append(ClusterSums(np.arange(len(users)), values, np.ones(len(users), dtype=np.int64)))
        runs = _runs(methods, sums)
        if known is None:
            result["notes"].append(f"{title} is no metric of Encore: a higher value is taken to be better.")
        _compare(result, runs, title, known is None or known.higher_is_better, alternatives)
    result["notes"].append("Values are compared by user: each user counts once, whatever the number of queries.")


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


def _compare(result: dict[str, Any], runs: Sequence[ModelRuns], title: str, higher: bool, alternatives: bool) -> None:
    """Add the rows of one metric to ``result``."""
    if len(runs[0].seeds[0].clusters) < 2:
        raise InvalidRankFile(f"{runs[0].model} has one {result['unit']} only; a comparison needs at least two to "
                              "estimate how they vary")  # fmt: skip
    known = known_metric(title)
    name = title if known is None else known.mlflow_name.replace("_at_", "@")
    names, fixed = [run.model for run in runs], {run.model for run in runs if run.deterministic}
    family = {(a, b): "all pairs" for m, a in enumerate(names) for b in names[m + 1 :]}
    settings = {key: result[key] for key in ("margin", "flips", "resamples", "pair_seeds")}
    comparison = compare_models(runs, family, higher_is_better=higher, **settings)
    paired = comparison.paired
    for row in comparison.models:
        result["models"].append(
            {"model": row.model, "metric": title, "micro": row.mean, "macro": row.macro, "se_cluster": row.error,
             "ci_low": row.interval[0], "ci_high": row.interval[1], "seeds": len(row.seed_values)}
        )  # fmt: skip
    for pair in comparison.pairs:
        over_seeds = pair.decision.of_methods and not {pair.a, pair.b} <= fixed
        found = _pair_record(pair, paired, len(comparison.pairs), name, over_seeds)
        if alternatives:
            found["alternatives"] = [_test_record(test) for test in _alternatives(paired, pair)]
        result["comparisons"].append(found)


def _pair_record(pair: PairRow, paired: PairedSums, family: int, metric: str, over_seeds: bool) -> dict[str, Any]:
    """Return one pair as JSON data. over_seeds: whether the test over users × seeds decides on it."""
    decision, naive = pair.decision, pair.naive
    if over_seeds:
        ends = decision.interval
        kind = "95 % over users × seeds" if family == 1 else f"over users × seeds at Holm's level for {family} pairs"
    else:
        ends = pair.interval if family == 1 else pair.simultaneous
        ends = agreeing(ends, pair.difference, decision.significant)
        kind = "95 % cluster bootstrap" if family == 1 else f"95 % simultaneous over {family} pairs (max-T)"
    relative = decision.relative_interval
    return {
        "a": pair.a,
        "b": pair.b,
        "metric": metric,
        "estimate": pair.difference,
        "se_cluster": pair.error,
        "ci_low": ends[0],
        "ci_high": ends[1],
        "ci_kind": kind,
        "over_seeds": over_seeds,
        "se": decision.error,
        "p": decision.p,
        "p_sign_flip": pair.p,
        "p_adjusted": decision.p_adjusted,
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
        "conclusion": decision.conclusion.value,
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
