import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from reports.output.bundle import MANIFEST, BundleDamaged, open_bundle, write_bundle
from reports.output.html import render_html
from reports.report import build

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def packed(store, tmp_path_factory):
    path = tmp_path_factory.mktemp("bundle") / "little.zip"
    names = write_bundle(store, "little", path)
    return path, names


def rewritten(path, target, change):
    """A copy of a bundle with its members changed: a function from {name: bytes} to the same."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in change(members).items():
            archive.writestr(name, data)
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


def test_no_member_leaves_its_folder(packed, tmp_path):
    def change(members):
        manifest = json.loads(members[MANIFEST])
        manifest["files"] = {"../evil.json": "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"}
        return {MANIFEST: json.dumps(manifest).encode(), "../evil.json": b"{}"}

    broken = rewritten(packed[0], tmp_path / "evil.zip", change)
    with pytest.raises(BundleDamaged, match="would be written outside"), open_bundle(broken):
        pass
    assert not list(tmp_path.rglob("evil.json"))


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
