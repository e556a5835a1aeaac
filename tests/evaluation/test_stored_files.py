"""Stored files: what is damaged is named, with what to do."""

import json

import pytest

from evaluation.results.suite_results import CellResult, read_suite
from evaluation.stored_files import SCHEMAS, checked_bytes, read_record, safe_part
from recsys_data.sealed_json import sealed_text, sha256
from tests.stored_records import change_sealed, seal_again, write_sealed

ENTRY = {"dataset": "d", "protocol": "p", "model": "m", "seed": 0}


@pytest.mark.parametrize(
    "text, said",
    [
        ("", "Expecting value"),
        ('{"key": ', "Expecting value"),
        ("[]", "expected an object"),
        ("\udc80", "utf-8"),
        ("[" * 100_000, "too deeply"),
    ],
)
def test_a_record_that_is_damaged_is_named(tmp_path, text, said):
    path = tmp_path / "cell.json"
    path.write_text(text, errors="surrogateescape")
    with pytest.raises(ValueError, match=f"{path} is damaged .*{said}.*: remove its folder and run again"):
        read_record(path, ["key"])


def test_a_record_is_read_as_it_was_written_and_an_absent_one_is_none(tmp_path):
    path = tmp_path / "k" / "cell.json"
    write_sealed(path, {"key": "k"})
    assert read_record(path, ["key"], belongs={"key": "k"}) == {"schema": 3, "key": "k", "files": {}}
    assert read_record(tmp_path / "none.json", ["key"]) is None
    assert read_record(path / "inside.json") is None
    path.write_text(json.dumps(json.loads(path.read_text())))
    assert read_record(path)["key"] == "k", "blanks are not content"


def test_a_record_of_which_a_value_was_changed_or_that_belongs_elsewhere_is_named(tmp_path):
    path = tmp_path / "cell.json"
    write_sealed(path, {"key": "k", "metrics": {"MRR@20": 0.25}})
    whole = path.read_text()
    with pytest.raises(ValueError, match=r"is damaged \(it belongs to the key k, not to other\): remove its folder"):
        read_record(path, belongs={"key": "other"})
    with pytest.raises(ValueError, match=r"is damaged \(expected an object with name\)"):
        read_record(path, ["key", "name"])
    for old, new, said in (("0.25", "0.26", "not match"), ('"k"', '"l"', "not match"), ("sha256", "sha25", "has no")):
        path.write_text(whole.replace(old, new))
        with pytest.raises(ValueError, match=rf"cell.json is damaged \(it.* {said}"):
            read_record(path)


def test_damaged_or_missing_files_of_a_cell_are_named(tmp_path):
    names = ("ranks.parquet", "sums.parquet", "curve.jsonl")
    for name in names:
        (tmp_path / name).write_bytes(b"PAR1 half of it")
    write_sealed(tmp_path / "cell.json", {"key": "k"})
    cell = CellResult(tmp_path, "d", "p", "m", 0, read_record(tmp_path / "cell.json"))
    for name in names:
        with pytest.raises(ValueError, match=rf"{name} is damaged \(.*: remove its folder and run again"):
            getattr(cell, name.partition(".")[0])
    for name in names:
        (tmp_path / name).unlink()
        with pytest.raises(ValueError, match=rf"{name} is damaged \(.*No such file.*: remove its folder and run again"):
            getattr(cell, name.partition(".")[0])


