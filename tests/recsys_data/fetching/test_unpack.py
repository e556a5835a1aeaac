import gzip
import io
import stat
import sys
import tarfile
import zipfile

import py7zr
import pytest

from recsys_data.fetching.compressed import read_bytes
from recsys_data.fetching.errors import ArchiveDamaged
from recsys_data.fetching.unpack import unpack


def make_zip(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in members:
            archive.writestr(name, text)
    return path


def make_tar(path, members):
    with tarfile.open(path, "w:gz") as archive:
        for info, text in members:
            info = tarfile.TarInfo(info) if isinstance(info, str) else info
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return path


def link(name, target, kind):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_each_kind_by_hand(tmp_path):
    members = [("a/b.txt", "one"), ("c.txt", "two")]
    for archive in (make_zip(tmp_path / "x.zip", members), make_tar(tmp_path / "x.tar.gz", members)):
        out = tmp_path / f"out-{archive.suffix}"
        assert unpack(archive, out) == [out / "a/b.txt", out / "c.txt"]
        assert (out / "a/b.txt").read_text() == "one" and (out / "c.txt").read_text() == "two"
        assert sorted(p.name for p in out.rglob("*")) == ["a", "b.txt", "c.txt"]  # no scratch files
    (tmp_path / "r.json.gz").write_bytes(gzip.compress(b"three"))
    assert unpack(tmp_path / "r.json.gz", tmp_path / "o")[0].read_text() == "three"
    (tmp_path / "plain.csv").write_text("four")
    assert unpack(tmp_path / "plain.csv", tmp_path / "o")[0] == tmp_path / "o/plain.csv"


@pytest.mark.parametrize("name", ["../out.txt", "a/../../out.txt", "/etc/out.txt", "..\\out.txt", "C:/out.txt"])
def test_no_path_leads_outside(tmp_path, name):
    for archive in (make_zip(tmp_path / "x.zip", [(name, "x")]), make_tar(tmp_path / "x.tar.gz", [(name, "x")])):
        with pytest.raises(ValueError, match="leads outside the folder; refused as unsafe"):
            unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out.txt").exists()


def test_no_links(tmp_path):
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE):
        archive = make_tar(tmp_path / "x.tar.gz", [(link("l", "/etc/passwd", kind), "")])
        with pytest.raises(ValueError, match="member 'l' is a link; refused as unsafe"):
            unpack(archive, tmp_path / "out")
    info = zipfile.ZipInfo("l")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "l.zip", "w") as archive:
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(ValueError, match="member 'l' is a link; refused as unsafe"):
        unpack(tmp_path / "l.zip", tmp_path / "out")
    with pytest.raises(ValueError, match="is not a plain file"):
        unpack(make_tar(tmp_path / "d.tar.gz", [(link("d", "", tarfile.FIFOTYPE), "")]), tmp_path / "out")


def test_a_bomb_is_stopped_and_leaves_nothing(tmp_path):
    (tmp_path / "big.gz").write_bytes(gzip.compress(bytes(3_000_000)))
    with pytest.raises(ValueError, match="unpacks to more than 1,000,000 bytes; refused as unsafe"):
        unpack(tmp_path / "big.gz", tmp_path / "out", largest=1_000_000)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", ["x.zip", "x.tar.gz", "x.gz"])
def test_a_damaged_archive_is_said_in_one_sentence(tmp_path, name):
    (tmp_path / name).write_bytes(b"this is no archive")
    with pytest.raises(ValueError, match=f"{name}: cannot be unpacked .*; delete it and fetch it again"):
        unpack(tmp_path / name, tmp_path / "out")


def test_a_zip_file_without_its_beginning_is_damaged(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a.csv", "1,2\n" * 30)
    (tmp_path / "x.zip").write_bytes((tmp_path / "x.zip").read_bytes()[10:])  # its members begin before the file
    with pytest.raises(ArchiveDamaged, match="x.zip: cannot be unpacked .*; delete it and fetch it again"):
        unpack(tmp_path / "x.zip", tmp_path / "out")


def test_a_member_without_a_name_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.zip", "w") as archive:
        archive.writestr("a", "1,2\n" * 30)
    data = (tmp_path / "x.zip").read_bytes()
    central = data.rindex(b"PK\x01\x02")
    (tmp_path / "x.zip").write_bytes(data[: central + 46] + b"\0" + data[central + 47 :])
    with pytest.raises(ValueError, match="x.zip: member '' names no file; refused as unsafe"):
        unpack(tmp_path / "x.zip", tmp_path / "out")


def test_a_member_with_a_null_in_its_name_is_refused(tmp_path):
    with tarfile.open(tmp_path / "x.tar", "w", format=tarfile.PAX_FORMAT) as archive:
        info = tarfile.TarInfo("plain")
        info.pax_headers = {"path": "a\0b"}
        archive.addfile(info)
    with pytest.raises(ValueError, match=r"x.tar: member 'a\\x00b' names no file; refused as unsafe"):
        unpack(tmp_path / "x.tar", tmp_path / "out")


def test_a_cut_archive_is_said_too(tmp_path):
    whole = gzip.compress(bytes(range(256)) * 1000)
    (tmp_path / "x.gz").write_bytes(whole[:-50])
    with pytest.raises(ValueError, match="cannot be unpacked"):
        unpack(tmp_path / "x.gz", tmp_path / "out")


def test_7z_without_its_library_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "py7zr", None)
    (tmp_path / "x.7z").write_bytes(b"")
    with pytest.raises(ValueError, match="a 7z file needs py7zr; pip install -r requirements-data.txt"):
        unpack(tmp_path / "x.7z", tmp_path / "out")


