"""A results folder, and the runs of one test in its MLflow."""

import shutil

import pytest

from harness.store import Store
from harness.tracking.database import tracking_uri
from harness.tracking.mlflow_view import Tracker


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """One results folder for all tests, since making a database takes seconds; each test has its own suite."""
    return tmp_path_factory.mktemp("results")


@pytest.fixture
def store(root, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.rmtree(root / "cells", ignore_errors=True)
    return Store.open(root)


@pytest.fixture
def suite(request):
    return request.node.name


@pytest.fixture
def tracker(suite):
    """Opens a tracker of this test's suite."""
    return lambda store, warnings=None: Tracker(store, suite, print if warnings is None else warnings.append).open()


@pytest.fixture
def runs(suite):
    """Finds this test's runs."""

    def found(store, words=""):
        import mlflow

        client = mlflow.MlflowClient(tracking_uri=tracking_uri(store.root))
        return client, client.search_runs([client.get_experiment_by_name(suite).experiment_id], words)

    return found
