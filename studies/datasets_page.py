"""Print docs/datasets.md: the editions that are present, published sizes beside ours, the audit's findings.

``python -m studies.datasets_page > docs/datasets.md``, with ENCORE_DATA pointing to the data.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from recsys_data.audit.leakage import audit
from recsys_data.audit.shared_order import SharedOrder
from recsys_data.catalogue.all_datasets import DATASETS
from recsys_data.catalogue.summary import summarise_dataset
from recsys_data.datasets.dataset import Dataset
from recsys_data.datasets.diginetica import DigineticaViews
from recsys_data.fetching.errors import DataMissing
from recsys_data.fetching.source import data_folder
from recsys_data.protocols.filters import (
    AllOf,
    DropDuplicates,
    DropRepeats,
    EventTypes,
    KCore,
    MinItemEvents,
    MinUserEvents,
    RatingAtLeast,
    TopItems,
    Truncate,
    apply_filters,
)
from recsys_data.protocols.per_user import LeaveLastOut, PerUserFractions
from recsys_data.protocols.published import AsPublished
from recsys_data.sequences import Sequences
from studies.audit_words import MEANINGS, READINGS

_OFFICIAL = {  # address where the owner publishes the data, by the first letters of the name
    "ml-100k": "https://grouplens.org/datasets/movielens/100k/",
    "ml-1m": "https://grouplens.org/datasets/movielens/1m/",
    "ml-10m": "https://grouplens.org/datasets/movielens/10m/",
    "lastfm": "http://ocelma.net/MusicRecommendationDataset/lastfm-1K.html",
    "citeulike-a": "https://github.com/js05212/citeulike-a",
    "citeulike-t": "https://github.com/js05212/citeulike-t",
    "citeulike": "none any more (the log was at http://www.citeulike.org/faq/data.adp)",
    "yoochoose": "https://www.kaggle.com/datasets/chadgostopp/recsys-challenge-2015",
    "diginetica": "https://competitions.codalab.org/competitions/11161",
    "amazon-spotlight": "https://github.com/maciejkula/recommender_datasets",
    "amazon": "http://jmcauley.ucsd.edu/data/amazon/",
}
_ASSEMBLED = {
    "ml-1m-ordered": (
        "The order is that of the processed copy in TrevorD2/Movie-Recommendation-System, the ratings are those of "
        "ml1m.rda of Stat990-033/Timings. Restricted to the 3,416 movies of SASRec's file it is that file, event for "
        "event, and it contradicts no known time. An older edition under this name had the ties in another order."
    ),
    "ml-1m-late": (
        "The test part of Santdav/movie-recommender, which is the last 20 % of all ratings in time; the time of each "
        "user's last event agrees with that of hexiangnan/neural_collaborative_filtering."
    ),
    "ml-1m-sasrec": (
        "Rebuilt from the parts in asash/gSASRec-pytorch and the complete set of pairs; its git blob id is that of "
        "data/ml-1m.txt in kang205/SASRec."
    ),
}
_AUDITED: Mapping[str, Any] = {
    "diginetica": AsPublished(validation=0, unseen="candidate"),
    "yoochoose-1-64": AsPublished(validation=0, unseen="candidate"),
    "ml-1m-ordered": PerUserFractions(),
    "amazon-5core-beauty": LeaveLastOut(),
    "citeulike-hcrnn": AsPublished(),
}


_OWN_DATA = """## Your own data

`python benchmark.py data import FILE --name shop` reads CSV, TSV, RecBole .inter, JSON lines, a JSON list or Parquet,
also compressed (.gz, .bz2, .xz, .zst, a .zip with one file), and a folder of Parquet parts. The commands then know
`shop` by its name, a suite uses `Imported("shop")`, and `data remove shop` removes it.

What a file leaves open (columns with unknown names, the order of day and month, the encoding, gaps, broken values) is
yours to choose. The import lists all of it at once with one command that takes the likely choices, shows how they read
the first events, and asks at a terminal whether they are right.

Ids follow one rule whatever the container, so equal data have equal fingerprints:

- Blanks around an id do not count; the import says how many there were.
- An empty id, NA, N/A, NaN, null, None, <NA> or `\\N` is missing. Events with a missing value are refused;
  `--drop-missing` leaves them out. An item that is really called NA must be renamed.
