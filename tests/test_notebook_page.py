"""The code of docs/notebook.md, run from top to bottom as a reader would."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.notebook.run_suite import run_suite
from harness.suites.load import SuiteNotLoadable
from suites.quickstart import SUITE

ROOT = Path(__file__).resolve().parent.parent


def test_the_page_runs_and_plots(tmp_path):
    page = (ROOT / "docs" / "notebook.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    assert len(blocks) > 7 and page.count("\n```\n") == len(blocks)  # every block is run
    check = """
assert len(frame) == 4 and set(frame["metric"]) == {"MRR@20", "Recall@20"}
assert len(runs) == 2 and set(runs["tags.model"]) == {"Popularity", "Markov chain"}
expected = frame[frame["metric"] == "MRR@20"].set_index("model")["value"]
assert all(abs(run["metrics.test/mrr_at_20"] - expected[run["tags.model"]]) < 1e-12 for _, run in runs.iterrows())
assert means.set_index("model").loc["Markov chain", "best"] and len(differences) == 1
import seaborn
seaborn.stripplot(frame, x="value", y="model", hue="metric")
"""
    unset = {"ENCORE_RESULTS": "", "MLFLOW_TRACKING_URI": ""}
    environment = os.environ | unset | {"PYTHONPATH": str(ROOT), "MPLBACKEND": "agg"}
    done = subprocess.run(
        [sys.executable, "-c", "\n".join([*blocks, check])],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    assert (tmp_path / "means.png").stat().st_size > 1000
    assert "BETTER" in done.stdout.upper()


def test_a_suite_in_no_file_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(SuiteNotLoadable, match=r"'quickstart' is in no file.*such as quickstart.py"):
        run_suite(replace(SUITE, title="Mine"), results=tmp_path)


def test_an_imported_suite_is_found_by_its_file(tmp_path):
    with pytest.raises(ValueError, match="--only"):  # loaded, and refused for the option
        run_suite(SUITE, results=tmp_path, only="no such model", mlflow=False)
