"""Amazon reviews, 2014 release: 5-core editions with gaps, and the files of two papers."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from recsys_data.arrow import pa
from recsys_data.checks import check_choice
from recsys_data.containers.tables import read_arrays
from recsys_data.datasets.dataset import FileDataset, check_counts
from recsys_data.fetching.compressed import read_bytes
from recsys_data.fetching.source import Source
from recsys_data.files.ragged import read_ragged
from recsys_data.interactions import Clock, Counts, Interactions

LICENCE = "Amazon product data (McAuley): free for research with citation"
CITATION = (
    "Ruining He, Julian McAuley: Ups and Downs: Modeling the Visual Evolution of Fashion Trends with One-Class "
    "Collaborative Filtering. WWW 2016; Julian McAuley et al.: Image-based Recommendations on Styles and Substitutes. "
    "SIGIR 2015"
)
_FIVE_CORE = {
    "Beauty": Counts(198_502, 22_363, 12_101),
    "Sports_and_Outdoors": Counts(296_337, 35_598, 18_357),
    "Toys_and_Games": Counts(167_597, 19_412, 11_924),
}


@dataclass(frozen=True)
class _PaperFile:
    """The facts about a file published by a paper."""

    category: str
    counts: Counts
    home: str
    citation: str
    remark: str


_PAPERS = {
    "SASRec": _PaperFile(
        "Video_Games",
        Counts(287_107, 31_013, 23_715),
        "github.com/kang205/SASRec, data/Video.txt",
        "Wang-Cheng Kang, Julian McAuley: Self-Attentive Sequential Recommendation. ICDM 2018",
        "some users have a single event",
    ),
    "BERT4Rec": _PaperFile(
        "Beauty",
        Counts(353_962, 40_226, 54_542),
        "github.com/FeiSun/BERT4Rec, data/beauty.txt",
        "Fei Sun et al.: BERT4Rec: Sequential Recommendation with Bidirectional Encoder Representations from "
        "Transformer. CIKM 2019",
        "not the SASRec paper's cut of Beauty",
    ),
}


@dataclass(frozen=True)
class AmazonFiveCore(FileDataset):
    """The 5-core reviews of a category, in the order of each user, with the gaps between events."""

    category: str = "Beauty"

    licence: ClassVar[str] = LICENCE
    citation: ClassVar[str] = CITATION
    edition: ClassVar[str] = (
        "complete 5-core, ids renumbered, gaps true at a day's resolution, no absolute times: no global-time "
        "split; comparable with leave-one-out results on the 2014 5-core set"
    )

    def __post_init__(self) -> None:
        check_choice(self, "category", _FIVE_CORE)

    @property
    def name(self) -> str:
        """amazon-5core-CATEGORY in small letters."""
        return "amazon-5core-" + self.category.split("_")[0].lower()

    @property
    def title(self) -> str:
        """The name in a report."""
        return f"Amazon {self.category.replace('_', ' ')} (5-core, gaps)"

    @property
    def expected(self) -> Counts:
        """The official 5-core counts."""
        return _FIVE_CORE[self.category]

    @property
    def source(self) -> Source:
        """The file of gaps."""
        return Source(
            (f"amazon/5core-{self.category}.txt",),
            home=f"github.com/AraVio/TimeWeaver, data/{self.category}.txt, saved under that name",
        )

    def load(self, folder: Path | None = None) -> Interactions:
        """Load the reviews with the clock RELATIVE, in seconds since each user's first; DataMissing if missing."""
        (path,) = self.source.paths(folder, self.title)
        values, lengths = read_ragged(read_bytes(path), str(path), b" \t")
        cut = np.flatnonzero((lengths % 2 == 0) | (lengths < 3))
        if len(cut):
            line = int(cut[0]) + 1
            raise ValueError(f"{path}: line {line} is truncated; expected a user, n items and n gaps")
        counts = (lengths - 1) // 2  # a line: the user, the items, as many gaps
        starts = np.cumsum(lengths) - lengths
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        first_item = np.repeat(starts + 1, counts)
        gaps = values[first_item + np.repeat(counts, counts) + within]
        total = np.cumsum(gaps)
        first = np.cumsum(counts) - counts
        before = np.repeat(total[first] - gaps[first], counts)  # the sum of the gaps of earlier users
        loaded = Interactions.from_events(
            self.name,
            np.repeat(values[starts], counts),
            values[first_item + within],
            total - before,
            clock=Clock.RELATIVE,
            edition=self.edition,
        )
        return check_counts(loaded, self.expected, str(path))


@dataclass(frozen=True)
class AmazonPaper(FileDataset):
    """The file of a paper: SASRec's Video Games or BERT4Rec's Beauty, in the order of each user, without times."""

    paper: str = "SASRec"

    licence: ClassVar[str] = LICENCE

    def __post_init__(self) -> None:
        check_choice(self, "paper", _PAPERS)

    @property
    def category(self) -> str:
        """The Amazon category, spelled as in the files."""
        return _PAPERS[self.paper].category

    @property
    def name(self) -> str:
        """amazon-PAPER-CATEGORY in small letters."""
        return f"amazon-{self.paper}-{self.category}".lower().replace("_", "-")

    @property
    def title(self) -> str:
        """The name in a report."""
        return f"Amazon {self.category.replace('_', ' ')} ({self.paper}'s file)"

    @property
    def citation(self) -> str:
        """The citations of the paper and of the data."""
        return f"{_PAPERS[self.paper].citation}; {CITATION}"

    @property
    def expected(self) -> Counts:
        """The counts of the published file."""
        return _PAPERS[self.paper].counts

    @property
    def source(self) -> Source:
        """The file, under Encore's name."""
        name = f"amazon/{self.paper.lower()}-{self.category}.txt"
        return Source((name,), home=f"{_PAPERS[self.paper].home}, saved under that name")

    @property
    def edition(self) -> str:
        """The limits of the file and the results it is comparable with."""
        return (
            f"the {self.paper} paper's own file, ids renumbered, times missing, {_PAPERS[self.paper].remark}; "
            "comparable with that paper's leave-one-out results"
        )

    def load(self, folder: Path | None = None) -> Interactions:
        """Load the events with the clock WITHIN; DataMissing if the file is missing."""
        (path,) = self.source.paths(folder, self.title)
        types = {"user": pa.int64(), "item": pa.int64()}
        table = read_arrays(read_bytes(path), ("user", "item"), types, separator=" ", where=str(path))
        loaded = Interactions.from_events(
            self.name, table["user"], table["item"], None, clock=Clock.WITHIN, edition=self.edition
        )
        return check_counts(loaded, self.expected, str(path))
