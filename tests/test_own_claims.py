"""A suite's file may define a kind of claim: ``run`` judges it, and the report shows it without the suite's file."""

import json

from harness.running.plan import make_plan
from harness.running.session import run_session
from harness.store import Store
from harness.suites.request import RunRequest
from reports.report import build

KIND = '''
from dataclasses import dataclass
from evaluation.verdicts.claims import Claim, ComparisonRequest, Outcome


@dataclass(frozen=True)
class AtLeast(Claim):
    """The claim that a model reaches a value."""

    text: str
    model: str
    dataset: str
    value: float
    claimed = "a value"

    def requests(self):
        return [ComparisonRequest(self.dataset, "NDCG@5")]

    def judge(self, evidence, protocol):
        mean = evidence.table(self.dataset, protocol, "NDCG@5").model(self.model).mean
        outcome = Outcome.REPRODUCED if mean >= self.value else Outcome.CONTRADICTED
        return self.verdict(outcome, f"It reaches {mean:.3f}.", protocol, estimate=mean)


SUITE = '''


def test_a_kind_of_a_suites_file_is_judged_stored_and_shown(tmp_path, tiny_text):
    text = tiny_text.replace("SUITE = ", KIND).replace(
        "claims=[", 'claims=[AtLeast("GRU reaches 0.01", "GRU", CHAIN.name, 0.01), '
    )
    path = tmp_path / "tiny.py"
    path.write_text(text)
    store = Store.open(tmp_path / "results")
    run_session(make_plan(RunRequest(str(path), store.root).load(), store), store)
    path.unlink()
    own, ranking = json.loads(store.suite_file("tiny").read_text())["claims"]
    assert (own["kind"], own["verdicts"][0]["outcome"]) == ("AtLeast", "REPRODUCED")
    assert ranking["kind"] == "Ranking" and "verdicts" not in ranking
    table = next(t for t in build(store.root, "tiny").section("verdicts").tables if t.anchor == "claims")
    shown = [table.entry(table.rows[0], key).text for key in ("subject", "outcome", "claimed")]
    assert shown == ["GRU reaches 0.01", "SUPPORTED", "a value"]
