"""Methods: definitions, tests and references, so that the report is self-contained."""

from __future__ import annotations

from evaluation.comparison.table import ComparisonTable
from evaluation.printed_numbers import join_words
from reports.document.blocks import Section, Text
from reports.document.run_index import RunIndex

_RANKS = (
    "Every test query ranks its target among the candidates of its protocol (the whole catalogue unless the protocol "
    "says otherwise). With g candidates scored above the target and m others tied with it, the rank is uniform on "
    "g + 1 … g + m + 1, and all metrics use its expectation. A table notes where tie-breaking changes the value by "
    "more than 0.1 %.",
    "Recall@k with one target per query is HitRate@k. MRR@k is the mean of 1 / rank, 0 beyond k. Means are over "
    "queries (micro average), so heavy users count more.",
)
_TESTS = (
    "Queries of one user are not independent. All inference is therefore over clusters (users, or sessions where the "
    "data are anonymous). The interval of a model with two seeds or more is that of its method: a t-interval whose "
    "variance is that between users plus that between seeds, cut at the bounds of the metric. The interval of a "
    "deterministic model, or of one seed, is a cluster bootstrap: clusters are drawn with replacement, with all their "
    "queries, and the mean is recomputed for each resample; below 200 clusters it is studentised.",
    "The difference between two models is tested by flipping the sign of whole clusters, studentised, with "
    "p = (b + 1) / (B + 1), so p is never 0. This test covers these trained models only. A claim about methods must "
    "hold over seeds as well: a t-test over users and seeds adds the variance between seeds to the variance between "
    "users, with Satterthwaite's degrees of freedom. With one seed no such test exists, and the tables say so.",
    "Tests of one metric on one data set form one family, declared in advance: every model against the best baseline, "
    "the suite's comparisons, and its claims. Holm's adjusted p decides. The interval of a difference is at the level "
    "at which Holm's procedure tests the pair (Serlin), so it excludes 0 exactly where the adjusted p is below .05; "
    "these intervals are not simultaneous. Interval, p, conclusion, ★ and ≈ come from one test of each pair: of the "
    "methods where every learner has two seeds or more, else of these trained models. A note under each table says "
    "which.",
    "A significant difference may still be negligible. “Better” needs an adjusted p below .05 and a relative "
    "difference beyond the relevance margin; “practically equal” needs the whole interval inside the margin; "
    "everything else is “inconclusive”.",
)
_TUNING = (
    "The fields of a tuned model come from a search with a fixed number of trials, the same for every model. Trials "
    "are scored on the validation part only; the test part is not available to the search. Every seed then runs with "
    "the fields of the best trial. The search uses its own random streams, so no seed is favoured.",
    "The expected best validation score after k trials is that of k independent draws from the search's own trials "
    "(Dodge et al.). It is valid for random search only, and estimates from few trials are slightly low at large k.",
)
_VERDICTS = (
    "A published number is judged by two one-sided tests on the log of rerun ÷ published, after widening the published "
    "value by half a unit of its last digit: the 90 % interval must lie inside ±5 % (strict) or ±10 % (lenient). Its "
    "noise is the seed noise of both sides and, where the test set is a different draw than the paper's, twice the "
    "cluster variance. Outside: not reproduced; across a bound: inconclusive, with what would decide it.",
    "A ranking claim is judged by its sign and the adjusted p over methods; if it stays open, its reason says how many "
    "test users or seeds would show a difference as large as the one found, with probability 80 %. A gain is judged by "
    "its own sign and its size. "
    "Where data, split or candidates differ from the paper's, the number is a different quantity and is marked not "
    "comparable.",
)
_REFERENCES = (
    "Benjamini and Hochberg 1995, Controlling the false discovery rate, JRSS B 57.",
    "Cameron, Gelbach and Miller 2008, Bootstrap-based improvements for inference with clustered errors, "
    "Review of Economics and Statistics 90.",
    "Field and Welsh 2007, Bootstrapping clustered data, JRSS B 69.",
    "Holm 1979, A simple sequentially rejective multiple test procedure, Scandinavian Journal of Statistics 6.",
    "Ihemelandu and Ekstrand 2023, Inference at scale: significance testing for large search and recommendation "
    "experiments, SIGIR.",
    "Krichene and Rendle 2020, On sampled metrics for item recommendation, KDD.",
    "Phipson and Smyth 2010, Permutation p-values should never be zero, SAGMB 9.",
    "Satterthwaite 1946, An approximate distribution of estimates of variance components, Biometrics Bulletin 2.",
    "Schuirmann 1987, A comparison of the two one-sided tests procedure and the power approach, "
    "Journal of Pharmacokinetics and Biopharmaceutics 15.",
    "Serlin 1993, Confidence intervals and the scientific method: a case for Holm on the range, "
    "Journal of Experimental Education 61.",
)

_TUNING_REFERENCES = (
    "Bergstra and Bengio 2012, Random search for hyper-parameter optimization, JMLR 13.",
    "Dodge, Gururangan, Card, Schwartz and Smith 2019, Show your work: improved reporting of experimental results, "
    "EMNLP.",
)


def methods_section(index: RunIndex, comparisons: list[ComparisonTable], sections: list[Section]) -> Section:
    """Definitions and tests with the settings of this report; column headings of ``sections``; references."""
    blocks = [Text("Ranks and metrics", _RANKS), Text("Intervals and tests", (*_TESTS, *_settings(comparisons)))]
    references = _REFERENCES
    if any("tuning" in cell.record for cell in index.results.cells):
        blocks.append(Text("Tuning", _TUNING))
        references = tuple(sorted((*_REFERENCES, *_TUNING_REFERENCES)))
    if index.results.record.get("published") or index.results.record.get("claims"):
        blocks.append(Text("Verdicts", _VERDICTS))
    blocks += [Text("Columns", _columns(sections)), Text("References", references)]
    return Section("methods", "Methods and references", tuple(blocks))


def _columns(sections: list[Section]) -> tuple[str, ...]:
    """Meanings of column headings, one paragraph per chapter, since paper has no tooltips."""
    paragraphs = []
    for section in sections:
        titles_of: dict[str, dict[str, None]] = {}
        for column in (column for table in section.tables for column in table.columns if column.hint):
            titles_of.setdefault(column.hint, {})[column.title] = None
        if titles_of:
            meanings = " ".join(f"{join_words(list(titles))}: {hint}." for hint, titles in titles_of.items())
            paragraphs.append(f"{section.title}. {meanings}")
    return tuple(paragraphs)


def _settings(comparisons: list[ComparisonTable]) -> tuple[str, ...]:
    """The settings of this report's tests."""
    if not comparisons:
        return ()
    flips, resamples = {t.flips for t in comparisons}, {t.resamples for t in comparisons}
    margins, units = {t.margin for t in comparisons}, dict.fromkeys(t.unit for t in comparisons)
    return (
        f"In this report: {join_words([f'{n:,}' for n in sorted(flips)])} sign flips, "
        f"{join_words([f'{n:,}' for n in sorted(resamples)])} bootstrap resamples, "
        f"relevance margin ±{join_words([f'{100 * m:g} %' for m in sorted(margins)])}, "
        f"clusters: {join_words(list(units))}.",
    )
