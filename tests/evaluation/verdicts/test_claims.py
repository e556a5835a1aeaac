"""Claims travel through JSON unchanged, and refuse what makes no sense."""

import json

import pytest

from evaluation.json_codec import from_json
from evaluation.verdicts.claims import (
    KINDS,
    ComparisonRequest,
    Compound,
    Cost,
    Gain,
    Published,
    Ranking,
    claim_from_json,
)

RANKING = Ranking("A beats B", "A", "B", "D", "MRR@20", "abstract")
GAIN = Gain("12 % better", "A", "B", "D", "MRR@20", 0.12, "table 2", runs=3, same_test=False)
COST = Cost("22,822 against 24,917 tuples", "A", "B", "D", 22822 / 24917)
PUBLISHED = Published("D", "A", "MRR@20", 0.0626, "table 2", digits=4, protocol="P")
CLAIMS = [RANKING, GAIN, COST, Compound("in all cells", (RANKING, GAIN, COST), "section 5")]


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda v: type(v).__name__)
def test_round_trip_through_json(claim):
    assert claim_from_json(json.loads(json.dumps(claim.to_json()))) == claim


def test_a_published_number_survives_json():
    assert from_json(Published, json.loads(json.dumps(PUBLISHED.to_json()))) == PUBLISHED


def test_bad_records_are_refused():
    with pytest.raises(ValueError, match="unknown kind of claim 'Opinion'"):
        claim_from_json({"kind": "Opinion"})
    with pytest.raises(ValueError, match="no field 'colour'"):
        claim_from_json(RANKING.to_json() | {"colour": "red"})
    with pytest.raises(ValueError, match=r"Gain\.gain must be a number, got 'much'"):
        claim_from_json(GAIN.to_json() | {"gain": "much"})
    with pytest.raises(ValueError, match="unknown kind of claim 'Opinion'"):
        claim_from_json(Compound("both", (RANKING,)).to_json() | {"parts": [{"kind": "Opinion"}]})


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


def test_a_claim_requests_its_pair():
    assert list(RANKING.requests()) == [ComparisonRequest("D", "MRR@20", ("A", "B"))]
    closed = Ranking("A beats B", "A", "B", "D", "MRR@20", protocol="Q", not_comparable="other data")
    assert list(closed.requests()) == [ComparisonRequest("D", "MRR@20", ("A", "B"), "Q", adjusted=False)]
    assert list(COST.requests()) == []
    assert list(Compound("both", (RANKING, GAIN)).requests()) == [ComparisonRequest("D", "MRR@20", ("A", "B"))] * 2
    assert list(PUBLISHED.requests()) == [ComparisonRequest("D", "MRR@20", None, "P")]


def test_half_a_unit_of_the_last_digit():
    assert Published("D", "A", "MRR@20", 0.0626, "t").half_unit == pytest.approx(0.00005)
    assert Published("D", "A", "MRR@20", 0.3, "t", digits=1).half_unit == pytest.approx(0.05)


def test_messages_in_full():
    known = f"known are {', '.join(KINDS)}"
    for make, sentence in (
        (lambda: claim_from_json({"kind": "Opinion"}), f"unknown kind of claim 'Opinion': {known}"),
        (lambda: claim_from_json({}), f"unknown kind of claim None: {known}"),
        (lambda: Compound("nothing", ()), "the compound claim 'nothing' has no parts; expected at least one claim"),
    ):
        with pytest.raises(ValueError) as error:
            make()
        assert str(error.value) == sentence


def test_claims_show_what_is_claimed():
    assert [claim.claimed for claim in CLAIMS] == ["above 0", "1.12", ".916", "all 3 parts"]
    assert Compound("one", (RANKING,)).claimed == "its one part"
    assert [claim.models for claim in CLAIMS] == [("A", "B")] * 3 + [()]
    assert [claim.signed for claim in CLAIMS] == [True, False, False, False]
    assert [claim.mistake() for claim in CLAIMS] == [""] * 4
    assert RANKING.to_json() == {
        "kind": "Ranking", "text": "A beats B", "better": "A", "worse": "B", "dataset": "D", "metric": "MRR@20",
        "place": "abstract", "protocol": "", "not_comparable": "",
    }  # fmt: skip
    closed = Gain("g", "A", "B", "D", "mrr@20", 0.1, protocol="Q", not_comparable="other data")
    assert list(closed.requests()) == [ComparisonRequest("D", "MRR@20", ("A", "B"), "Q", adjusted=False)]
