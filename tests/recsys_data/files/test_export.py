import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys_data.fetching.errors import DataMissing
from recsys_data.files.export import export_interactions
from recsys_data.files.interaction_file import InteractionFile
from recsys_data.files.sequence_files import SequenceFiles
from recsys_data.files.time_lstm_files import LstFiles
from recsys_data.interactions import Clock, Interactions
from recsys_data.protocols.published import AsPublished


def put(folder, texts):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text)
    return str(folder)


SEQUENCES = {
    "train_set_sequences": "0 5 4 3 2.5\n2 3 1\n",
    "val_set_sequences": "1 7 3 5 5\n",
    "test_set_sequences": "3 5 1 7 2 5 3\n",
    "train_set_sequences+": "0 5 4 3 2.5\n2 3 1\n1 7 3\n3 5 1\n",
}
LST = {
    "user-item.lst": "ann,2 0\nbob,1 2 2\n",
    "user-item-delta-time.lst": "ann,60 0\nbob,1.5 10 0\n",
    "user-item-accumulate-time.lst": "ann,0 60\nbob,0 1.5 11.5\n",
}


def test_sequences_by_hand(tmp_path):
    data = SequenceFiles(put(tmp_path / "d", SEQUENCES)).load()
    assert (data.name, data.clock, len(data), data.num_users) == ("d", Clock.WITHIN, 8, 4)  # 2 + 1 + 2 + 3 events
    assert data.item_ids.tolist() == [3, 5, 7]
    assert data.item_ids[data.items].tolist() == [5, 3, 7, 5, 3, 5, 7, 5]  # users 0, 1, 2, 3
    assert data.ratings.tolist() == [4, 2.5, 3, 5, 1, 1, 2, 3]
    assert data.parts.tolist() == [0, 1, 0, 2]  # users 0 and 2 train, 1 validates, 3 tests
    assert len(AsPublished(unseen="candidate").prepare(data).test) == 2


def test_one_sequence_file_has_no_parts(tmp_path):
    put(tmp_path / "d", SEQUENCES)
    path = tmp_path / "d" / "test_set_sequences"
    data = SequenceFiles(str(path), label="t").load()
    assert (data.name, len(data), data.parts) == ("t", 3, None)
    assert InteractionFile(str(path)).load().fingerprint == data.fingerprint


def test_mappings_bring_raw_ids_back_in_either_order_of_columns(tmp_path):
    put(tmp_path / "d", SEQUENCES)
    put(tmp_path / "d", {"item_id_mapping": "new_id\toriginal_id\n3\tc\n5\te\n7\tg\n"})
    data = SequenceFiles(str(tmp_path / "d")).load()
    assert data.item_ids.tolist() == ["c", "e", "g"] and data.user_ids.tolist() == [0, 1, 2, 3]
    put(tmp_path / "d", {"item_id_mapping": "original_id\tnew_id\nc\t3\ne\t5\n"})
    with pytest.raises(ValueError, match="item_id_mapping: has no id for 7; it belongs to other data or is damaged"):
        SequenceFiles(str(tmp_path / "d")).load()
    put(tmp_path / "d", {"item_id_mapping": "a,b\n"})
    with pytest.raises(ValueError, match="the first line is 'a,b'; expected original_id, a tab, new_id"):
        SequenceFiles(str(tmp_path / "d")).load()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("1 2 3\n4 5\n", "line 2 has 2 numbers; expected a user, then alternating items and ratings"),
        ("1 2.5 3\n", "line 1 holds '2.5'; expected whole numbers for user and items"),
        ("1 2 x\n", "line 1 holds 'x'"),
        ("1 2 nan\n", "line 1 holds 'nan'"),
        ("1 2_0 3\n", "line 1 holds '2_0'"),
        (f"1 2 3\n1 {2**63} 3\n", "line 2 holds '9223372036854775808', beyond 64 bits; import a CSV file"),
        (f"{-(2**63) - 1} 2 3\n", "line 1 holds '-9223372036854775809', beyond 64 bits"),
    ],
)
def test_broken_sequences_are_named(tmp_path, line, words):
    with pytest.raises(ValueError, match=words):
        SequenceFiles(put(tmp_path / "d", {"train_set_sequences": line})).load()


def test_lst_by_hand(tmp_path):
    data = LstFiles(put(tmp_path / "m", LST)).load()
    assert (data.name, data.clock, data.parts) == ("m", Clock.RELATIVE, None)
    assert data.user_ids.tolist() == ["ann", "bob"]
    assert data.item_ids[data.items].tolist() == [2, 0, 1, 2, 2]
    assert data.timestamps.tolist() == [0, 60, 0, 1.5, 11.5]
    assert InteractionFile(str(tmp_path / "m" / "user-item.lst")).load().fingerprint == data.fingerprint


