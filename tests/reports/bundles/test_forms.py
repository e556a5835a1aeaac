"""What no bundle holds, and what every bundle says of itself."""

import io
import json
import re
import socket
import zipfile
from pathlib import Path

import pypdf
import pytest
from rocrate.rocrate import ROCrate

from recsys_data.sealed_json import sha256
from reports.bundles.paths import ROOT, Machine
from reports.bundles.write import Form, write_bundle
from reports.output.bundle import compare_report, open_bundle
from reports.output.html import render_html
from reports.report import build
from tests.stored_records import change_sealed, write_sealed

ALICE = "alice-q-smith"
SOURCE = b'"""A suite."""\n\nSUITE = None\n'


@pytest.fixture(scope="module")
def told(make_store, tmp_path_factory):
    """A store whose records name folders, the host and a user of this machine wherever a run writes texts."""
    home = tmp_path_factory.mktemp(ALICE)
    root = home / "my results"
    record = make_store(root, seeds=(0, 1), queries=120)
    suite = root / "suites" / "little" / "suite.json"
    command = f"python benchmark.py run {home}/suites/little.py --results '{root}' --data /srv/{ALICE}/data"
    cells = [cell | {"command": f"{command} --only x/y"} for cell in record["cells"]]
    change_sealed(suite, command=command, cells=cells, suite="little", file=f"../suites/{ALICE}/little.py")
    failed = next(root.glob("cells/*/failure.json"), None)
    if failed is None:
        failed = root / "cells" / cells[0]["key"] / "failure.json"
        for path in failed.parent.iterdir():
            path.unlink()
    lines = [
        f'File "{ROOT}/harness/x.py", line 3, on {socket.gethostname()}',
        'File "/usr/lib/python3.11/site-packages/torch/nn.py"',
        f"{home}/x.npy",
    ]
    (failed.parent / "traceback.txt").write_text("\n".join(lines))
    reason = f"{home}/x.npy is absent, says {ALICE}"
    write_sealed(failed, {"key": failed.parent.name, "reason": reason, "state": "FAILED"})
    for path in root.glob("cells/*/cell.json"):
        change_sealed(path, command=command, dataset_fields={"path": f"{home}/events.csv"},
                      environment={"host_hash": "0123456789ab", "commit": "e7" * 20, "python": "3.11"})  # fmt: skip
    return home, root


@pytest.fixture(scope="module")
def packed(told, tmp_path_factory):
    home, root = told
    folder = tmp_path_factory.mktemp("forms")
    machine = Machine.here([root, home])
    with pytest.MonkeyPatch.context() as patch:
        names = (*machine.names, ALICE, socket.gethostname())
        patch.setattr(Machine, "here", lambda _: Machine(machine.folders, names))
        for name, form in {"full": Form(), "anonymous": Form(anonymous=True)}.items():
            write_bundle(root, "little", folder / f"{name}.zip", form, sources={"little.py": SOURCE})
    return folder


def texts(bundle):
    """The text of every member, of a PDF its pages'; of other binary files their bytes as Latin-1."""
    with zipfile.ZipFile(bundle) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            if name.endswith(".pdf"):
                reader = pypdf.PdfReader(io.BytesIO(data))
                yield name, " ".join([*(page.extract_text() for page in reader.pages), str(reader.metadata)])
            else:
                yield name, data.decode("latin-1")


@pytest.mark.parametrize("form", ["full", "anonymous"])
def test_no_bundle_holds_a_path_of_this_machine(told, packed, form):
    home, root = told
    for name, text in texts(packed / f"{form}.zip"):
        for path in (str(home), str(root), str(ROOT), str(Path.home()) + "/", f"/srv/{ALICE}", str(home.parent)):
            assert path not in text, (name, path)


def test_an_anonymous_bundle_holds_no_name(packed):
    for name, text in texts(packed / "anonymous.zip"):
        assert ALICE not in text and "0123456789ab" not in text and "e7" * 10 not in text, name
        assert not re.search(rf"(?<!\w){re.escape(socket.gethostname())}(?!\w)", text) or name.endswith(".parquet"), (
            name
        )


