import time

from harness.cells.progress import ProgressWatcher, last_epoch, progress_writer
from recsys_data.sealed_json import sealed_line


def test_what_is_written_is_told_once_and_half_a_line_not_at_all(tmp_path):
    told = []
    log = progress_writer(tmp_path / "a")
    log({"event": "epoch", "epoch": 1})
    with ProgressWatcher(
        {"a": tmp_path / "a", "b": tmp_path / "b"}, lambda key, record: told.append((key, record["epoch"]))
    ):
        log({"event": "epoch", "epoch": 2})
        progress_writer(tmp_path / "b")({"event": "epoch", "epoch": 7})
        with (tmp_path / "a" / "progress.jsonl").open("a") as file:
            file.write('{"event": "epoch", "epo')
        deadline = time.monotonic() + 20
        while len(told) < 2 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert sorted(told) == [("a", 2), ("b", 7)], "the first epoch was there before the watch began"
    assert last_epoch(tmp_path / "a") == 2
    assert last_epoch(tmp_path / "none") is None


def test_a_line_cut_off_by_a_full_disk_hides_none_that_follow(tmp_path):
    log = progress_writer(tmp_path)
    log({"event": "epoch", "epoch": 1})
    path = tmp_path / "progress.jsonl"
    path.write_text(path.read_text() + '{"event": "epoch", "epo')
    log = progress_writer(tmp_path)
    log({"event": "started"})
    log({"event": "epoch", "epoch": 2})
    assert last_epoch(tmp_path) == 2
    line = sealed_line({"event": "epoch", "epoch": 4}, tmp_path.name).encode()
    path.write_bytes(b'{"event": "epo{"event": "epoch"}\n\0\0\n3\n' + line + line.replace(b"4", b"5", 1))
    assert last_epoch(tmp_path) == 4, "a changed number is no record"
    log({"event": "epoch", "epochs": 5})
    assert last_epoch(tmp_path) == 4, "a record without an epoch names none"


def test_a_cell_computed_anew_is_watched_from_its_start(tmp_path):
    told = []
    old = progress_writer(tmp_path / "a")
    for epoch in range(50):
        old({"event": "epoch", "epoch": epoch, "loss": 0.123456})
    with ProgressWatcher({"a": tmp_path / "a"}, lambda key, record: told.append(record["epoch"])):
        (tmp_path / "a" / "progress.jsonl").unlink()
        log = progress_writer(tmp_path / "a")
        for epoch in range(100, 103):
            log({"event": "epoch", "epoch": epoch})
        deadline = time.monotonic() + 20
        while len(told) < 3 and time.monotonic() < deadline:
            time.sleep(0.05)
    assert told == [100, 101, 102]
