"""Where data files are found, and how they are fetched: mirrors, resumable, checked before use, atomic."""

from __future__ import annotations

import hashlib
import lzma
import os
from dataclasses import dataclass
from pathlib import Path

from recsys_data.fetching.errors import ArchiveDamaged, DataMissing, DownloadFailed
from recsys_data.fetching.unpack import unpack


def data_folder(folder: Path | None) -> Path:
    """The folder that holds raw data: ``folder``, else $ENCORE_DATA, else ``data`` in the working directory."""
    return Path(folder) if folder is not None else Path(os.environ.get("ENCORE_DATA") or "data")


def locate(folder: Path | None, name: str) -> Path | None:
    """The file ``name`` (such as ml-100k/u.data) under the data folder, plain or with .xz beside it, or None."""
    root = data_folder(folder)
    return next((path for path in (root / name, root / f"{name}.xz") if path.is_file()), None)


def read_bytes(path: Path) -> bytes:
    """The content of a file, decompressed where its name ends in .xz. ValueError if it is cut off or not xz."""
    if path.suffix != ".xz":
        return path.read_bytes()
    try:
        return lzma.decompress(path.read_bytes())
    except lzma.LZMAError as error:
        raise ValueError(f"{path}: cannot be decompressed as xz ({error}); it is damaged, copy it again") from error


@dataclass(frozen=True)
class Source:
    """The files of a data set and the official archive that holds them.

    files: names under the data folder. urls: the official address, then mirrors; empty where the data cannot be
    fetched by a program. checksum: "md5:…" or "sha256:…" as the owner published it; empty where none is published:
    then the first-seen SHA-256 is written down beside the file and the counts are the gate (UNPINNED). into: the
    folder, under the data folder, that the archive is unpacked in. home: the page a person would look at.
    file_checksums: those of the files themselves, checked after unpacking, where the owner published these instead.
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
        """Where the files are; they are fetched first if they are not there. Raises DataMissing."""
        if not self.present(folder):
            self.fetch(folder, dataset)
        found = [locate(folder, name) for name in self.files]
        missing = [name for name, path in zip(self.files, found, strict=True) if path is None]
        if missing:
            raise DataMissing(self.sentence(folder, dataset, f"the fetched archive does not hold {missing[0]}"))
        return [path for path in found if path is not None]

    def fetch(self, folder: Path | None, dataset: str) -> None:
        """Download from the first address that answers well, verify, unpack. Raises DataMissing.

        Nothing is trusted before its checksum; a broken download is taken up where it stopped by the next call. With
        ENCORE_OFFLINE set, no address is tried.
        """
        if not self.urls:
            raise DataMissing(self.sentence(folder, dataset, "it cannot be fetched by a program"))
        if os.environ.get("ENCORE_OFFLINE"):
            raise DataMissing(self.sentence(folder, dataset, "ENCORE_OFFLINE forbids fetching it"))
        root, reasons = data_folder(folder), []
        for url in self.urls:
            try:
                archive = download(url, self.checksum, root / "downloads")
                self._unpack_checked(archive, root)
                return
            except (DownloadFailed, ValueError, OSError) as error:
                reasons.append(f"{url}: {error}")
        raise DataMissing(self.sentence(folder, dataset, "fetching failed (" + "; ".join(reasons) + ")"))

    def _unpack_checked(self, archive: Path, root: Path) -> None:
        """The files of ``archive``, checked; one that is not what the owner published does not stay for later calls."""
        try:
            unpack(archive, root / self.into)
            self._check_files(root)
        except (ArchiveDamaged, DownloadFailed):
            archive.unlink(missing_ok=True)
            _note(archive).unlink(missing_ok=True)  # else no mirror and no later call could bring a good one
            raise

    def _check_files(self, root: Path) -> None:
        """DownloadFailed where an unpacked file does not have its published checksum; the file is removed."""
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

    def sentence(self, folder: Path | None, dataset: str, reason: str) -> str:
        """One sentence: what is missing, why, and where to put it by hand."""
        names = " and ".join(self.files)
        address = self.urls[0] if self.urls else self.home
        place = f" (from {address})" if address else ""
        return (
            f"{dataset}: {names} not found under {data_folder(folder)} and {reason}; put it there by hand{place}, "
            "plain or xz-compressed, or point ENCORE_DATA to the folder that has it"
        )


def download(url: str, checksum: str, folder: Path) -> Path:
    """The file behind ``url`` in ``folder``, verified against ``checksum`` ("md5:…", "sha256:…" or "" for none).

    A file already there is verified again. Without a published checksum the first-seen SHA-256 is kept beside it in
    NAME.sha256 as UNPINNED, and a later file must match it. Raises DownloadFailed.
    """
    import pooch  # here, and not above: it takes longer to import than a data set takes to load

    from recsys_data.fetching.resumable import ResumingDownloader

    folder.mkdir(parents=True, exist_ok=True)
    name = url.rsplit("/", 1)[-1]
    note = _note(folder / name)
    known = checksum or (f"sha256:{note.read_text().split()[0]}" if note.exists() else None)
    try:
        path = Path(pooch.retrieve(url, known_hash=known, fname=name, path=folder, downloader=ResumingDownloader()))
    except ValueError as error:  # pooch's word for a wrong hash; the bad file is already gone
        raise DownloadFailed(f"what came does not have the checksum {known}") from error
    if known is None:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        note.write_text(f"{digest}  {name}  UNPINNED: first seen here, published by nobody\n")
    return path


def _note(archive: Path) -> Path:
    """Where the first-seen checksum of an archive is written down."""
    return archive.with_name(f"{archive.name}.sha256")
