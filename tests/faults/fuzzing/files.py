"""Random inputs of the parsers of data: a user's files of events, sequence files, .lst files, catalogued data sets."""

from __future__ import annotations

import datetime
import decimal
import gzip
import io
import random
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from recsys_data.datasets.amazon.editions import AmazonFiveCore, AmazonPaper
from recsys_data.datasets.amazon.reviews import AmazonReviews
from recsys_data.datasets.citeulike import CiteULikeHCRNN, CiteULikeLibraries, CiteULikeLog
from recsys_data.datasets.diginetica import Diginetica, DigineticaViews
from recsys_data.datasets.imported import Imported, store_imported
from recsys_data.datasets.lastfm import LastFM1K, LastFMArtistSessions, LastFMUserArtist
from recsys_data.datasets.movielens import MovieLens1M, MovieLens1MLate, MovieLens1MSASRec, MovieLens100K
from recsys_data.datasets.yoochoose import YooChoose64, YooChoose100k, YooChooseClicks
from recsys_data.fetching.unpack import unpack
from recsys_data.files.interaction_file import InteractionFile
from recsys_data.files.sequence_files import SequenceFiles
from recsys_data.files.time_lstm_files import GAPS, ITEMS, SINCE, LstFiles
from recsys_data.interactions import Clock
from tests.faults.fuzzing.mutations import mutated, packed
from tests.faults.fuzzing.parser import Input, Parser, written


def _rows(pattern: str, count: int = 7) -> bytes:
    """Lines made from a pattern with u(ser), i(tem), t(ime) and r(ating)."""
    lines = (pattern.format(u=n % 3 + 1, i=n % 4 + 10, t=978_300_000 + 7 * n, r=n % 5 + 1, d=f"2020-01-0{n % 7 + 1}")
             for n in range(count))  # fmt: skip
    return "".join(f"{line}\n" for line in lines).encode()


_DATES = b"user_id,item_id,event_type,event_time\n" + _rows("{u},{i},view,{d} 10:00:00 UTC")
EVENTS: tuple[tuple[str, bytes, dict[str, Any]], ...] = (
    ("a.csv", b"user,item,timestamp,rating\n" + _rows("{u},{i},{t},{r}"), {}),
    ("a.inter", b"user_id:token\titem_id:token\trating:float\ttimestamp:float\n" + _rows("{u}\t{i}\t{r}\t{t}"), {}),
    ("a.dat", _rows("{u}::{i}::{r}::{t}"), {"columns": ("user", "item", "rating", "timestamp")}),
    ("a.tsv", b"SessionId\tItemId\tTime\n" + _rows("{u}\t{i}\t{t}.5"), {}),
    ("a.txt", _rows("{u} {i}"), {"columns": ("user", "item"), "header": False}),
    ("a.txt", _rows("{u}   {i}\t {t}"), {"columns": ("user", "item", "timestamp"), "separator": r"\s+"}),
    ("a.csv", b'"user";"item";"date"\n' + _rows('"{u}";"it;em{i}";"{d}"'), {}),
    ("a.csv", _DATES, {}),
    ("a.csv", b"userId,productId,when\n" + _rows("u{u},p{i},{d}T12:00:00+02:00"),
     {"columns": ("user=userId", "item=productId", "timestamp=when")}),
    ("a.csv", b"# made by hand\nuser,item,published_part\n" + _rows("{u},{i},train"), {}),
    ("a.csv", b"session_id;user_id;item_id;timeframe;eventdate\n" + _rows("{u};NA;{i};{t};{d}"), {}),
    ("a.csv", b'"user" "item"\n' + _rows('"{i}" "{u}" "{i}"'), {}),
    ("a.json", _rows('{{"user": {u}, "item": "i{i}", "timestamp": {t}}}'), {}),
    ("a.json", b"[" + _rows('{{"user": {u}, "item": {i}, "rating": {r}.5, "time": "{d}"}},', 4)
     + b'{"user": 1, "item": 2, "rating": 1, "time": "2020-01-01"}]', {}),
)  # fmt: skip
_OPTIONS: dict[str, Sequence[Any]] = {
    "columns": (("user", "item"), ("user", "item", "timestamp"), ("item", "user", "", "rating"), ("timestamp=",),
                ("user=user", "item=item"), ("session=user", "item=item"), ("timestamp=rating",), ("event=rating",),
                ("part=item",)),
    "separator": (",", "\t", ";", "|", " ", "::", r"\s+", '"', "é", "\n", "\r", "\0", "a", "1", ",,"),
    "header": (True, False),
    "comment": ("#", "%", "", "//", "\n", "u"),
    "encoding": ("utf-8", "utf-16", "latin-1", "cp1252", "ascii", "rot13", "idna", "undefined", "utf-7", "hex",
                 "nonsense", "\0", "utf-8-sig", "unicode_escape"),
    "time_format": ("%Y-%m-%d", "%d.%m.%Y", "%", "%Q", "%s", "x", "%Y-%m-%d %H:%M:%S UTC", "\0", "%j", "%z"),
    "time_unit": ("s", "ms", "us", "ns", "day"),
    "clock": [clock.value for clock in Clock],
    "drop_missing": (True,),
    "drop_unreadable": (True,),
}  # fmt: skip
_NAMES = ("user", "item", "timestamp", "rating", "session", "event_type", "published_part", "user_id", "date", "x", "",
          "rank", "query", "target", "greater", "tied", "candidates", "metric", "value", "mrr@20", "score")  # fmt: skip