def test_7z_with_its_library(tmp_path):
    inside = b"1,2014-04-07T10:51:09.277Z,214536502,0\n" * 100
    with py7zr.SevenZipFile(tmp_path / "clicks.7z", "w") as archive:
        archive.writestr(inside, "folder/clicks.dat")
    unpack(tmp_path / "clicks.7z", tmp_path / "out")
    assert (tmp_path / "out" / "folder" / "clicks.dat").read_bytes() == inside
    assert [path.name for path in tmp_path.glob(".unpack-*")] == []


def test_7z_that_leaves_its_folder_or_holds_a_link_is_refused(tmp_path):
    with py7zr.SevenZipFile(tmp_path / "out.7z", "w") as archive:
        archive.writestr(b"x", "good.txt")
    whole = (tmp_path / "out.7z").read_bytes()
    target = tmp_path / "elsewhere.txt"
    target.write_bytes(b"x")
    (tmp_path / "link").symlink_to(target)
    with py7zr.SevenZipFile(tmp_path / "link.7z", "w") as archive:
        archive.write(tmp_path / "link", "link")
    with pytest.raises(ValueError, match="'link' is a link; refused as unsafe"):
        unpack(tmp_path / "link.7z", tmp_path / "unpacked")
    (tmp_path / "short.7z").write_bytes(whole[:-10])
    with pytest.raises(ValueError, match="cannot be unpacked"):
        unpack(tmp_path / "short.7z", tmp_path / "unpacked")
    assert not any((tmp_path / "unpacked").rglob("*"))


def altered(path, flag=0, method=None):
    """A zip file of one member whose headers say that it is encrypted, or compressed by another method."""
    make_zip(path, [("a.csv", "1,2,3")])
    data = bytearray(path.read_bytes())
    for start, offset in ((0, 6), (data.rindex(b"PK\x01\x02"), 8)):  # the member's header and the directory
        data[start + offset] |= flag
        if method is not None:
            data[start + offset + 2] = method
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("changes, sentence", [
    ({"flag": 1}, "x.zip: a.csv is encrypted; unpack it with its password first"),
    ({"flag": 1, "method": 99}, "x.zip: a.csv is encrypted; unpack it with its password first"),
    ({"method": 9}, r"x.zip: a.csv is compressed in a way that cannot be read \(method 9\); unpack it first"),
    ({"method": 95}, r"x.zip: a.csv is compressed in a way that cannot be read \(method 95\); unpack it first"),
    ({"method": 14}, "x.zip: cannot be unpacked .*; delete it and fetch it again"),
    ({"method": 12}, "x.zip: cannot be unpacked .*; delete it and fetch it again"),
])  # fmt: skip
def test_encrypted_and_unknown_zip_files_are_refused_in_a_sentence(tmp_path, changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        unpack(altered(tmp_path / "x.zip", **changes), tmp_path / "out")
    with pytest.raises(ValueError, match="x.zip: "):
        read_bytes(tmp_path / "x.zip")
    assert not any((tmp_path / "out").rglob("*"))


def test_an_encrypted_7z_file_is_refused_in_a_sentence(tmp_path):
    with py7zr.SevenZipFile(tmp_path / "x.7z", "w", password="secret") as archive:
        archive.writestr(b"1,2,3", "a.csv")
    with pytest.raises(ValueError, match="x.7z: is encrypted or compressed in a way that cannot be read .*; unpack it"):
        unpack(tmp_path / "x.7z", tmp_path / "out")


@pytest.mark.parametrize("leads", ["somewhere", "nowhere"])
def test_a_link_is_not_overwritten(tmp_path, leads):
    (tmp_path / "somewhere").write_text("of the user")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.csv").symlink_to(tmp_path / leads)
    archive = make_zip(tmp_path / "x.zip", [("a.csv", "1,2,3")])
    with pytest.raises(ValueError, match=r"a.csv is a link to .*, and links are read but not overwritten; remove the"):
        unpack(archive, tmp_path / "out")
    assert (tmp_path / "somewhere").read_text() == "of the user"
    assert (tmp_path / "out" / "a.csv").readlink() == tmp_path / leads
