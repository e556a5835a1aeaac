"""Claims of several parts and stored claims by hand: every field and the whole reason."""

from dataclasses import replace

from evaluation.verdicts.claims import Compound, Outcome, Ranking, Verdict
from evaluation.verdicts.stored import StoredClaim

from .hand_made import evidence, of_two, only, pair, row

A, B = row("A", 0.12), row("B", 0.10)
HOLDS = Ranking("A beats B", "A", "B", "D", "MRR@20")
WRONG = Ranking("B beats A", "B", "A", "D", "MRR@20")
MISSING = Ranking("C beats A", "C", "A", "D", "MRR@20")


def judged(parts, place="table 1"):
    return only(of_two(A, B).judge(Compound("all", parts, place)))


def expected(parts, outcome, reason):
    about = Compound("all", parts, "table 1")
    found = tuple(only(of_two(A, B).judge(part, "table 1")) for part in parts)
    claimed = f"all {len(parts)} parts" if len(parts) > 1 else "its one part"
    return Verdict("all", outcome, reason, kind="Compound", claimed=claimed, place="table 1", parts=found, about=about)


def test_parts_that_hold_and_do_not():
    assert judged((HOLDS,)) == expected((HOLDS,), Outcome.REPRODUCED, "1 of 1 parts hold.")
    parts = (MISSING, HOLDS, WRONG)
    reason = (
        "1 of 3 parts hold; B beats A (CONTRADICTED): B − A = −.0200 [−.0300, −.0100], adjusted p = .012: "
        "significant in the other direction."
    )
    assert judged(parts) == expected(parts, Outcome.CONTRADICTED, reason)
    reason = "1 of 2 parts hold; C beats A (NO RESULT): the suite holds no result of C on D."
    assert judged(parts[:2]) == expected(parts[:2], Outcome.INCONCLUSIVE, reason)


def test_parts_cite_what_the_whole_cites():
    assert [part.cites_paper for part in judged((HOLDS, WRONG)).parts] == [True, True]
    assert [part.cites_paper for part in judged((HOLDS, replace(WRONG, place="p. 3")), "").parts] == [False, True]
    assert judged((WRONG,), "").reason.startswith("0 of 1 parts hold; B beats A (NOT SUPPORTED): ")


def test_a_part_is_judged_under_each_protocol():
    found = evidence([], protocols=("P", "Q"))
    verdict = only(found.judge(Compound("all", (HOLDS, replace(HOLDS, protocol="Q")))))
    assert [part.protocol for part in verdict.parts] == ["P", "Q", "Q"]
    assert verdict.protocol == "" and verdict.without_result
    assert verdict.about.protocols(found) == [""]


def test_a_stored_claim_returns_its_verdicts():
    verdicts = tuple(Verdict("s", Outcome.REPRODUCED, name, kind="Mine", protocol=name) for name in ("P", "Q"))
    claim = StoredClaim.of(replace(HOLDS, place="table 1"), verdicts)
    assert claim == StoredClaim("Ranking", "A beats B", "table 1", tuple(HOLDS.requests()), verdicts)
    assert claim.requests() == tuple(HOLDS.requests())
    assert [verdict.reason for verdict in of_two(A, B, pair()).judge(claim)] == ["P", "Q"]
    without = replace(claim, verdicts=())
    reason = "No verdict is stored: Ranking is defined in the suite's file, so run the suite to judge it."
    found = Verdict("A beats B", Outcome.INCONCLUSIVE, reason, kind="Ranking", place="table 1", about=without)
    assert only(of_two(A, B).judge(without)) == found
    assert claim.judge(of_two(A, B), "R") == replace(found, about=claim)
