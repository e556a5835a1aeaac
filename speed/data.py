"""Reading of data, time and memory: MovieLens 1M to the first batch, and logs of any size, compared with polars.

    python -m speed.data ml-1m                      raw ratings.dat to the first batch; the cache reopened
    python -m speed.data lastfm --rows 19150868     the listening log at full size
    python -m speed.data yoochoose --rows 33003944  clicks at three sizes: a quarter, a half, all

Files are generated in the original format, seeded, under --folder. Every measurement runs in its own process and prints
CPU and wall-clock seconds, peak memory, and counts that show that both libraries read the same. polars is measured if
it is installed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = 500_000


def write_movielens(path: Path) -> None:
    """Write 1,000,209 lines in the format of ratings.dat, with the official numbers of users and movies."""
    import numpy as np

    rng = np.random.default_rng(1)
    users = np.sort(np.concatenate([np.arange(1, 6041), rng.integers(1, 6041, 1_000_209 - 6_040)]))
    movies = rng.choice(3952, 3706, replace=False) + 1
    items = np.concatenate([movies, rng.choice(movies, 1_000_209 - 3_706)])
    rng.shuffle(items)
    times = 956_703_932 + np.sort(rng.integers(0, 89_000_000, 1_000_209))
    ratings = rng.integers(1, 6, 1_000_209)
    rows = zip(users.tolist(), items.tolist(), ratings.tolist(), times.tolist(), strict=True)
    path.write_text("".join(f"{u}::{i}::{r}::{t}\n" for u, i, r, t in rows))


def write_log(path: Path, rows: int) -> None:
    """Write ``rows`` lines in the format of the Last.fm log: 992 users, stray quotes, newest first per user."""
    import numpy as np

    rng = np.random.default_rng(2)
    num_titles = max(1000, rows // 18)  # as in the true log, about 1.08 million titles in 19 million listens
    written = 0
    with path.open("w", encoding="utf-8") as file:
        while written < rows:
            size = min(BLOCK, rows - written)
            users = 1 + (written + np.arange(size)) * 992 // rows
            titles = np.minimum(rng.zipf(1.3, size), num_titles) - 1
            seconds = 1_240_000_000 - (written + np.arange(size)) * 7
            stamps = np.char.add(np.datetime_as_string(seconds.astype("datetime64[s]")), "Z")
            for user, when, title in zip(users.tolist(), stamps.tolist(), titles.tolist(), strict=True):
                artist = title // 11
                quote = '"' if title % 97 == 0 else ""
                file.write(
                    f"user_{user:06d}\t{when}\t{artist:032x}\tArtist {artist}\t{title:032x}\t"
                    f"{quote}A Title of Usual Length {title}\n"
                )
            written += size


def write_clicks(path: Path, rows: int) -> None:
    """Write ``rows`` lines in the format of yoochoose-clicks.dat: sessions of about 3.6 clicks."""
    import numpy as np

    rng = np.random.default_rng(3)
    written, session = 0, 1
    with path.open("w", encoding="utf-8") as file:
        while written < rows:
            size = min(BLOCK, rows - written)
            sessions = session + np.cumsum(rng.random(size) < 1 / 3.57)
            session = int(sessions[-1])
            items = 214_500_000 + np.minimum(rng.zipf(1.4, size), 52_739)
            millis = (1_396_000_000_000 + (written + np.arange(size)) * 500).astype("datetime64[ms]")
            stamps = np.datetime_as_string(millis)
            file.writelines(
                f"{s},{t}Z,{i},0\n" for s, t, i in zip(sessions.tolist(), stamps.tolist(), items.tolist(), strict=True)
            )
            written += size


def measure_in_process(what: str, path: Path, folder: Path) -> dict:
    """Run one measurement in a fresh process; return its record with CPU and wall-clock seconds and peak memory."""
    command = [
        sys.executable,
        "-m",
        "speed.data",
        "measure",
        what,
        str(path.resolve()),
        "--folder",
        str(folder.resolve()),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    if done.returncode:
        return {"what": what, "error": done.stderr.strip().splitlines()[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def measure(what: str, path: Path, folder: Path) -> dict:
    """Run one measurement in this process; its libraries are imported before the clock starts."""
    work = globals()[f"_{what.replace('-', '_')}"](path, folder)
    cpu, wall = time.process_time(), time.perf_counter()
    facts = work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"what": what, "cpu": round(cpu, 3), "wall": round(wall, 3), "peak_mb": round(peak), **facts}


def _ml_1m_raw(path: Path, folder: Path):
    """Raw file to the first training batch of padded histories."""
    import numpy as np

    from recsys_data.datasets.movielens import _read_ratings
    from recsys_data.protocols.per_user import PerUserFractions

    def work() -> dict:
        data = _read_ratings("ml-1m", path, "::", "")
        train = PerUserFractions().prepare(data).train
        items, _ = train.sequences.pad(np.arange(128))
        return {"events": len(data), "batch": list(items.shape), "sha256": data.fingerprint[:12]}

    return work


def _ml_1m_write_cache(path: Path, folder: Path):
    """Write the cache."""
    from recsys_data.datasets.cache import write_prepared
    from recsys_data.datasets.movielens import _read_ratings

    def work() -> dict:
        shutil.rmtree(folder / "cache-ml-1m", ignore_errors=True)
        write_prepared(_read_ratings("ml-1m", path, "::", ""), folder / "cache-ml-1m")
        return {}

    return work


def _reopened(name: str):
    """Return a measurement that opens the cache ``name`` and reads every event."""

    def make(path: Path, folder: Path):
        from recsys_data.datasets.cache import read_prepared

        def work() -> dict:
            data = read_prepared(folder / name)
            return {"events": len(data), "sum": int(data.items.sum(dtype="int64")), "sha256": data.fingerprint[:12]}

        return work

    return make


_ml_1m_reopen = _reopened("cache-ml-1m")
_lastfm_reopen = _reopened("cache-lastfm")


def _lastfm_encore(path: Path, folder: Path):
    """Raw log to encoded Interactions."""
    from recsys_data.datasets.lastfm import read_log

    def work() -> dict:
        data, rows = read_log(path, "lastfm", "track")
        return {"rows": rows, "users": data.num_users, "items": data.num_items}

    return work


def _lastfm_write_cache(path: Path, folder: Path):
    """Write the cache."""
    from recsys_data.datasets.cache import write_prepared
    from recsys_data.datasets.lastfm import read_log

    def work() -> dict:
        shutil.rmtree(folder / "cache-lastfm", ignore_errors=True)
        write_prepared(read_log(path, "lastfm", "track")[0], folder / "cache-lastfm")
        return {}

    return work


def _lastfm_polars(path: Path, folder: Path):
    """The same with polars: read, parse times, encode users and titles in sorted order, sort by user and time."""
    import polars as pl

    names = ["user", "timestamp", "artist id", "artist", "track id", "track"]

    def work() -> dict:
        frame = pl.read_csv(path, separator="\t", has_header=False, new_columns=names, quote_char=None,
                            columns=[0, 1, 5], schema_overrides={"column_6": pl.String})  # fmt: skip
        frame = frame.reverse()
        for column in ("user", "track"):  # faster here than rank("dense") over the strings, which took 23 s for 14 s
            codes = frame.select(pl.col(column).unique().sort()).with_row_index("code")
            frame = frame.join(codes, on=column, how="left", maintain_order="left").drop(column)
            frame = frame.rename({"code": column})
        seconds = pl.col("timestamp").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="ms").dt.epoch("s")
        frame = frame.with_columns(seconds)
        frame = frame.sort("user", "timestamp", maintain_order=True)
        return {"rows": len(frame), "users": frame["user"].max() + 1, "items": frame["track"].max() + 1}

    return work


def _yoochoose_encore(path: Path, folder: Path):
    """Raw clicks to encoded Interactions."""
    from recsys_data.datasets.yoochoose import read_clicks

    def work() -> dict:
        data = read_clicks(path, "yoochoose")
        return {"rows": len(data), "sessions": data.num_users, "items": data.num_items}

    return work


def run(suite: str, rows: int, folder: Path) -> None:
    """Generate missing files, measure, print one line per measurement."""
    folder.mkdir(parents=True, exist_ok=True)
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    if suite == "ml-1m":
        path = folder / "ratings.dat"
        plan = [("ml-1m-raw", path, write_movielens), ("ml-1m-write-cache", path, None), ("ml-1m-reopen", path, None)]
    elif suite == "lastfm":
        path = folder / f"log-{rows}.tsv"
        plan = [("lastfm-encore", path, lambda p: write_log(p, rows)), ("lastfm-polars", path, None),
                ("lastfm-write-cache", path, None), ("lastfm-reopen", path, None)]  # fmt: skip
    else:
        plan = [("yoochoose-encore", folder / f"clicks-{n}.dat", lambda p, n=n: write_clicks(p, n))
                for n in (rows // 4, rows // 2, rows)]  # fmt: skip
    for what, path, write in plan:
        if write is not None and not path.exists():
            write(path)
        print(json.dumps(measure_in_process(what, path, folder)))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", choices=["ml-1m", "lastfm", "yoochoose", "measure"])
    parser.add_argument("rest", nargs="*", help="only for measure: what and path")
    parser.add_argument("--rows", type=int, default=200_000)
    parser.add_argument("--folder", type=Path, default=Path("results/speed-data"))
    options = parser.parse_args()
    if options.suite == "measure":
        print(json.dumps(measure(options.rest[0], Path(options.rest[1]), options.folder)))
    else:
        run(options.suite, options.rows, options.folder)
