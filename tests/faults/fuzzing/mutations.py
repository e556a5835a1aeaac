"""Random changes of well-formed inputs: bytes, words, lines and separators of a text, and parts of a JSON value."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
import re
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

WORDS = (
    b"", b" ", b"0", b"-1", b"+3", b"00", b"1_0", b"0x10", b"1,5", b".5", b"1e3", b"1e400", b"1e-320", b"-0.0", b"nan",
    b"NaN", b"inf", b"-inf", b"9007199254740993", b"9223372036854775807", b"9223372036854775808", b"1" * 400,
    b"-9223372036854775808", b"2147483648", b"99999999999", b"1e15", b"-62135596800", b"253402300800", b"2020-02-30",
    b"9999-12-31T23:59:60Z", b"0001-01-01", b"2020-01-01 00:00:00+14:00", b"12/31/99", b"user", b"item", b"timestamp",
    b"rank", b"query", b"target", b"greater", b"session", b"train", b"\xef\xbb\xbf", b"\0", b"\xff", b"\xc3", b"\r",
    "٣".encode(), "²".encode(), "用户".encode(), "\u2028".encode(), "\u00a0".encode(), b"\x1b[31m", b'"', b"'", b'""',
    b"\\", b"#", b"%", b"::", b"|", b"\n\n", b"\x1f", "\x85".encode(), b"{}", b"[]", b"null", b"true", b"[" * 2000,
    b"a" * 300, b'{"a":' * 2000, b'"a\nb"', b"=", b"../x", b"-1.5", b"2.5", b"1.0",
)  # fmt: skip
SEPARATORS = (b",", b"\t", b";", b"|", b" ", b"::", b"\n", b"\r\n", b"\r")
VALUES = (None, True, False, 0, -1, 2**70, 1.5, -0.0, 1e308, float("nan"), float("inf"), "", "x", "../x", "0", "\0",
          "a/b", "\ud800", "用户", [], {}, [[]], [None], {"a": 1}, [1, "x"], "DONE", "0" * 64)  # fmt: skip
_WORD = re.compile(rb"[^\s,;|:\t\"{}\[\]]+")


def mutated(data: bytes, draws: random.Random, others: Sequence[bytes] = ()) -> bytes:
    """The data after one to three random changes. others: inputs of which a piece may be taken over."""
    for _ in range(draws.choice((1, 1, 1, 2, 3))):
        data = draws.choice(_CHANGES)(data, draws)
    if others and draws.random() < 0.05:
        other = draws.choice(others)
        data = data[: draws.randint(0, len(data))] + other[draws.randint(0, len(other)) :]
    return data


def packed(data: bytes, draws: random.Random) -> bytes:
    """The data in another encoding or in a random container, which may be damaged itself."""
    changed = draws.choice(_PACKERS)(data)
    return mutated(changed, draws) if draws.random() < 0.3 else changed


def mutated_json(value: Any, draws: random.Random) -> Any:
    """A copy of a JSON value with one part replaced, removed, repeated or renamed."""
    if isinstance(value, dict) and value:
        name = draws.choice(list(value))
        if draws.random() < 0.7 and isinstance(value[name], dict | list) and value[name]:
            return value | {name: mutated_json(value[name], draws)}
        kind = draws.random()
        if kind < 0.2:
            return {key: inner for key, inner in value.items() if key != name}
        if kind < 0.3:
            return {f"{key}x" if key == name else key: inner for key, inner in value.items()}
        return value | {name: draws.choice(VALUES)}
    if isinstance(value, list) and value:
        place = draws.randrange(len(value))
        kind = draws.random()
        if kind < 0.7 and isinstance(value[place], dict | list):
            return [*value[:place], mutated_json(value[place], draws), *value[place + 1 :]]
        if kind < 0.8:
            return value[:place] + value[place + 1 :]
        if kind < 0.9:
            return [*value, value[place]]
        return [*value[:place], draws.choice(VALUES), *value[place + 1 :]]
    return draws.choice(VALUES)


def _slice(data: bytes, draws: random.Random) -> tuple[int, int]:
    """The ends of a random piece, mostly a short one."""
    start = draws.randint(0, len(data))
    return start, min(len(data), start + draws.choice((1, 1, 2, 3, 8, 30, 200)))


def _flip(data: bytes, draws: random.Random) -> bytes:
    changed = bytearray(data or b"\0")
    changed[draws.randrange(len(changed))] ^= 1 << draws.randrange(8)
    return bytes(changed)


def _delete(data: bytes, draws: random.Random) -> bytes:
    start, end = _slice(data, draws)
    return data[:start] + data[end:]


def _repeat(data: bytes, draws: random.Random) -> bytes:
    start, end = _slice(data, draws)
    return data[:end] + data[start:end] * draws.choice((1, 2, 50)) + data[end:]


def _cut(data: bytes, draws: random.Random) -> bytes:
    return data[: draws.randint(0, len(data))]


def _zeros(data: bytes, draws: random.Random) -> bytes:
    start, end = _slice(data, draws)
    return data[:start] + bytes(end - start) + data[end:]


def _insert(data: bytes, draws: random.Random) -> bytes:
    place = draws.randint(0, len(data))
    return data[:place] + draws.choice(WORDS) + data[place:]


def _word(data: bytes, draws: random.Random) -> bytes:
    """Replace a word."""
    words = list(_WORD.finditer(data[:4000]))
    if not words:
        return draws.choice(WORDS)
    word = draws.choice(words)
    return data[: word.start()] + draws.choice(WORDS) + data[word.end() :]


def _column(data: bytes, draws: random.Random) -> bytes:
    """Replace every occurrence of a word."""
    words = _WORD.findall(data[:4000])
    return data.replace(draws.choice(words), draws.choice(WORDS)) if words else data


def _lines(data: bytes, draws: random.Random) -> bytes:
    """Remove, repeat, swap or blank lines."""
    lines = data.split(b"\n")
    first, second = draws.randrange(len(lines)), draws.randrange(len(lines))
    kind = draws.randrange(4)
    if kind == 0:
        del lines[first]
    elif kind == 1:
        lines.insert(second, lines[first])
    elif kind == 2:
        lines[first], lines[second] = lines[second], lines[first]
    else:
        lines.insert(first, draws.choice((b"", b" ", b"\t", b"# a comment", b'"', b"\r")))
    return b"\n".join(lines)


def _separate(data: bytes, draws: random.Random) -> bytes:
    """Replace one separator by another, everywhere or once."""
    old, new = draws.choice([s for s in SEPARATORS if s in data] or [b"\n"]), draws.choice(SEPARATORS)
    return data.replace(old, new, draws.choice((-1, -1, 1, 2)))


def _zipped(data: bytes) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("events.csv", data)
    return whole.getvalue()


def _encoded(encoding: str) -> Callable[[bytes], bytes]:
    return lambda data: data.decode("utf-8", "replace").encode(encoding, "replace")


_CHANGES = (_flip, _delete, _repeat, _cut, _zeros, _insert, _insert, _word, _word, _word, _column, _column, _lines,
            _lines, _separate)  # fmt: skip
_PACKERS = (
    lambda data: gzip.compress(data, 1), bz2.compress, lambda data: lzma.compress(data, preset=0), _zipped,
    lambda data: pa.compress(data, "zstd", asbytes=True), lambda data: gzip.compress(_zipped(data), 1),
    *map(_encoded, ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig", "latin-1")),
)  # fmt: skip