- A line with too few or too many fields and a time or rating that cannot be read (00/00/0000) are refused;
  `--drop-unreadable` leaves such events out, at most one in ten, and the import says how many had which value.
- Where every id of a column is a whole number of any size (7.0 is 7), ids are ordered as numbers.
- Else all ids are texts, ordered by code point: one id such as 007 or x9 is enough, and then 007 and 7 differ.
- Ids that were rounded (floats beyond 2^53, 1.23E+18) and columns of booleans, lists or times are refused.
"""
_FILTERS = (
    MinUserEvents, MinItemEvents, KCore, TopItems, Truncate, DropRepeats, DropDuplicates, RatingAtLeast, EventTypes,
    AllOf,
)  # fmt: skip


def page(folder: Path | None = None) -> Iterator[str]:
    """Yield the lines of the page from the data under ``folder`` (default: ENCORE_DATA); equal data give equal pages.

    Raises DataMissing where there are no data, ValueError where a data set has unexpected counts.
    """
    real = {name: dataset for name, dataset in DATASETS.items() if hasattr(dataset, "source")}
    present = {name: dataset for name, dataset in real.items() if dataset.present(folder)}
    if not present:
        raise DataMissing(f"no data set is under {data_folder(folder)}; point ENCORE_DATA to the folder with the data")
    yield "# Data sets"
    yield ""
    yield "This page describes every edition of a data set, its published sizes and what the audit finds in it."
    yield ""
    yield "`python -m studies.datasets_page` prints it from the files. Loading an edition fails if its counts are not"
    yield "those that its class in `recsys_data/datasets/` expects."
    yield ""
    yield from _editions(present, folder)
    yield from _sizes(present, folder)
    yield from _OWN_DATA.splitlines()
    yield ""
    yield from _filters()
    yield from _audits(present, folder)
    yield from _orders(present, folder)
    yield "What is not present, where it lies and what runs instead: [missing data](missing_data.md)."


def _editions(present: Mapping[str, Dataset], folder: Path | None) -> Iterator[str]:
    """Yield a table with one row per edition, then the properties of each."""
    facts = {name: summarise_dataset(dataset.load(folder)) for name, dataset in present.items()}
    yield from ("## The editions", "")
    yield "| name | title | events | users / sessions | items | shortest, median, longest | clock | from – to |"
    yield "|---|---|--:|--:|--:|--:|---|---|"
    for name, found in facts.items():
        owners = f"{found['users']:,} users" if found["users"] is not None else f"{found['sessions']:,} sessions"
        lengths = f"{found['shortest']:,}, {found['median']:g}, {found['longest']:,}"
        times = f"{found['start'][:10]} – {found['end'][:10]}" if found["start"] else "not known"
        yield (
            f"| `{name}` | {present[name].title} | {found['events']:,} | {owners} | {found['items']:,} | {lengths} | "
            f"{found['clock']} | {times} |"
        )
    yield from ("", "## Contents and limits of each edition", "")
    for name, found in facts.items():
        dataset = present[name]
        yield f"### {dataset.title} (`{name}`)"
        yield ""
        yield f"{found['edition'][0].upper()}{found['edition'][1:]}. {_ASSEMBLED.get(name, '')}".rstrip()
        yield ""
        yield f"- Counts: {'checked at every load' if dataset.expected else 'none published'}"
        yield f"- SHA-256 of the content: `{found['sha256']}`"
        yield f"- {found['repeats']:.2%} of the events repeat an item of the same history"
        yield f"- Licence: {dataset.licence}"
        yield f"- Cite: {dataset.citation}"
        yield f"- This edition: {_address(dataset)}"
        yield f"- Official address: {_official(name)}"
        yield ""


def _sizes(present: Mapping[str, Dataset], folder: Path | None) -> Iterator[str]:
    """Yield published sizes beside those of our protocols."""
    yield from ("## Published sizes", "")
    yield "A pair is a prefix of a session and its next item."
    yield ""
    yield "| data set | protocol | what | published | found | met |"
    yield "|---|---|---|--:|--:|---|"
    whole = AsPublished(validation=0, unseen="candidate")
    for name, train, test in (("yoochoose-1-64", 369_859, 55_898), ("diginetica", 719_470, 60_858)):
        if name in present:
            split = whole.prepare(present[name].load(folder))
            yield _row(name, whole.name, "training pairs", train, _pairs(split.train.sequences))
            yield _row(name, whole.name, "test pairs", test, len(split.test))
    if "ml-1m-ordered" in present:
        filters = (MinUserEvents(2), MinItemEvents(5), MinUserEvents(2))
        kept, _ = apply_filters(present["ml-1m-ordered"].load(folder), filters)
        yield _row("ml-1m-ordered", "users ≥ 2, items ≥ 5, users ≥ 2, once", "items", 3_416, kept.num_items)
        yield _row("ml-1m-ordered", "the same", "users", 6_040, kept.num_users)
    yield ""


def _row(name: str, protocol: str, what: str, published: int, found: int) -> str:
    """Return a row with a published number and ours."""
    met = "yes" if published == found else "**no**"
    return f"| `{name}` | {protocol} | {what} | {published:,} | {found:,} | {met} |"


def _pairs(sequences: Sequences) -> int:
    """Count the prefixes of all sequences that have a next item."""
    return int(np.maximum(sequences.lengths - 1, 0).sum())


def _filters() -> Iterator[str]:
    """The filters of `recsys_data/protocols/filters.py` with the first line of their docstrings."""
    yield from ("## Filters", "")
    yield "A protocol applies its `filters` in order before it splits; the report lists what each one removes."
    yield ""
    for kind in _FILTERS:
        yield f"- `{kind.__name__}`: {(kind.__doc__ or '').partition(chr(10))[0].replace('``', '`')}"
    yield ""


def _audits(present: Mapping[str, Dataset], folder: Path | None) -> Iterator[str]:
    """Yield the findings for the audited data sets, with explanations."""
    yield from ("## What the audit finds", "")
    yield "It runs before training. A *fail* stops the run, a *caveat* is shown with every result, a *note* informs. A"
    yield "*severe caveat* is shown as strongly as a failure: the result means something else than it seems to."
    yield from ("", "Meaning of each finding:", "")
    yield from (f"- *{name}*: {meaning}" for name, meaning in MEANINGS.items())
    yield ""
    for name, protocol in _AUDITED.items():
        if name not in present:
            continue
        yield f"### {present[name].title}, {protocol.name}"
        yield ""
        yield f"Summary: {READINGS[name]}"
        yield from ("", "| level | finding | measured |", "|---|---|---|")
        for finding in audit(protocol.prepare(present[name].load(folder)), protocol):
            yield f"| {finding.level} | {finding.name} | {finding.sentence} |"
        yield ""


def _orders(present: Mapping[str, Dataset], folder: Path | None) -> Iterator[str]:
    """Yield, for every edition with an order, how many pairs of items occur in both orders."""
    yield from ("## One order of all items", "")
    yield "Pairs of items that two users (sessions) or more have in common; those of them that occur in both orders,"
    yield "none where one order of the items sorts all sequences; and the number expected if all were shuffled. The"
    yield "audit gives a severe caveat at 5 % of that number or less. It reads the first 50 events of whole sequences,"
    yield "about 3 million pairs per edition."
    yield ""
    yield "| name | pairs | in both orders | if shuffled | share of it |"
    yield "|---|--:|--:|--:|--:|"
    file_order = DigineticaViews(order="file", sample=True)
    for name, dataset in {**present, file_order.name: file_order}.items():
        if not dataset.present(folder):
            continue
        loaded = dataset.load(folder)
        if loaded.clock.has_order:
            sequences = Sequences(loaded.items, loaded.timestamps, loaded.offsets, np.arange(loaded.num_users))
            found = SharedOrder.of([sequences], loaded.num_items)
            share = f"{found.conflicts / found.expected:.2f}" if found.expected else "–"
            counts = f"{found.pairs:,} | {found.conflicts:,} | {found.expected:,.0f}"
            yield f"| `{name}` | {counts} | {share} |"
    yield ""


def _address(dataset: Any) -> str:
    """Return the source of the files of this edition."""
    if dataset.name in ("ml-1m-ordered", "ml-1m-late"):
        return "built from public copies, as described here"
    return dataset.source.urls[0] if dataset.source.urls else dataset.source.home


def _official(name: str) -> str:
    """Return the address where the owner publishes the data."""
    return _OFFICIAL[max((start for start in _OFFICIAL if name.startswith(start)), key=len)]


if __name__ == "__main__":
    for line in page():
        print(line)
