import json
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from recsys_data.sealed_json import sealed_text, sha256
from reports.bundles.write import write_bundle
from reports.output.bundle import MANIFEST, BundleDamaged, open_bundle
from reports.output.html import render_html
from reports.output.whole_file_sum import seal_file
from reports.report import build

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def packed(store, tmp_path_factory):
    path = tmp_path_factory.mktemp("bundle") / "little.zip"
    names = write_bundle(store, "little", path).names
    return path, names


def rewritten(path, target, change):
    """A copy of a bundle with its members changed: a function from {name: bytes} to the same."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    return pack(target, change(members))


def pack(target, members, sealed=False):
    """A bundle of these members; sealed: with the right manifest and sums, as if it had been packed so."""
    if sealed:
        sums = {name: [len(data), sha256(data)] for name, data in members.items()}
        members = members | {MANIFEST: sealed_text({"schema": 2, "suite": "little", "files": sums}).encode()}
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
        archive.comment = b"0" * 64
    seal_file(target)
    return target


def test_it_holds_what_a_report_needs_and_no_raw_data(packed, store):
    _, names = packed
    assert "suites/little/suite.json" in names
    cells = [name for name in names if name.endswith("/cell.json")]
    assert len(cells) == 16
    for cell in cells:
        assert cell.replace("cell.json", "ranks.parquet") in names
    assert sum(name.endswith("/failure.json") for name in names) == 1
    assert {name.rsplit(".", 1)[1] for name in names} <= {"json", "jsonl", "parquet", "html", "pdf", "txt"}


def test_the_report_of_a_bundle_is_the_report_of_the_store(packed, html):
    with open_bundle(packed[0]) as (root, suite):
        assert suite == "little"
        assert render_html(build(root, suite)) == html
        kept = root
    assert not kept.exists()


def test_the_same_results_give_the_same_bundle(packed, store, tmp_path):
    write_bundle(store, "little", tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == packed[0].read_bytes()


def test_a_changed_byte_is_found_and_named(packed, tmp_path):
    def change(members):
        name = next(n for n in members if n.endswith("ranks.parquet"))
        data = bytearray(members[name])
        data[100] ^= 1
        return members | {name: bytes(data)}

    broken = rewritten(packed[0], tmp_path / "changed.zip", change)
    with pytest.raises(BundleDamaged, match=r"cells/\w+/ranks\.parquet was changed"), open_bundle(broken):
        pass


def test_a_byte_changed_in_the_file_itself_is_found_and_named(packed, tmp_path):
    data = bytearray(packed[0].read_bytes())
    with zipfile.ZipFile(packed[0]) as archive:
        member = next(m for m in archive.infolist() if m.filename.endswith("ranks.parquet"))
    data[member.header_offset + 30 + len(member.filename) + 50] ^= 1
    (tmp_path / "flipped.zip").write_bytes(data)
    with pytest.raises(BundleDamaged, match=member.filename), open_bundle(tmp_path / "flipped.zip"):
        pass


@pytest.mark.parametrize(("change", "said"), [
    (lambda m: {n: d for n, d in m.items() if not n.endswith("suite.json")}, "suites/little/suite.json is missing"),
    (lambda m: m | {"extra.json": b"{}"}, "extra.json was added"),
    (lambda m: m | {MANIFEST: json.dumps({"schema": 99}).encode()}, "schema 99"),
    (lambda m: {n: d for n, d in m.items() if n != MANIFEST}, "not a whole bundle"),
])  # fmt: skip
def test_other_damage_is_reported(packed, tmp_path, change, said):
    broken = rewritten(packed[0], tmp_path / "broken.zip", change)
    with pytest.raises(BundleDamaged, match=said), open_bundle(broken):
        pass


@pytest.mark.parametrize(
    "name",
    [
        "../evil.json",
        "/evil.json",
        "a/../../evil.json",
        "a\\..\\evil.json",
        "c:evil.json",
        "a//evil.json",
        "./evil.json",
    ],
)
def test_no_member_leaves_its_folder(tmp_path, name):
    broken = pack(tmp_path / "evil.zip", {name: b"{}"}, sealed=True)
    with pytest.raises(BundleDamaged, match="would be written outside"), open_bundle(broken):
        pass
    assert not list(tmp_path.rglob("evil.json")) and not Path("/evil.json").exists()


def test_every_changed_byte_is_found(packed, tmp_path):
    """Each byte of a small bundle, the zip's own among them, and some of the whole one."""
    small = pack(tmp_path / "small.zip", {"suites/little/suite.json": b"{}"}, sealed=True)
    with open_bundle(small) as (_, suite):
        assert suite == "little"
    rng = np.random.default_rng(0)
    whole = packed[0].read_bytes()
    places = [(small.read_bytes(), at) for at in range(small.stat().st_size)]
    places += [(whole, at) for at in rng.integers(0, len(whole), 40).tolist()]
    for data, at in places:
        changed = bytearray(data)
        changed[at] ^= 1 << int(rng.integers(8))
        (tmp_path / "changed.zip").write_bytes(changed)
        with pytest.raises(BundleDamaged, match=str(tmp_path / "changed.zip")), open_bundle(tmp_path / "changed.zip"):
            pass


