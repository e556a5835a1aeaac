"""MLflow's database in a results folder: its address, made complete or not at all, remade where it is broken."""

from __future__ import annotations

import contextlib
import itertools
import os
import sqlite3
import uuid
from collections.abc import Callable
from pathlib import Path

from harness.system.locks import file_lock

_BROKEN = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)  # a missing table gives the first
_NEW = ".mlflow-new-"
_JOURNALS = ("-journal", "-wal", "-shm")  # endings of SQLite's files beside a database


def database(root: Path) -> Path:
    """The path of the database in a results folder."""
    return root.absolute() / "mlflow.db"


def tracking_uri(root: Path) -> str:
    """MLFLOW_TRACKING_URI, or the address of the database in the results folder if it is not set."""
    return os.environ.get("MLFLOW_TRACKING_URI") or _uri(database(root))


def _uri(path: Path) -> str:
    """A database's address; a quoted path names the driver, since MLflow makes a folder of what "sqlite:///" names."""
    from sqlalchemy.engine import URL

    uri = URL.create("sqlite", database=str(path)).render_as_string()
    return uri if uri.endswith(str(path)) else uri.replace("sqlite:", "sqlite+pysqlite:", 1)


def ensure_database(root: Path, create: Callable[[str], None], warn: Callable[[str], None]) -> None:
    """Make the database if it is missing; set a broken one aside, say so by ``warn``, and make a new one.

    ``create`` makes a database at an address. It works on another file, renamed when it is complete, so that a process
    that is killed meanwhile leaves no half of a database.
    """
    path = database(root)
    if path.exists() and not database_problem(path):
        return
    (path.parent / "locks").mkdir(parents=True, exist_ok=True)
    with file_lock(path.parent / "locks" / "mlflow.lock"):
        problem = database_problem(path) if path.exists() else ""
        if problem:
            kept = _set_aside(path)
            warn(f"warning: MLflow's database {path} {problem}; it is kept as {kept.name} and a new one is made: enter "
                 "the stored cells of other suites with python benchmark.py track SUITE")  # fmt: skip
        if problem or not path.exists():
            for left in path.parent.glob(f"{_NEW}*"):
                left.unlink()
            new = path.with_name(f"{_NEW}{uuid.uuid4().hex}.db")  # MLflow keeps connections by name
            create(_uri(new))
            new.rename(path)


def database_problem(path: Path) -> str:
    """The fault of a database, as the end of a sentence; "" if it can be used or cannot be read now."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=rw", uri=True)) as opened:
            (experiments,) = opened.execute("SELECT count(*) FROM experiments").fetchone()
            (state,) = opened.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode & 0xFF not in _BROKEN:  # locked, or not to be opened: MLflow reports it
            return ""
        return "is incomplete" if error.sqlite_errorcode == sqlite3.SQLITE_ERROR else "is damaged"
    return "is damaged" if state != "ok" else "" if experiments else "is incomplete"  # MLflow adds a first one last


def _set_aside(path: Path) -> Path:
    """Rename a database and its journals to the first free name; return the database's new path."""
    names = (path.with_name(f"{path.name}.broken-{number}") for number in itertools.count(1))
    kept = next(name for name in names if not name.exists())
    for ending in _JOURNALS:
        journal = path.with_name(path.name + ending)
        if journal.exists():
            journal.rename(kept.with_name(kept.name + ending))
    return path.rename(kept)
