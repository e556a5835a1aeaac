"""Print docs/missing_data.md: the data that are not at hand, where they lie, and what stands in for them.

``python -m studies.missing_data_page > docs/missing_data.md``, with ENCORE_DATA pointing to the data.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from recsys_data.catalogue.all_datasets import DATASETS
from recsys_data.interactions import Counts

_STAND_INS = {  # what runs instead, by data set
    "ml-1m": "`ml-1m-ordered` (all events in the official order), `ml-1m-late` (the latest fifth with times)",
    "ml-10m": "`ml-1m-ordered`, at another size",
    "lastfm-1k": "`lastfm-user-artist` (artists of 270 users)",
    "lastfm-1k-10-last": "`lastfm-user-artist` (artists of 270 users)",
    "citeulike-log": "`citeulike-hcrnn` (another filter)",
    "yoochoose": "`yoochoose-1-64` (the fraction by date), `yoochoose-100k` (with times)",
    "diginetica-views": "`diginetica` (published split, in the order of time), `diginetica-views-sample`",
    "diginetica-views-file-order": "`diginetica` under InnerOrder: see [order_control](suites/order_control.md)",
    "amazon-beauty-5-core": "`amazon-5core-beauty` (gaps in whole days, no dates)",
    "amazon-video-games-5-core": "`amazon-sasrec-video-games` (order only)",
    "amazon-spotlight": "`amazon-5core-beauty`, another catalogue",
}
# No class loads these: what published results rest on, and what is known of where it lies.
_WITHOUT_LOADER = (
    ("NARM's and STAMP's splits of Diginetica",
     "made from `train-item-views.csv` by their scripts; only a test part was released, by lijingsdu/sessionRec_NARM"),
    ("YooChoose 1/4 as a split", "made from `yoochoose-clicks.dat` by SR-GNN's script (CRIPAC-DIG/SR-GNN)"),
    ("the 500 test users of rnn_cf's table", "not released by kwonmha/Improving-RNN-recommendation-model; drawn anew"),
    ("Time-LSTM's prepared Last.fm and CiteULike", "no longer online (ZJULearning/time_lstm, issue 12)"),
    ("the training part of HCRNN's MovieLens 1M", "beside the parts at hand in gtshs2/HCRNN, data/movielens"),
    ("the SASRec paper's Beauty", "kang205/SASRec; 52,024 users, 57,289 items: BERT4Rec's Beauty is another cut"),
    ("the table of Time-LSTM's paper", "doi 10.24963/ijcai.2017/504; not available, so none of its numbers is judged"),
    ("the tables of Devooght and Bersini", "doi 10.1145/3079628.3079670; quoted by others, shown and never judged"),
)  # fmt: skip


def page(folder: Path | None = None) -> Iterator[str]:
    """Yield the lines of the page for the data sets that are not under ``folder`` (default: ENCORE_DATA)."""
    yield "# Data that are not at hand"
    yield ""
    yield "Data that results need and that were missing when `python -m studies.missing_data_page` printed this page"
    yield "from the classes in `recsys_data/datasets/`. Those at hand are in [datasets](datasets.md)."
    yield ""
    yield "| data set | file in data folder | expected | where it lies | how to get it | checksum | what runs instead |"
    yield "|---|---|---|---|---|---|---|"
    for name, dataset in DATASETS.items():
        if hasattr(dataset, "source") and not dataset.present(folder):
            yield _row(name, dataset)
    yield ""
    yield "A suite skips the cells of a missing data set and says which file it wants; the next run computes them."
    yield from ("", "## Not in the catalogue", "", "| what | where it lies |", "|---|---|")
    yield from (f"| {what} | {where} |" for what, where in _WITHOUT_LOADER)


def _row(name: str, dataset: Any) -> str:
    """The table row of one data set."""
    source, expected = dataset.source, dataset.expected
    cells = (
        f"`{name}`, {dataset.title}",
        ", ".join(f"`{each}`" for each in source.files),
        _counts(expected) if expected else "not published",
        source.urls[0] if source.urls else source.home,
        f"`benchmark.py data fetch {name}`" if source.urls else "by hand",
        f"`{source.checksum}`" if source.checksum else "none published",
        _STAND_INS.get(name, "nothing"),
    )
    return f"| {' | '.join(cells)} |"


def _counts(expected: Counts) -> str:
    """Return the counts in words."""
    return f"{expected.events:,} events, {expected.users:,} users (sessions), {expected.items:,} items"


if __name__ == "__main__":
    for line in page():
        print(line)
