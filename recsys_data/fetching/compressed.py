"""Read a whole file, unpacked in memory where it is compressed: .gz, .bz2, .xz, .zst, and .zip with one member."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import IO

from recsys_data.arrow import pa
from recsys_data.fetching.errors import ArchiveDamaged, first_line
from recsys_data.fetching.unpack import LARGEST, refuse_unreadable

_CHUNK = 1 << 20
_MACOS = "__MACOSX/"  # folders that macOS adds to its zip files


def _zstd(file: IO[bytes]) -> IO[bytes]:
    """The unpacked text of a .zst file."""
    return pa.CompressedInputStream(file, "zstd")


_OPENERS: dict[str, tuple[bytes, str, Callable[[IO[bytes]], IO[bytes]]]] = {  # ending: first bytes, name, opener
    ".gz": (b"\x1f\x8b", "gzip", lambda file: gzip.GzipFile(fileobj=file)),
    ".bz2": (b"BZh", "bzip2", bz2.BZ2File),
    ".xz": (b"\xfd7zXZ\x00", "xz", lzma.LZMAFile),
    ".zst": (b"\x28\xb5\x2f\xfd", "zstd", _zstd),
}
_ZIP = b"PK\x03\x04"
ENDINGS = (*_OPENERS, ".zip")


def read_bytes(path: Path, largest: int = LARGEST) -> bytes:
    """Read a file; unpack it if its name ends in one of ENDINGS.

    Raises ArchiveDamaged if it is truncated or of another kind, ValueError for a zip file that is encrypted or has not
    one member, and for more than ``largest`` bytes.
    """
    with path.open("rb") as file:
        ending = path.suffix.lower()
        return unpack_bytes(file, ending, str(path), largest) if ending in ENDINGS else file.read()


def compression(start: bytes) -> str | None:
    """The ending, one of ENDINGS, of a compressed file that begins with the bytes ``start``; None for any other."""
    if start.startswith(_ZIP):
        return ".zip"
    return next((ending for ending, (magic, _, _) in _OPENERS.items() if start.startswith(magic)), None)


def unpack_bytes(file: IO[bytes], ending: str, where: str, largest: int = LARGEST) -> bytes:
    """Unpack an open file of the kind ``ending``, one of ENDINGS. Errors as in read_bytes, with ``where`` in front."""
    if ending == ".zip":
        return _unzip(file, where, largest)
    _, name, opener = _OPENERS[ending]
    try:
        with opener(file) as unpacked:
            return _bounded(unpacked, where, largest)
    except (OSError, EOFError, lzma.LZMAError, zlib.error, pa.ArrowException) as error:
        raise _damaged(where, name, error) from error


def zip_member(file: IO[bytes], where: str) -> zipfile.ZipInfo:
    """The one file in a zip file. Raises ValueError that names the members where there are none or several."""
    with zipfile.ZipFile(file) as archive:
        members = [
            info
            for info in archive.infolist()
            if not (
                info.filename.endswith("/") or info.filename.startswith(_MACOS) or info.filename.endswith(".DS_Store")
            )
        ]
    if len(members) != 1:
        names = ", ".join(info.filename for info in members[:5]) + (", …" if len(members) > 5 else "")
        found = f"{len(members)} files ({names})" if members else "no file"
        raise ValueError(f"{where}: the zip file holds {found} instead of one; unpack it and name the file of events")
    return members[0]


def _unzip(file: IO[bytes], where: str, largest: int) -> bytes:
    """The one member of a zip file."""
    try:
        member = zip_member(file, where)
        refuse_unreadable(member, where)
        with zipfile.ZipFile(file) as archive, archive.open(member) as unpacked:
            return _bounded(unpacked, where, largest)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise _damaged(where, "zip", error) from error


def _bounded(unpacked: IO[bytes], where: str, largest: int) -> bytes:
    """All bytes of an unpacked stream; ValueError as soon as there are more than ``largest``."""
    whole = io.BytesIO()
    while chunk := unpacked.read(_CHUNK):
        if whole.tell() + len(chunk) > largest:
            raise ValueError(f"{where}: unpacks to more than {largest:,} bytes; refused as unsafe")
        whole.write(chunk)
    return whole.getvalue()


def _damaged(where: str, kind: str, error: Exception) -> ArchiveDamaged:
    """The error of a file that cannot be unpacked."""
    return ArchiveDamaged(
        f"{where}: cannot be decompressed as {kind} ({first_line(error)}); it is damaged, copy it again"
    )
