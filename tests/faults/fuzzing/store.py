"""Random inputs of the readers of a store, of bundles, progress, checkpoints and texts of the command line.

Half of the changed records get a fitting checksum again, so that what is behind the checksum is read too.
"""

from __future__ import annotations

import hashlib
import io
import json
import random
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from evaluation.results.suite_results import read_suite
from evaluation.results.tuning_results import read_search
from harness.cells.progress import JsonlTail, last_epoch, progress_writer
from harness.suites.overrides import Overrides
from harness.suites.parse_overrides import parse_seeds
from harness.suites.variants import stored_options
from recsys_data.sealed_json import sealed_line, sealed_text, sha256
from reports.output.bundle import MANIFEST, open_bundle
from reports.output.whole_file_sum import SUM_LENGTH, seal_file
from tests.faults.damaged_store import NAME, DamagedStore
from tests.faults.fuzzing.files import parquet_of
from tests.faults.fuzzing.mutations import WORDS, mutated, mutated_json
from tests.faults.fuzzing.parser import Input, Parser
from training.checkpoint import FILE, read_checkpoint, write_checkpoint

SETS = ("GRU.dim=64", "dim=8", "GRU.learning_rate=0.1", "GRU.loss.margin=1", "Tuned.epochs=3", "GRU.loss=TOP1", "x.y=1",
        "GRU.dropout=none", "Popularity.window=2", "GRU.bidirectional=true", "GRU.cell=gru")  # fmt: skip
PATTERNS = ("GRU", "small/*", "*/GRU", "*", "G[A-Z]U", "sma*/Pop*", "per-user", "?")
SEEDS = ("5", "0", "0,3,7", "7,", "1,1", "10001", " 2 ", "0-4")


def parsers(folder: Path) -> list[Parser]:
    """The readers of stored files and of texts of the command line."""
    made = DamagedStore.make(folder / "store")
    root = made.store.root
    results = read_suite(root, NAME)
    cell = next(cell for cell in results.cells if cell.model == "GRU")
    search = next((root / "tuning").iterdir())
    return [
        Parser("suite.json", 12_000, _record(root / "suites" / NAME / "suite.json", lambda: _suite(root))),
        Parser("cell.json", 5_000, _record(cell.folder / "cell.json", lambda: _cell(cell.folder))),
        Parser("failure.json", 4_000, _record(next(root.glob("cells/*/failure.json")), lambda: read_suite(root, NAME))),
        Parser("search.json", 12_000, _record(search / "search.json", lambda: _search(search))),
        Parser("a search's ledger", 14_000, _lines(search / "ledger.jsonl", lambda: _search(search))),
        Parser("ranks.parquet, sums.parquet, items.parquet and curve.jsonl", 4_000, _files(cell.folder)),
        Parser("a bundle", 6_000, _bundle(made.bundle)),
        Parser("progress of a cell", 20_000, _progress(folder / "partial" / "0a")),
        Parser("a checkpoint", 8_000, _checkpoint(folder / "checkpoint")),
        Parser("--set, --only, --protocol and --seeds", 40_000, _options(made)),
    ]


def _suite(root: Path) -> None:
    """Read what commands read of a suite's record."""
    read_suite(root, NAME)
    stored_options(NAME, root)


def _cell(folder: Path) -> None:
    """Read every file of a cell."""
    for cell in read_suite(folder.parent.parent, NAME).cells:
        if cell.folder == folder:
            _ = cell.ranks, cell.sums, cell.search, cell.curve, cell.metrics, cell.deterministic, cell.caveats


def _search(folder: Path) -> None:
    """Read a search and what a report shows of it."""
    found = read_search(folder)
    if found is not None:
        _ = found.best, found.best_so_far(), found.expected_best(), found.seconds, found.failed