def test_every_changed_bit_of_a_file_is_named_and_a_record_that_was_rewritten_counts(tmp_path):
    path, data = tmp_path / "curve.jsonl", b'{"epoch": 1}'
    path.write_bytes(data)
    write_sealed(tmp_path / "cell.json", {"key": "k"})
    files = {path.name: sha256(data)}
    assert checked_bytes(path, files) == data
    for bit in range(8 * len(data)):
        changed = bytearray(data)
        changed[bit // 8] ^= 1 << bit % 8
        path.write_bytes(changed)
        with pytest.raises(ValueError, match=r"curve.jsonl is damaged \(its SHA-256 is \w{12}…, the cell's record has"):
            checked_bytes(path, files)
    seal_again(tmp_path)
    assert checked_bytes(path, files) == changed
    with pytest.raises(ValueError, match="the cell's record does not list it"):
        checked_bytes(path, {})


def test_a_result_that_was_removed_is_missing_and_not_done(tmp_path):
    entry = {"dataset": "d", "protocol": "p", "model": "m", "seed": 0, "key": "k", "state": "DONE", "reason": ""}
    path = tmp_path / "suites" / "s" / "suite.json"
    write_sealed(path, {"name": "s", "cells": [entry]})
    [failure] = read_suite(tmp_path, "s").failures
    assert (failure.state, failure.reason) == ("MISSING", "its result is no longer in the store")
    path.write_text(path.read_text()[:40])
    with pytest.raises(ValueError, match=r"suite.json is damaged .*: remove it and run again"):
        read_suite(tmp_path, "s")
    write_sealed(path, {"name": "t", "cells": []})
    with pytest.raises(ValueError, match=r"suite.json is damaged \(it belongs to the name t, not to s\): remove it"):
        read_suite(tmp_path, "s")


@pytest.mark.parametrize("name", ["..", "../x", "/etc", "a/b", "", "a\\b", "a\0", "a\ud800"])
def test_a_name_in_a_record_leads_to_no_other_folder(tmp_path, name):
    with pytest.raises(ValueError, match="cannot name a folder of the results"):
        safe_part(name)
    entry = {"dataset": "d", "protocol": "p", "model": "m", "seed": 0, "key": name}
    write_sealed(tmp_path / "suites" / "s" / "suite.json", {"name": "s", "cells": [entry]})
    if name:
        with pytest.raises(ValueError, match="cannot name a folder of the results"):
            read_suite(tmp_path, "s")


def test_a_record_of_another_schema_says_what_to_do(tmp_path):
    path = tmp_path / "cell.json"
    for text, schema in (('{"key": "k", "schema": 2}', 2), ('{"key": "k"}', None)):
        path.write_text(text)
        said = (
            f"cell.json has schema {schema}, this program reads {SCHEMAS['cell.json']}: remove the results folder, or"
        )
        with pytest.raises(ValueError, match=said):
            read_record(path)
    write_sealed(path, {"key": "k"})
    change_sealed(path, key="l")
    assert read_record(path)["key"] == "l"


@pytest.mark.parametrize(
    ("name", "changes", "said"),
    [
        ("suite.json", {"cells": 1.5}, "cells must be a list, got 1.5"),
        ("suite.json", {"cells": [[]]}, r"cells\[0\] must be an object, got \[\]"),
        ("suite.json", {"cells": [{"model": "m"}]}, "expected an object with dataset, protocol, seed"),
        ("suite.json", {"cells": [ENTRY | {"key": []}]}, r"key must be a text, got \[\]"),
        ("suite.json", {"cells": [ENTRY | {"key": "a/b"}]}, "'a/b' cannot name a folder of the results"),
        ("cell.json", {"files": 0.5}, "files must be an object, got 0.5"),
        ("cell.json", {"files": {"sums.parquet": None}}, "files.sums.parquet must be a text, got None"),
        ("cell.json", {"caveats": None}, "caveats must be a list, got None"),
    ],
)
def test_a_sealed_record_with_a_field_of_another_kind_is_named(tmp_path, name, changes, said):
    cell = {"schema": 3, "key": "k", "files": {}, "metrics": {}, "deterministic": True, "caveats": []}
    suite = {"name": "s", "cells": [ENTRY | {"key": "k"}]}
    files = {
        "suite.json": tmp_path / "suites" / "s" / "suite.json",
        "cell.json": tmp_path / "cells" / "k" / "cell.json",
    }
    for file, record in (("suite.json", suite), ("cell.json", cell)):
        files[file].parent.mkdir(parents=True)
        files[file].write_text(sealed_text({"schema": 3, **record, **(changes if file == name else {})}))
    with pytest.raises(
        ValueError, match=f"{files[name]} is damaged \\({said}.*\\): remove (it|its folder) and run again"
    ):
        read_suite(tmp_path, "s")


@pytest.mark.parametrize(("data", "said"), [("[1]\n", "expected an object"), ("[" * 100_000, "nested too deeply")])
def test_a_curve_that_is_not_of_objects_is_named(tmp_path, data, said):
    (tmp_path / "curve.jsonl").write_text(data)
    cell = CellResult(tmp_path, "d", "p", "m", 0, {"files": {"curve.jsonl": sha256(data.encode())}})
    with pytest.raises(ValueError, match=f"curve.jsonl is damaged .*{said}"):
        _ = cell.curve
