"""MLflow's database is whole or absent; broken ones are set aside, whole ones are left alone."""

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys

import pytest

from harness.system.environment import ROOT
from harness.tracking.database import database, database_problem, ensure_database, tracking_uri


def make(path, experiments=1):
    """A database with the one table that is looked at."""
    with contextlib.closing(sqlite3.connect(path)) as opened:
        opened.execute("CREATE TABLE experiments (name TEXT)")
        opened.executemany("INSERT INTO experiments VALUES (?)", [(str(n) * 3000,) for n in range(experiments)])
        opened.commit()


def create(uri):
    """Make a database at an address, as MLflow does."""
    from sqlalchemy.engine import make_url

    make(make_url(uri).database)


def ensured(root):
    warnings = []
    ensure_database(root, create, warnings.append)
    assert not database_problem(database(root))
    assert not [*root.glob(".mlflow-new-*")]
    return warnings


def test_a_missing_database_is_made_once(tmp_path):
    assert ensured(tmp_path) == []
    before = database(tmp_path).stat()
    assert ensured(tmp_path) == []
    assert database(tmp_path).stat().st_ino == before.st_ino


def half_migrated(path):
    with contextlib.closing(sqlite3.connect(path)) as opened:
        opened.execute("CREATE TABLE alembic_version (version_num TEXT)")


def damaged_inside(path):
    make(path, 400)
    data = bytearray(path.read_bytes())
    for page in range(8, 400, 2):
        data[page * 4096 : page * 4096 + 64] = b"\xff" * 64
    path.write_bytes(data[: 4096 * 400])


BROKEN = {
    "empty": lambda path: path.write_bytes(b""),
    "another kind": lambda path: path.write_bytes(b"no database, but a long text " * 400),
    "half migrated": half_migrated,
    "without its last row": lambda path: make(path, experiments=0),
    "damaged inside": damaged_inside,
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_database_is_set_aside_and_made_anew(tmp_path, kind):
    for number in (1, 2):  # each is kept under a name of its own
        database(tmp_path).unlink(missing_ok=True)
        BROKEN[kind](database(tmp_path))
        broken = database(tmp_path).read_bytes()
        [warning] = ensured(tmp_path)
        assert (tmp_path / f"mlflow.db.broken-{number}").read_bytes() == broken
        assert f"it is kept as mlflow.db.broken-{number} and a new one is made" in warning


def test_a_locked_database_is_not_taken_for_a_broken_one(tmp_path):
    make(database(tmp_path))
    with contextlib.closing(sqlite3.connect(database(tmp_path))) as writer:
        writer.execute("BEGIN EXCLUSIVE")
        assert database_problem(database(tmp_path)) == ""


KILLED = """
import os, signal, sys
from pathlib import Path
from harness.tracking.database import ensure_database
def create(uri):
    Path(uri.removeprefix("sqlite:///")).write_bytes(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
ensure_database(Path(sys.argv[1]), create, print)
"""


def test_a_killed_first_start_leaves_no_half_of_a_database(tmp_path):
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    killed = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    assert not database(tmp_path).exists()
    assert len([*tmp_path.glob(".mlflow-new-*")]) == 1
    assert ensured(tmp_path) == []


@pytest.mark.parametrize("name", ["plain", "a b", "a?b", "a#b", "a%20b", "it's", "ü用", "a;b&c=d", "user:x@host"])
def test_the_address_leads_to_the_results_folder_whatever_its_name(tmp_path, monkeypatch, name):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.chdir(tmp_path)
    root = tmp_path / name
    assert ensured(root) == []
    from sqlalchemy import create_engine, text

    engine = create_engine(tracking_uri(root))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM experiments")).scalar() == 1
    engine.dispose()
    assert [path.name for path in tmp_path.iterdir()] == [name]
