import sys
import types
from dataclasses import dataclass

import pytest

from evaluation.metrics.accuracy import MRR
from harness.system import sources
from harness.system.sources import add_suite_folder, source_hashes

FILES = {
    "recsys_models/__init__.py": '"""Models."""',
    "recsys_models/net.py": '"""A net."""\nfrom training.loop import go\nimport numpy\n\nclass Net:\n    """Doc."""\n',
    "training/__init__.py": "",
    "training/loop.py": "from training import terms\ndef go():\n    return terms.one()\n",
    "training/terms.py": "def one():\n    return 1\n",
    "training/unused.py": "X = 1\n",
    "evaluation/__init__.py": "",
    "evaluation/ranking/rank.py": "RANK = 1\n",
    "evaluation/metrics/accuracy.py": "from evaluation.ranking.rank import RANK\n",
    "harness/__init__.py": "",
    "harness/cells/execute.py": "from harness import store\n",
    "harness/system/determinism.py": "A = 1\n",
    "harness/store.py": "B = 1\n",
}


@dataclass
class Net:
    dim: int = 4


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A small checkout with the model Net in recsys_models/net.py."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    module = types.ModuleType("recsys_models.net")
    module.__file__ = str(tmp_path / "recsys_models/net.py")
    monkeypatch.setitem(sys.modules, "recsys_models.net", module)
    monkeypatch.setattr(Net, "__module__", "recsys_models.net")
    return tmp_path


def test_files_are_followed_by_import_and_no_others(checkout):
    found = set(source_hashes(Net(), checkout))
    followed = {"recsys_models/net.py", "training/loop.py", "training/terms.py", "evaluation/ranking/rank.py"}
    assert followed | {"evaluation/metrics/accuracy.py"} <= found
    assert {"harness/cells/execute.py", "harness/system/determinism.py"} <= found
    assert "training/unused.py" not in found
    assert "harness/store.py" not in found, "the rest of the harness changes no result"


def test_docstrings_comments_and_layout_do_not_count(checkout):
    before = source_hashes(Net(), checkout)
    (checkout / "training/terms.py").write_text('"""Losses."""\n\n\ndef one():\n    """One."""\n    return  1  # one\n')
    assert source_hashes(Net(), checkout) == before


@pytest.mark.parametrize("name", ["training/terms.py", "recsys_models/net.py", "evaluation/ranking/rank.py"])
def test_a_changed_statement_counts_and_is_named(checkout, name):
    before = source_hashes(Net(), checkout)
    path = checkout / name
    path.write_text(path.read_text() + "\nZ = 2\n")
    after = source_hashes(Net(), checkout)
    assert [path for path in after if after[path] != before[path]] == [name]


def test_an_added_import_brings_its_file(checkout):
    path = checkout / "training/terms.py"
    path.write_text(path.read_text() + "\nfrom .unused import X\n")
    assert "training/unused.py" in source_hashes(Net(), checkout)


def test_c_sources_beside_a_module_count(checkout):
    (checkout / "training/terms.cpp").write_text("int one() { return 1; }")
    assert "training/terms.cpp" in source_hashes(Net(), checkout)


SUITE = """
from dataclasses import dataclass
from training.terms import one
FACTOR = 3
NAME = "mine"

@dataclass
class Mine:
    dim: int = FACTOR

class Other:
    pass

SUITE = [NAME, Mine()]
"""


@pytest.fixture
def own_model(checkout, monkeypatch):
    """A model defined in a suite file, and the path of the file."""
    path = checkout / "mine.py"
    module = types.ModuleType("user_suite_mine")
    module.__file__, module.SUITE = str(path), object()
    monkeypatch.setitem(sys.modules, "user_suite_mine", module)

    @dataclass
    class Mine:
        dim: int = 3

    Mine.__module__, Mine.__qualname__ = "user_suite_mine", "Mine"
    path.write_text(SUITE)
    return Mine(), path


