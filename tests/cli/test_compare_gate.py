"""compare --fail-if-worse: exit code and sentence by hand-made files of 60 users."""

import pytest
from typer.testing import CliRunner

from benchmark import app


def call(*words):
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def files(tmp_path):
    """Ranks of 60 users: old; worse for all; 1 % worse for all in MRR; worse for one user of sixty."""

    def write(name, ranks):
        rows = "".join(f"u{user},{user},{rank}\n" for user, rank in enumerate(ranks))
        (tmp_path / f"{name}.csv").write_text("user,query,rank\n" + rows)
        return tmp_path / f"{name}.csv"

    return {
        "old": write("old", [2] * 60), "worse": write("worse", [4] * 60), "better": write("better", [1] * 60),
        "one": write("one", [2] * 59 + [3]),
    }  # fmt: skip


def gate(files, *names, options=()):
    paths = [files[name] for name in names]
    result = call("compare", *paths, "--fail-if-worse", "--metric", "mrr@20", *options)
    lines = [line for line in result.stderr.splitlines() if line.startswith(("PASS", "FAIL"))]
    return result.exit_code, [line.replace(str(files["old"].parent) + "/", "") for line in lines]


def test_worse_fails(files):
    code, (line,) = gate(files, "worse", "old")
    assert code == 1
    assert line.startswith("FAIL MRR@20: worse.csv against old.csv: worse, −50.0 % (adjusted p ")
    assert line.endswith(", margin 2%)")


@pytest.mark.parametrize(("new", "found"), [("better", "better"), ("old", "practically equal"), ("one", "")])
def test_better_equal_and_undecided_pass(files, new, found):
    code, (line,) = gate(files, new, "old")
    assert code == 0
    assert line.startswith(f"PASS MRR@20: {new}.csv against old.csv")
    assert found in line


def test_a_loss_within_the_margin_passes(files):
    assert gate(files, "worse", "old", options=("--margin", "0.6"))[0] == 0
    assert gate(files, "worse", "old", options=("--margin", "0.4"))[0] == 1


def test_only_the_first_file_is_judged(files):
    assert gate(files, "better", "worse", "old")[0] == 0
    code, lines = gate(files, "old", "worse", "better")
    assert code == 1
    assert [line[:4] for line in lines] == ["FAIL", "PASS"]


def test_without_the_option_nothing_fails(files):
    result = call("compare", files["worse"], files["old"])
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_margin_out_of_range_is_refused(files):
    result = call("compare", files["worse"], files["old"], "--margin", "2")
    assert result.exit_code == 2
    assert result.stderr == "error: --margin 2 must be a share of at least 0 and below 1, such as 0.02 for 2 %\n"
