"""Reading of bundles: a suite's results in one zip file, with a checksum per file and one of the whole bundle.

``reports.bundles`` packs them.
"""

from __future__ import annotations

import contextlib
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from evaluation.stored_files import safe_part
from recsys_data.sealed_json import parse_object, sha256, unseal
from reports.output.whole_file_sum import whole_file_changed

MANIFEST = "bundle.json"
SCHEMA = 2
_LARGEST_RATIO, _FREE = (
    50,
    16_000_000,
)  # unpacked bytes per byte of a bundle; fewer than _FREE are always accepted
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_BROKEN_ZIP = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError, ValueError,
               OverflowError, MemoryError)  # fmt: skip
_OTHER_CONTENT = (LookupError, TypeError, AttributeError, ArithmeticError, RecursionError)


class BundleDamaged(ValueError):
    """A bundle differs from what was packed; the message names the file."""


@contextlib.contextmanager
def open_bundle(path: Path) -> Iterator[tuple[Path, str]]:
    """Unpack a bundle into a temporary store; yield its folder and the suite's name.

    All checksums are verified first, and no more bytes are unpacked than the manifest lists: at most 50 times the size
    of the bundle. Raises BundleDamaged naming the first file that was changed, removed or added, and for records that
    no run writes; FileNotFoundError if there is no such bundle.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no bundle at {path}: make one with the command bundle")
    with tempfile.TemporaryDirectory(prefix="encore-bundle-") as folder:
        suite = _unpack(path, Path(folder))
        try:
            yield Path(folder), suite
        except _OTHER_CONTENT as error:  # sealed by something else than a run
            raise BundleDamaged(f"{path} holds records that no run of this version writes "
                                f"({type(error).__name__}: {error}); pack it again") from error  # fmt: skip


def compare_report(root: Path, suite: str, page: str) -> str:
    """Compare a page made of the results with the packed one; return the result as a sentence."""
    packed = root / suite / "report.html"
    if not packed.is_file():
        return "all checksums match; the bundle contains no report to compare with"
    if packed.read_bytes() == page.encode():
        return "all checksums match; the new report is identical to the packed one"
    return (
        "all checksums match; the new report differs from the packed one because this program or its libraries have "
        "another version"
    )


def _unpack(path: Path, folder: Path) -> str:
    """Write every verified member under ``folder``; return the suite's name."""
    try:
        with zipfile.ZipFile(path) as archive:
            suite, files = _manifest(archive, path)
            for name, (size, expected) in files.items():
                _write(folder, name, _checked(archive, path, name, size, expected))
    except BundleDamaged:
        raise
    except _BROKEN_ZIP as error:
        raise BundleDamaged(f"{path} is not a whole bundle ({error}); pack it again") from None
    if whole_file_changed(path):  # names, dates and other bytes between the members
        raise BundleDamaged(f"{path} was changed after packing, outside the content of its files; pack it again")
    return suite


def _manifest(archive: zipfile.ZipFile, path: Path) -> tuple[str, dict[str, tuple[int, str]]]:
    """The suite's name, and size and SHA-256 of each member; raise BundleDamaged unless they fit the members' list."""
    bound = max(_LARGEST_RATIO * path.stat().st_size, _FREE)
    members = {member.filename: member for member in archive.infolist()}
    if MANIFEST not in members:
        raise BundleDamaged(f"{path} is not a whole bundle (it has no {MANIFEST}); pack it again")
    if len(members) < len(archive.infolist()):
        raise BundleDamaged(f"{path}: a member was added after packing, since two have one name")
    for name, member in members.items():
        if member.compress_type not in _METHODS or member.flag_bits & 1:
            raise BundleDamaged(f"{path}: {name} is encrypted or compressed in another way than bundles are")
    total = sum(member.file_size for member in members.values())
    if total > bound:
        raise BundleDamaged(f"{path} would unpack to {total:,} bytes, more than the {bound:,} that a bundle of its "
                            f"size may have (the larger of {_FREE:,} and {_LARGEST_RATIO} times its size)")  # fmt: skip
    try:
        manifest = parse_object(_read(archive, MANIFEST, bound))
        if manifest.get("schema") == SCHEMA:
            manifest = unseal(manifest)
    except _BROKEN_ZIP as error:
        raise BundleDamaged(f"{path}: {MANIFEST} was changed after packing ({error})") from None
    if manifest.get("schema") != SCHEMA:
        raise BundleDamaged(f"{path}: a bundle of schema {manifest.get('schema')}, this program reads {SCHEMA}")
    try:
        files = {name: (int(size), str(expected)) for name, (size, expected) in manifest["files"].items()}
        suite = safe_part(manifest["suite"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BundleDamaged(f"{path}: {MANIFEST} has another form than a bundle's ({error})") from None
    for name in [*files, *members]:
        if name not in files and name != MANIFEST:
            raise BundleDamaged(f"{path}: {name} was added after packing")
        if name not in members:
            raise BundleDamaged(f"{path}: {name} is missing")
        if name in files and members[name].file_size != files[name][0]:
            raise BundleDamaged(f"{path}: {name} was changed after packing: it has {members[name].file_size:,} bytes, "
                                f"not {files[name][0]:,}")  # fmt: skip
    return suite, files


def _read(archive: zipfile.ZipFile, name: str, size: int) -> bytes:
    """The content of a member, at most ``size`` bytes of it and one more."""
    try:
        with archive.open(name) as member:
            return member.read(size + 1)
    except OSError as error:  # a place outside the file
        raise zipfile.BadZipFile(str(error)) from None


def _checked(archive: zipfile.ZipFile, path: Path, name: str, size: int, expected: str) -> bytes:
    """The bytes of a member, verified against its size and checksum."""
    try:
        data = _read(archive, name, size)
    except _BROKEN_ZIP as error:
        raise BundleDamaged(f"{path}: {name} was changed after packing ({error})") from None
    found = sha256(data)
    if found != expected:
        raise BundleDamaged(f"{path}: {name} was changed after packing: SHA-256 {found[:12]}…, not {expected[:12]}…")
    return data


def _write(folder: Path, name: str, data: bytes) -> None:
    """Write a member; refuse a path outside ``folder``."""
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or {"\\", "\0", ":"} & set(name) or "/".join(parts) != name:
        raise BundleDamaged(f"the member {name!r} would be written outside the unpacked folder")
    target = folder.joinpath(*parts)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
        raise BundleDamaged(f"the member {name!r} is in the way of another ({error.strerror})") from None
