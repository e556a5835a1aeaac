"""The GPU check at tiny size on the CPU, without the libraries that machines with GPUs lack."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from speed.gpu.report import OPTIONAL, markdown
from speed.gpu_check import main

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def checked(tmp_path_factory):
    """One run of the script, in a process that cannot import what is optional; its workers cannot, either."""
    folder = tmp_path_factory.mktemp("gpu-check")
    for name in OPTIONAL:
        (folder / f"{name}.py").write_text(f"raise ModuleNotFoundError({name!r})\n")
    environment = {name: value for name, value in os.environ.items() if name != "ENCORE_DATA"}
    environment |= {"PYTHONPATH": str(folder), "CUDA_VISIBLE_DEVICES": ""}
    options = ["--device", "cpu", "--out", str(folder), "--cells-per-gpu", "1,2"]
    command = [sys.executable, "-m", "speed.gpu_check", *options]
    found = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr
    return found.stdout, folder


def test_every_stage_ran_without_a_gpu_and_without_optional_libraries(checked):
    output, folder = checked
    report = json.loads((folder / "gpu-check.json").read_text())
    assert output.startswith("No GPU: every stage runs at tiny size on the CPU.")
    assert (report["device"], report["tiny"]) == ("cpu", True)
    assert [stage["state"] for stage in report["stages"]] == ["skipped", *["ok"] * 5], output
    tests, quickstart, ranks, cells, softmax, at_once = (stage["rows"] for stage in report["stages"])
    assert tests == [] and {row["second run"] for row in quickstart} == {"same bits"}
    assert [row["unexplained"] for row in ranks] == [0, 0] and min(row["targets"] for row in ranks) > 20
    assert {row["cell"] for row in cells} >= {"torch.nn.LSTM", "Time-LSTM 1", "user GRU, linear"}
    assert all(row["events/s"] > 0 for row in cells)
    assert {row["what"] for row in softmax} >= {"products, bfloat16", "CrossEntropy, bfloat16", "CrossEntropy, float32"}
    assert [(row["at once"], row["cells"]) for row in at_once] == [(1, 2), (2, 2)]


def test_the_page_shows_what_the_data_hold(checked):
    _, folder = checked
    report = json.loads((folder / "gpu-check.json").read_text())
    page = (folder / "gpu-check.md").read_text()
    assert page == markdown(report)
    assert "These numbers check the script; they measure nothing." in page
    for stage in report["stages"]:
        assert f"## {stage['name']}" in page and stage["sentence"] in page
        assert page.count("| same bits |") == 1


@pytest.mark.parametrize("arguments, message", [
    (["--cells-per-gpu", "2,0"], "'2,0' must be numbers of cells, 1 or more, such as 1,2,4,8"),
    (["--data", "nowhere"], "--data nowhere is no folder"),
    (["--device", "gpu"], "unknown device 'gpu': expected auto, cpu, cuda or cuda:<number>"),
])  # fmt: skip
def test_a_wrong_option_is_refused_in_one_sentence(arguments, message, capsys):
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and message in capsys.readouterr().err


def test_a_python_without_torch_is_named(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None if name == "torch" else object())
    with pytest.raises(SystemExit):
        main(["--device", "cpu"])
    assert "lacks torch: install it there, or use another Python" in capsys.readouterr().err


def test_a_failed_stage_is_named_and_the_others_run(monkeypatch, tmp_path, capsys):
    from speed.gpu import kernels, suites
    from speed.gpu.stage import Outcome

    def broken(around):
        raise RuntimeError("CUDA error:\nno kernel image")

    for place, name in [(suites, "tests"), (suites, "quickstart"), (kernels, "cells"), (kernels, "softmax"),
                        (suites, "several_cells")]:  # fmt: skip
        monkeypatch.setattr(place, name, lambda around: Outcome("ok", "Done."))
    monkeypatch.setattr(kernels, "ranks", broken)
    assert main(["--device", "cpu", "--out", str(tmp_path)]) == 1
    states = {stage["name"]: stage for stage in json.loads((tmp_path / "gpu-check.json").read_text())["stages"]}
    assert states["Ranks, CPU and GPU"]["sentence"] == "RuntimeError: CUDA error: no kernel image"
    assert [stage["state"] for stage in states.values()].count("ok") == 5
    assert main(["--device", "cpu", "--out", str(tmp_path), "--minutes", "0"]) == 0
    assert "skipped (0 s). No time was left." in capsys.readouterr().out
