"""Variants of a model: which are found, what each is compared with, and the difference it makes."""

import numpy as np
import pytest

from evaluation.comparison.group import comparison_groups
from evaluation.comparison.variants import compare_variants, find_variants
from evaluation.metrics.accuracy import MRR
from evaluation.statistics.crossed import crossed_test

FEW = {"flips": 500, "resamples": 200}


def fields(kind="models.Cell", **rest):
    return {"type": kind, "dim": 32, **rest}


def summary(families):
    return [[(r.model, r.against, r.changed) for r in family] for family in families]


def test_models_that_differ_in_their_variant_are_compared_with_the_paper():
    models = {"B": fields(variant="official"), "A": fields(variant="paper"), "C": fields(variant="corrected", dim=64)}
    assert summary(find_variants(models)) == [
        [("A", None, ()), ("B", "A", ()), ("C", "A", (("dim", "32", "64"),))],
    ]


def test_a_field_of_another_name_counts_if_it_names_a_variant():
    models = {"A": fields(padding="masked"), "B": fields(padding="official"), "other": fields("models.Other")}
    (family,) = find_variants(models)
    assert [(r.model, r.kind, r.settings, r.against) for r in family] == [
        ("A", "Cell", (("padding", "masked"),), None), ("B", "Cell", (("padding", "official"),), "A"),
    ]  # fmt: skip


@pytest.mark.parametrize("models", [
    {"A": fields(variant="paper"), "B": fields(variant="paper", dim=64)},
    {"A": fields(variant="paper"), "B": fields("models.Other", variant="official")},
    {"A": fields(), "B": fields(dim=64)},
    {"A": fields(padding="masked"), "B": fields(padding="left")},
    {},
])  # fmt: skip
def test_other_differences_make_no_variants(models):
    assert find_variants(models) == []


def test_each_is_compared_with_the_nearest_of_the_reference():
    models = {
        "small": fields(variant="paper", loss={"type": "losses.BPR", "k": 1}),
        "large": fields(variant="paper", dim=64, loss={"type": "losses.BPR", "k": 1}),
        "coded": fields(variant="official", dim=64, loss={"type": "losses.BPR", "k": 9}),
    }
    (family,) = find_variants(models)
    assert family[-1].against == "large"
    assert family[-1].changed == (("loss.k", "1", "9"),)


def test_a_nested_variant_counts_and_an_absent_field_is_shown():
    models = {"A": fields(gate={"type": "g.Gate", "variant": "x"}), "B": fields(gate={"type": "g.Gate", "variant": "y"},
                                                                             more=1)}  # fmt: skip
    (family,) = find_variants(models)
    assert [r.settings for r in family] == [(("gate.variant", "x"),), (("gate.variant", "y"),)]
    assert family[1].changed == (("more", "absent", "1"),)


def test_the_difference_is_that_of_the_methods(store):
    for model, strength, variant in (("A", 0.5, "paper"), ("B", 0.9, "official")):
        store.learner(model, strength, model_fields=fields(variant=variant))
    (group,) = comparison_groups(store.suite())
    (variants,) = find_variants({cell.model: cell.record["model_fields"] for cell in group.cells.values()})
    (row,) = compare_variants(group, MRR(20), variants, **FEW)
    sums = {m: [MRR(20).per_cluster(group.cells[m, s].ranks) for s in range(3)] for m in "AB"}
    assert (row.a, row.b) == ("B", "A")
    assert row.difference == pytest.approx(
        np.mean([s.micro for s in sums["B"]]) - np.mean([s.micro for s in sums["A"]])
    )
    assert row.method == crossed_test(sums["B"], sums["A"])
    assert row.method.interval[0] < row.difference < row.method.interval[1]
