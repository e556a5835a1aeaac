"""Templates of models, data sets and suites, filled in for a name."""

from __future__ import annotations

import importlib.util
import keyword
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cli.data_actions import find_dataset, known_datasets
from harness.contract.in_file import FileContents, read_contents
from harness.suites.load import ROOT
from recsys_data.checks import did_you_mean
from recsys_data.files.interaction_file import InteractionFile

CLASSES = {"model": "MyModel", "baseline": "MyBaseline", "dataset": "MyDataset"}
KINDS = (*CLASSES, "suite")
FOLDER = ROOT / "templates"
# The statements of templates/suite.py that the options of the command new change.
_SUITE_DATA_IMPORT = "from recsys_data.generated.markov_chain import MarkovChainSequences\n"
_SUITE_DATA = "MarkovChainSequences(num_users=600, num_items=200, length=60)"
_SUITE_MODELS = "MODELS = {"
_SUITE_LAST_IMPORT = "from recsys_models.rnn import GRU\n"


@dataclass(frozen=True)
class Names:
    """The forms of a name: of its class, of its file, and as a label without blanks."""

    kind: str
    stem: str
    label: str

    @classmethod
    def of(cls, name: str) -> Names:
        """The forms of "MyGRU", "my_gru" or "my-gru". Raises ValueError for a name that no file or class can have."""
        parts = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|-", "_", name)
        stem = parts.lower()
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name) or keyword.iskeyword(stem):
            raise ValueError(f"{name!r} cannot name a file and a class: use letters, digits and _, such as MyModel")
        kind = (
            name
            if name[0].isupper() and name.isidentifier()
            else "".join(w[:1].upper() + w[1:] for w in parts.split("_"))
        )
        return cls(kind, stem, stem.replace("_", "-"))


def write_template(what: str, name: str, dataset: str, models: Sequence[str], data: Path | None) -> Path:
    """Write NAME.py in the current folder and return its path.

    dataset, models: a suite's data set (a name or a file) and the files of its own models. Raises ValueError for a kind
    or a name that cannot be used, a file that exists, and options that the kind does not have.
    """
    if what not in KINDS:
        hint = did_you_mean(what, KINDS, f"expected {', '.join(KINDS)}")
        raise ValueError(f"there is no template for {what!r}: {hint}")
    if what != "suite" and (dataset or models):
        raise ValueError(f"--dataset and --model are for new suite, not for new {what}")
    names = Names.of(name)
    path = Path(f"{names.stem}.py")
    if path.exists():
        raise ValueError(f"{path} exists already, and new overwrites nothing; choose another name, or remove the file")
    if importlib.util.find_spec(names.stem) is not None:
        raise ValueError(f"{names.stem!r} is the name of a Python module, which {path} would hide; choose another name")
    text = _template(what).replace("THIS_FILE", str(path))
    if what == "suite":
        text = _suite(text.replace("my_suite", names.stem), dataset, [read_beside(file) for file in models], data)
    else:
        text = text.replace(CLASSES[what], names.kind).replace("my-dataset", names.label)
    path.write_text(text, encoding="utf-8")
    return path


def _claim(better: str, name: str, worse: str) -> str:
    """The line of a claim in templates/suite.py."""
    models = f'"{better} beats {name}", better="{better}", worse="{worse}"'
    return f'        Ranking({models}, dataset=DATASET.name, metric="MRR@20"),\n'


SUITE_CLAIM = _claim("GRU", "popularity", "Popularity")


def _template(what: str) -> str:
    return (FOLDER / f"{what}.py").read_text(encoding="utf-8")


def _suite(text: str, dataset: str, models: Sequence[tuple[str, FileContents]], data: Path | None) -> str:
    """The suite's text with its data set and models in place."""
    imports, entries, claims = "", "", ""
    for module, contents in models:
        if not contents.models:
            raise ValueError(f"{module}.py has no model: expected a class with fit and score")
        imports += f"from {module} import {', '.join(contents.models)}\n"
        entries += "".join(f'"{kind}": {kind}(), ' for kind in contents.models)
        claims += "".join(_claim(kind, "the GRU", "GRU") for kind in contents.models)
    if dataset:
        line, value = _dataset_source(dataset, data)
        text = text.replace(_SUITE_DATA_IMPORT, line).replace(_SUITE_DATA, value)
    text = text.replace(_SUITE_LAST_IMPORT, _SUITE_LAST_IMPORT + (f"\n{imports}" if imports else ""))
    return text.replace(_SUITE_MODELS, _SUITE_MODELS + entries).replace(SUITE_CLAIM, SUITE_CLAIM + claims)


def _dataset_source(name: str, data: Path | None) -> tuple[str, str]:
    """The import line and the expression of a data set: built in, imported, a class in a file, or a file of events."""
    if name.endswith(".py"):
        module, contents = read_beside(name)
        if len(contents.datasets) != 1:
            raise ValueError(f"{name} has {len(contents.datasets)} data sets; expected one class with load")
        (kind,) = contents.datasets
        return f"from {module} import {kind}\n", f"{kind}()"
    found = find_dataset(name, known_datasets(data))
    value = f"InteractionFile({name!r})" if isinstance(found, InteractionFile) else repr(found)
    return f"from {type(found).__module__} import {type(found).__name__}\n", value


def read_beside(file: str) -> tuple[str, FileContents]:
    """The module name and the contents of a file that the suite imports; it must be beside the suite."""
    path = Path(file).expanduser()
    contents = read_contents(file)
    if path.resolve().parent != Path.cwd() or not path.stem.isidentifier():
        raise ValueError(f"{file} must be in the current folder, under a name of letters, digits and _, as the suite "
                         f"imports it")  # fmt: skip
    return path.stem, contents
