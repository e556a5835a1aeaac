"""The recorded differences of two cells: code, data, versions, device and fields, each as a short text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

_FIELDS = {"model_fields": "field", "dataset_fields": "data set field", "protocol_fields": "protocol field"}
_PLAIN = {"device": "device", "device_name": "machine", "threads": "threads", "engine": "engine",
          "precision": "precision", "edition": "edition"}  # fmt: skip
_FINGERPRINTS = {"data": "the events", "split": "the parts of the split"}
# Parts of the environment that decide no bit, or that are said above.
_ENVIRONMENT = {"commit", "dirty", "host_hash", "cores", "memory_mb", "threads"}
_NAMED_FILES = 6


def recorded_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """Every recorded difference of two cell.json records that can go with other ranks."""
    return (*_code(before, after), *_data(before, after), *_files(before, after), *_settings(before, after),
            *_versions(before, after))  # fmt: skip


def _code(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """The source files whose hash differs, or that one side alone has."""
    one, two = (record.get("key_parts", {}).get("code") for record in (before, after))
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        files = sorted(name for name in {**one, **two} if one.get(name) != two.get(name))
        if files:
            rest = f" and {len(files) - _NAMED_FILES} more" if len(files) > _NAMED_FILES else ""
            yield f"code: {', '.join(files[:_NAMED_FILES])}{rest}"
    elif _fingerprint(before, "source") != _fingerprint(after, "source"):
        yield "code: other source files"


def _data(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for name, words in _FINGERPRINTS.items():
        if _fingerprint(before, name) != _fingerprint(after, name):
            yield f"data: {words} differ"


def _fingerprint(record: Mapping[str, Any], name: str) -> Any:
    return record.get("fingerprints", {}).get(name)


def _files(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """The files of ranks that other code computed: by content, since a moved file is the same cell."""
    one, two = (record.get("elsewhere", {}).get("sha256") for record in (before, after))
    if one and two and one != two:
        yield "file of ranks: other content"


def _settings(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """The device, the threads and the fields of model, data set and protocol."""
    elsewhere = "elsewhere" in before and "elsewhere" in after  # then the field ``by`` says what the device name does
    for name, words in _PLAIN.items():
        if name == "device_name" and elsewhere:
            continue
        if before.get(name) != after.get(name):
            yield f"{words}: {before.get(name)} → {after.get(name)}"
    for name, words in _FIELDS.items():
        one, two = _flat(before.get(name) or {}), _flat(after.get(name) or {})
        for field in {**one, **two}:
            if one.get(field) != two.get(field):
                yield f"{words} {field}: {one.get(field)} → {two.get(field)}"


def _flat(fields: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Nested fields as one level, such as loss.margin."""
    found: dict[str, Any] = {}
    for name, value in fields.items():
        found |= _flat(value, f"{prefix}{name}.") if isinstance(value, Mapping) else {prefix + name: value}
    return found


def _versions(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """The libraries, Python and other parts of the environment."""
    one, two = _flat(before.get("environment") or {}), _flat(after.get("environment") or {})
    for name in {**one, **two}:
        if name not in _ENVIRONMENT and one.get(name) != two.get(name):
            yield f"environment {name}: {one.get(name)} → {two.get(name)}"
