"""Arrows point down between floors and in no circle; a library has one home, a door few files, a file few lines."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "recsys_data": set(),
    "training": {"recsys_data"},
    "evaluation": {"recsys_data"},
    "recsys_models": {"training", "recsys_data"},
    "baselines": {"training", "recsys_data"},
    "reference": {"recsys_models", "recsys_data"},  # asked by tests and speed/, never by what it speaks of
    "harness": {"evaluation", "training", "recsys_data"},
    "reports": {"evaluation", "recsys_data"},
    "suites": {"baselines", "recsys_models", "training", "recsys_data", "evaluation", "harness"},
    "templates": {"baselines", "recsys_models", "training", "recsys_data", "evaluation", "harness"},
    "cli": {"reports", "harness", "evaluation", "recsys_data"},
    "studies": {"evaluation", "recsys_data"},
}
FROM_SUITES = {
    "evaluation": {"evaluation.verdicts.claims", "evaluation.metrics.accuracy"},
    "harness": {"harness.spec", "harness.tuning"},
}
HOMES = {
    "mlflow": {"harness/tracking/mlflow_client.py"},
    "matplotlib": {"reports/figures/draw.py", "reports/figures/dataset.py", "reports/figures/fonts.py"},
    "pandas": {"evaluation/frames.py", "recsys_data/interactions.py", "harness/backends/serve.py"},  # serve: for forks
    "joblib": {"evaluation/results/process_pool.py"},
    "filelock": {"harness/system/locks.py"},
    "dask": {"harness/backends/dask.py"},
    "distributed": {"harness/backends/dask.py"},
    "optuna": {"harness/tuning.py"},
    "plutoprint": {"reports/output/pdf.py"},
    "pypdf": {"reports/output/pdf.py"},
    "jinja2": {"reports/output/html.py"},
    "pooch": {"recsys_data/fetching/source.py"},
    "typer": {"cli"},
}
TORCH_FREE = {"recsys_data", "evaluation", "reports"}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "common", "base"}
LONGEST = 350
WIDEST_DOOR = 12  # files directly in a floor


def sources(folder):
    return sorted((ROOT / folder).rglob("*.py"))


def imported(path):
    """Every absolute module name that a file imports, wherever in the file."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("folder", MAY_IMPORT)
def test_arrows_point_down(folder):
    for path in sources(folder):
        for name in imported(path):
            top = name.split(".")[0]
            if top == folder or top not in MAY_IMPORT:
                continue
            assert top in MAY_IMPORT[folder], f"{path.relative_to(ROOT)} imports {name}"
            if folder == "suites" and top in FROM_SUITES and "." in name:
                allowed = any(f"{name}.".startswith(f"{module}.") for module in FROM_SUITES[top])
                assert allowed, f"{path.relative_to(ROOT)} imports {name}"


@pytest.mark.parametrize("library", HOMES)
def test_each_library_has_one_home(library):
    for folder in MAY_IMPORT:
        for path in sources(folder):
            if any(name.split(".")[0] == library for name in imported(path)):
                place = path.relative_to(ROOT)
                assert {place.as_posix(), place.parts[0]} & HOMES[library], f"{place}: {library}"


@pytest.mark.parametrize("folder", sorted(TORCH_FREE))
def test_these_floors_do_without_torch(folder):
    for path in sources(folder):
        assert not any(name.split(".")[0] == "torch" for name in imported(path)), path


def circles(arrows):
    """The groups of nodes that reach each other, from node → the nodes that it points at."""

    def reached(start):
        seen, waiting = set(), [start]
        while waiting:
            fresh = arrows.get(waiting.pop(), set()) - seen
            seen |= fresh
            waiting += fresh
        return seen

    reach = {node: reached(node) for node in arrows}
    groups = {frozenset(other for other in reach[node] if node in reach.get(other, ())) for node in arrows}
    return [set(group) for group in groups if len(group) > 1]


def imports_between(place_of):
    """Which place imports which, for places of modules; an import inside a function counts like any other."""
    paths = [path for folder in MAY_IMPORT for path in sources(folder) if path.name != "__init__.py"]
    modules = {".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in paths}
    arrows = {}
    for path in paths:
        for name in imported(path):
            if name in modules and place_of(modules[name]) != place_of(path):
                arrows.setdefault(place_of(path), set()).add(place_of(modules[name]))
    return arrows


def test_circles_are_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": {"a"}}) == [{"b", "c"}]


def test_no_circle_between_files():
    arrows = imports_between(lambda path: path.relative_to(ROOT).as_posix())
    assert len(arrows) > 200
    assert circles(arrows) == []


def test_no_circle_between_rooms():
    arrows = imports_between(lambda path: path.relative_to(ROOT).parent.as_posix())
    assert len(arrows) > 30
    assert circles(arrows) == []


@pytest.mark.parametrize("folder", [folder for folder in MAY_IMPORT if folder != "suites"])
def test_a_door_shows_few_files(folder):
    door = [path for path in (ROOT / folder).glob("*.py") if path.name != "__init__.py"]
    assert len(door) <= WIDEST_DOOR, f"{folder}: {len(door)} files; give a family of them a room"


def test_each_room_says_what_it_holds():
    for folder in MAY_IMPORT:
        for room in {path.parent for path in sources(folder)}:
            assert ast.get_docstring(ast.parse((room / "__init__.py").read_text())), room


def test_no_room_without_a_name():
    for folder in MAY_IMPORT:
        for path in sources(folder):
            assert path.stem not in FORBIDDEN_NAMES, path


def test_files_stay_small():
    for folder in [*MAY_IMPORT, "tests", "speed"]:
        for path in sources(folder):
            lines = len(path.read_text().splitlines())
            assert lines <= LONGEST, f"{path.relative_to(ROOT)} has {lines} lines: more than one noun lives there"


def stood_in_for(path):
    """The modules of this project for which a file uses LazyModule."""
    calls = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)]
    names = [node.args[0].value for node in calls if getattr(node.func, "id", "") == "LazyModule"]
    return [name for name in names if name.split(".")[0] in MAY_IMPORT]


def test_lazy_modules_are_imported_for_hashes_of_sources():
    """Hashes follow import statements, so a file must also import (under TYPE_CHECKING) what it loads lazily."""
    lazy = [(path, name) for folder in MAY_IMPORT for path in sources(folder) for name in stood_in_for(path)]
    assert len(lazy) > 10
    for path, name in lazy:
        assert name in set(imported(path)), f"{path.relative_to(ROOT)}: {name}"
