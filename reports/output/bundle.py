"""Bundle: a suite's results in one zip file, enough to recompute every statistic and the report.

It holds ranks, cell records, audit findings and the report, with a checksum per file and one of the whole bundle; no
raw data and no weights.
"""

from __future__ import annotations

import contextlib
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from evaluation.results.suite_results import SuiteResults, read_suite
from evaluation.results.tuning_results import LEDGER_FILE, SEARCH_FILE
from evaluation.stored_files import checked_bytes, read_record, safe_part
from recsys_data.atomic_write import atomic_write
from recsys_data.sealed_json import parse_object, sealed_text, sha256, unseal
from reports.output.whole_file_sum import SUM_LENGTH, seal_file, whole_file_changed

MANIFEST = "bundle.json"
_SCHEMA = 2
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date of the zip format, so that the same results give the same bytes
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


def write_bundle(root: Path, suite: str, path: Path) -> list[str]:
    """Pack the results of ``suite`` in the store ``root`` into ``path``; return the names packed.

    Raises FileNotFoundError if the store holds no such suite, and ValueError naming a stored file that was changed.
    """
    sums: dict[str, list] = {}
    with atomic_write(path) as aside:
        with zipfile.ZipFile(aside, "w") as archive:
            for name, data in _files(root, read_suite(root, suite)):
                if name not in sums:
                    sums[name] = [len(data), sha256(data)]
                    _add(archive, name, data)
            _add(archive, MANIFEST, sealed_text({"schema": _SCHEMA, "suite": suite, "files": sums}).encode())
            archive.comment = b"0" * SUM_LENGTH
        seal_file(aside)
    return list(sums)


def _files(root: Path, results: SuiteResults) -> Iterator[tuple[str, bytes]]:
    """Name and content of every stored file that the report of a suite needs, verified, and of the report."""
    folder = root / "suites" / results.name
    for name in ("suite.json", "mlflow.json", "certificate.json"):
        if read_record(folder / name, remedy="remove it") is not None:
            yield f"suites/{results.name}/{name}", (folder / name).read_bytes()
    for cell in results.cells:
        yield from _cell_files(cell.folder, "cell.json", cell.record)
        search = cell.record.get("tuning", {}).get("search")
        for name in (SEARCH_FILE, LEDGER_FILE) if search is not None and cell.search is not None else ():
            yield f"tuning/{search}/{name}", (root / "tuning" / search / name).read_bytes()
    for failure in results.failures:
        record = None if failure.folder is None else read_record(failure.folder / "failure.json", ["files"])
        if record is not None:
            yield from _cell_files(failure.folder, "failure.json", record)
    for file in sorted((root / results.name).glob("report.*")):
        if file.suffix in (".html", ".pdf"):
            yield f"{results.name}/{file.name}", file.read_bytes()


def _cell_files(folder: Path, record_name: str, record: dict) -> Iterator[tuple[str, bytes]]:
    """The record of a cell or a failure, and the files that it lists."""
    yield f"cells/{folder.name}/{record_name}", (folder / record_name).read_bytes()
    for name in record["files"]:
        yield f"cells/{folder.name}/{name}", checked_bytes(folder / safe_part(name), record["files"])


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Add a member with a fixed date; Parquet and PDF are compressed already."""
    member = zipfile.ZipInfo(name, _EPOCH)
    member.external_attr = 0o644 << 16
    stored = name.endswith((".parquet", ".pdf"))
    archive.writestr(member, data, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)


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


def compare_report(root: Path, suite: str, new: Path) -> str:
    """Compare the new page with the packed one; return the result as a sentence."""
    packed = root / suite / "report.html"
    if not packed.is_file():
        return "all checksums match; the bundle contains no report to compare with"
    if packed.read_bytes() == new.read_bytes():
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
        if manifest.get("schema") == _SCHEMA:
            manifest = unseal(manifest)
    except _BROKEN_ZIP as error:
        raise BundleDamaged(f"{path}: {MANIFEST} was changed after packing ({error})") from None
    if manifest.get("schema") != _SCHEMA:
        raise BundleDamaged(f"{path}: a bundle of schema {manifest.get('schema')}, this program reads {_SCHEMA}")
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
