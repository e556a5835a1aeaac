import os
import subprocess
import sys

import pytest
import torch

from harness.system.determinism import DeviceUnavailable, device_kind, prepare_determinism, resolve_device
from harness.system.environment import (
    ROOT,
    environment_record,
    git_state,
    peak_memory_mb,
    process_start,
    reset_peak_memory,
)


def test_the_settings_are_applied_and_recorded():
    found = prepare_determinism(1, "cpu")
    assert found == {"deterministic": True, "cudnn_benchmark": False, "tf32": False, "threads": 1}
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.get_num_threads() == 1
    assert not torch.backends.cuda.matmul.allow_tf32
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    with pytest.raises(ValueError, match="threads must be at least 1, got 0"):
        prepare_determinism(0)


@pytest.mark.parametrize("name", ["gpu", "cuda:x", "cpu:1", "auto:0", ""])
def test_an_unknown_device_is_refused(name):
    with pytest.raises(DeviceUnavailable, match="unknown device .* expected auto, cpu, cuda or cuda:<number>"):
        resolve_device(name)


def test_a_missing_gpu_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert resolve_device("cpu") == "cpu"
    assert resolve_device("auto") == "cpu"
    with pytest.raises(DeviceUnavailable, match="'cuda' is not available: .* use --device cpu or --device auto"):
        resolve_device("cuda")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    assert resolve_device("auto") == "cuda:0"
    assert resolve_device("cuda:1") == "cuda:1"
    with pytest.raises(DeviceUnavailable, match=r"this machine has 2 GPU\(s\), cuda:0 to cuda:1"):
        resolve_device("cuda:2")
    assert device_kind("cuda:1") == "cuda"


def test_the_environment_names_versions_commit_and_hardware():
    found = environment_record({"tf32": False})
    assert found["torch"] == torch.__version__
    assert found["cores"] >= 1
    assert found["memory_mb"] > 100
    assert found["tf32"] is False


def test_without_git_there_is_no_commit(tmp_path):
    assert git_state(tmp_path) == ("", False)


def test_a_commit_is_found_and_changes_are_seen(tmp_path):
    def git(*words):
        return subprocess.run(["git", "-c", "user.name=t", "-c", "user.email=t@t", "-C", str(tmp_path), *words],
                              capture_output=True, text=True, check=True).stdout.strip()  # fmt: skip

    git("init", "-q")
    (tmp_path / "a").write_text("1")
    git("add", "a")
    git("commit", "-qm", "one")
    assert git_state(tmp_path) == (git("rev-parse", "HEAD"), False)
    (tmp_path / "a").write_text("2")
    git_state.cache_clear()
    assert git_state(tmp_path)[1] is True


def test_peak_memory_is_that_since_the_reset():
    block = bytearray(200_000_000)
    block[::4096] = b"x" * len(block[::4096])
    high = peak_memory_mb()
    del block
    reset_peak_memory()
    assert peak_memory_mb() < high - 100


def test_a_process_is_identified_by_its_start():
    own = process_start(os.getpid())
    later = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    assert None not in (own, process_start(later.pid))
    assert process_start(later.pid) != own, "two processes with different starts"
    later.communicate(b"\n")
    assert process_start(os.getpid()) == own
    gone = subprocess.Popen([sys.executable, "-c", "pass"])
    gone.wait()
    assert process_start(gone.pid) is None


def test_the_command_line_imports_no_heavy_library():
    code = "import sys, benchmark; print(sorted({'torch','numpy','mlflow','pyarrow','rich.table'} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert found.stdout.strip() == "[]"
