import bz2
import gzip
import lzma
import shutil
import subprocess
import zipfile

import pyarrow as pa
import pytest

from recsys_data.fetching.compressed import ENDINGS, compression, read_bytes
from recsys_data.fetching.errors import ArchiveDamaged

TEXT = b"user,item\n1,2\n" * 3_000


def zip_bytes(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path.read_bytes()


def compress(ending, path):
    """Write TEXT as a file of this kind, by libraries other than the reader's where there are some."""
    if ending == ".zip":
        return zip_bytes(path, **{"folder/events.csv": TEXT})
    packers = {".gz": gzip.compress, ".bz2": bz2.compress, ".xz": lzma.compress}
    pack = packers.get(ending, lambda data: pa.compress(data, codec="zstd", asbytes=True))
    path.write_bytes(pack(TEXT))
    return path.read_bytes()


@pytest.mark.parametrize("ending", ENDINGS)
def test_each_kind_is_read_and_recognised(tmp_path, ending):
    data = compress(ending, tmp_path / f"events{ending}")
    assert read_bytes(tmp_path / f"events{ending}") == TEXT
    assert compression(data[:16]) == ending
    (tmp_path / "events.csv").write_bytes(data)
    assert read_bytes(tmp_path / "events.csv") == data  # the name decides


@pytest.mark.parametrize("ending", [".gz", ".bz2", ".xz", ".zst"])
def test_members_written_one_after_the_other_are_one_file(tmp_path, ending):
    data = compress(ending, tmp_path / f"events{ending}")
    (tmp_path / f"two{ending}").write_bytes(data + data)
    assert read_bytes(tmp_path / f"two{ending}") == TEXT + TEXT


@pytest.mark.skipif(shutil.which("gzip") is None, reason="needs the program gzip")
def test_the_program_gzip_writes_what_is_read(tmp_path):
    (tmp_path / "events.csv").write_bytes(TEXT)
    subprocess.run(["gzip", tmp_path / "events.csv"], check=True)
    assert read_bytes(tmp_path / "events.csv.gz") == TEXT


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("kept", [3, 10, -3])
def test_a_truncated_file_is_damaged(tmp_path, ending, kept):
    data = compress(ending, tmp_path / f"events{ending}")
    (tmp_path / f"short{ending}").write_bytes(data[:kept])
    with pytest.raises(
        ArchiveDamaged, match=f"short{ending}: cannot be decompressed as .*it is damaged, copy it again"
    ):
        read_bytes(tmp_path / f"short{ending}")


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_plain_text_with_such_a_name_is_refused(tmp_path, ending):
    (tmp_path / f"plain{ending}").write_bytes(TEXT)
    with pytest.raises(ArchiveDamaged, match=f"plain{ending}: cannot be decompressed as"):
        read_bytes(tmp_path / f"plain{ending}")


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_size_is_bounded_while_unpacking(tmp_path, ending):
    compress(ending, tmp_path / f"events{ending}")
    assert read_bytes(tmp_path / f"events{ending}", largest=len(TEXT)) == TEXT
    with pytest.raises(ValueError, match=f"events{ending}: unpacks to more than 41,999 bytes; refused as unsafe"):
        read_bytes(tmp_path / f"events{ending}", largest=len(TEXT) - 1)


def test_a_zip_file_holds_one_file(tmp_path):
    path = tmp_path / "events.zip"
    zip_bytes(path, **{"events.csv": TEXT, "__MACOSX/._events.csv": b"x", ".DS_Store": b"x", "empty/": b""})
    assert read_bytes(path) == TEXT
    zip_bytes(path, **{"a.csv": TEXT, "b.csv": TEXT})
    with pytest.raises(ValueError, match=r"events.zip: the zip file holds 2 files \(a.csv, b.csv\) instead of one;"):
        read_bytes(path)
    zip_bytes(path)
    with pytest.raises(ValueError, match="the zip file holds no file instead of one"):
        read_bytes(path)


def test_an_encrypted_zip_file_is_refused(tmp_path):
    path = tmp_path / "secret.zip"
    data = bytearray(zip_bytes(path, **{"a.csv": TEXT}))
    data[6] |= 1  # bit 0 of the flags: encrypted, in the header of the member and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="secret.zip: a.csv is encrypted; unpack it with its password first"):
        read_bytes(path)


def test_a_zip_file_of_an_unknown_compression_is_refused(tmp_path):
    path = tmp_path / "odd.zip"
    data = bytearray(zip_bytes(path, **{"a.csv": TEXT}))
    data[8] = 97  # the number of the compression, in the header of the member and in the directory
    data[data.index(b"PK\x01\x02") + 10] = 97
    path.write_bytes(data)
    with pytest.raises(ValueError, match="odd.zip: a.csv is compressed in a way that cannot be read"):
        read_bytes(path)
