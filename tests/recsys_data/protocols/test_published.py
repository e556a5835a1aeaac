import numpy as np
import pytest
from sklearn.utils import murmurhash3_32

from recsys_data.datasets.subsample import LimitUsers
from recsys_data.interactions import Clock, Interactions
from recsys_data.protocols.published import AsPublished
from tests.recsys_data.splits import asked, events, trained

SESSIONS = events(["abc", "ab", "bc", "cab"], unit="session", parts=[0, 0, 0, 0, 0, 1, 1, 2, 2, 2])


def test_every_prefix_of_the_published_test_sessions():
    split = AsPublished().prepare(SESSIONS)
    assert trained(split.train.sequences, split.item_ids) == ["abc", "ab"]
    assert asked(split, "validation") == [(2, "b", "c")]
    assert asked(split, "test") == [(3, "c", "a"), (3, "ca", "b")]


def test_a_validation_part_is_taken_from_training_where_none_is_published():
    data = events(["abc"] * 50 + ["cba"] * 5, unit="session", parts=[0] * 150 + [2] * 15)
    split = AsPublished(validation=0.2).prepare(data)
    assert len(split.train.sequences) == 40 and len(split.validation.sequences) == 10
    assert split.steps[0]["removed"] == 30
    again, other = AsPublished(validation=0.2).prepare(data), AsPublished(validation=0.2, seed=1).prepare(data)
    assert split.fingerprint == again.fingerprint != other.fingerprint
    assert len(AsPublished(validation=0).prepare(data).train.sequences) == 50


@pytest.mark.parametrize(("sessions", "taken"), [(15, 2), (25, 2), (26, 3)])  # 1.5 and 2.5 go to the even number
def test_the_validation_part_has_the_smallest_hashes(sessions, taken):
    words = [f"!{chr(97 + session)}!" for session in range(sessions)]
    data = events([*words, "!a!"], unit="session", parts=[0] * 3 * sessions + [2] * 3)
    split = AsPublished(validation=0.1, seed=5).prepare(data)
    smallest = np.argsort([murmurhash3_32(user, seed=5, positive=True) for user in range(sessions)])[:taken]
    assert split.validation.clusters.tolist() == sorted(smallest.tolist())
    assert split.steps[0] == {"step": "10% of the training sessions taken for validation", "removed": 3 * taken,
                              "events": 3 * (sessions - taken), "users": sessions - taken,
                              "items": sessions - taken + 1}  # fmt: skip


def test_data_without_a_split_are_refused():
    with pytest.raises(ValueError, match="toy has no published split; choose another protocol"):
        AsPublished().prepare(events(["abc"]))


def test_a_user_in_two_parts_is_refused():
    with pytest.raises(ValueError, match="toy: 0 is in more than one part of the published split"):
        events(["abc"], parts=[0, 0, 2])


def test_parts_follow_their_users():
    kept = SESSIONS.keep(np.array([False] * 3 + [True] * 7))
    assert kept.parts.tolist() == [0, 1, 2]
    whole = events(["abc", "ab", "bc", "cab"], unit="session")
    assert SESSIONS.fingerprint != whole.fingerprint


def test_limit_users_keeps_parts():
    class Published:
        name = title = licence = citation = "p"
        expected = None

        def present(self, folder):
            return True

        def load(self, folder=None):
            return Interactions.from_events(
                "p",
                np.repeat(np.arange(100), 2),
                np.tile([0, 1], 100),
                None,
                clock=Clock.WITHIN,
                unit="session",
                parts=np.repeat([0, 2], 100),
            )

    part = LimitUsers(Published(), 30).load()
    assert len(part.parts) == 30 and part.facts["caveats"] == ["SMOKE RUN: 30 of 100 sessions"]
    assert (part.parts == np.where(part.user_ids < 50, 0, 2)).all()


def test_bad_fields():
    with pytest.raises(ValueError, match="validation must be at least 0 and below 1, got 1"):
        AsPublished(validation=1)
