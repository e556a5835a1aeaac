"""The README of an exported split: what its files hold, and the lines that write ranks back."""

from __future__ import annotations

from recsys_data.split import Split

_FILES = {
    "csv": "`train.csv`, `validation.csv`, `test.csv`: a row per event, `sequence,user,item,timestamp`.",
    "session": """`train.tsv`, `validation.tsv`, `test.tsv`: tab-separated, a row per event; `SessionId` numbers the
  sequences of the file, `UserId` is the id of the raw data. Rows are in order; times may repeat, so do not sort.""",
    "recbole": """`train.inter`, `validation.inter`, `test.inter`: atomic files, a row per event. The folder `{name}`
  holds benchmark files (`data_path`: this folder, `dataset`: {name}, `benchmark_filename`: `['train', 'valid',
  'test']`): a row per step or target with the last 50 items before it, in the order of `queries.csv`, without the rows
  that have no target.""",
    "lists": """`train.txt`, `validation.txt`, `test.txt`: a line per sequence, its owner and its items between blanks;
  `train_times.txt` and so on have the times in place of the items.""",
}
_TEXT = """# {dataset}, {protocol}

A split by Encore, for other programs. Fingerprint: `{fingerprint}`

- {files}
- The events of `validation` and `test` are those that may be read: the training events of the same user, and earlier
  events of the part. The answer to the last query of a sequence is not among them.
- `queries.csv`: what is asked, in order: a row per query and true item. Query q reads the first `history` events of its
  `sequence` in the test file. An empty `target` is outside the catalogue: a miss for every model. A `time` is given
  only where a model may know it. `validation_queries.csv`: the same for validation.
- `items.csv`: the candidates. {candidates}
- `users.csv`: all ids of users or sessions. `split.json`: settings. `SHA256SUMS`: `sha256sum -c SHA256SUMS`.

Ids are those of the raw data: do not publish these files where its licence forbids it.

## Ranks back

Ten lines write a file that a suite reads; `histories` has the items of each sequence of the test file, and `score` is
the other program's function, from a history of ids to one score per candidate, in the order of `items.csv`:

```python
import csv

items = {{row["item"]: place for place, row in enumerate(csv.DictReader(open("items.csv")))}}
with open("ranks-{{seed}}.csv", "w") as out:
    print("query,target,greater,tied", file=out)
    for row in csv.DictReader(open("queries.csv")):
        if row["target"]:
            scores = score(histories[row["sequence"]][: int(row["history"])])
            own = scores[items[row["target"]]]
            print(row["query"], row["target"], (scores > own).sum(), (scores == own).sum() - 1, sep=",", file=out)
```

In the suite, among the models: `Ranked("ranks-{{seed}}.csv", by="the program, its version or commit")`.
"""


def readme(split: Split, kind: str, dataset: str, protocol: str) -> str:
    """The text of README.md."""
    test = split.test
    rule = "Items of the history are no candidates: set their scores to minus infinity." if test.exclude_seen else ""
    if test.num_sampled:
        rule += f" A target is ranked among {test.num_sampled} other items drawn at random, {test.repeats} times."
    files, candidates = _FILES[kind].format(name=dataset), rule or "All of them are ranked."
    return _TEXT.format(
        dataset=dataset, protocol=protocol, fingerprint=split.fingerprint, files=files, candidates=candidates
    )
