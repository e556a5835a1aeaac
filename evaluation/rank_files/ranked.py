"""Ranked: a row of a suite whose ranks other code computed and wrote to files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from recsys_data.printable import printable

if TYPE_CHECKING:
    from evaluation.rank_files.split_rows import SplitRanks
    from recsys_data.split import Split

SEED = "{seed}"


@dataclass(frozen=True)
class Ranked:
    """Ranks that other code computed, in a file for each seed, among a suite's models.

    path: relative to the suite's file, with ``{seed}`` for the seed; CSV, TSV, Parquet or a TREC run, with the rank of
    each true item or with lists of scored items. by: the program that computed them, with its version or commit.
    deterministic: whether that program gives the same ranks at every seed; a path without ``{seed}`` is otherwise one
    run of a program whose seeds differ. qrels: the true items of lists, which must be those of the split; it may be
    empty.
    """

    path: str
    by: str
    deterministic: bool = False
    qrels: str = ""

    family: ClassVar[str] = "computed elsewhere"
    signals: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        for name in ("path", "by"):
            value = getattr(self, name)
            if not isinstance(value, str) or not value.strip() or printable(value) != value:
                meaning = {"path": "the path of a file", "by": "the program that computed the ranks"}[name]
                raise ValueError(f"Ranked: {name} must name {meaning} in one line, got {value!r}")
        if self.deterministic and SEED in self.path:
            raise ValueError(f"Ranked: {self.path!r} has a file for each seed, so deterministic must be False")

    @property
    def one_run(self) -> bool:
        """Whether there is one file, and not one for each seed."""
        return SEED not in self.path

    def file(self, seed: int, folder: Path) -> Path:
        """The file of a seed; relative paths begin in ``folder``."""
        return folder / Path(self.path.replace(SEED, str(seed))).expanduser()

    def sums(self, seed: int, folder: Path) -> dict[str, str]:
        """The SHA-256 of the file, and of the true items where they have one; of a folder that of its files.

        Raises FileNotFoundError.
        """
        paths = {"ranks": self.file(seed, folder)} | ({"true items": folder / self.qrels} if self.qrels else {})
        return {name: _sum(path) for name, path in paths.items()}

    def read(self, seed: int, folder: Path, split: Split, where: str) -> SplitRanks:
        """Read the ranks of one seed and join them on the test part of ``split``, which messages call ``where``.

        Raises FileNotFoundError, and InvalidRankFile naming the first row that does not belong to the test part, is
        there twice, or is missing.
        """
        from evaluation.rank_files.item_lists import find_true_items  # plans need no pyarrow
        from evaluation.rank_files.read import find_tables
        from evaluation.rank_files.split_rows import ranks_on_split

        true = find_true_items(folder / self.qrels) if self.qrels else None
        name = self.path.replace(SEED, str(seed))
        return ranks_on_split(find_tables(self.file(seed, folder)), name, split, where, true)


def _sum(path: Path) -> str:
    """The SHA-256 of a file, or of the files of a folder."""
    from evaluation.rank_files.read import table_paths

    digest = hashlib.sha256()
    for part in table_paths(path):
        digest.update(part.read_bytes())
    return digest.hexdigest()
