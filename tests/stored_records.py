"""Records of made-up stores, written as the store writes them: sealed, with the SHA-256 of a cell's files."""

import json

from evaluation.stored_files import SCHEMAS
from harness.store import write_record
from recsys_data.sealed_json import SEAL, sealed_text


def write_sealed(path, record):
    """Write a record; one of a cell or a failure lists the files that are in its folder now."""
    path.parent.mkdir(parents=True, exist_ok=True)
    record = {"schema": SCHEMAS.get(path.name), **{name: value for name, value in record.items() if name != SEAL}}
    if path.name in ("cell.json", "failure.json"):
        write_record(path, record)
    else:
        path.write_text(sealed_text(record))


def change_sealed(path, **changes):
    """Change fields of a stored record, and seal it again."""
    write_sealed(path, json.loads(path.read_text()) | changes)


def seal_again(folder):
    """Write a cell's record anew after a change of its files."""
    change_sealed(folder / "cell.json")
