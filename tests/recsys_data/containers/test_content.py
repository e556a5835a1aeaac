"""Every container of the same events gives the same data; anything else is refused in one sentence."""

import bz2
import gzip
import io
import json
import lzma
import tarfile
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys_data.containers.content import read_content
from recsys_data.files.interaction_file import InteractionFile

CSV = "user,item,timestamp\nü,10,1000000000\nü,9,1000000060\nb,10,1000000007\n"
ROWS = [line.split(",") for line in CSV.splitlines()[1:]]
OBJECTS = [{"user": user, "item": int(item), "timestamp": int(time)} for user, item, time in ROWS]
TABLE = pa.table({"user": [row[0] for row in ROWS], "item": [int(row[1]) for row in ROWS],
                  "timestamp": [int(row[2]) for row in ROWS]})  # fmt: skip


def parquet_bytes(table=TABLE):
    sink = io.BytesIO()
    pq.write_table(table, sink)
    return sink.getvalue()


def zipped(**members):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return sink.getvalue()


def zstd(data):
    return pa.compress(data, codec="zstd", asbytes=True)


TEXT = CSV.encode()
LINES = "".join(json.dumps(event) + "\n" for event in OBJECTS).encode()
FILES = {
    "events.csv": TEXT,
    "bom.csv": CSV.encode("utf-8-sig"),
    "little.csv": b"\xff\xfe" + CSV.encode("utf-16-le"),
    "big.csv": b"\xfe\xff" + CSV.encode("utf-16-be"),
    "wide.csv": CSV.encode("utf-32"),
    "crlf.csv": CSV.replace("\n", "\r\n").encode(),
    "events.csv.gz": gzip.compress(TEXT),
    "events.csv.bz2": bz2.compress(TEXT),
    "events.csv.xz": lzma.compress(TEXT),
    "events.csv.zst": zstd(TEXT),
    "events.zip": zipped(**{"data/events.csv": TEXT}),
    "EVENTS.CSV.GZ": gzip.compress(TEXT),
    "downloaded.csv": gzip.compress(TEXT),  # compressed on the way, and the name does not say so
    "packed.zip": zipped(**{"events.csv.gz": gzip.compress(TEXT)}),
    "utf16.csv.gz": gzip.compress(CSV.encode("utf-16")),
    "events.jsonl": LINES,
    "events.json": LINES,
    "events.txt": LINES.replace(b"\n", b"\r\n\r\n"),
    "events.ndjson.zst": zstd(LINES),
    "list.json": json.dumps(OBJECTS).encode(),
    "pretty.json": json.dumps(OBJECTS, indent=2).encode(),
    "bom.json": b"\xef\xbb\xbf" + LINES,
    "texts.jsonl": "".join(json.dumps({k: str(v) for k, v in event.items()}) + "\n" for event in OBJECTS).encode(),
    "events.parquet": parquet_bytes(),
    "events.pq": parquet_bytes(),
    "noname": parquet_bytes(),
    "events.parquet.gz": gzip.compress(parquet_bytes()),
    "parquet.zip": zipped(**{"events.parquet": parquet_bytes()}),
}


@pytest.fixture
def expected(tmp_path):
    (tmp_path / "expected.csv").write_bytes(TEXT)
    data = InteractionFile(str(tmp_path / "expected.csv")).load()
    assert data.user_ids.tolist() == ["b", "ü"] and data.item_ids.tolist() == [9, 10]
    assert data.timestamps.tolist() == [1_000_000_007, 1_000_000_000, 1_000_000_060]
    return data.fingerprint


@pytest.mark.parametrize("name", FILES)
def test_every_container_gives_the_same_data(tmp_path, expected, name):
    (tmp_path / name).write_bytes(FILES[name])
    data = InteractionFile(str(tmp_path / name)).load()
    assert data.fingerprint == expected
    packed = {"EVENTS.CSV.GZ": ".gz", "downloaded.csv": ".gz", "packed.zip": ".gz in .zip", "parquet.zip": ".zip",
              "events.zip": ".zip"}  # fmt: skip
    ending = packed.get(name, name[name.rindex(".") :] if name.endswith((".gz", ".bz2", ".xz", ".zst")) else "")
    assert (f"unpacked from {ending}" if ending else "read with") in data.edition
    assert ("unpacked" in data.edition) == bool(ending)


