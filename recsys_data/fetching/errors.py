"""Errors of fetching: missing data, a failed download, a damaged archive."""

from __future__ import annotations


class DownloadFailed(RuntimeError):
    """No complete file with the right checksum came from an address."""


class DataMissing(FileNotFoundError):
    """A data set's files are missing and could not be fetched; the message says what to do."""


class ArchiveDamaged(ValueError):
    """An archive is incomplete or corrupt."""


def first_line(error: Exception) -> str:
    """The first line of an error's message, or its type where it has none."""
    return (str(error).splitlines() or [type(error).__name__])[0]
