"""Prepared data are reused while bytes, fields and code are the same."""

import dataclasses
import json

import numpy as np
import pytest

from harness import preparation
from harness.preparation import CacheDamaged, prepare
from harness.spec import Experiment
from recsys_data.datasets.subsample import LimitUsers
from recsys_data.files.interaction_file import InteractionFile
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import LeaveLastOut, PerUserFractions
from recsys_data.sealed_json import sealed_text


@pytest.fixture
def setup(tmp_path):
    """A file of events, the cache's folder, and a function that prepares with an empty memory."""
    path = tmp_path / "clicks.csv"
    loaded = MarkovChainSequences(num_users=30, num_items=12, length=20).load()
    rows = zip(loaded.users, loaded.items, loaded.timestamps, strict=True)
    path.write_text("user,item,timestamp\n" + "".join(f"u{u},i{i},{t:.0f}\n" for u, i, t in rows))

    def prepared(dataset=None, protocol=None, cache=tmp_path / "prepared"):
        preparation._prepared.clear()
        return prepare(Experiment(dataset or InteractionFile(str(path)), protocol or LeaveLastOut(), {}), None, cache)

    return path, tmp_path / "prepared", prepared


def test_what_is_opened_again_is_what_was_made(setup, monkeypatch):
    _, _, prepared = setup
    first, plain = prepared(), prepared(cache=None)
    monkeypatch.setattr(InteractionFile, "load", None)  # from here on nothing may be read
    again = prepared()
    assert again.record() == first.record() == plain.record()
    assert again.split.fingerprint == plain.split.fingerprint
    assert again.split.steps == plain.split.steps and again.split.facts == plain.split.facts
    assert again.caveats == plain.caveats and again.caveat_marks == plain.caveat_marks
    split = plain.split
    assert again.sizes == {
        "train_events": len(split.train),
        "validation_queries": len(split.validation),
        "test_queries": len(split.test),
    }


def test_a_split_says_whether_it_has_a_validation_part(setup):
    _, _, prepared = setup
    assert prepared().has_validation
    assert not prepared(protocol=PerUserFractions(train=0.8, validation=0.0, test=0.2)).has_validation


def test_the_split_is_made_only_when_it_is_asked_for(setup, monkeypatch):
    _, _, prepared = setup
    prepared()
    monkeypatch.setattr(LeaveLastOut, "prepare", None)
    assert prepared().fingerprint
    with pytest.raises(TypeError):
        _ = prepared().split


def test_other_bytes_another_protocol_fewer_users_and_other_code_are_prepared_anew(setup, monkeypatch):
    path, cache, prepared = setup
    first = prepared()
    found = {first.fingerprint, prepared(protocol=PerUserFractions()).fingerprint}
    part = LimitUsers(InteractionFile(str(path)), 5)
    found.add(prepared(part).fingerprint)
    assert "SMOKE RUN: 5 of 30 users" in prepared(part).caveats
    path.write_text(path.read_text().replace("u1,i3,", "u1,i4,", 1))
    found.add(prepared().fingerprint)
    assert len(found) == 4
    records = len(list((cache / "splits").iterdir()))
    monkeypatch.setattr(preparation, "closure_hashes", lambda *_: {"a file": "changed"})
    prepared()
    assert len(list((cache / "splits").iterdir())) == records + 1


def test_a_record_that_is_damaged_is_made_again(setup):
    _, cache, prepared = setup
    first = prepared()
    (record,) = (cache / "splits").iterdir()
    whole = record.read_text()
    other_schema = sealed_text({**first.record(), "schema": 99}, record.name)
    for text in ("half a rec", "{}", other_schema, whole.replace("user", "item"), sealed_text(first.record(), "other")):
        record.write_text(text)
        assert prepared().record() == first.record()
    assert json.loads(record.read_text())["fingerprint"] == first.fingerprint


def test_a_changed_byte_in_what_is_kept_is_found_and_the_data_are_read_again(setup):
    _, cache, prepared = setup
    first = prepared()
    (items,) = cache.glob("clicks-*/items.npy")
    values = np.load(items)
    values[[0, -1]] = values[[-1, 0]] + 1
    np.save(items, values % 12)
    assert prepared().split.fingerprint == first.fingerprint


def test_a_split_that_is_not_the_audited_one_is_found_before_anything_is_trained(setup):
    found = dataclasses.replace(setup[2](), fingerprint="of another split")
    with pytest.raises(CacheDamaged, match="give another split than before"):
        _ = found.split


def test_generated_data_are_remembered_too(setup, monkeypatch):
    _, cache, prepared = setup
    chain = MarkovChainSequences(num_users=20, num_items=9, length=12)
    first = prepared(chain)
    monkeypatch.setattr(MarkovChainSequences, "load", None)
    assert prepared(chain).fingerprint == first.fingerprint
    assert [path.name for path in cache.iterdir()] == ["splits"], "its events are not kept"


def test_a_user_s_own_kind_of_data_is_loaded_each_time(setup):
    loads = []

    @dataclasses.dataclass(frozen=True)
    class Mine:
        name = "mine"

        def load(self, folder):
            loads.append(folder)
            return MarkovChainSequences(num_users=20, num_items=9, length=12).load()

    _, cache, prepared = setup
    prepared(Mine())
    prepared(Mine())
    assert len(loads) == 2 and not cache.exists()


def test_what_is_refused_is_refused_again(setup):
    _, cache, prepared = setup
    for _ in range(2):
        with pytest.raises(ValueError, match="no event is left to train on"):
            prepared(MarkovChainSequences(num_users=1, num_items=2, length=2, noise=0.0), PerUserFractions())
    assert not cache.exists()
