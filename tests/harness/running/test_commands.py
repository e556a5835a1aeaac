"""Commands for a batch system: one line per cell or group, longest first; many at once leave one right record."""

import re
import shlex
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import benchmark
from evaluation.results.suite_results import read_suite
from harness.running.commands import PROGRAM

SCALE = (Path(__file__).resolve().parents[3] / "docs" / "scale.md").read_text()
SBATCH = """#!/bin/sh
# Stands for Slurm: run the script once per number of --array=1-N%LIMIT, all at once.
[ "$1" = --wait ] || exit 2
last=${2#--array=1-}; last=${last%%%*}
for n in $(seq "$last"); do SLURM_ARRAY_TASK_ID=$n sh "$3" & done
wait
"""


def call(*args, code=0):
    result = CliRunner().invoke(benchmark.app, [str(arg) for arg in args])
    assert result.exit_code == code, result.output
    return result


def options(line):
    """The arguments of one command by name."""
    python, program, command, suite, *args = shlex.split(line)
    assert (python, program, command) == (sys.executable, str(PROGRAM), "run")
    given = [arg for arg in args if arg not in ("--no-report", "--no-mlflow")]
    return {"suite": suite, **dict(zip(given[::2], given[1::2], strict=True))}


def test_one_self_contained_line_per_missing_cell(tiny_suite, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lines = call("plan", "./tiny.py", "--results", "here", "--set", "GRU.dim=4", "--commands").stdout.splitlines()
    place = {"suite": str(tiny_suite), "--results": str(tmp_path / "here"), "--set": "GRU.dim=4"}
    cells = [{"--only": "markov-30x25/GRU", "--seeds": "0,"}, {"--only": "markov-30x25/GRU", "--seeds": "1,"},
             {"--only": "markov-30x25/Popularity"}]  # fmt: skip
    assert [{n: v for n, v in options(line).items() if n != "--data"} for line in lines] == [place | c for c in cells]
    (both, last) = call("plan", "./tiny.py", "--commands", "--group", 2).stdout.splitlines()
    assert re.fullmatch(
        r"\(failed=0; .* --seeds 0, .* \|\| failed=1; .* --seeds 1, .* \|\| failed=1; exit \$failed\)", both
    )
    assert options(last)["--only"] == "markov-30x25/Popularity"


def test_a_group_runs_all_its_cells_and_reports_a_failure(tiny_suite, tmp_path, monkeypatch):
    monkeypatch.setattr("harness.running.commands.sys.executable", "false")
    (line,) = call("plan", tiny_suite, "--results", tmp_path, "--commands", "--group", 3).stdout.splitlines()
    shown = line.replace("false ", "sh -c 'echo tried; exit 1' ")
    ended = subprocess.run(["sh", "-c", shown], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (1, "tried\n" * 3)


@pytest.mark.parametrize("args, words", [
    (("--group", 2), "give --commands, too"), (("--commands", "--json"), "give one of them"),
])  # fmt: skip
def test_options_that_do_not_fit_are_refused(tiny_suite, args, words):
    assert words in call("plan", tiny_suite, *args, code=2).stderr


def test_a_label_with_a_line_break_is_refused(tiny_suite, tmp_path):
    tiny_suite.write_text(
        tiny_suite.read_text().replace('"GRU": ', '"G\\nRU": ').replace('better="GRU"', 'better="G\\nRU"')
    )
    said = call("plan", tiny_suite, "--results", tmp_path, "--commands", code=2).stderr
    assert "is not one line, since a name or a path in it holds a line break" in said


def test_the_job_array_as_printed_fills_one_record(tiny_suite, tmp_path):
    (script,) = re.findall(r"```sh\n(#!/bin/sh\n#SBATCH.*?)```", SCALE, re.DOTALL)
    (submit,) = re.findall(r"```sh\n(python benchmark.py plan .*?)```", SCALE, re.DOTALL)
    results = tmp_path / "results"
    for name, text in (("array.sh", script), ("sbatch", SBATCH)):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(stat.S_IRWXU)
    program = f"{shlex.quote(sys.executable)} {shlex.quote(str(PROGRAM))}"
    plan, submit_all, finish = (
        submit.replace("python benchmark.py", program).replace("SUITE", str(tiny_suite)).splitlines()
    )
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "ENCORE_RESULTS": str(results), "HOME": str(tmp_path)}

    def shell(text):
        ended = subprocess.run(["sh", "-ec", text], cwd=tmp_path, env=environment, capture_output=True, text=True,
                               check=False)  # fmt: skip
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    shell(f"{plan}\n{submit_all}")
    found = read_suite(results, "tiny")
    assert [(cell.model, cell.seed) for cell in found.cells] == [("Popularity", 0), ("GRU", 0), ("GRU", 1)]
    assert not found.failures and found.record["caveats"] == []
    assert "3 cached; nothing to compute" in shell(finish)
    assert (results / "tiny" / "report.html").is_file()