@pytest.mark.parametrize(
    "change", [lambda d: d + b"more", lambda d: b"#!/bin/sh\n" + d, lambda d: d[:-70], lambda d: b""]
)
def test_bytes_before_or_after_the_archive_are_found(packed, tmp_path, change):
    (tmp_path / "changed.zip").write_bytes(change(packed[0].read_bytes()))
    said = r"was changed after packing|not a whole bundle"
    with pytest.raises(BundleDamaged, match=said), open_bundle(tmp_path / "changed.zip"):
        pass


def test_a_bundle_that_would_fill_the_disk_is_refused_before_it_is_unpacked(tmp_path):
    bomb = pack(tmp_path / "bomb.zip", {"suites/little/suite.json": bytes(100_000_000)}, sealed=True)
    assert bomb.stat().st_size < 200_000
    tracemalloc.start()
    said = r"would unpack to 100,000,\d+ bytes, more than the 16,000,000"
    with pytest.raises(BundleDamaged, match=said), open_bundle(bomb):
        pass
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


def test_a_bundle_that_declares_a_smaller_size_is_not_unpacked_further(tmp_path):
    liar = pack(tmp_path / "liar.zip", {"a": bytes(20_000_000)}, sealed=True)
    data = liar.read_bytes().replace((20_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little"))
    data = data.replace(b"20000000", b"    1000")
    liar.write_bytes(data)
    seal_file(liar)
    tracemalloc.start()
    with pytest.raises(BundleDamaged, match="was changed after packing|not a whole bundle"), open_bundle(liar):
        pass
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()


SUITE = {"schema": 3, "name": "little", "title": "t", "metrics": ["MRR@20"], "cells": []}
CELL = {"dataset": "d", "protocol": "p", "model": "m", "seed": 0, "state": "MISSING"}


@pytest.mark.parametrize("record", [
    {"name": "another"}, {"cells": 3}, {"cells": [3]}, {"cells": [{}]}, {"cells": [CELL | {"key": "../../../etc"}]},
    {"cells": [CELL | {"key": 3}]}, {"metrics": []}, {"metrics": 3}, {"metrics": ["unknown"]}, {"title": []},
    {"claims": [3]}, {"published": 1},
])  # fmt: skip
def test_no_content_of_a_well_sealed_bundle_is_a_traceback(tmp_path, record):
    made = pack(tmp_path / "odd.zip", {"suites/little/suite.json": sealed_text(SUITE | record).encode()}, sealed=True)
    try:
        with open_bundle(made) as (root, suite):
            build(root, suite)
    except (ValueError, OSError) as error:
        assert str(error)


@pytest.mark.parametrize(
    "manifest",
    [
        {},
        {"suite": "../x"},
        {"suite": 3},
        {"files": 3},
        {"files": {"a": 3}},
        {"files": {"a": ["x", "y"]}},
        {"files": {"a": [1, 2, 3]}},
    ],
)
def test_no_manifest_is_a_traceback(tmp_path, manifest):
    text = sealed_text({"schema": 2, "suite": "little", "files": {}} | manifest) if manifest else "[]"
    with pytest.raises(BundleDamaged), open_bundle(pack(tmp_path / "odd.zip", {MANIFEST: text.encode(), "a": b""})):
        pass


def test_a_changed_cell_is_not_packed(tmp_path, make_store):
    make_store(tmp_path, datasets=("A",), published=False)
    path = next((tmp_path / "cells").glob("*/ranks.parquet"))
    path.write_bytes(path.read_bytes()[:-1] + b"2")
    with pytest.raises(ValueError, match=f"{path} is damaged"):
        write_bundle(tmp_path, "little", tmp_path / "little.zip")
    assert not (tmp_path / "little.zip").exists()


def test_a_missing_or_invalid_bundle_is_an_error_of_one_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="no bundle at"), open_bundle(tmp_path / "none.zip"):
        pass
    (tmp_path / "text.zip").write_text("not a zip")
    with pytest.raises(BundleDamaged, match="not a whole bundle"), open_bundle(tmp_path / "text.zip"):
        pass


def test_a_bundle_needs_no_torch(packed):
    program = (
        "import sys; from pathlib import Path\nfrom reports.output.bundle import open_bundle\n"
        f"with open_bundle(Path({str(packed[0])!r})) as (root, suite):\n    assert suite == 'little'\n"
        "assert 'torch' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