_COLUMNS: tuple[Callable[[random.Random], tuple[Any, pa.DataType]], ...] = (
    lambda d: (d.randint(-2, 9), pa.int64()),
    lambda d: (d.randint(0, 9), pa.uint8()),
    lambda d: (d.randint(0, 2**64 - 1), pa.uint64()),
    lambda d: (d.choice(("a", "b", "", "1", "2.5", "nan", "train", "\0", "é", "1e400")), pa.string()),
    lambda d: (d.choice(("a", "b", "7")), pa.dictionary(pa.int8(), pa.string())),
    lambda d: (d.choice((0.0, 1.0, 2.5, -1.0, 1e300, float("nan"), float("inf"), 978e6)), pa.float64()),
    lambda d: (d.choice((0.0, 1.0, float("nan"))), pa.float16()),
    lambda d: (d.choice((0, 10**18, -(10**18), 978_300_000)), pa.timestamp(d.choice(("us", "ns")))),
    lambda d: (d.choice((0, 10**11, 978_300_000)), pa.timestamp(d.choice(("s", "ms")))),
    lambda d: (d.choice((0, 978_300_000)), pa.timestamp("us", d.choice(("UTC", "Europe/Berlin")))),
    lambda d: (d.choice((datetime.date(2020, 1, 1), datetime.date(1, 1, 1), datetime.date(9999, 12, 31))), pa.date32()),
    lambda d: (d.random() < 0.5, pa.bool_()),
    lambda d: (decimal.Decimal(d.randint(-9, 9)) / 4, pa.decimal128(10, 2)),
    lambda d: ([d.randint(0, 3)] * d.randint(0, 2), pa.list_(pa.int32())),
    lambda d: ({"a": d.randint(0, 3)}, pa.struct([("a", pa.int32())])),
    lambda d: (d.choice((b"a", b"\xff", b"")), pa.binary()),
    lambda d: (d.randint(0, 86_399), pa.time32("s")),
    lambda d: (d.randint(0, 99), pa.duration("s")),
    lambda d: (None, pa.null()),
    lambda d: (d.choice(("x", "y")), pa.large_string()),
    lambda d: ([(d.choice("ab"), 1)], pa.map_(pa.string(), pa.int8())),
)  # fmt: skip