def test_lst_of_the_split_are_parts(tmp_path):
    lines = {prefix + name: text.splitlines()[place] + "\n"
             for place, prefix in enumerate(("tr_", "te_")) for name, text in LST.items()}  # fmt: skip
    data = LstFiles(put(tmp_path / "m", lines)).load()
    assert data.parts.tolist() == [0, 2] and len(data) == 5
    (tmp_path / "m" / "te_user-item.lst").unlink()
    with pytest.raises(DataMissing, match="m: no folder with user-item.lst"):
        LstFiles(str(tmp_path / "m")).load()


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("user-item.lst", "ann,2 0\n", r"the files have different numbers of lines \(1 in user-item.lst, 2 in"),
        ("user-item.lst", "ann,2 0\nzoe,1 2 2\n", "line 2 .* starts with 'zoe', 'bob', 'bob'"),
        ("user-item.lst", "ann,2 0\nbob,1 2\n", "line 2 .* user bob, has 2 items, 3 gaps and 3 times"),
        ("user-item.lst", "ann,2 x\nbob,1 2 2\n", "line 1 .* user ann: not a number"),
        ("user-item.lst", f"ann,2 {2**64}\nbob,1 2 2\n", "line 1 .* user ann, holds '18446744073709551616', beyond 64"),
        ("user-item-delta-time.lst", "ann,60 0\nbob,nan 10 0\n", r"user bob: not a number \(holds 'nan'\)"),
        ("user-item-delta-time.lst", "ann,60 0\nbob,1.5 11 0\n", "line 2 .* the times are not the sums of the gaps"),
    ],
)
def test_lst_that_disagree_are_named(tmp_path, name, text, words):
    with pytest.raises(ValueError, match=words):
        LstFiles(put(tmp_path / "m", {**LST, name: text})).load()


def test_lst_are_written_as_the_official_script_has_them(tmp_path):
    data = Interactions.from_events(
        "w", ["b", "b", "b", "a", "a"], ["x", "y", "y", "y", "z"], [5, 7.5, 10, 100, 130], clock=Clock.ABSOLUTE
    )
    folder = export_interactions(data, tmp_path / "w", "lst")
    # y is taken 3 times and is 0; x and z once, by id 1 and 2; the shorter history comes first
    assert (folder / "user-item.lst").read_text() == "a,0 2\nb,1 0 0\n"
    assert (folder / "user-item-delta-time.lst").read_text() == "a,30 0\nb,2.5 2.5 0\n"
    assert (folder / "user-item-accumulate-time.lst").read_text() == "a,0 30\nb,0 2.5 5\n"
    assert sorted(path.name for path in folder.iterdir())[0] == "item_id_mapping"


@settings(deadline=None, max_examples=30)
@given(st.data())
def test_a_round_trip_keeps_the_fingerprint(tmp_path_factory, data):
    size = data.draw(st.integers(1, 12))
    lists = [data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size)) for _ in range(2)]
    users = np.array(data.draw(st.sampled_from([["u", "v", "wé", "x|y"], [7, 1, -3, 2**40]])))[lists[0]]
    items = np.array(data.draw(st.sampled_from([["a b", "c,d", "7", "é"], [7, 0, 9, 2**40]])))[lists[1]]
    steps = data.draw(st.lists(st.integers(0, 10**6).map(lambda n: n / 8), min_size=size, max_size=size))
    begin = {user: min(t for u, t in zip(users.tolist(), steps, strict=True) if u == user) for user in users.tolist()}
    since = [t - begin[u] for u, t in zip(users.tolist(), steps, strict=True)]
    part_of = dict(zip(dict.fromkeys(users.tolist()), [0, 2, 0, 2], strict=False))
    parts = [part_of[user] for user in users.tolist()] if data.draw(st.booleans()) and len(part_of) > 1 else None
    folder = tmp_path_factory.mktemp("round")
    timed = Interactions.from_events("r", users, items, since, clock=Clock.RELATIVE, parts=parts)
    export_interactions(timed, folder / "l", "lst")
    assert LstFiles(str(folder / "l")).load().fingerprint == timed.fingerprint
    ratings = data.draw(st.lists(st.sampled_from([0.5, 1, 4.5]), min_size=size, max_size=size))
    plain = Interactions.from_events("r", users, items, None, clock=Clock.WITHIN, parts=parts, ratings=ratings)
    export_interactions(plain, folder / "s", "sequences")
    assert SequenceFiles(str(folder / "s")).load().fingerprint == plain.fingerprint


def test_writers_refuse_what_the_files_cannot_hold(tmp_path):
    weak = Interactions.from_events("w", ["a"], ["x"], None, clock=Clock.WITHIN)
    with pytest.raises(ValueError, match="w has the clock order inside a sequence; .lst files need durations"):
        export_interactions(weak, tmp_path / "l", "lst")
    blank = Interactions.from_events("w", ["a b"], ["x"], [1], clock=Clock.ABSOLUTE)
    with pytest.raises(ValueError, match="an .lst file cannot hold the user id 'a b'"):
        export_interactions(blank, tmp_path / "l", "lst")
    none = Interactions.from_events("w", ["a"], ["x"], None, clock=Clock.NONE)
    with pytest.raises(ValueError, match="w has no order, which sequence files require"):
        export_interactions(none, tmp_path / "s", "sequences")
    assert list(tmp_path.iterdir()) == []