def test_an_anonymous_bundle_names_no_commit_where_no_text_had_to_change(make_store, tmp_path):
    root = tmp_path / "r"
    make_store(root, seeds=(0,), queries=120)
    for path in root.glob("cells/*/cell.json"):
        change_sealed(path, environment={"host_hash": "0123456789ab", "commit": "e7" * 20, "python": "3.11"})
    write_bundle(root, "little", tmp_path / "a.zip", Form(anonymous=True), sources={"little.py": SOURCE})
    for name, text in texts(tmp_path / "a.zip"):
        assert "0123456789ab" not in text and "e7" * 5 not in text, name
    with open_bundle(tmp_path / "a.zip") as (folder, _):
        assert json.loads(next(folder.glob("cells/*/cell.json")).read_text())["environment"] == {"python": "3.11"}


def test_a_path_keeps_what_helps_a_reader(packed):
    found = dict(texts(packed / "full.zip"))
    trace = next(text for name, text in found.items() if name.endswith("traceback.txt"))
    assert 'File "harness/x.py", line 3' in trace and 'File "site-packages/torch/nn.py"' in trace
    assert "run suites/little.py --results" in found["suites/little/suite.json"]
    assert '"path": "events.csv"' in next(text for name, text in found.items() if name.endswith("cell.json"))


@pytest.mark.parametrize(("text", "kept"), [
    ("run '/home/a b/x.py' --data /srv/d", "run 'a b/x.py' --data /srv/d"),
    ("MRR /s, 5/6, and/or, <b>taps</b>, a/b", None),
    ("https://doi.org/10.1/x and recsys_data/x.py", None),
    ("(see file:///a/b/c.csv)", "(see c.csv)"), ("../../a/x.py; ~/q/z.csv.", "x.py; z.csv."),
    ("run '/q/a b/x.py' --results '/q/a b'", "run 'x.py' --results 'a b'"),
    (r"C:\Users\a\x.csv", "x.csv"), ("N=/a/b;", "N=b;"),
])  # fmt: skip
def test_paths_in_texts(text, kept):
    machine = Machine(("/home",))
    cleaned = machine.clean(text)
    assert cleaned == (text if kept is None else kept) or text.startswith("run '")
    assert "/home" not in cleaned


def test_a_name_that_is_left_in_the_source_is_refused(store, tmp_path, monkeypatch):
    monkeypatch.setattr(Machine, "here", lambda _: Machine((), (ALICE,)))
    source = {"little.py": SOURCE + f"# by {ALICE}\n".encode()}
    with pytest.raises(ValueError, match=rf"source/little.py, line 4, holds '{ALICE}', a name of this machine"):
        write_bundle(store, "little", tmp_path / "a.zip", Form(anonymous=True), sources=source)
    assert not (tmp_path / "a.zip").exists()


def test_a_path_in_the_source_is_replaced_and_told(store, tmp_path):
    source = {"little.py": SOURCE + f'X = "{ROOT}/data/x.csv"\n'.encode()}
    packed = write_bundle(store, "little", tmp_path / "a.zip", sources=source)
    assert packed.notes == ["source/little.py, line 4: an absolute path was replaced by the file's name"]
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.read("source/little.py").endswith(b'X = "data/x.csv"\n')


def test_the_report_in_it_is_the_one_of_its_results(packed):
    for form in ("full", "anonymous"):
        with open_bundle(packed / f"{form}.zip") as (root, suite):
            page = render_html(build(root, suite))
            assert compare_report(root, suite, page).endswith("identical to the packed one")


def test_its_crate_describes_every_file(packed, tmp_path):
    with zipfile.ZipFile(packed / "anonymous.zip") as archive:
        archive.extractall(tmp_path)
        names = set(archive.namelist()) - {"bundle.json", "ro-crate-metadata.json"}
    crate = ROCrate(tmp_path)
    files = {entity.id: entity for entity in crate.data_entities}
    assert set(files) == names
    for name, entity in files.items():
        data = (tmp_path / name).read_bytes()
        assert (entity["contentSize"], entity["sha256"]) == (str(len(data)), sha256(data))
    assert crate.root_dataset["license"]["description"].endswith("research only.")
    assert crate.root_dataset["citation"]["name"] == "On small things"


def test_its_readme_names_what_it_holds(packed):
    text = dict(texts(packed / "full.zip"))["README.txt"]
    assert "report --from little.zip" in text and "rerun --from little.zip" in text
    assert "ranks.parquet" in text and "kept.json" not in text
    assert max(map(len, text.split("\n"))) <= 96


def test_the_form_to_share_has_the_same_bytes_every_time(store, tmp_path):
    for name in ("first", "second"):
        write_bundle(store, "little", tmp_path / f"{name}.zip", Form(share=True))
    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()