def parsers(folder: Path) -> list[Parser]:
    """The parsers of data."""
    for name in ("events", "sequences", "lst", "imported"):
        (folder / name).mkdir(parents=True)
    return [
        Parser("a user's file of events in text or JSON", 45_000, lambda draws: _events(draws, folder / "events")),
        Parser("a user's file of events in a container or another encoding", 10_000,
               lambda draws: _events(draws, folder / "events", packed)),
        Parser("a user's file of events in Parquet", 10_000, lambda draws: _parquet(draws, folder / "events")),
        Parser("sequence files", 30_000, lambda draws: _sequences(draws, folder / "sequences")),
        Parser("Time-LSTM's .lst files", 30_000, lambda draws: _lst(draws, folder / "lst")),
        Parser("an imported data set", 5_000, _imported(folder / "imported")),
        Parser("raw files of the catalogue's data sets", 30_000, _catalogued(folder)),
        Parser("archives of data sets", 6_000, _archives(folder / "archives")),
    ]  # fmt: skip


def parquet_of(draws: random.Random, names: Sequence[str]) -> bytes:
    """A Parquet file of random columns; most of them have the names, in this order."""
    kept = [name if draws.random() < 0.9 else draws.choice(_NAMES) for name in names]
    kept += draws.choices(_NAMES, k=draws.choice((0, 0, 1)))
    rows, columns = draws.choice((0, 1, 3, 6)), []
    for _ in kept:
        make = draws.choice(_COLUMNS[:6] if draws.random() < 0.6 else _COLUMNS)
        kind = make(draws)[1]
        columns.append(pa.array([None if draws.random() < 0.05 else make(draws)[0] for _ in range(rows)], kind))
    table = pa.Table.from_arrays(columns, names=kept)
    if draws.random() < 0.1:
        table = table.replace_schema_metadata({"schema": draws.choice(("1", "2", "\xff")), "x": "y"})
    return _parquet_bytes(table, draws.choice(("none", "zstd", "snappy")))


def _parquet_bytes(table: pa.Table, compression: str = "zstd") -> bytes:
    whole = io.BytesIO()
    pq.write_table(table, whole, compression=compression)
    return whole.getvalue()


def _options(draws: random.Random, given: Mapping[str, Any]) -> dict[str, Any]:
    """Options of InteractionFile: those that fit, sometimes others."""
    chosen = dict(given)
    while draws.random() < 0.25:
        name = draws.choice(list(_OPTIONS))
        chosen[name] = draws.choice(_OPTIONS[name])
    if "time_unit" in chosen:
        chosen.pop("time_format", None)
    return chosen


def _import(path: Path, options: dict[str, Any], shown: bytes) -> Input:
    """A file of events: what `data import` does with it."""

    def read() -> None:
        loaded, reading = InteractionFile(str(path), **options).read()
        list(reading.lines(loaded))

    return Input(read, (str(path), f"{path.stem}: "), (path.name, options, shown))


def _events(draws: random.Random, folder: Path, wrap: Callable[[bytes, random.Random], bytes] | None = None) -> Input:
    name, seed, options = draws.choice(EVENTS)
    data = mutated(seed, draws, [other for _, other, _ in EVENTS]) if wrap is None or draws.random() < 0.5 else seed
    path = folder / name
    path.write_bytes(data if wrap is None else wrap(data, draws))
    return _import(path, _options(draws, options), data)


def _parquet(draws: random.Random, folder: Path) -> Input:
    names = draws.choice((("user", "item", "timestamp"), ("user_id", "item", "rating"),
                          ("session", "item", "date", "event_type"), ("user", "item", "published_part")))  # fmt: skip
    data = parquet_of(draws, names)
    data = mutated(data, draws) if draws.random() < 0.4 else data
    (folder / "a.parquet").write_bytes(data)
    return _import(folder / "a.parquet", _options(draws, {}), data)


def _damaged(files: Mapping[str, bytes], draws: random.Random) -> dict[str, bytes]:
    """The files with one of them changed, seldom two."""
    changed = dict(files)
    for name in draws.choices(list(files), k=draws.choice((1, 1, 1, 2))):
        changed[name] = mutated(changed[name], draws, list(files.values()))
    return changed


