"""Other packages, run in processes of their own: the events written for them, their answers read back.

Peers are no requirement of this project: who measures beside them names the interpreter that has RecBole, or the
interpreter (torch, numpy, pandas) and the checkout of the official GRU4Rec.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recsys_data.interactions import Interactions

HERE = Path(__file__).resolve().parent


def write_events(data: Interactions, folder: Path) -> Path:
    """``folder``, with the events as encore/encore.inter; time is an event's place in its history."""
    path = folder / "encore" / "encore.inter"
    path.parent.mkdir(parents=True, exist_ok=True)
    starts = data.offsets[:-1].repeat(data.offsets[1:] - data.offsets[:-1])
    with path.open("w") as file:
        file.write("user_id:token\titem_id:token\ttimestamp:float\n")
        file.writelines(
            f"{user}\t{item}\t{event - start}\n"
            for event, (user, item, start) in enumerate(
                zip(data.users.tolist(), data.items.tolist(), starts.tolist(), strict=True)
            )
        )
    return folder


def recbole(interpreter: str, folder: Path, model: str, *options: str) -> Iterator[dict[str, Any]]:
    """The records of speed/recbole_peer.py as they come."""
    return _records(interpreter, "recbole_peer.py", [str(folder), model, *options], "RecBole")


def gru4rec(interpreter: str, checkout: str, folder: Path, *options: str) -> Iterator[dict[str, Any]]:
    """The records of speed/gru4rec_peer.py as they come."""
    if not (Path(checkout) / "gru4rec_pytorch.py").exists():
        raise SystemExit(f"{checkout} has no gru4rec_pytorch.py: give a checkout of GRU4Rec_PyTorch_Official")
    return _records(interpreter, "gru4rec_peer.py", [str(folder), checkout, *options], "the official GRU4Rec")


def _records(interpreter: str, script: str, arguments: list[str], name: str) -> Iterator[dict[str, Any]]:
    """The JSON lines that ``script`` prints; SystemExit with one sentence where it cannot be run or fails."""
    if shutil.which(interpreter) is None:
        raise SystemExit(f"{interpreter} is not there: give an interpreter that can run {name}")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = [interpreter, "-P", str(HERE / script), *arguments]  # -P: this folder's files are no modules of theirs
    with (
        tempfile.TemporaryFile("w+") as errors,
        tempfile.TemporaryDirectory() as folder,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment, cwd=folder) as run,
    ):
        for line in run.stdout:
            if line.startswith("{"):
                yield json.loads(line)
        if run.wait():
            errors.seek(0)
            trouble = errors.read().strip().splitlines()
            raise SystemExit(f"{name} stopped: {trouble[-1] if trouble else f'exit {run.returncode}'}")