def test_utf16_without_a_mark_is_recognised(tmp_path):
    text = "user,item\n1,2\n1,3\n"
    for encoding in ("utf-16-le", "utf-16-be"):
        (tmp_path / "plain.csv").write_bytes(text.encode(encoding))
        assert len(InteractionFile(str(tmp_path / "plain.csv")).load()) == 2


def test_an_encoding_that_is_given_and_one_that_is_needed(tmp_path):
    path = tmp_path / "latin.csv"
    path.write_bytes("user,item\n1,a\n1,é\n".encode("latin-1"))
    with pytest.raises(ValueError, match="latin.csv: line 3 holds the byte 0xe9, which is not utf-8; say --encoding"):
        InteractionFile(str(path)).load()
    assert InteractionFile(str(path), encoding="latin-1").load().item_ids.tolist() == ["a", "é"]
    with pytest.raises(ValueError, match="unknown encoding 'latin-17'"):
        InteractionFile(str(path), encoding="latin-17").load()


def test_a_folder_of_parts_is_one_table(tmp_path, expected):
    folder = tmp_path / "events"
    (folder / "_temporary").mkdir(parents=True)
    for name in ("_SUCCESS", ".part-0.parquet.crc", "_temporary/x.parquet"):
        (folder / name).write_bytes(b"")
    pq.write_table(TABLE.slice(2), folder / "part-00001-c000.snappy.parquet")
    narrow = TABLE.slice(0, 2).set_column(1, "item", TABLE.slice(0, 2)["item"].cast(pa.int32()))
    pq.write_table(narrow, folder / "part-00000-c000.snappy.parquet")
    pq.write_table(TABLE.slice(0, 0), folder / "part-00002-c000.snappy.parquet")
    dataset = InteractionFile(str(folder))
    assert dataset.load().fingerprint == expected and dataset.present(None)
    assert [path.name[:10] for path in dataset.raw_files(None)] == ["part-00000", "part-00001", "part-00002"]


def test_the_order_of_the_parts_is_that_of_their_names(tmp_path):
    folder = tmp_path / "events"
    folder.mkdir()
    for number in (2, 0, 1):
        pq.write_table(pa.table({"user": [1], "item": [number]}), folder / f"part-{number}.parquet")
    assert InteractionFile(str(folder)).load().items.tolist() == [0, 1, 2]


def test_the_folders_of_hive_are_a_column(tmp_path):
    for day, item in (("2020-01-02", 5), ("2020-01-01", 6)):
        (tmp_path / "log" / f"day={day}").mkdir(parents=True)
        pq.write_table(pa.table({"user": [1], "item": [item]}), tmp_path / "log" / f"day={day}" / "part-0.parquet")
    data = InteractionFile(str(tmp_path / "log"), columns=("user=user", "item=item", "timestamp=day")).load()
    assert data.item_ids[data.items].tolist() == [6, 5]


