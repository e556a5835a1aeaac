import shutil

import pytest

from cli.data_actions import FACTS, audit_rows, find_dataset, import_file
from harness.suites.request import RunRequest
from recsys_data.catalogue.summary import summarise_dataset
from recsys_data.files.export import export_interactions
from recsys_data.files.interaction_file import InteractionFile
from recsys_data.files.time_lstm_files import GAPS, ITEMS, SINCE
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.interactions import Clock, Interactions
from recsys_data.split import TEST, TRAIN

ROWS = "user\titem\ttimestamp\n" + "".join(f"{u}\t{i}\t{60 * t}\n" for u in (1, 2) for t, i in enumerate("abcab"))


@pytest.mark.parametrize(("clock", "kept"), [
    ("relative", Clock.RELATIVE), ("", Clock.ABSOLUTE), ("order between sessions", Clock.BETWEEN),
])  # fmt: skip
def test_an_imported_file_keeps_the_clock_it_was_read_with(tmp_path, clock, kept):
    (tmp_path / "plays.tsv").write_text(ROWS)
    dataset = import_file(InteractionFile(str(tmp_path / "plays.tsv"), clock=clock, label="plays"), tmp_path)
    again = dataset.load(tmp_path)
    assert again.clock is kept
    assert again.timestamps[:5].tolist() == [0, 60, 120, 180, 240]


@pytest.mark.parametrize("name", ["", " ", "../plays", "a/b", ".plays"])
def test_an_imported_file_stays_in_its_folder(tmp_path, name):
    (tmp_path / "plays.tsv").write_text(ROWS)
    with pytest.raises(ValueError, match="--name .* is not a valid name"):
        import_file(InteractionFile(str(tmp_path / "plays.tsv"), label=name), tmp_path / "data")
    assert not (tmp_path / "data").exists()


def test_an_imported_file_without_times_keeps_its_order_and_no_more(tmp_path):
    (tmp_path / "plays.tsv").write_text("user\titem\n1\tb\n1\ta\n2\tc\n")
    again = import_file(
        InteractionFile(str(tmp_path / "plays.tsv"), clock="order inside a sequence", label="plays"), tmp_path
    ).load(tmp_path)
    assert again.clock is Clock.WITHIN and again.timestamps.tolist() == [0, 1, 0]
    assert again.item_ids[again.items].tolist() == ["b", "a", "c"]
    with pytest.raises(ValueError, match="the clock 'order between sessions' needs a column of times"):
        import_file(
            InteractionFile(str(tmp_path / "plays.tsv"), clock="order between sessions", label="other"), tmp_path
        )


def test_an_import_keeps_a_published_split(tmp_path):
    for prefix, user in (("tr_", "1"), ("te_", "2")):
        for name, values in ((ITEMS, "5 6"), (GAPS, "60 0"), (SINCE, "0 60")):
            (tmp_path / f"{prefix}{name}").write_text(f"{user},{values}\n")
    shutil.copy(tmp_path / f"tr_{ITEMS}", tmp_path / ITEMS)
    kept = import_file(InteractionFile(str(tmp_path / ITEMS), label="plays"), tmp_path).load(tmp_path)
    assert dict(zip(map(str, kept.user_ids), kept.parts.tolist(), strict=True)) == {"1": TRAIN, "2": TEST}


@pytest.mark.parametrize("kind", ["csv", "inter", "sessions", "parquet"])
def test_positions_between_sessions_survive_an_export(tmp_path, kind):
    events = Interactions.from_events(
        "s", ["a", "b", "a", "b"], [1, 2, 3, 4], [7, 3, 9, 4], clock=Clock.BETWEEN, unit="session"
    )
    path = export_interactions(events, tmp_path / f"s.{kind}", kind)
    again = InteractionFile(str(path), clock="order between sessions").load()
    assert again.clock is Clock.BETWEEN
    assert again.timestamps.tolist() == events.timestamps.tolist() == [7, 9, 3, 4]


def test_an_audit_counts_each_data_set_too(tiny_suite, tmp_path):
    rows = list(audit_rows(RunRequest(str(tiny_suite), tmp_path).load()))
    facts = summarise_dataset(MarkovChainSequences(num_users=30, num_items=25, length=20).load())
    assert rows and all({key: row[key] for key in FACTS} == {key: facts[key] for key in FACTS} for row in rows)
    assert rows[0]["users"] == 30 and rows[0]["sessions"] is None and len(rows[0]["sha256"]) == 64


def test_an_unknown_name_gets_the_closest_name():
    with pytest.raises(ValueError, match="no data set or file is called 'ml-100'.*did you mean 'ml-100k'"):
        find_dataset("ml-100", {"ml-100k": None})


def test_an_import_says_how_it_read_the_file_and_keeps_the_times(tmp_path):
    (tmp_path / "log.csv").write_text("user,item,t,price\n7,b,20001231,3\n7,a,20000101,4\n")
    source = InteractionFile(str(tmp_path / "log.csv"), ("timestamp=t",), label="log")
    told = []
    again = import_file(source, tmp_path, told.append).load(tmp_path)
    assert again.item_ids[again.items].tolist() == ["a", "b"]
    assert again.timestamps.tolist() == [946_684_800, 978_220_800]  # date -u -d 2000-01-01 +%s, 2000-12-31
    assert told == [
        "log.csv read with separator ,, with header, times in whole numbers of the form %Y%m%d",
        "columns: user = user, item = item, timestamp = t; not used: price",
        "the first 2 events as read:",
        "  line 2: user 7, item b, timestamp 2000-12-31T00:00:00+00:00",
        "  line 3: user 7, item a, timestamp 2000-01-01T00:00:00+00:00",
        "2 events, 1 users, 2 items",
        "first time 2000-01-01T00:00:00+00:00, last time 2000-12-31T00:00:00+00:00",
    ]
