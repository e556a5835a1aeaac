"""An exported split is read back with its fingerprint from every format, and anything else is refused."""

import csv
import hashlib
from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest

from evaluation.rank_files.ranked import Ranked
from evaluation.ranking.rank import rank_held_out
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.interactions import Clock, Interactions
from recsys_data.protocols.by_name import protocol_named
from recsys_data.scores import Dense
from recsys_data.split_files.event_files import FORMATS
from recsys_data.split_files.read import read_split
from recsys_data.split_files.write import write_split
from tests.recsys_data.splits import events

WORDS = ["abcabdab", "bcadcbaz", "cdabacdd", "ddabcabc", "acbdabcd", "badcyxda"]
PROTOCOLS = [
    "LeaveLastOut", "PerUserFractions(0.5, 0.25, 0.25, unseen='miss')",
    "PerUserFractions(0.5, 0.25, 0.25, unseen='candidate', candidates=AllItems(True))",
    "PerUserFractions(0.7, 0, 0.3, candidates=SampledItems(2, 3))", "DisjointUsers(test=0.3, validation=0.2)",
    "GrowingPrefixes(test=0.3, grow=False)",
]  # fmt: skip


def data_of(clock):
    return (
        MarkovChainSequences(num_users=12, num_items=9, length=8).load() if clock is Clock.ABSOLUTE else events(WORDS)
    )


def export(split, folder, kind):
    return write_split(split, folder, kind, dataset="toy", protocol="p")


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("text", PROTOCOLS)
@pytest.mark.parametrize("clock", [Clock.ABSOLUTE, Clock.WITHIN])
def test_the_fingerprint_comes_back(tmp_path, kind, text, clock):
    split = protocol_named(text).prepare(data_of(clock))
    found = read_split(export(split, tmp_path / "out", kind))
    assert found.fingerprint == split.fingerprint
    assert found.item_ids.tolist() == split.item_ids.tolist() and found.user_ids.tolist() == split.user_ids.tolist()
    assert found.train_clusters.tolist() == split.train_clusters.tolist()


