"""Each kind of wrong file of ranks, once through the command line: docs/own_ranks.md has the sentence of each."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

import benchmark
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import LeaveLastOut

PAGE = Path(__file__).resolve().parents[3] / "docs" / "own_ranks.md"
SUITE = """
from evaluation.metrics.accuracy import MRR
from evaluation.rank_files.ranked import Ranked
from harness.spec import Experiment, Suite
from recsys_data.generated.markov_chain import MarkovChainSequences
from recsys_data.protocols.per_user import LeaveLastOut

DATA = MarkovChainSequences(num_users=3, num_items=9, length=12)
MODELS = {name: Ranked(name, by="other code", deterministic=True) for name in %r}
SUITE = Suite(name="wrong", title="Wrong", seeds=[0], metrics=[MRR(5)],
              experiments=[Experiment(DATA, LeaveLastOut(), MODELS)])
"""


def files():
    """The text of each wrong file by its name, None where there is no file; made of a right one."""
    test = (part := LeaveLastOut().prepare(MarkovChainSequences(num_users=3, num_items=9, length=12).load())).test
    users, items = part.user_ids[test.clusters[test.sequence_of]], part.item_ids[test.targets]
    head, *rows = [
        "user,query,target,rank",
        *(f"{u},{q},{t},2" for q, (u, t) in enumerate(zip(users, items, strict=True))),
    ]
    first, others = rows[0], rows[1:]
    user, query, target, _ = first.split(",")

    def ranks(*changed, header=head):
        return "\n".join([header, *changed, *others]) + "\n"

    def lists(places, header="query,item,score", score="-{n}"):
        rows = (
            f"{q},{item},{score.format(n=n)}" for q in range(len(users)) for n, item in enumerate(places(part.item_ids))
        )
        return "\n".join([header, *rows]) + "\n"

    return {
        "missing.csv": None,
        "empty.csv": head + "\n",
        "other_format.xlsx": ranks(first),
        "broken.parquet": "no Parquet",
        "no_rank.csv": ranks(first, header="user,query,target,place"),
        "no_owner.csv": ranks(first, header="person,number,target,rank"),
        "two_columns.csv": ranks(first, header="user,query,rank,rank"),
        "empty_user.csv": ranks(first.replace(user, "", 1)),
        "rank_0.csv": ranks(f"{user},{query},{target},0"),
        "rank_text.csv": ranks(f"{user},{query},{target},first"),
        "rank_beyond.csv": ranks(f"{user},{query},{target},12"),
        "row_left_out.csv": ranks(),
        "row_twice.csv": ranks(first, first),
        "other_user.csv": ranks(first.replace(user, "somebody", 1)),
        "other_target.csv": ranks(f"{user},{query},elsewhere,2"),
        "list_of_places.csv": lists(lambda ids: ids[:3], "query,item,rank", "{n}").replace(",0\n", ",3\n"),
        "list_of_one.csv": lists(lambda ids: ids[:1]),
        "list_too_short.csv": lists(lambda ids: ids[:3]),
        "list_twice.csv": lists(lambda ids: [*ids[:3], ids[0]]),
        "list_of_words.csv": lists(lambda ids: ids[:3], score="high"),
        "list_left_out.csv": re.sub(r"(?m)^0,.*\n", "", lists(lambda ids: ids[:3])),
    }


@pytest.fixture(scope="module")
def sentences(tmp_path_factory):
    """What a run prints of each file."""
    folder = tmp_path_factory.mktemp("wrong")
    wrong = files()
    for name, text in wrong.items():
        if text is not None:
            (folder / name).write_text(text)
    (folder / "wrong.py").write_text(SUITE % list(wrong))
    done = CliRunner().invoke(benchmark.app, ["run", str(folder / "wrong.py"), "--results", str(folder / "results"),
                                              "--no-report", "--no-mlflow"])  # fmt: skip
    assert done.exit_code == 1 and "Traceback" not in done.output, done.output
    text = done.output.replace(f"{folder}/", "")
    return {name: found[1] for name in wrong if (found := re.search(rf"{re.escape(name)}/0 .*?FAILED[:,]? (.*)", text))}


def test_each_wrong_file_has_a_sentence_and_the_page_shows_it(sentences):
    assert list(sentences) == list(files())
    table = [f"| `{name}` | {sentence} |" for name, sentence in sentences.items()]
    assert "\n".join(table) in PAGE.read_text(), "\n" + "\n".join(table)
