"""The content of a user's file, whatever its container: Parquet, objects of JSON, or a text, plain or compressed."""

from __future__ import annotations

import codecs
import io
import re
from dataclasses import dataclass
from pathlib import Path

from recsys_data.columns.open_choice import OpenChoice
from recsys_data.fetching.compressed import ENDINGS, compression, unpack_bytes
from recsys_data.fetching.unpack import LARGEST

PARQUET = b"PAR1"
_START = 512  # bytes that show the kind of a file
_DEEPEST = 3  # containers in one another, such as a .gz in a .zip
_OBJECTS = re.compile(rb"\s*(\[\s*)?\{\s*[\"'}]")
_MARKS = (  # UTF-32 first: its mark begins with that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_OTHER_KINDS = {  # first bytes of kinds that are not read
    b"PARE": "an encrypted Parquet file",
    b"ARROW1": "an Arrow (Feather) file",
    b"ORC": "an ORC file",
    b"Obj\x01": "an Avro file",
    b"\x89HDF": "an HDF5 file",
    b"SQLite format 3": "an SQLite database",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!": "a RAR archive",
    b"\xd0\xcf\x11\xe0": "an Excel workbook",
    b"\x93NUMPY": "a NumPy array",
    b"\x80\x04\x95": "a Python pickle",
    b"\x80\x05\x95": "a Python pickle",
}
_NOT_CP1252 = (0x81, 0x8D, 0x8F, 0x90, 0x9D)
_WORKBOOKS = (".xlsx", ".xlsm", ".ods")


@dataclass(frozen=True)
class Content:
    """The content of a file: ``paths`` of Parquet files, or ``data``, the bytes of Parquet, objects of JSON or text.

    container: the containers in words, from the outside, or "".
    """

    data: bytes = b""
    paths: tuple[Path, ...] = ()
    container: str = ""

    def words(self, layout: str) -> str:
        """The layout of the content, and how it was unpacked, in words."""
        return f"{layout}, {self.container}" if self.container else layout

    @property
    def is_parquet(self) -> bool:
        """Whether the events are in Parquet."""
        return bool(self.paths) or self.data.startswith(PARQUET)

    @property
    def is_json(self) -> bool:
        """Whether the text begins with an object of JSON, or with a list of them."""
        return _OBJECTS.match(self.data[:_START].removeprefix(codecs.BOM_UTF8)) is not None


def read_content(path: Path, largest: int = LARGEST) -> Content:
    """Open the file (or folder of Parquet parts) at ``path`` and unpack it as often as needed.

    The kind of a file is that of its first bytes. Raises ValueError for a kind that is not read, a damaged file, or one
    that unpacks to more than ``largest`` bytes.
    """
    if path.is_dir():
        return Content(paths=tuple(parts_of(path)), container="a folder of parts")
    with path.open("rb") as file:
        start = file.read(_START)
        if start.startswith(PARQUET):
            return Content(paths=(path,))
        if path.suffix.lower() in _WORKBOOKS:
            raise _not_read(path, "an Excel workbook")
        ending = compression(start)
        if ending is None and path.suffix.lower() in ENDINGS and start:
            ending = path.suffix.lower()  # raises the error of a damaged file
        file.seek(0)
        data, endings = b"", []
        while ending is not None:
            data = unpack_bytes(file if not endings else io.BytesIO(data), ending, str(path), largest)
            endings.append(ending)
            ending = compression(data[:_START]) if len(endings) < _DEEPEST else None
        if not endings:
            data = file.read()
    for first, kind in _OTHER_KINDS.items():
        if data.startswith(first):
            raise _not_read(path, kind)
    if data[257:262] == b"ustar":
        raise _not_read(path, "a tar archive")
    return Content(data, container=f"unpacked from {' in '.join(reversed(endings))}" if endings else "")


def parts_of(folder: Path) -> list[Path]:
    """The Parquet files in a folder and its subfolders, sorted; names that begin with _ or . are left out.

    Raises ValueError where there are none, or a file of another kind.
    """
    inside = sorted(path for path in folder.rglob("*") if path.is_file())
    found = [path for path in inside if not any(part[0] in "_." for part in path.relative_to(folder).parts)]
    for path in found:
        with path.open("rb") as file:
            if file.read(4) != PARQUET:
                raise ValueError(
                    f"{folder}: holds {path.relative_to(folder)}, which is no Parquet file; a folder is read as the "
                    "parts of one Parquet table, so give the path of one file"
                )
    if not found:
        raise ValueError(f"{folder}: is a folder without Parquet files; give a file or a folder of Parquet parts")
    return found


SAY_ENCODING = "say --encoding, such as latin-1 or cp1252"


def to_utf8(data: bytes, encoding: str, where: str, advice: str = SAY_ENCODING) -> bytes:
    """A text in UTF-8 without a byte order mark; ``encoding`` is recognised where it is "".

    A byte order mark decides; else a text is UTF-8, or UTF-16 where every other byte of its start is zero. Raises
    ValueError with the line of the first byte that the encoding cannot hold, and ``advice``, what to do about it.
    """
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), "")
    name = encoding or marked or _utf16_without_mark(data[:_START]) or "utf-8"
    try:
        if codecs.lookup(name).name == "utf-8":
            data = data.removeprefix(codecs.BOM_UTF8)
            data.decode("utf-8")
            return data
        return data.decode(name).removeprefix("\ufeff").encode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise OpenChoice(
            f"{where}: line {line} holds the byte 0x{data[error.start]:02x}, which is not {name}; {advice}",
            encoding="latin-1" if any(byte in data for byte in _NOT_CP1252) else "cp1252",
        ) from error
    except UnicodeEncodeError as error:
        raise ValueError(f"{where}: read as {name} it holds {error.object[error.start]!r}, which is no character; "
                         f"{advice}") from error  # fmt: skip
    except (LookupError, ValueError) as error:  # no encoding of this name, or one that is not of texts, such as rot13
        raise ValueError(f"{where}: unknown encoding {encoding!r}; say such as utf-8, utf-16 or latin-1") from error


def _utf16_without_mark(start: bytes) -> str:
    """UTF-16 of either byte order where every other byte is zero, as in texts of ASCII; else nothing."""
    start = start[: len(start) // 2 * 2]
    if len(start) < 4:
        return ""
    if not any(start[1::2]):
        return "utf-16-le"
    return "utf-16-be" if not any(start[::2]) else ""


def _not_read(path: Path, kind: str) -> ValueError:
    """The error for a kind of file that is not read."""
    return ValueError(f"{path}: is {kind}, which cannot be read; save its events as CSV or Parquet")
