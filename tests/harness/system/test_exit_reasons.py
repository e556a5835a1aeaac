"""The reason of a process's end is its code or its signal; memory only where the kernel counts a kill."""

import pytest

from harness.system import exit_reasons
from harness.system.exit_reasons import exit_reason, memory_kills


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (0, "its process exited with code 0 in the middle of the cell"),
        (7, "its process exited with code 7 in the middle of the cell"),
        (-11, "its process crashed in native code (SIGSEGV)"),
        (-6, "its process crashed in native code (SIGABRT)"),
        (-9, "its process was ended by a signal (SIGKILL)"),
        (-15, "its process was ended by a signal (SIGTERM)"),
        (-99, "its process was ended by a signal (signal 99)"),
    ],
)
def test_the_reason_names_the_code_or_the_signal(code, reason):
    assert exit_reason(code, memory_kills()) == reason


def test_memory_is_named_only_where_the_kernel_counts_another_kill(tmp_path, monkeypatch):
    counter = tmp_path / "memory.events"
    counter.write_text("oom 3\noom_kill 2\n")
    monkeypatch.setattr(exit_reasons, "_counters", lambda: iter([counter, tmp_path / "absent"]))
    assert memory_kills() == 2
    assert "memory" not in exit_reason(-9, 2)
    counter.write_text("oom 4\noom_kill 3\n")
    assert exit_reason(-9, 2).startswith("memory ran out, and the system ended its process (SIGKILL)")
    assert "memory" not in exit_reason(-11, 2)
