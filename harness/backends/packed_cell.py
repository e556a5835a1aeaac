"""Packed cell: the files of a finished cell or of a search as bytes that travel; checksums are verified on arrival."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from evaluation.results.tuning_results import LEDGER_FILE, SEARCH_FILE, read_search
from evaluation.stored_files import REMOVE_FOLDER, checked_bytes, safe_part
from harness.store import Store

PackedFiles = Mapping[str, bytes]  # by name


class ArrivedDamaged(ValueError):
    """Files from a worker that are not what their records say."""


def pack_cell(store: Store, key: str) -> PackedFiles:
    """Pack a finished cell."""
    return {path.name: path.read_bytes() for path in store.folder(key).iterdir()}


def enter_cell(store: Store, key: str, packed: PackedFiles, *, fresh: bool) -> bool:
    """Enter a packed cell; False if a result is stored already, unless ``fresh`` replaces it.

    Raises ArrivedDamaged for files that are not those of the cell's record, and StoreUnusable.
    """
    with _arrived(packed, "cells", key) as arrived:
        record = arrived.record(key)
        if record is None:
            raise ValueError(f"there is no cell.json among {', '.join(sorted(packed)) or 'no files'}")
        files = {
            name: checked_bytes(arrived.folder(key) / safe_part(name), record["files"]) for name in record["files"]
        }
    files["cell.json"] = packed["cell.json"]
    with store.lock(key, wait=True):
        if store.holds(key) and not fresh:
            return False
        store.commit(key, lambda aside: _write(aside, files))
    return True


def pack_search(store: Store, key: str) -> PackedFiles:
    """Pack a search with the trials that it has; empty where there is none."""
    folder = store.search(key)
    return {name: (folder / name).read_bytes() for name in (SEARCH_FILE, LEDGER_FILE) if (folder / name).exists()}


def enter_search(store: Store, key: str, packed: PackedFiles, *, fresh: bool = False) -> None:
    """Enter a packed search where none is stored, or one with fewer trials, or with ``fresh`` one of an earlier run.

    Raises ArrivedDamaged for a damaged one, and StoreUnusable.
    """
    if SEARCH_FILE not in packed:
        return
    with _arrived(packed, "tuning", key) as arrived:
        found = read_search(arrived.search(key))
    assert found is not None
    with store.lock(key, wait=True):
        stored = read_search(store.search(key))
        replaced = stored is None or (fresh and stored.record["run"] != found.record["run"])
        if replaced or len(found.trials) > len(stored.trials):
            for name, data in packed.items():
                store.write_text(store.search(key) / name, data.decode())


@contextlib.contextmanager
def _arrived(packed: PackedFiles, kind: str, key: str) -> Iterator[Store]:
    """A store of packed files alone, to read them with every check."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            _write(Path(folder) / kind / key, packed)
            yield Store(Path(folder))
        except ValueError as error:
            what = str(error).replace(f"{folder}/", "").removesuffix(f": {REMOVE_FOLDER} and run again")
            raise ArrivedDamaged(f"what a worker sent of {kind}/{key} cannot be used: {what}; run again") from error


def _write(folder: Path, packed: PackedFiles) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in packed.items():
        (folder / safe_part(name)).write_bytes(data)
