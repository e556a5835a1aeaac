"""The contract of every model: fit keeps the fields and repeats to the bit; scores follow history, padding, context.

The rules are those that ``benchmark.py check FILE`` applies to a user's model (harness/contract).
"""

import pytest

from harness.contract.check import RULES
from harness.contract.subject import Subject
from suites.zoo import MODELS


@pytest.fixture(scope="module")
def zoo():
    """Each model fitted once on planted order."""
    made = {}
    return lambda name: made.setdefault(name, Subject(name, MODELS[name]))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name.replace(" ", "-"))
# one worker takes all tests of a model, so that it is fitted once
@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.xdist_group(name)) for name in MODELS])
def test_contract(name, rule, zoo):
    assert list(rule.broken(zoo(name))) == []