@pytest.mark.parametrize("old, new", [("NAME = \"mine\"", "NAME = 'yours'"), ("class Other:", "class Another:"),
                                      ("SUITE = [NAME, Mine()]", "SUITE = [Mine(), NAME, 5]")])  # fmt: skip
def test_unneeded_parts_of_a_suite_file_do_not_count(checkout, own_model, old, new):
    model, path = own_model
    before = source_hashes(model, checkout)
    assert "mine:Mine" in before
    path.write_text(path.read_text().replace(old, new))
    assert source_hashes(model, checkout) == before


@pytest.mark.parametrize("old, new", [("FACTOR = 3", "FACTOR = 4"), ("dim: int = FACTOR", "dim: int = 1 + FACTOR")])
def test_needed_parts_of_a_suite_file_count(checkout, own_model, old, new):
    model, path = own_model
    before = source_hashes(model, checkout)
    path.write_text(path.read_text().replace(old, new))
    after = source_hashes(model, checkout)
    assert [name for name in after if after[name] != before[name]] == ["mine:Mine"]


@pytest.mark.parametrize("how", ["from training.unused import *\n", "from training.loop import *\n",
                                 "try:\n    from training.unused import X\nexcept ImportError:\n    X = 2\n",
                                 "if True:\n    def made():\n        import training.unused\n        return 1\n"],
)  # fmt: skip
def test_star_and_conditional_imports_of_a_suite_file_count(checkout, own_model, how):
    model, path = own_model
    path.write_text(how + path.read_text().replace("FACTOR = 3", "FACTOR = made() if X else X"))
    before = source_hashes(model, checkout)
    name = "training/loop.py" if "loop" in how else "training/unused.py"
    (checkout / name).write_text(f"X = 1\nY = 2\n{(checkout / name).read_text()}")
    after = source_hashes(model, checkout)
    assert [path for path in after if after[path] != before.get(path)] == [name]


BESIDE = """
import json
from helpers.decay import half

class Beside:
    pass
"""


@pytest.fixture
def model_beside(checkout, tmp_path_factory, monkeypatch):
    """A model defined in a module beside a user's suite file outside the checkout, and that folder."""
    folder = tmp_path_factory.mktemp("far")
    for name, text in {"mine": "SUITE = 1", "nets": BESIDE, "helpers/decay": "half = 0.5"}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / f"{name}.py").write_text(text)
    module = types.ModuleType("nets")
    module.__file__ = str(folder / "nets.py")
    monkeypatch.setitem(sys.modules, "nets", module)
    monkeypatch.setattr(sources, "_suite_folders", {})
    add_suite_folder(folder)

    @dataclass
    class Beside:
        dim: int = 3

    Beside.__module__, Beside.__qualname__ = "nets", "Beside"
    return Beside(), folder


@pytest.mark.parametrize("name", ["nets.py", "helpers/decay.py"])
def test_a_module_beside_a_users_suite_counts_with_what_it_imports(checkout, model_beside, name):
    model, folder = model_beside
    before = source_hashes(model, checkout)
    assert "mine.py" not in before, "a model defined elsewhere does not need the suite file"
    (folder / name).write_text((folder / name).read_text() + "\nY = 2\n")
    after = source_hashes(model, checkout)
    assert [path for path in after if after[path] != before.get(path)] == [name]


def test_a_model_beside_no_suite_belongs_to_a_library(checkout, model_beside, monkeypatch):
    model, _ = model_beside
    monkeypatch.setattr(sources, "_suite_folders", {})
    assert "nets.py" not in source_hashes(model, checkout)


def test_every_stored_metric_counts_in_the_key():
    found = source_hashes(MRR(20))  # any value: ranking and metrics count for all
    assert {"evaluation/metrics/accuracy.py", "evaluation/metrics/coverage.py", "evaluation/metrics/lists.py"} <= set(
        found
    )
