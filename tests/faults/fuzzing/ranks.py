"""Random inputs of ``compare``: ranks of targets, TREC runs, lists of items and values by user, in any format."""

from __future__ import annotations

import random
from pathlib import Path

from evaluation.rank_files.comparison.compare import compare_files
from tests.faults.fuzzing.files import parquet_of
from tests.faults.fuzzing.mutations import mutated, packed
from tests.faults.fuzzing.parser import Input, Parser, written


def _rows(pattern: str, count: int = 6, **more: int) -> bytes:
    """Lines made from a pattern with u(ser), q(uery), i(tem) and r(ank)."""
    return "".join(pattern.format(u=n % 3, q=n, i=n % 4 + 10, r=n % 5 + 1) + "\n" for n in range(count)).encode()


RANKS = (
    (".csv", b"user,query,target,rank\n" + _rows("{u},{q},{i},{r}")),
    (".csv", b"user;rank\n" + _rows("{u};{r},5")),
    (".tsv", b"session\tquery\tgreater\ttied\tcandidates\n" + _rows("{u}\t{q}\t{r}\t1\t50")),
    (".csv", b"user,query,rank,candidates\n" + _rows("{u},{q},{r},20") + b"9,9,,20\n9,10,inf,20\n"),
    (".csv", b"cluster,query,target,repeat,greater,tied,candidates\n" + _rows("{u},{q},{i},0,{r},0,50")),
)
VALUES = (
    (".csv", b"user,metric,value\n" + _rows("{u},mrr@20,0.{r}", 3) + _rows("{u},own,0.{r}", 3)),
    (".csv", b"user,mrr@20,recall@20\n" + _rows("u{u},0.{r},1", 3)),
)
LISTS = (
    (".run", _rows("{u} Q0 {i} {r} 0.{r} tag", 4)),
    (".csv", b"user,item,rank\n" + _rows("{u},{i},{r}", 4)),
    (".tsv", b"user\tquery\titem\tscore\n" + _rows("{u}\t{u}\t{i}\t0.{r}", 4)),
    (".csv", b"session,item_id,score,rank\n" + _rows("{u},{i},{r},{r}", 4)),
)
TRUE = ((".qrels", _rows("{u} 0 {i} 1", 3)), (".csv", b"user,query,item,relevance\n" + _rows("{u},{u},{i},1", 3)))
FEW = {"flips": 19, "resamples": 19}


def parsers(folder: Path) -> list[Parser]:
    """The parsers of ``compare``."""
    (folder / "compared").mkdir()
    return [
        Parser("two files of ranks", 15_000, lambda draws: _two(draws, folder / "compared", RANKS)),
        Parser("two files of values by user", 10_000, lambda draws: _two(draws, folder / "compared", VALUES)),
        Parser("TREC runs or lists, and true items", 12_000, lambda draws: _lists(draws, folder / "compared")),
        Parser("files of ranks in Parquet", 4_000, lambda draws: _parquet(draws, folder / "compared")),
    ]


def _changed(seed: bytes, draws: random.Random, others: tuple[tuple[str, bytes], ...]) -> bytes:
    data = mutated(seed, draws, [data for _, data in others])
    return packed(data, draws) if draws.random() < 0.05 else data


def _compare(draws: random.Random, folder: Path, files: dict[str, bytes], **options: object) -> Input:
    """The comparison of the first two files; sometimes with other options."""
    first, second = (folder / name for name in list(files)[:2])
    metrics = draws.choice(((), (), ("mrr@5",), ("rank",), ("ndcg@10", "map@20"), ("own",)))
    cluster = draws.choice((None, None, None, "session", "item"))
    written(folder, files)
    names = (str(folder), *metrics)

    def read() -> None:
        compare_files([first, second], metrics, cluster=cluster, **options, **FEW)

    return Input(read, names, (metrics, cluster, files))


def _two(draws: random.Random, folder: Path, seeds: tuple[tuple[str, bytes], ...]) -> Input:
    ending, seed = draws.choice(seeds)
    other = draws.choice(seeds) if draws.random() < 0.1 else (ending, seed)
    files = {f"a{ending}": _changed(seed, draws, (*seeds, *LISTS)), f"b{other[0]}": other[1]}
    if draws.random() < 0.2:
        files = {name: _changed(data, draws, seeds) for name, data in files.items()}
    return _compare(draws, folder, files)


def _lists(draws: random.Random, folder: Path) -> Input:
    (ending, seed), (true_ending, true) = draws.choice(LISTS), draws.choice(TRUE)
    files = {f"a{ending}": seed, f"b{ending}": seed, f"true{true_ending}": true}
    name = draws.choice(list(files))
    files[name] = _changed(files[name], draws, (*LISTS, *TRUE))
    return _compare(draws, folder, files, qrels=folder / f"true{true_ending}")


def _parquet(draws: random.Random, folder: Path) -> Input:
    names = draws.choice((("user", "query", "target", "rank"), ("session", "greater", "tied"),
                          ("user", "metric", "value"),
                          ("cluster", "query", "target", "repeat", "greater", "tied", "candidates")))  # fmt: skip
    data = parquet_of(draws, names)
    data = mutated(data, draws) if draws.random() < 0.2 else data
    return _compare(
        draws, folder, {"a.parquet": data, "b.parquet": data if draws.random() < 0.7 else parquet_of(draws, names)}
    )
