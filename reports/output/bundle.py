"""Bundle: a suite's results in one zip file, enough to recompute every statistic and the report.

It holds ranks, cell records, audit findings and the report, with a checksum per file; no raw data and no weights.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from evaluation.results.suite_results import read_suite
from recsys_data.atomic_write import atomic_write

MANIFEST = "bundle.json"
_SCHEMA = 1
_EXCLUDED = (".pt", ".ckpt", ".tmp")  # weights and half-written files
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest date of the zip format, so that the same results give the same bytes


class BundleDamaged(ValueError):
    """A bundle differs from what was packed; the message names the file."""


def write_bundle(root: Path, suite: str, path: Path) -> list[str]:
    """Pack the results of ``suite`` in the store ``root`` into ``path``; return the names packed.

    Raises FileNotFoundError if the store holds no such suite.
    """
    files = {path.relative_to(root).as_posix(): path for path in _files(root, suite)}
    sums = {name: hashlib.sha256(file.read_bytes()).hexdigest() for name, file in sorted(files.items())}
    manifest = json.dumps({"schema": _SCHEMA, "suite": suite, "files": sums}, indent=1)
    with atomic_write(path) as aside, zipfile.ZipFile(aside, "w") as archive:
        _add(archive, MANIFEST, manifest.encode())
        for name in sums:
            _add(archive, name, files[name].read_bytes())
    return list(sums)


def _files(root: Path, suite: str) -> Iterator[Path]:
    """Every stored file that the report of a suite needs, and the report."""
    results = read_suite(root, suite)
    folders = [root / "suites" / suite, *(cell.folder for cell in results.cells)]
    folders += [root / "tuning" / cell.record["tuning"]["search"] for cell in results.cells if "tuning" in cell.record]
    folders += [failure.folder for failure in results.failures if failure.folder is not None]
    seen = set()
    for folder in folders:
        for file in sorted(folder.rglob("*")) if folder.is_dir() else []:
            if file.is_file() and file.suffix not in _EXCLUDED and file not in seen:
                seen.add(file)
                yield file
    yield from (file for file in sorted((root / suite).glob("report.*")) if file.suffix not in _EXCLUDED)


def _add(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    """Add a member with a fixed date; Parquet and PDF are compressed already."""
    member = zipfile.ZipInfo(name, _EPOCH)
    member.external_attr = 0o644 << 16
    stored = name.endswith((".parquet", ".pdf"))
    archive.writestr(member, data, zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED)


@contextlib.contextmanager
def open_bundle(path: Path) -> Iterator[tuple[Path, str]]:
    """Unpack a bundle into a temporary store; yield its folder and the suite's name.

    All checksums are verified first. Raises BundleDamaged naming the first file that was changed, removed or added,
    and FileNotFoundError if there is no such bundle.
    """
    if not path.is_file():
        raise FileNotFoundError(f"no bundle at {path}: make one with the command bundle")
    with tempfile.TemporaryDirectory(prefix="encore-bundle-") as folder:
        yield Path(folder), _unpack(path, Path(folder))


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
            manifest = json.loads(archive.read(MANIFEST))
            if manifest.get("schema") != _SCHEMA:
                raise BundleDamaged(
                    f"{path}: a bundle of schema {manifest.get('schema')}, this program reads {_SCHEMA}"
                )
            held = [name for name in archive.namelist() if name != MANIFEST]
            for name in [*manifest["files"], *held]:
                if name not in manifest["files"]:
                    raise BundleDamaged(f"{path}: {name} was added after packing")
                if name not in held:
                    raise BundleDamaged(f"{path}: {name} is missing")
            for name, expected in manifest["files"].items():
                _write(folder, name, _checked(archive, path, name, expected))
    except (zipfile.BadZipFile, KeyError, json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BundleDamaged(f"{path} is not a whole bundle ({error}); pack it again") from None
    return manifest["suite"]


def _checked(archive: zipfile.ZipFile, path: Path, name: str, expected: str) -> bytes:
    """The bytes of a member, verified against its checksum."""
    try:
        data = archive.read(name)
    except (zipfile.BadZipFile, zlib.error) as error:
        raise BundleDamaged(f"{path}: {name} was changed after packing ({error})") from None
    found = hashlib.sha256(data).hexdigest()
    if found != expected:
        raise BundleDamaged(f"{path}: {name} was changed after packing: SHA-256 {found[:12]}…, not {expected[:12]}…")
    return data


def _write(folder: Path, name: str, data: bytes) -> None:
    """Write a member; refuse a path outside ``folder``."""
    parts = PurePosixPath(name).parts
    if name.startswith("/") or ".." in parts or "\\" in name or not parts:
        raise BundleDamaged(f"the member {name!r} would be written outside the unpacked folder")
    target = folder.joinpath(*parts)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)
