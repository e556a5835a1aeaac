"""Claims travel through JSON unchanged, and refuse what makes no sense."""

import json

import pytest

from evaluation.verdicts.claims import Compound, Cost, Gain, Published, Ranking, Rerun, claim_from_record, to_record

RANKING = Ranking("A beats B", "A", "B", "D", "MRR@20", "abstract")
GAIN = Gain("12 % better", "A", "B", "D", "MRR@20", 0.12, "table 2", runs=3, same_test=False)
COST = Cost("22,822 against 24,917 tuples", "A", "B", "D", 22822 / 24917)
EVERY = [
    Published("D", "A", "MRR@20", 0.0626, "table 2", digits=4, rerun=Rerun.CORRECTED, protocol="P"),
    RANKING, GAIN, COST, Compound("in all cells", (RANKING, GAIN, COST), "section 5"),
]  # fmt: skip


@pytest.mark.parametrize("value", EVERY, ids=lambda v: type(v).__name__)
def test_round_trip_through_json(value):
    assert claim_from_record(json.loads(json.dumps(to_record(value)))) == value


def test_bad_records_are_refused():
    with pytest.raises(ValueError, match="unknown kind of claim 'Opinion'"):
        claim_from_record({"kind": "Opinion"})
    with pytest.raises(ValueError, match="no field 'colour'"):
        claim_from_record(to_record(RANKING) | {"colour": "red"})


def test_bad_fields_are_refused():
    with pytest.raises(ValueError, match="no parts"):
        Compound("nothing", ())
    with pytest.raises(ValueError, match="quantity must be one of"):
        Cost("x", "A", "B", "D", 1.0, "love")
    with pytest.raises(ValueError, match="ratio must be above 0"):
        Cost("x", "A", "B", "D", 0.0)
    with pytest.raises(ValueError, match="gain must be above"):
        Gain("x", "A", "B", "D", "MRR@20", -1.0)
    with pytest.raises(ValueError, match="runs must be at least 1"):
        Published("D", "A", "MRR@20", 0.1, "t", runs=0)


def test_a_claim_speaks_of_its_own_table_only():
    assert list(RANKING.pairs("D", "P", "MRR@20")) == [("A", "B")]
    assert not list(RANKING.pairs("D", "P", "Recall@20"))
    assert not list(RANKING.pairs("E", "P", "MRR@20"))
    bound = Ranking("A beats B", "A", "B", "D", "MRR@20", protocol="Q")
    assert not list(bound.pairs("D", "P", "MRR@20"))
    assert list(Compound("both", (RANKING, GAIN)).pairs("D", "P", "MRR@20")) == [("A", "B")] * 2


def test_half_a_unit_of_the_last_digit():
    assert Published("D", "A", "MRR@20", 0.0626, "t").half_unit == pytest.approx(0.00005)
    assert Published("D", "A", "MRR@20", 0.3, "t", digits=1).half_unit == pytest.approx(0.05)
