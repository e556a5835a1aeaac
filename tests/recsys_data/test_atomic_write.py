"""Files appear whole, with the permissions that open() would have given them."""

import os
import stat

import pytest

from recsys_data.atomic_write import atomic_write, write_bytes_atomically
from recsys_data.datasets.cache import write_prepared
from recsys_data.datasets.imported import store_imported
from tests.recsys_data.splits import events


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o000, 0o002, 0o022, 0o027, 0o077], ids=oct)
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_files_and_folders_respect_the_umask(tmp_path, umask):
    write_bytes_atomically(tmp_path / "folder" / "file", b"data")
    assert (mode(tmp_path / "folder"), mode(tmp_path / "folder" / "file")) == (0o777 & ~umask, 0o666 & ~umask)
    interactions = events(["abc", "bca"])
    write_prepared(interactions, tmp_path / "prepared" / "entry")
    assert mode(tmp_path / "prepared" / "entry") == 0o777 & ~umask
    assert {mode(path) for path in (tmp_path / "prepared" / "entry").iterdir()} == {0o666 & ~umask}
    path = store_imported(interactions, tmp_path / "data").path(tmp_path / "data")
    assert mode(path) == 0o666 & ~umask


def test_an_existing_file_keeps_its_permissions(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o640)
    write_bytes_atomically(path, b"new")
    assert (path.read_bytes(), mode(path)) == (b"new", 0o640)


def test_an_error_leaves_the_earlier_file_and_nothing_else(tmp_path):
    path = tmp_path / ("long-name-" * 25)  # of 250 characters, near the limit of 255
    write_bytes_atomically(path, b"old")
    with pytest.raises(KeyboardInterrupt), atomic_write(path) as temporary:
        temporary.write_bytes(b"half")
        raise KeyboardInterrupt
    assert [(entry, entry.read_bytes()) for entry in tmp_path.iterdir()] == [(path, b"old")]