def sessions(ids=("x,1", 'say "hi"', "two words", "ü")):
    """Anonymous sessions whose first events are queries, with odd ids and fractions of seconds."""
    rows = [(ids[n % len(ids)] + str(n // 4), ids[k % len(ids)], 1e9 + n + k / 3) for n in range(12) for k in range(4)]
    users, items, times = zip(*rows, strict=True)
    return Interactions.from_events("odd", users, items, times, clock=Clock.ABSOLUTE, unit="session",
                                    parts=[n % 3 for n in range(12) for _ in range(4)])  # fmt: skip


def test_odd_ids_and_times_come_back_from_csv(tmp_path):
    split = protocol_named("AsPublished").prepare(sessions())
    assert read_split(export(split, tmp_path / "out", "csv")).fingerprint == split.fingerprint


@pytest.mark.parametrize("kind", ["session", "recbole", "lists"])
def test_ids_that_a_format_cannot_hold_are_refused(tmp_path, kind):
    split = protocol_named("AsPublished").prepare(sessions(ids=("a b", 'say "hi"', "c\td", "d")))
    with pytest.raises(ValueError, match=r"a file of this format cannot hold .* in .*; export as csv"):
        export(split, tmp_path / "out", kind)
    assert not list(tmp_path.iterdir())


@pytest.fixture
def exported(tmp_path):
    split = protocol_named("PerUserFractions(0.5, 0.25, 0.25)").prepare(events(WORDS))
    return split, export(split, tmp_path / "out", "csv")


def test_checksums_are_those_of_sha256sum(exported):
    _, folder = exported
    lines = [line.split("  ") for line in (folder / "SHA256SUMS").read_text().splitlines()]
    assert {name for _, name in lines} == {path.name for path in folder.iterdir()} - {"SHA256SUMS"}
    assert all(hashlib.sha256((folder / name).read_bytes()).hexdigest() == known for known, name in lines)


@pytest.mark.parametrize(("name", "change"), [("train.csv", "0,0,a,9\n"), ("queries.csv", None)])
def test_a_changed_or_missing_file_is_named(exported, name, change):
    _, folder = exported
    path = folder / name
    path.unlink() if change is None else path.write_text(path.read_text() + change)
    with pytest.raises(ValueError, match=f"{name} is (missing|not as exported): export the split again"):
        read_split(folder)


def test_what_files_cannot_hold_is_refused(tmp_path, exported):
    split, folder = exported
    with pytest.raises(ValueError, match="exists already; name a new folder, or an empty one, with -o"):
        export(split, folder, "csv")
    with pytest.raises(ValueError, match="must be one of csv, session, recbole, lists, got 'inter'"):
        export(split, tmp_path / "new", "inter")
    with pytest.raises(ValueError, match="p does not say to which user its sequences belong"):
        export(replace(split, train_clusters=None), tmp_path / "new", "csv")
    grown = protocol_named("GrowingPrefixes(test=0.3, fixed_epochs=1, epochs=4)").prepare(data_of(Clock.ABSOLUTE))
    with pytest.raises(ValueError, match="the training set grows with the epochs, and files hold one"):
        export(grown, tmp_path / "new", "csv")


def test_recbole_gets_a_row_per_step_and_per_query(tmp_path):
    split = protocol_named("LeaveLastOut").prepare(events(WORDS))
    folder = export(split, tmp_path / "out", "recbole")
    rows = {part: [line.split("\t") for line in (folder / "toy" / f"toy.{part}.inter").read_text().splitlines()]
            for part in ("train", "valid", "test")}  # fmt: skip
    assert rows["test"][0] == ["user_id:token", "item_id_list:token_seq", "item_id:token"]
    assert rows["train"][1:4] == [["0", "a", "b"], ["0", "a b", "c"], ["0", "a b c", "a"]]
    asked = [(row["user"], row["target"]) for row in csv.DictReader((folder / "queries.csv").open()) if row["target"]]
    assert [(user, target) for user, _, target in rows["test"][1:]] == asked


class Counts:
    """Scores that are the counts of training, for the ten lines of the README and for Encore's own ranking."""

    def __init__(self, split):
        self.counts = split.train.item_counts.astype(np.float64)

    def score(self, batch):
        return Dense(np.tile(self.counts, (len(batch.query_positions), 1)))


def test_the_lines_of_the_readme_write_the_ranks(exported, monkeypatch):
    split, folder = exported
    monkeypatch.chdir(folder)
    code = (folder / "README.md").read_text().split("```python\n")[1].split("```")[0]
    histories = defaultdict(list)
    for row in csv.DictReader((folder / "test.csv").open()):
        histories[row["sequence"]].append(row["item"])
    exec(code, {"score": lambda history: Counts(split).counts, "histories": histories})
    (folder / "ranks-{seed}.csv").rename(folder / "ranks-0.csv")
    found = Ranked("ranks-{seed}.csv", by="ten lines").read(0, folder, read_split(folder), "the test part").ranks
    expected = rank_held_out(Counts(split), split.test, split.train.item_counts)
    for name in ("query", "target", "greater", "tied", "candidates"):
        assert np.array_equal(getattr(found, name), getattr(expected, name))


@pytest.mark.parametrize(("text", "expected"), [
    ("LeaveLast", "'LeaveLast' is no protocol, filter, target rule or candidates: did you mean 'LeaveLastOut'?"),
    ("MinItemEvents(5)", "'MinItemEvents\\(5\\)' is no protocol: expected one of AsPublished, "),
    ("LeaveLastOut(x=1)", "unexpected keyword argument 'x'; its fields are unseen, filters, candidates"),
    ("LeaveLastOut(", "is no protocol: write a class such as"),
    ("LeaveLastOut(unseen=open('x'))", "'open' is no protocol, filter"),
    ("LeaveLastOut(unseen=a.b)", "'a.b' is no value of a protocol's field"),
])  # fmt: skip
def test_an_unknown_protocol_is_named(text, expected):
    with pytest.raises(ValueError, match=expected):
        protocol_named(text)