def _sequences(draws: random.Random, folder: Path) -> Input:
    files = {"train_set_sequences": b"0 1 5 2 4.5 0 1\n1 0 3 2 2\n", "val_set_sequences": b"2 1 1 0 5\n",
             "test_set_sequences": b"3 2 2 1 1\n", "user_id_mapping": b"original_id\tnew_id\na\t0\nb\t1\nc\t2\nd\t3\n",
             "item_id_mapping": b"original_id\tnew_id\nx\t0\ny\t1\nz\t2\n"}  # fmt: skip
    files = _damaged(files, draws)
    written(folder, files)
    path = folder / "train_set_sequences" if draws.random() < 0.2 else folder
    return Input(SequenceFiles(str(path)).load, (str(folder), f"{path.name}: "), files)


def _lst(draws: random.Random, folder: Path) -> Input:
    files = {ITEMS: b"u1,0 1 2\nu2,1 0\n", GAPS: b"u1,5 7.5 0\nu2,100 0\n", SINCE: b"u1,0 5 12.5\nu2,0 100\n"}
    files = {prefix + name: data for prefix in ("tr_", "te_") for name, data in files.items()}
    if draws.random() < 0.5:
        files["item_id_mapping"] = b"original_id\tnew_id\nx\t0\ny\t1\nz\t2\n"
    else:
        (folder / "item_id_mapping").unlink(missing_ok=True)
    files = _damaged(
        {name: data.replace(b"u", b"v") if name.startswith("te_") else data for name, data in files.items()}, draws
    )
    return Input(LstFiles(str(written(folder, files))).load, (str(folder), f"{folder.name}: "), files)


def _imported(folder: Path) -> Callable[[random.Random], Input]:
    (folder / "a.csv").write_bytes(EVENTS[0][1])
    store_imported(InteractionFile(str(folder / "a.csv"), label="kept").load(), folder)
    path = Imported("kept").path(folder)
    seed = path.read_bytes()

    def draw(draws: random.Random) -> Input:
        table = pq.read_table(io.BytesIO(seed))
        if draws.random() < 0.5:
            metadata = {key: mutated(value, draws) for key, value in table.schema.metadata.items()}
            data = _parquet_bytes(table.replace_schema_metadata(metadata))
        elif draws.random() < 0.5:
            other = pq.ParquetFile(io.BytesIO(parquet_of(draws, table.column_names))).read()
            data = _parquet_bytes(other.replace_schema_metadata(table.schema.metadata))
        else:
            data = mutated(seed, draws)
        path.write_bytes(data)
        return Input(lambda: Imported("kept").load(folder), (str(path), "kept: "), data)

    return draw


def _archives(folder: Path) -> Callable[[random.Random], Input]:
    """Archives of two files, damaged, or with a name that leads elsewhere."""
    folder.mkdir()

    def archive(ending: str, name: str) -> bytes:
        whole = io.BytesIO()
        if ending == ".zip":
            with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as opened:
                opened.writestr(name, b"1,2\n" * 30)
                opened.writestr("b/README", b"read me")
        else:
            with tarfile.open(fileobj=whole, mode="w:gz" if ending == ".tgz" else "w") as opened:
                for member in (name, "b/README"):
                    info = tarfile.TarInfo(member)
                    info.size = 60
                    opened.addfile(info, io.BytesIO(b"1,2\n" * 15))
        return whole.getvalue()

    names = ("b/data.csv", "b/data.csv", "../x", "/x", "b", "b/README/x", "é", "x" * 300, "a\\..\\b", ".")
    seeds = {(ending, name): archive(ending, name) for ending in (".zip", ".tar", ".tgz") for name in names}

    def draw(draws: random.Random) -> Input:
        ending, name = draws.choice((".zip", ".tar", ".tgz")), draws.choice(names)
        data = mutated(seeds[ending, name], draws)
        if ending == ".tgz" and draws.random() < 0.5:
            data = gzip.compress(mutated(gzip.decompress(seeds[ending, name]), draws), 1)
        path, target = folder / f"a{ending}", folder / "unpacked"
        path.write_bytes(data)

        def read() -> None:
            try:
                outside = [file for file in unpack(path, target, 1 << 20) if not file.resolve().is_relative_to(folder)]
                assert not outside, outside
            finally:
                shutil.rmtree(target, ignore_errors=True)

        return Input(read, (str(folder),), (ending, name, data))

    return draw