def test_folders_that_are_no_parquet_table(tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    with pytest.raises(ValueError, match="mixed: is a folder without Parquet files; give a file or a folder"):
        InteractionFile(str(folder)).load()
    pq.write_table(TABLE, folder / "a.parquet")
    (folder / "b.csv").write_bytes(TEXT)
    with pytest.raises(ValueError, match="mixed: holds b.csv, which is no Parquet file; .*give the path of one file"):
        InteractionFile(str(folder)).load()
    (folder / "b.csv").unlink()
    pq.write_table(pa.table({"user": [[1]], "item": ["x"]}), folder / "b.parquet")
    with pytest.raises(ValueError, match="mixed: cannot be read as Parquet"):
        InteractionFile(str(folder)).load()


def tar_bytes():
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        info = tarfile.TarInfo("events.csv")
        info.size = len(TEXT)
        archive.addfile(info, io.BytesIO(TEXT))
    return sink.getvalue()


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.csv.gz", TEXT, "cannot be decompressed as gzip"),
        ("a.csv.gz", gzip.compress(TEXT)[:-4], "cannot be decompressed as gzip .*it is damaged, copy it again"),
        ("a.zip", zipped(**{"a.csv": TEXT, "b.csv": TEXT}), r"holds 2 files \(a.csv, b.csv\) instead of one"),
        ("a.tar", tar_bytes(), "is a tar archive, which cannot be read; save its events as CSV or Parquet"),
        ("a.tar.gz", gzip.compress(tar_bytes()), "is a tar archive"),
        ("a.xlsx", zipped(**{"xl/workbook.xml": b""}), "is an Excel workbook, which cannot be read"),
        ("a.feather", b"ARROW1\0\0", r"is an Arrow \(Feather\) file"),
        ("a.pkl", b"\x80\x04\x95" + b"\0" * 9, "is a Python pickle"),
        ("a.parquet", parquet_bytes()[:-20], "cannot be read as Parquet"),
        ("a.parquet", b"", "is empty; expected one event per line"),
        ("a.csv.gz", b"", "is empty; expected one event per line"),
        ("a.json", b'{"user": 1, "item": 2}\n{"user": 1\n', "line 2 is not JSON"),
        ("a.json", b"{'user': 1, 'item': 2}\n", "line 1 is not JSON .*in double quotes"),
        ("a.json", b'{"user": 1, "item": 2}\n[1, 2]\n', r"line 2 is \[.*\], not an object"),
        ("a.json", b'{"user": 1, "item": [2, 3]}\n', r"line 1, key 'item' holds \[.*\]; expected a number or a text"),
        ("a.json", b'{"user": true, "item": 2}\n', "the user column 'user' holds bool"),
        ("a.json", b'[{"user": 1, "item": 2}, {"user": 1}]', "object 2 has no item; fill it in"),
        ("a.json", b'{"user": 1, "item": 2}\n\n{"user": null, "item": 2}\n', "line 3 has no user; fill it in"),
    ],
)
def test_what_cannot_be_read_is_named(tmp_path, name, data, sentence):
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ValueError, match=f"{name}.* {sentence}") as caught:
        InteractionFile(str(tmp_path / name)).load()
    assert "\n" not in str(caught.value)


def test_the_size_is_bounded(tmp_path):
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(b"1,2\n" * 10_000))
    with pytest.raises(ValueError, match="bomb.csv.gz: unpacks to more than 39,999 bytes; refused as unsafe"):
        read_content(tmp_path / "bomb.csv.gz", largest=39_999)
    (tmp_path / "deep.zip").write_bytes(zipped(**{"bomb.csv.gz": gzip.compress(b"1,2\n" * 10_000)}))
    with pytest.raises(ValueError, match="deep.zip: unpacks to more than 39,999 bytes; refused as unsafe"):
        read_content(tmp_path / "deep.zip", largest=39_999)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_event_types_are_kept_from_any_container(tmp_path, kind):
    rows = [("ann", "a", "view"), ("ann", "a", "buy"), ("bo", "b", "view")]
    path = tmp_path / f"log.{kind}"
    if kind == "csv":
        path.write_text("visitorid,itemid,event\n" + "".join(",".join(row) + "\n" for row in rows))
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(dict(zip(("visitorid", "itemid", "event"), row, strict=True))) + "\n"
                                for row in rows))  # fmt: skip
    else:
        users, items, kinds = zip(*rows, strict=True)
        table = {"visitorid": users, "itemid": items, "event": pa.array(kinds).dictionary_encode()}
        pq.write_table(pa.table(table), path)
    data = InteractionFile(str(path), columns=("user=visitorid",)).load()
    assert [data.event_type_names[kind] for kind in data.event_types] == ["view", "buy", "view"]
    assert "event types, all kept: view 2, buy 1; the filter EventTypes(('view',)) of a protocol keeps" in data.edition
    assert InteractionFile(str(path), columns=("user=visitorid", "event=")).load().event_types is None
