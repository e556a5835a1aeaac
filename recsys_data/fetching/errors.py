"""The errors of fetching: data that are not there, a failed download, a damaged archive."""

from __future__ import annotations


class DownloadFailed(RuntimeError):
    """No complete, trustworthy file came from an address."""


class DataMissing(FileNotFoundError):
    """A data set's files are not there and could not be fetched; the message is one sentence that says what to do."""


class ArchiveDamaged(ValueError):
    """An archive whose bytes are not whole."""
