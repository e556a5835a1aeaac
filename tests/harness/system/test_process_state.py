"""What a cell leaves changed is named; what it takes back, and what it loads, is not."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
CHANGES = {
    "import torch.utils.data, scipy.stats": "",
    "torch.set_default_dtype(torch.float64)": "torch's default dtype (torch.float32 → torch.float64)",
    "torch.set_grad_enabled(False)": "torch's grad mode (True → False)",
    "torch.set_num_threads(3)": "torch's threads (1 → 3)",
    "torch.set_default_device('meta')": "torch's default device (cpu → meta)",
    "torch.set_flush_denormal(True)": "denormal numbers (kept → flushed)",
    "np.seterr(all='raise')": "NumPy's handling of errors",
    "gc.disable()": "garbage collection (True → False)",
    "os.chdir('/')": "the current folder",
    "os.environ['ENCORE_X'] = '1'": "ENCORE_X (unset → 1)",
    "torch.optim.Adam([torch.zeros(1, requires_grad=True)])": "",
    "torch.rand = functools.cache(torch.rand)": "torch.rand",
    "torch.zeros = functools.wraps(torch.zeros)(lambda *a, **k: None)": "torch.zeros",
    "torch.optim.SGD.step = print": "torch.optim.SGD.step",
    "torch.nn.functional.softmax = print": "torch.nn.functional.softmax",
    "torch.nn.Linear.forward = print": "torch.nn.Linear.forward",
    "np.argsort = print": "numpy.argsort",
    "training.loop.numpy = 1": "",
    "del harness.system.limits.parse_bytes": "harness.system.limits.parse_bytes",
    "Split.freeze = print": "recsys_data.split.Split.freeze",
    "json.loads = print": "json.loads",
    "np.random.rand(3); random.random(); torch.rand(3)": "",
}
CODE = """
import functools, gc, json, os, random, sys
import numpy as np, torch
import training.loop, harness.system.limits
from recsys_data.split import Split
from harness.system.process_state import ProcessState
state = ProcessState()
state.begin()
for change in json.loads(sys.stdin.read()):
    before = set(state.changes())
    loads = json.loads
    exec(change)
    found = set(state.changes()) - before
    json.loads = loads
    print(change, "=>", *sorted(found))
"""


def test_each_change_is_named():
    import json

    environment = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    found = subprocess.run([sys.executable, "-c", CODE], input=json.dumps(list(CHANGES)), text=True, cwd=ROOT,
                           env=environment, capture_output=True)  # fmt: skip
    assert found.returncode == 0, found.stderr
    named = dict(line.split(" =>", 1) for line in found.stdout.splitlines())
    for change, name in CHANGES.items():
        assert named[change].strip() == name if not name else name in named[change], change


def test_what_is_taken_back_is_not_named():
    from harness.system.process_state import ProcessState

    state = ProcessState()
    state.begin()
    gc.disable()
    assert state.changes() == ["garbage collection (True → False)"]
    gc.enable()
    assert state.changes() == []


@pytest.mark.parametrize("draws", [1, 2])
def test_a_fit_begins_with_the_same_global_state_whatever_ran_before(draws):
    import random

    import numpy as np
    import torch

    from harness.system.determinism import reset_global_state

    def drawn():
        reset_global_state(2**63 + 5)
        return torch.rand(2).tolist(), np.random.rand(), random.random(), torch.get_default_dtype()  # noqa: NPY002

    first = drawn()
    torch.rand(draws)
    torch.set_default_dtype(torch.float64)
    torch.set_grad_enabled(False)
    assert drawn() == first
    assert first[-1] == torch.float32
    assert torch.is_grad_enabled()
