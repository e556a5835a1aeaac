import importlib
import json
import os
import pkgutil
import subprocess
import sys

import pytest

from cli.lists.kinds import MODEL_PACKAGES
from cli.lists.recommenders import is_recommender, recommenders

HEAVY = ("torch", "numba", "scipy", "pandas", "pyarrow", "matplotlib", "mlflow", "optuna", "joblib", "distributed",
         "requests", "tarfile")  # fmt: skip
LOADED = "import sys, json; from benchmark import app\ntry: app()\nexcept SystemExit: pass\nprint(json.dumps([m for m in {} if m in sys.modules]))"  # noqa: E501


@pytest.mark.parametrize("command", ["plan all", "plan quickstart", "list suites", "list models", "list datasets"])
def test_plans_and_lists_import_no_heavy_library(command, tmp_path):
    environment = {**os.environ, "ENCORE_RESULTS": str(tmp_path / "results"), "ENCORE_DATA": str(tmp_path / "data")}
    run = [sys.executable, "-c", LOADED.format(HEAVY), *command.split()]
    found = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)
    if command == "plan quickstart":  # the first prepares generated data
        found = subprocess.run(run, env=environment, capture_output=True, text=True, check=True)
    allowed = ["pyarrow"] if command == "plan all" else []  # which prepares data
    assert json.loads(found.stdout.splitlines()[-1]) == allowed


def test_every_recommender_is_listed():
    listed, whole = set(recommenders(MODEL_PACKAGES)), set()
    for package in ("baselines", "recsys_models"):
        for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
            defined = vars(importlib.import_module(module.name)).values()
            whole |= {kind for kind in defined if isinstance(kind, type) and kind.__module__ == module.name}
    assert listed == {kind for kind in whole if is_recommender(kind)}
    assert len(listed) > 30
