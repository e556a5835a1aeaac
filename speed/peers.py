"""Peers: other packages, run in their own processes; writes their input and reads their results.

They are not requirements of this project: the user names the interpreter that has RecBole, or the interpreter (torch,
numpy, pandas) and the checkout of the official GRU4Rec.
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
    """Write the events to encore/encore.inter in ``folder``; return ``folder``. Time is the position in the history."""
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
    """Run speed/recbole_peer.py; yield its records as they arrive."""
    return _records(interpreter, "recbole_peer.py", [str(folder), model, *options], "RecBole")


def gru4rec(interpreter: str, checkout: str, folder: Path, *options: str) -> Iterator[dict[str, Any]]:
    """Run speed/gru4rec_peer.py; yield its records as they arrive."""
    if not (Path(checkout) / "gru4rec_pytorch.py").exists():
        raise SystemExit(f"{checkout} has no gru4rec_pytorch.py: give a checkout of GRU4Rec_PyTorch_Official")
    return _records(interpreter, "gru4rec_peer.py", [str(folder), checkout, *options], "the official GRU4Rec")


def _records(interpreter: str, script: str, arguments: list[str], name: str) -> Iterator[dict[str, Any]]:
    """Yield the JSON records that ``script`` prints; SystemExit if it cannot run or fails."""
    if shutil.which(interpreter) is None:
        raise SystemExit(f"{interpreter} does not exist: give an interpreter that can run {name}")
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    command = [interpreter, "-P", str(HERE / script), *arguments]  # -P: their imports must not find this folder's files
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
            lines = errors.read().strip().splitlines()
            raise SystemExit(f"{name} stopped: {lines[-1] if lines else f'exit {run.returncode}'}")
