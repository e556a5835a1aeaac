"""Judging of published numbers and claims on a made-up store."""

import math

from evaluation.comparison.compare import compare_suite
from evaluation.verdicts.claims import Published, Ranking
from evaluation.verdicts.judge import judge_suite, requests_of

FEW = {"flips": 2000, "resamples": 300}


def ranking(better, worse, **more):
    return Ranking(f"{better} beats {worse}", better, worse, "D", "MRR@20", **more)


def verdicts(store, published=(), claims=(), **record):
    record = {"baselines": ["Markov", "Popularity"]} | record
    results = store.suite(published=[p.to_json() for p in published], claims=[c.to_json() for c in claims], **record)
    return judge_suite(results, compare_suite(results, requests_of(results), **FEW))


def mean_of(store, model):
    cells = [c for c in store.suite().cells if c.model == model]
    return sum(c.metrics["MRR@20"] for c in cells) / len(cells)


def published(value, model="Markov", **more):
    return Published("D", model, "MRR@20", value, "table 1", digits=6, **more)


def half_width(verdict):
    """Half the 90 % interval of the log ratio; the rounding of the published value is negligible."""
    low, high = verdict.interval
    return math.log(high / low) / 2