def _record(path: Path, read: Callable[[], Any]) -> Callable[[random.Random], Input]:
    """A sealed record: damaged bytes, or changed values under a checksum that fits."""
    seed = path.read_bytes()
    value = {name: inner for name, inner in json.loads(seed).items() if name != "sha256"}

    def draw(draws: random.Random) -> Input:
        sealed = draws.random() < 0.5
        data = _sealed(mutated_json(value, draws)) if sealed else mutated(seed, draws)
        path.write_bytes(data)
        names = (str(path), str(path.parent), "the file of suite")  # that suite.json says it was run from
        return Input(lambda: _restored(path, seed, read), names, (path.name, data))

    return draw


def _sealed(value: Any) -> bytes:
    """A value as a sealed text, where it is an object."""
    if not isinstance(value, dict):
        return json.dumps(value).encode()
    return sealed_text(value, allow_nan=True).encode()


def _restored(path: Path, seed: bytes, read: Callable[[], Any]) -> None:
    """Read, and put the file back."""
    try:
        read()
    finally:
        path.write_bytes(seed)


def _lines(path: Path, read: Callable[[], Any]) -> Callable[[random.Random], Input]:
    """Sealed lines: damaged bytes, or changed values under checksums that fit."""
    seed, key = path.read_bytes(), path.parent.name
    records = [json.loads(line) for line in seed.splitlines()]

    def draw(draws: random.Random) -> Input:
        if draws.random() < 0.5:
            changed = mutated_json(records, draws)
            kept = [entry for entry in changed if isinstance(entry, dict)] if isinstance(changed, list) else []
            data = "".join(sealed_line(entry, key) for entry in kept).encode()
        else:
            data = mutated(seed, draws)
        path.write_bytes(data)
        return Input(lambda: _restored(path, seed, read), (str(path), str(path.parent)), (path.name, data))

    return draw


def _files(folder: Path) -> Callable[[random.Random], Input]:
    """The files of a cell: damaged, or other ones that its record lists with their checksum."""
    names = ("ranks.parquet", "sums.parquet", "items.parquet", "curve.jsonl")
    seeds = {name: (folder / name).read_bytes() for name in (*names, "cell.json")}
    record = {name: inner for name, inner in json.loads(seeds["cell.json"]).items() if name != "sha256"}
    columns = {
        "ranks.parquet": ("cluster", "query", "target", "repeat", "history", "candidates", "greater", "tied"),
        "sums.parquet": ("cluster", "count", "MRR@20", "Recall@20"),
        "items.parquet": ("count",),
    }

    def draw(draws: random.Random) -> Input:
        name = draws.choice(names)
        other = name in columns and draws.random() < 0.3
        data = parquet_of(draws, columns[name]) if other else mutated(seeds[name], draws)
        listed = {**record["files"], name: sha256(data)} if draws.random() < 0.7 else record["files"]
        (folder / name).write_bytes(data)
        (folder / "cell.json").write_text(sealed_text({**record, "files": listed}))

        def read() -> None:
            try:
                _cell(folder)
            finally:
                for each in (name, "cell.json"):
                    (folder / each).write_bytes(seeds[each])

        return Input(read, (str(folder),), (name, data))

    return draw


def _bundle(path: Path) -> Callable[[random.Random], Input]:
    """Bundles: damaged bytes, or members, names and manifests that are changed and packed with fitting sums."""
    seed = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if not name.endswith((".html", ".pdf"))}
    target = path.with_name("fuzzed.zip")

    def draw(draws: random.Random) -> Input:
        if draws.random() < 0.5:
            data = mutated(seed, draws)
            target.write_bytes(data)
        else:
            data = _repacked(members, target, draws)

        def read() -> None:
            with open_bundle(target) as (root, name):
                read_suite(root, name)

        return Input(read, (str(target), "the member", "encore-bundle-"), data[:200])

    return draw


