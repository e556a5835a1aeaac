import hashlib
import io
import time
import zipfile

import pytest

from recsys_data.fetching.errors import DataMissing, DownloadFailed
from recsys_data.fetching.resumable import ResumingDownloader
from recsys_data.fetching.source import Source, download
from tests.recsys_data.fetching.serving import DATA, serving

SHA = "sha256:" + hashlib.sha256(DATA).hexdigest()
MD5 = "md5:" + hashlib.md5(DATA).hexdigest()


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """No pauses between attempts, and no proxy between the test and its own server."""
    monkeypatch.setattr("recsys_data.fetching.resumable.PAUSE", 0.0)
    monkeypatch.delenv("ENCORE_OFFLINE", raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.mark.parametrize("checksum", [SHA, MD5, ""])
def test_a_good_file_is_verified(server, tmp_path, checksum):
    path = download(f"{server.address}/good/data.bin", checksum, tmp_path)
    assert path == tmp_path / "data.bin" and path.read_bytes() == DATA
    left = {file.name for file in tmp_path.iterdir()}
    assert left == ({"data.bin"} if checksum else {"data.bin", "data.bin.sha256"})


def test_without_a_published_checksum_the_first_seen_one_holds(server, tmp_path):
    url = f"{server.address}/good/data.bin"
    download(url, "", tmp_path)
    assert "UNPINNED" in (tmp_path / "data.bin.sha256").read_text()
    (tmp_path / "data.bin").unlink()
    server.data["/good/data.bin"] = b"something else"
    with pytest.raises(DownloadFailed, match="the downloaded file does not have the checksum sha256:"):
        download(url, "", tmp_path)
    assert not (tmp_path / "data.bin").exists()


def test_a_broken_connection_is_taken_up_where_it_stopped(server, tmp_path):
    path = download(f"{server.address}/breaks/data.bin", SHA, tmp_path)
    assert path.read_bytes() == DATA
    assert [asked for _, asked in server.asked] == [None, "bytes=200000-", "bytes=400000-"]


def test_a_later_call_goes_on_too(server, tmp_path, monkeypatch):
    url = f"{server.address}/breaks/data.bin"
    monkeypatch.setattr("recsys_data.fetching.resumable.ATTEMPTS", 1)
    with pytest.raises(DownloadFailed, match="the connection broke after 200,000 bytes, 1 attempts"):
        download(url, SHA, tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["data.bin.part"]  # nothing that looks finished
    monkeypatch.setattr("recsys_data.fetching.resumable.ATTEMPTS", 5)
    assert download(url, SHA, tmp_path).read_bytes() == DATA
    assert server.asked[1][1] == "bytes=200000-"


def test_a_server_that_cannot_resume_is_asked_for_the_whole(server, tmp_path):
    assert download(f"{server.address}/norange/data.bin", SHA, tmp_path).read_bytes() == DATA
    assert len(server.asked) == 2


def test_a_part_of_another_file_is_not_trusted(server, tmp_path):
    (tmp_path / "data.bin.part").write_bytes(b"x" * (len(DATA) + 5))  # longer than the file: thrown away
    assert download(f"{server.address}/good/data.bin", SHA, tmp_path).read_bytes() == DATA
    (tmp_path / "data.bin").unlink()
    (tmp_path / "data.bin.part").write_bytes(b"x" * 1000)  # shorter: the sum is wrong, and the next call is clean
    with pytest.raises(DownloadFailed, match="checksum"):
        download(f"{server.address}/good/data.bin", SHA, tmp_path)
    assert download(f"{server.address}/good/data.bin", SHA, tmp_path).read_bytes() == DATA


def test_a_wrong_checksum_leaves_nothing_behind(server, tmp_path):
    with pytest.raises(DownloadFailed, match="the downloaded file does not have the checksum md5:0000"):
        download(f"{server.address}/good/data.bin", "md5:" + "0" * 32, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_lies_about_the_length_is_not_believed(server, tmp_path):
    # It promises 1,000 bytes more than there are: the connection seems broken, asking for the rest shows the end.
    assert download(f"{server.address}/lies/data.bin", SHA, tmp_path).read_bytes() == DATA
    assert [asked for _, asked in server.asked] == [None, "bytes=512000-"]
    with pytest.raises(DownloadFailed, match="does not have the checksum"):
        download(f"{server.address}/lies/data.bin", "sha256:" + "0" * 64, tmp_path / "other")
    assert list((tmp_path / "other").iterdir()) == []


def test_redirects_are_followed(server, tmp_path):
    assert download(f"{server.address}/moved/data.bin", SHA, tmp_path).read_bytes() == DATA
    assert [path for path, _ in server.asked] == ["/moved/data.bin", "/good/data.bin"]


def test_a_silent_server_is_given_up(server, tmp_path):
    quick = ResumingDownloader(attempts=1, timeout=0.2)
    start = time.monotonic()
    with pytest.raises(DownloadFailed, match="no byte for 0.2 seconds after 0 bytes, 1 attempts"):
        quick(f"{server.address}/slow/data.bin", str(tmp_path / "out"), None)
    assert time.monotonic() - start < 3


def test_progress_tells_bytes_and_rate(server, tmp_path):
    reports = []
    ResumingDownloader(on_progress=reports.append)(f"{server.address}/breaks/data.bin", str(tmp_path / "out"), None)
    assert reports[-1].received == reports[-1].total == len(DATA) and reports[-1].rate > 0
    assert [step.received for step in reports] == sorted(step.received for step in reports)


def zipped(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, text in files.items():
            archive.writestr(name.replace("__", "/") + ".txt", text)
    return buffer.getvalue()


def test_a_mirror_is_tried_where_the_first_address_fails(tmp_path):
    archive = zipped(set__events="1 2 3")
    with serving({"/good/set.zip": archive}) as server:
        source = Source(
            ("set/events.txt",),
            (f"{server.address}/missing/set.zip", f"{server.address}/good/set.zip"),
            "md5:" + hashlib.md5(archive).hexdigest(),
        )
        (path,) = source.paths(tmp_path, "A set")
        assert path.read_text() == "1 2 3"
        assert source.paths(tmp_path, "A set") == [path] and len(server.asked) == 2  # present: nothing is asked


def test_when_all_fails_one_sentence_says_why_and_where_to_put_the_file(tmp_path):
    with serving() as server:
        source = Source(("set/events.txt",), (f"{server.address}/missing/set.zip",))
        with pytest.raises(DataMissing) as caught:
            source.paths(tmp_path, "A set")
    sentence = str(caught.value)
    assert "the server answered 404" in sentence and "set/events.txt" in sentence and str(tmp_path) in sentence
    with pytest.raises(DataMissing, match="ConnectionError"):  # the server is gone now
        source.paths(tmp_path, "A set")


def test_an_archive_without_the_file_and_a_file_with_a_wrong_sum(tmp_path):
    archive = zipped(set__events="1 2 3")
    with serving({"/good/set.zip": archive}) as server:
        urls = (f"{server.address}/good/set.zip",)
        with pytest.raises(DataMissing, match="the downloaded archive does not contain set/other.txt"):
            Source(("set/other.txt",), urls).paths(tmp_path, "A set")
        (tmp_path / "set/events.txt").unlink()
        wrong = Source(("set/events.txt",), urls, file_checksums=("md5:" + "0" * 32,))
        with pytest.raises(DataMissing, match="set/events.txt has the md5 .*, the owner published 0000"):
            wrong.paths(tmp_path, "A set")
        assert not (tmp_path / "set/events.txt").exists()


@pytest.mark.parametrize(
    "bad", [zipped(set__events="3 2 1"), zipped(set__events="1 2 3" * 99)[:80]], ids=["other content", "cut off"]
)
def test_an_archive_that_is_not_the_owners_gives_way_to_a_mirror(tmp_path, bad):
    with serving({"/bad/set.zip": bad, "/good/set.zip": zipped(set__events="1 2 3")}) as server:
        urls = (f"{server.address}/bad/set.zip", f"{server.address}/good/set.zip")
        source = Source(("set/events.txt",), urls, file_checksums=("md5:" + hashlib.md5(b"1 2 3").hexdigest(),))
        (path,) = source.paths(tmp_path, "A set")
        assert path.read_text() == "1 2 3"


def test_a_folder_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "data").write_text("a file stands where the folder should be")
    with serving() as server, pytest.raises(DataMissing, match="fetching failed"):
        Source(("a.txt",), (f"{server.address}/good/a.zip",)).paths(tmp_path / "data", "A set")


@pytest.mark.parametrize("name", ["data.bin", "data.bin.part", "data.bin.sha256"])
def test_a_download_does_not_write_through_a_link(server, tmp_path, name):
    outside = tmp_path / "outside"
    outside.write_bytes(b"of the user")
    folder = tmp_path / "downloads"
    folder.mkdir()
    (folder / name).symlink_to(outside)
    with pytest.raises(ValueError, match=f"{name} is a link to .*, and links are read but not overwritten"):
        download(f"{server.address}/good/data.bin", SHA, folder)
    assert outside.read_bytes() == b"of the user"
    assert (folder / name).is_symlink()


def test_a_link_to_the_right_file_is_followed(server, tmp_path):
    (tmp_path / "elsewhere").write_bytes(DATA)
    (tmp_path / "downloads").mkdir()
    (tmp_path / "downloads" / "data.bin").symlink_to(tmp_path / "elsewhere")
    assert download(f"{server.address}/good/data.bin", SHA, tmp_path / "downloads").read_bytes() == DATA
    assert server.asked == []
