"""Errors of fetching: missing data, a failed download, a damaged archive."""

from __future__ import annotations


class DownloadFailed(RuntimeError):
    """No complete file with the right checksum came from an address."""


class DataMissing(FileNotFoundError):
    """A data set's files are missing and could not be fetched; the message says what to do."""


class ArchiveDamaged(ValueError):
    """An archive is incomplete or corrupt."""
