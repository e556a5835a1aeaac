"""Methods: what was done, in plain words, and where it is from, so that the report stands alone."""

from __future__ import annotations

from evaluation.comparison.table import ComparisonTable
from reports.document.blocks import Section, Words
from reports.document.numbers import listed
from reports.document.run_index import Roster

_RANKS = (
    "Every test query ranks its target among the candidates that its protocol names (the whole catalogue, unless it "
    "says otherwise). A target with g candidates scored above it and m others scored exactly the same has a rank that "
    "is uniform on g + 1 … g + m + 1; all metrics use its expectation. Where the best and the worst luck differ by "
    "more than 0.1 %, a table says so.",
    "Recall@k with one target a query is HitRate@k. MRR@k is the mean of 1 / rank, 0 beyond k. Means are over queries "
    "(micro), so that heavy users count for more.",
)
_TESTS = (
    "Queries of one user are not independent. All inference is therefore over clusters (users, or sessions where the "
    "data are anonymous). A model's interval is a cluster bootstrap: clusters are drawn with replacement, with all "
    "their queries, and the mean is formed anew each time; below 200 clusters it is studentised.",
    "A difference of two models is tested by flipping the sign of whole clusters, studentised, with p = (b + 1) / "
    "(B + 1), so that no p is 0. That speaks of these trained models only. What is claimed of methods has to hold over "
    "seeds as well: a t-test over users and seeds adds the variance between seeds to that between users and has "
    "Satterthwaite's degrees of freedom. With one seed no such test exists, and the tables say so.",
    "Tests of one metric on one data set are one family, declared before looking: every model against the best "
    "baseline, the suite's comparisons, and its claims. Holm's adjusted p decides. The intervals of differences are "
    "simultaneous over the family (Westfall and Young's max-T).",
    "Significance is not relevance. “Better” needs an adjusted p below .05 and a relative difference beyond the "
    "margin; “practically equal” needs the whole interval inside the margin; everything else is “inconclusive”.",
)
_TUNING = (
    "A tuned model's fields were chosen by a search of a fixed number of trials, the same for every model, each judged "
    "on the validation part alone; the test part was not there to be looked at. Every seed then ran with the best "
    "trial's fields. A search has random streams of its own, so that no seed's luck is chosen with them.",
    "The expected best validation score of k trials is that of k independent draws from the search's own trials (Dodge "
    "et al.); it is right for random search only, and as an estimate from few trials it reads a little low at large k.",
)
_VERDICTS = (
    "A published number is judged by two one-sided tests on the log of rerun ÷ published, after widening the published "
    "value by half a unit of its last digit: the 90 % interval has to lie inside ±5 % (strict) or ±10 % (lenient). Its "
    "noise is the seed noise of both sides, and where the test set is another draw than the paper's, twice the "
    "cluster variance too. Outside: not reproduced; across an edge: inconclusive, with what would decide it.",
    "A ranking claim is judged by its sign and the adjusted p of the methods; a gain, by its size too. Where data, "
    "split or candidates differ from the paper's, the number is another quantity and is marked not comparable.",
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
    "Westfall and Young 1993, Resampling-based multiple testing, Wiley.",
)

_TUNING_REFERENCES = (
    "Bergstra and Bengio 2012, Random search for hyper-parameter optimization, JMLR 13.",
    "Dodge, Gururangan, Card, Schwartz and Smith 2019, Show your work: improved reporting of experimental results, "
    "EMNLP.",
)


def methods_section(roster: Roster, comparisons: list[ComparisonTable], sections: list[Section]) -> Section:
    """How ranks, intervals, tests and verdicts were made, with the numbers used here; what columns of tables mean."""
    blocks = [Words("Ranks and metrics", _RANKS), Words("Intervals and tests", (*_TESTS, *_used(comparisons)))]
    references = _REFERENCES
    if any("tuning" in cell.record for cell in roster.results.cells):
        blocks.append(Words("Tuning", _TUNING))
        references = tuple(sorted((*_REFERENCES, *_TUNING_REFERENCES)))
    if roster.results.record.get("published") or roster.results.record.get("claims"):
        blocks.append(Words("Verdicts", _VERDICTS))
    blocks += [Words("Columns", _columns(sections)), Words("References", references)]
    return Section("methods", "Methods and references", tuple(blocks))


def _columns(sections: list[Section]) -> tuple[str, ...]:
    """What headings of tables mean, a paragraph a chapter: on paper none can be pointed at."""
    said = []
    for section in sections:
        hints: dict[str, dict[str, None]] = {}
        for column in (column for table in section.tables for column in table.columns if column.hint):
            hints.setdefault(column.hint, {})[column.title] = None
        if hints:
            told = " ".join(f"{listed(list(titles))}: {hint}." for hint, titles in hints.items())
            said.append(f"{section.title}. {told}")
    return tuple(said)


def _used(comparisons: list[ComparisonTable]) -> tuple[str, ...]:
    """The settings of this report."""
    if not comparisons:
        return ()
    flips, resamples = {t.flips for t in comparisons}, {t.resamples for t in comparisons}
    margins, units = {t.margin for t in comparisons}, dict.fromkeys(t.unit for t in comparisons)
    return (
        f"In this report: {listed([f'{n:,}' for n in sorted(flips)])} sign flips, "
        f"{listed([f'{n:,}' for n in sorted(resamples)])} bootstrap resamples, "
        f"relevance margin ±{listed([f'{100 * m:g} %' for m in sorted(margins)])}, clusters: {listed(list(units))}.",
    )
