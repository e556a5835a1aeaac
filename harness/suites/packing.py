"""Source of a suite for a bundle: its file and the modules beside it that it imports; and back for a rerun."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.suites.load import ROOT
from harness.system.sources import files_beside


def recorded_file(results: Path, record: Mapping[str, Any]) -> Path | None:
    """The file of the suite of a record in the store ``results``; None where it is not at hand."""
    built_in = ROOT / "suites" / f"{record['suite']}.py"
    path = (results.resolve() / record["file"]).resolve() if record.get("file") else built_in
    return path if path.is_file() else None


def packed_sources(path: Path) -> dict[str, bytes]:
    """The source files of a suite by their names relative to its folder."""
    return {file.relative_to(path.parent).as_posix(): file.read_bytes() for file in files_beside(path)}


def unpacked_source(packed: Path, record: Mapping[str, Any], results: Path) -> str:
    """The source to rerun: the name of a suite of the checkout, or the path of the packed file in ``results``.

    Raises ValueError where the bundle lacks the file.
    """
    if not record.get("file") and (ROOT / "suites" / f"{record['suite']}.py").is_file():
        return str(record["suite"])
    name = record.get("file") or f"{record['suite']}.py"
    if not (packed / "source" / name).is_file():
        raise ValueError(f"the bundle has no source/{name}, since the file was not at hand when it was packed: it "
                         "cannot be rerun; pack it again where the suite's file is")  # fmt: skip
    shutil.copytree(packed / "source", results / "source", dirs_exist_ok=True)
    return str((results / "source" / name).resolve())