def _repacked(members: dict[str, bytes], target: Path, draws: random.Random) -> bytes:
    """Write a bundle with changed members; return its manifest."""
    files = {name: data for name, data in members.items() if name != MANIFEST}
    name = draws.choice(list(files))
    kind = draws.randrange(4)
    if kind == 0:
        files[draws.choice(("../x", "/x", "a\\b", "cells", "suites/small/suite.json/x", "a/../b", "", "é"))] = b"x"
    elif kind == 1:
        files[name] = mutated(files[name], draws)
    elif kind == 2 and name.endswith(".json"):
        value = {key: inner for key, inner in json.loads(files[name]).items() if key != "sha256"}
        files[name] = _sealed(mutated_json(value, draws))
    sums: Any = {member: [len(data), sha256(data)] for member, data in files.items()}
    manifest: Any = {"schema": 2, "suite": NAME, "files": sums}
    packed = _sealed(mutated_json(manifest, draws) if kind == 3 else manifest)
    with zipfile.ZipFile(target, "w") as archive:
        for member, data in files.items():
            archive.writestr(member or "x", data)
        archive.writestr(MANIFEST, packed)
        archive.comment = b"0" * SUM_LENGTH
    seal_file(target)
    return packed


def _progress(folder: Path) -> Callable[[random.Random], Input]:
    """Progress of a running cell, which is never refused: damaged lines are left out."""
    write = progress_writer(folder)
    for epoch in range(3):
        write({"event": "epoch", "epoch": epoch, "loss": 0.5})
    path = folder / "progress.jsonl"
    records = [json.loads(line) for line in path.read_bytes().splitlines()]
    seed = path.read_bytes()

    def draw(draws: random.Random) -> Input:
        data = mutated(seed, draws)
        if draws.random() < 0.4:
            changed = mutated_json(records, draws)
            kept = [entry for entry in changed if isinstance(entry, dict)] if isinstance(changed, list) else []
            data = "".join(sealed_line(entry, folder.name) for entry in kept).encode()
        path.write_bytes(data)
        return Input(lambda: (JsonlTail(path).new_records(), last_epoch(folder)), ("none",), data)

    return draw


def _checkpoint(folder: Path) -> Callable[[random.Random], Input]:
    """Checkpoints: damaged, or changed under a checksum that fits."""
    folder.mkdir()
    write_checkpoint(folder, {"identity": "fit", "epoch": 1, "weights": torch.arange(6.0)})
    path = folder / FILE
    seed = path.read_bytes()

    def draw(draws: random.Random) -> Input:
        data = mutated(seed, draws)
        if draws.random() < 0.5:
            data = mutated(seed[:-32], draws)
            if draws.random() < 0.3:
                whole = io.BytesIO()
                torch.save(mutated_json({"identity": "fit", "epoch": 1, "state": {"a": [1]}}, draws), whole)
                data = whole.getvalue()
            data += hashlib.sha256(data).digest()
        path.write_bytes(data)
        return Input(lambda: read_checkpoint(folder, "fit"), (str(path),), data[-300:])

    return draw


def _options(made: DamagedStore) -> Callable[[random.Random], Input]:
    """Texts of the command line that change and select the cells of a suite."""
    suite = made.request.load().suite

    def text(draws: random.Random, seeds: Sequence[str]) -> str:
        data = draws.choice(seeds).encode()
        data = mutated(data, draws, [word for word in WORDS if len(word) < 400]) if draws.random() < 0.8 else data
        return data.decode("utf-8", "surrogateescape")

    def draw(draws: random.Random) -> Input:
        kind = draws.choice(("--set", "--set", "--only", "--protocol", "--seeds"))
        given = text(draws, {"--set": SETS, "--seeds": SEEDS}.get(kind, PATTERNS))

        def read() -> None:
            if kind == "--seeds":
                parse_seeds(given)
                return
            field: dict[str, Any] = {"--set": {"sets": (given,)}}.get(kind, {kind[2:]: given})
            chosen = replace(Overrides(), **field)
            changed = chosen.apply(suite)
            chosen.selection(changed)
            chosen.variant(suite)

        return Input(read, (kind,), given)

    return draw
