import dataclasses
import time

import numpy as np
import pytest

from recsys_data.audit.leakage import audit
from recsys_data.datasets.movielens import MovieLens1MOrdered
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.interactions import Clock, Interactions
from recsys_data.protocols.candidates import AllItems
from recsys_data.protocols.per_user import LeaveLastOut, PerUserFractions
from recsys_data.sequences import Sequences


def found(split, protocol):
    return {finding.name: finding for finding in audit(split, protocol)}


def toy(rows, clock=Clock.ABSOLUTE, **more):
    """Interactions from (user, item letter, time)."""
    users, items, times = zip(*rows, strict=True)
    return Interactions.from_events("toy", users, items, times, clock=clock, **more)


# Two users; leave last out: train a b | c a, validation a | b, test b | a.
TOY = toy([(1, "a", 0), (1, "b", 10), (1, "a", 20), (1, "b", 20), (2, "c", 5), (2, "a", 6), (2, "b", 7), (2, "a", 8)])


def test_every_finding_by_hand():
    protocol = LeaveLastOut()
    findings = found(protocol.prepare(TOY), protocol)
    values = {name: finding.value for name, finding in findings.items()}
    assert values["target inside its own input"] == 0
    assert values["same event on both sides of the cut"] == 0
    # Training times 0, 10, 5, 6; test times 20 and 8: later than 20 none, later than 8 one of four.
    assert values["temporal leakage"] == pytest.approx((0 + 1 / 4) / 2)
    assert values["sequences cut in two"] == 2
    assert values["users unseen in training"] == 0
    assert values["items unseen in training"] == 0
    assert values["ties in time"] == 1 / 2  # b at 20 follows a at 20
    assert values["targets already in the history"] == 1  # b in a b a; a in c a b
    assert values["targets that repeat the last item"] == 0
    assert values["empty histories"] == 0
    # Items a, b, c occur 2, 1, 1 times in training; the top tenth is a: half the training, half the targets.
    assert values["popularity drift"] == pytest.approx(0.5 - 2 / 4)
    assert findings["temporal leakage"].level == "caveat"
    assert findings["sequences cut in two"].level == "note"


def test_a_training_event_at_the_time_of_a_test_event_is_not_later():
    # training times 0, 1 and 10, test times 10 and 12
    data = toy([(1, "a", 0), (1, "b", 1), (1, "a", 2), (1, "b", 10), (2, "b", 10), (2, "a", 11), (2, "b", 12)])
    assert found(LeaveLastOut().prepare(data), LeaveLastOut())["temporal leakage"].value == 0


def test_a_target_that_is_read_fails():
    split = LeaveLastOut().prepare(TOY)
    leaking = dataclasses.replace(
        split, test=dataclasses.replace(split.test, history_lengths=split.test.history_lengths + 1)
    )
    first = audit(leaking, LeaveLastOut())[0]
    assert (first.level, first.name, first.value) == ("fail", "target inside its own input", 1.0)


def test_a_target_that_its_row_does_not_hold_is_not_called_read():
    split = LeaveLastOut().prepare(TOY)
    # rows that hold what is read and no more, a b a | a b b, and the target c
    inputs = Sequences(np.array([0, 1, 0, 0, 1, 1]), np.arange(6.0), np.array([0, 3, 6]), np.array([0, 1]))
    alone = dataclasses.replace(split.test, sequences=inputs, targets=np.array([2, 2], dtype=np.int32))
    value = found(dataclasses.replace(split, test=alone), LeaveLastOut())["target inside its own input"].value
    assert value == 0.0


def test_what_the_protocol_does_not_allow_fails():
    @dataclasses.dataclass(frozen=True)
    class Strict(LeaveLastOut):
        allows = frozenset()

    findings = found(Strict().prepare(TOY), Strict())
    assert findings["temporal leakage"].level == "fail"
    assert findings["sequences cut in two"].level == "fail"


def test_sessions_cut_in_two_are_a_caveat_even_where_allowed():
    split = LeaveLastOut().prepare(dataclasses.replace(TOY, unit="session"))
    assert found(split, LeaveLastOut())["sequences cut in two"].level == "caveat"


def test_duplicates_across_the_cut():
    # User 1 takes a at time 30 three times: once in training, once in validation, once in test.
    rows = [(1, "a", 30), (1, "a", 30), (1, "a", 30), (2, "a", 1), (2, "b", 2), (2, "a", 3), (2, "b", 4)]
    split = LeaveLastOut().prepare(toy(rows))
    finding = found(split, LeaveLastOut())["same event on both sides of the cut"]
    assert (finding.level, finding.value) == ("fail", 0.5)  # one of two targets; b at 4 is not b at 2


def test_seen_items_that_are_no_candidates_are_a_caveat():
    split = LeaveLastOut(candidates=AllItems(exclude_seen=True)).prepare(TOY)
    finding = found(split, LeaveLastOut())["targets already in the history"]
    assert finding.level == "caveat" and "can never be hit" in finding.sentence


def test_unseen_items_are_counted():
    split = PerUserFractions(0.8, 0.1, 0.1, unseen="miss").prepare(
        toy([(u, letter, t) for u, word in enumerate(["ababababaz", "bababababa"]) for t, letter in enumerate(word)])
    )
    finding = found(split, PerUserFractions())["items unseen in training"]
    assert (finding.level, finding.value) == ("caveat", 0.5)
    assert finding.sentence == "1 test events (50.00%) have an item that training has not seen: counted as misses"


def test_without_a_global_clock_the_future_cannot_be_told():
    data = dataclasses.replace(TOY, clock=Clock.WITHIN)
    findings = found(LeaveLastOut().prepare(data), LeaveLastOut())
    assert findings["temporal leakage"].value is None
    assert "ties in time" not in findings


def test_order_control_sees_order_and_its_absence():
    chain = MarkovChainSequences(num_users=200, num_items=50, length=40)
    data = chain.load()
    protocol = PerUserFractions()
    ordered = found(protocol.prepare(data), protocol)["order control"]
    assert ordered.level == "note" and ordered.value > 0.8 * chain.best()["MRR@20"]
    rng = np.random.default_rng(1)
    shuffled = dataclasses.replace(data, items=rng.permutation(data.items))
    without = found(protocol.prepare(shuffled), protocol)["order control"]
    assert abs(without.value) < 0.05 and ordered.value > 10 * abs(without.value)


def test_data_without_order_have_a_caveat():
    data = toy([(u, "a", t) for u in range(5) for t in range(4)])  # one item only: shuffling changes nothing
    finding = found(LeaveLastOut().prepare(data), LeaveLastOut())["order control"]
    assert (finding.level, finding.value) == ("caveat", 0.0)
    assert finding.sentence.endswith(
        "MRR@20 1.0000 on the true order and 1.0000 on shuffled histories; "
        "the order of events carries almost no information here"
    )


def test_the_audit_of_movielens_1m_is_quick():
    dataset = MovieLens1MOrdered()
    if not dataset.present(None):
        pytest.skip("ml-1m-ordered is not there: set ENCORE_DATA to the folder that has it")
    split = PerUserFractions().prepare(dataset.load())
    start = time.process_time()
    findings = found(split, PerUserFractions())
    assert time.process_time() - start < 2  # 0.25 s on one idle core
    assert findings["targets already in the history"].value == 0  # nobody rates a movie twice
    assert findings["order control"].value > 0.02