def _catalogued(folder: Path) -> Callable[[random.Random], Input]:
    review = _rows(
        '{{"reviewerID": "A{u}", "asin": "B{i}", "overall": {r}.0, "unixReviewTime": {t}, "helpful": [0, 1]}}'
    )
    hcrnn = b"\tItemId\tTime\tSessionId\titem_idx\tsess_idx\n" + _rows("0\t{i}\t{t}.0\t{u}\t{i}\t{u}")
    artists = b"\tItemId\tSessionId\tTime\titem_idx\tsess_idx\n" + _rows("0\t{i}\t{u}\t{t}.0\t{i}\t{u}")
    clicks = b"SessionId\tItemId\tTime\n"
    cases: list[tuple[Any, list[bytes]]] = [
        (MovieLens100K(), [_rows("{u}\t{i}\t{r}\t{t}")]),
        (MovieLens1M(), [_rows("{u}::{i}::{r}::{t}")]),
        (MovieLens1MLate(), [b"user_id\tmovie_id\trating\ttimestamp\n" + _rows("{u}\t{i}\t{r}\t{t}")]),
        (MovieLens1MSASRec(), [_rows("{u} {i}")]),
        (YooChooseClicks(), [_rows("{u},{d}T10:52:48.801Z,{i},0")]),
        (YooChoose100k(), [clicks + _rows("{u}\t{i}\t{t}.25"), clicks + b"9\t1\t1\n"]),
        (YooChoose64(), [b"1 2 3\n2 3\n", b"4 5\n"]),
        (Diginetica(), [b"1 2 3\n2 3\n", b"4 5\n"]),
        (DigineticaViews(), [b"sessionId;userId;itemId;timeframe;eventdate\n" + _rows("{u};NA;{i};{t};{d}")]),
        (AmazonReviews("Beauty"), [review]),
        (AmazonReviews("Beauty", "ratings"), [_rows("A{u},B{i},{r}.0,{t}")]),
        (AmazonFiveCore(), [b"1 10 11 0 5\n2 10 11 12 0 5 86400\n"]),
        (AmazonPaper(), [_rows("{u} {i}")]),
        (LastFM1K(), [_rows("user_{u}\t{d}T23:08:57Z\ta{i}\tArtist\tt{i}\tTrack {i}")]),
        (LastFMArtistSessions(), [b"1,2,3\n2,3\n", b"4,5\n"]),
        (LastFMUserArtist(), [artists, artists]),
        (CiteULikeHCRNN(), [hcrnn, hcrnn.replace(b"\t1\n", b"\t7\n"), hcrnn.replace(b"\t2\n", b"\t8\n")]),
        (CiteULikeLibraries(), [b"2 1 5\n3 1 2 9\n"]),
        (CiteULikeLog(), [_rows("{i}|user{u}|{d} 11:00:00.123+01|tag")]),
    ]  # fmt: skip
    roots = [folder / f"catalogue-{number}" for number in range(len(cases))]
    for root, (dataset, _) in zip(roots, cases, strict=True):
        for name in dataset.source.files:
            (root / name).parent.mkdir(parents=True, exist_ok=True)

    def draw(draws: random.Random) -> Input:
        number = draws.randrange(len(cases))
        dataset, seeds = cases[number]
        root, changed = roots[number], list(seeds)
        place = draws.randrange(len(changed))
        changed[place] = mutated(changed[place], draws, seeds)
        for name, data in zip(dataset.source.files, changed, strict=True):
            (root / name).write_bytes(data)
        return Input(lambda: dataset.load(root), (str(root), f"{dataset.name}: "), (dataset.name, changed))

    return draw
