"""Arrows point downward, each third-party library has one home, files stay small."""

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
    "witness": {"recsys_models", "recsys_data"},  # asked by tests and speed/, never by what it speaks of
    "harness": {"evaluation", "training", "recsys_data"},
    "reports": {"evaluation", "recsys_data"},
    "suites": {"baselines", "recsys_models", "training", "recsys_data", "evaluation", "harness"},
    "commands": {"reports", "harness", "evaluation", "recsys_data"},
}
FROM_SUITES = {
    "evaluation": {"evaluation.verdicts.claims", "evaluation.metrics.accuracy"},
    "harness": {"harness.spec", "harness.tuning"},
}
HOMES = {
    "mlflow": {"harness/tracking/mlflow_view.py"},
    "matplotlib": {"reports/figures/draw.py", "reports/figures/dataset.py"},
    "joblib": {"harness/running/runner.py"},
    "optuna": {"harness/tuning.py"},
    "plutoprint": {"reports/output/pdf.py"},
    "pypdf": {"reports/output/pdf.py"},
    "jinja2": {"reports/output/html.py", "reports/output/pdf.py", "reports/output/export.py"},
    "pooch": {"recsys_data/fetching/source.py"},
    "typer": {"commands"},
}
TORCH_FREE = {"recsys_data", "evaluation", "reports"}
FORBIDDEN_NAMES = {"utils", "util", "helpers", "common", "base"}
LONGEST = 350


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
                assert ".".join(name.split(".")[:2]) in FROM_SUITES[top], f"{path.relative_to(ROOT)} imports {name}"


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


def test_no_room_without_a_name():
    for folder in MAY_IMPORT:
        for path in sources(folder):
            assert path.stem not in FORBIDDEN_NAMES, path


def test_files_stay_small():
    for folder in [*MAY_IMPORT, "tests", "speed"]:
        for path in sources(folder):
            lines = len(path.read_text().splitlines())
            assert lines <= LONGEST, f"{path.relative_to(ROOT)} has {lines} lines: more than one noun lives there"
