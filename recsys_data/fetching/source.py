"""Find data files and fetch missing ones: from mirrors, resumable, verified before use, atomic."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from recsys_data.fetching.errors import ArchiveDamaged, DataMissing, DownloadFailed
from recsys_data.fetching.unpack import refuse_link, unpack


def data_folder(folder: Path | None) -> Path:
    """The folder of raw data: ``folder``, else $ENCORE_DATA, else ``data`` in the working directory."""
    return Path(folder) if folder is not None else Path(os.environ.get("ENCORE_DATA") or "data")


def locate(folder: Path | None, name: str) -> Path | None:
    """Find the file ``name`` (such as ml-100k/u.data) or ``name``.xz under the data folder; None if missing."""
    root = data_folder(folder)
    return next((path for path in (root / name, root / f"{name}.xz") if path.is_file()), None)


@dataclass(frozen=True)
class Source:
    """The files of a data set and the official archive that contains them.

    files: names under the data folder. urls: the official address, then mirrors; empty where the data cannot be
    downloaded automatically. checksum: "md5:…" or "sha256:…" as published by the owner; if empty, the first SHA-256
    seen is recorded beside the file (UNPINNED) and the counts are the check. into: the folder, under the data folder,
    that the archive is unpacked to. home: the web page of the data. file_checksums: published checksums of the files
    themselves, verified after unpacking.
    """

    files: tuple[str, ...]
    urls: tuple[str, ...] = ()
    checksum: str = ""
    into: str = "."
    home: str = ""
    file_checksums: tuple[str, ...] = ()

    def present(self, folder: Path | None) -> bool:
        """Whether every file is under the data folder, plain or as .xz."""
        return all(locate(folder, name) is not None for name in self.files)

    def paths(self, folder: Path | None, dataset: str) -> list[Path]:
        """The paths of the files, which are fetched if missing. Raises DataMissing."""
        if not self.present(folder):
            self.fetch(folder, dataset)
        found = [locate(folder, name) for name in self.files]
        missing = [name for name, path in zip(self.files, found, strict=True) if path is None]
        if missing:
            raise DataMissing(
                self.missing_message(folder, dataset, f"the downloaded archive does not contain {missing[0]}")
            )
        return [path for path in found if path is not None]

    def fetch(self, folder: Path | None, dataset: str) -> None:
        """Download from the first working address, verify and unpack. Raises DataMissing.

        A file is used only after its checksum; the next call resumes a broken download. With ENCORE_OFFLINE set, no
        address is tried.
        """
        if not self.urls:
            raise DataMissing(self.missing_message(folder, dataset, "it cannot be downloaded automatically"))
        if os.environ.get("ENCORE_OFFLINE"):
            raise DataMissing(self.missing_message(folder, dataset, "ENCORE_OFFLINE forbids downloads"))
        root, reasons = data_folder(folder), []
        for url in self.urls:
            try:
                archive = download(url, self.checksum, root / "downloads")
                self._unpack_checked(archive, root)
                return
            except (DownloadFailed, ValueError, OSError) as error:
                reasons.append(f"{url}: {error}")
        raise DataMissing(self.missing_message(folder, dataset, "fetching failed (" + "; ".join(reasons) + ")"))

    def _unpack_checked(self, archive: Path, root: Path) -> None:
        """Unpack ``archive`` and verify its files; delete an archive that is not as published."""
        try:
            unpack(archive, root / self.into)
            self._check_files(root)
        except (ArchiveDamaged, DownloadFailed):
            archive.unlink(missing_ok=True)
            _checksum_file(archive).unlink(missing_ok=True)  # so that a mirror or a later call can fetch a good one
            raise

    def _check_files(self, root: Path) -> None:
        """Raise DownloadFailed for a file without its published checksum, and remove it."""
        for name, checksum in zip(self.files, self.file_checksums, strict=False):
            kind, _, digest = checksum.partition(":")
            path = root / name
            if not path.is_file():
                continue
            with path.open("rb") as file:
                found = hashlib.file_digest(file, kind).hexdigest()
            if found != digest:
                path.unlink()
                raise DownloadFailed(f"{name} has the {kind} {found}, the owner published {digest}")

    def missing_message(self, folder: Path | None, dataset: str, reason: str) -> str:
        """The message for missing files: which files, why, and where to put them."""
        names = " and ".join(self.files)
        address = self.urls[0] if self.urls else self.home
        place = f" (from {address})" if address else ""
        return (
            f"{dataset}: {names} not found under {data_folder(folder)} and {reason}; put it there by hand{place}, "
            "plain or xz-compressed, or set ENCORE_DATA to the folder that contains it"
        )


def download(url: str, checksum: str, folder: Path) -> Path:
    """Download ``url`` to ``folder`` and verify it against ``checksum`` ("md5:…", "sha256:…" or "" for none).

    An existing file is verified again. Without a published checksum the first SHA-256 seen is recorded in NAME.sha256
    as UNPINNED, and later files must match it. Raises DownloadFailed, and ValueError where a link would be
    overwritten; a link to a good file is followed.
    """
    import pooch  # imported here: it takes longer than loading a data set

    from recsys_data.fetching.resumable import ResumingDownloader

    folder.mkdir(parents=True, exist_ok=True)
    name = url.rsplit("/", 1)[-1]
    whole, record = folder / name, _checksum_file(folder / name)
    for path in (record, folder / f"{name}.part"):
        refuse_link(path)
    known = checksum or (f"sha256:{record.read_text().split()[0]}" if record.exists() else None)
    if not (whole.exists() and (known is None or pooch.hashes.hash_matches(whole, known))):
        refuse_link(whole)  # else pooch would put the download in its place
    try:
        path = Path(pooch.retrieve(url, known_hash=known, fname=name, path=folder, downloader=ResumingDownloader()))
    except ValueError as error:  # pooch's error for a wrong hash; it has deleted the file
        raise DownloadFailed(f"the downloaded file does not have the checksum {known}") from error
    if known is None:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        record.write_text(f"{digest}  {name}  UNPINNED: first seen here, not published by the owner\n")
    return path


def _checksum_file(archive: Path) -> Path:
    """The file with the first checksum seen of an archive."""
    return archive.with_name(f"{archive.name}.sha256")
