"""Safe unpacking: no path outside the folder, no links, a limit on the size."""

from __future__ import annotations

import errno
import gzip
import lzma
import shutil
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from recsys_data.atomic_write import atomic_write
from recsys_data.fetching.errors import ArchiveDamaged, first_line
from recsys_data.lazy_module import LazyModule

if TYPE_CHECKING:
    import tarfile
else:
    tarfile = LazyModule("tarfile")

_DAMAGE = (zipfile.BadZipFile, EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, struct.error,
           NotImplementedError)  # fmt: skip
_ZIP_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
LARGEST = 8 << 30  # bytes an archive may unpack to; the largest known data set needs 2.5 GB


def unpack(archive: Path, folder: Path, largest: int = LARGEST) -> list[Path]:
    """Unpack a .zip, .tar.gz, .tgz, .7z or .gz to ``folder``; copy any other file there. Return the files.

    Each file is written atomically. Raises ArchiveDamaged, or ValueError for a member outside the folder, a link,
    or more than ``largest`` bytes.
    """
    try:
        return _unpack(archive, folder, largest)
    except (*_DAMAGE, tarfile.TarError, OSError) as error:
        # of the system; without a number it is of bz2, and a zip may name a place before its own start
        if isinstance(error, OSError) and error.errno not in (None, errno.EINVAL):
            raise
        why = first_line(error)
        raise ArchiveDamaged(f"{archive}: cannot be unpacked ({why}); delete it and fetch it again") from error


def _unpack(archive: Path, folder: Path, largest: int) -> list[Path]:
    """Unpack, raising the errors of the libraries."""
    written, left = [], largest
    for name, opener in _members(archive):
        target = folder / _inside(archive, name)
        refuse_link(target)
        with atomic_write(target) as temporary, opener() as source, temporary.open("wb") as out:
            while chunk := source.read(1 << 20):
                left -= len(chunk)
                if left < 0:
                    raise ValueError(f"{archive}: unpacks to more than {largest:,} bytes; refused as unsafe")
                out.write(chunk)
        written.append(target)
    return written


def refuse_link(path: Path) -> None:
    """Raise ValueError for a link where a file would be written: it is the user's, and may lead out of the folder."""
    if path.is_symlink():
        raise ValueError(f"{path} is a link to {path.readlink()}, and links are read but not overwritten; remove the "
                         "link, or put the file where it leads")  # fmt: skip


def refuse_unreadable(member: zipfile.ZipInfo, where: str) -> None:
    """Raise ValueError for a member of a zip file that is encrypted or compressed in an unknown way."""
    if member.flag_bits & 1:
        raise ValueError(f"{where}: {member.filename} is encrypted; unpack it with its password first")
    if member.compress_type not in _ZIP_METHODS:
        raise ValueError(f"{where}: {member.filename} is compressed in a way that cannot be read (method "
                         f"{member.compress_type}); unpack it first")  # fmt: skip


def _inside(archive: Path, name: str) -> PurePosixPath:
    """``name`` as a relative path; ValueError where it leads outside the folder."""
    path = PurePosixPath(name.replace("\\", "/"))
    if not path.parts or "\0" in name:
        raise ValueError(f"{archive}: member {name!r} names no file; refused as unsafe")
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise ValueError(f"{archive}: member {name!r} leads outside the folder; refused as unsafe")
    return path


def _members(archive: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """The name and an opener of every regular file in an archive."""
    name = archive.name.lower()
    if name.endswith(".zip"):
        yield from _zip_members(archive)
    elif name.endswith((".tar.gz", ".tgz", ".tar")):
        yield from _tar_members(archive)
    elif name.endswith(".7z"):
        yield from _seven_zip_members(archive)
    elif name.endswith(".gz"):
        yield archive.name[:-3], partial(gzip.open, archive, "rb")
    else:
        yield archive.name, partial(archive.open, "rb")


def _zip_members(archive: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """The members of a zip file."""
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            if (info.external_attr >> 16) & 0o170000 == 0o120000:
                raise ValueError(f"{archive}: member {info.filename!r} is a link; refused as unsafe")
            if not info.filename.endswith("/"):
                refuse_unreadable(info, str(archive))
                yield info.filename, partial(opened.open, info)


def _tar_members(archive: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """The members of a tar file, compressed or not."""
    with tarfile.open(archive) as opened:
        for info in opened:
            if info.issym() or info.islnk():
                raise ValueError(f"{archive}: member {info.name!r} is a link; refused as unsafe")
            if info.isfile():
                yield info.name, partial(opened.extractfile, info)
            elif not info.isdir():
                raise ValueError(f"{archive}: member {info.name!r} is not a plain file; refused as unsafe")


def _seven_zip_members(archive: Path) -> Iterator[tuple[str, Callable[[], IO[bytes]]]]:
    """The members of a 7z file, by way of a scratch folder beside it; needs py7zr."""
    try:
        import py7zr
    except ImportError as error:
        raise ValueError(f"{archive}: a 7z file needs py7zr; pip install -r requirements-data.txt") from error
    scratch = Path(tempfile.mkdtemp(dir=archive.parent, prefix=".unpack-"))
    try:
        with py7zr.SevenZipFile(archive) as opened:
            for info in opened.list():
                _inside(archive, info.filename)
                if getattr(info, "is_symlink", False):
                    raise ValueError(f"{archive}: member {info.filename!r} is a link; refused as unsafe")
            if opened.archiveinfo().uncompressed > LARGEST:
                raise ValueError(f"{archive}: unpacks to more than {LARGEST:,} bytes; refused as unsafe")
            opened.extractall(scratch)
        for path in sorted(p for p in scratch.rglob("*") if p.is_file()):
            yield path.relative_to(scratch).as_posix(), partial(path.open, "rb")
    except (py7zr.exceptions.PasswordRequired, py7zr.exceptions.UnsupportedCompressionMethodError) as error:
        raise ValueError(f"{archive}: is encrypted or compressed in a way that cannot be read ({first_line(error)}); "
                         "unpack it first") from error  # fmt: skip
    except (py7zr.exceptions.ArchiveError, lzma.LZMAError) as error:
        raise EOFError(str(error) or "damaged") from error  # as the other libraries do
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
