"""The command check."""

import dataclasses
from typing import Annotated, Any

import typer

from cli.options import AsJson, Data, Set

File = Annotated[str, typer.Argument(metavar="FILE", help="A Python file with models, data sets or a suite.")]


def check(file: File, sets: Set = (), data: Data = None, as_json: AsJson = False) -> None:  # type: ignore[assignment]
    """Check your own models against the contract that Encore's models keep.

    Fits each model on small generated data and says in words what failed. A suite or data set in the file is checked,
    too. The exit code is 1 if a rule is broken.
    """
    from cli.printing import print_json, print_text
    from harness.contract.check import BROKEN, NOT_CHECKED, check_contract
    from harness.contract.check_dataset import check_dataset
    from harness.contract.in_file import read_contents
    from harness.contract.subject import Subject
    from harness.system.determinism import prepare_determinism

    prepare_determinism()
    contents = read_contents(file, sets)
    checks = {f"model {name}": check_contract(Subject(name, model)) for name, model in contents.models.items()}
    checks |= {f"data set {name}": check_dataset(each, data) for name, each in contents.datasets.items()}
    found: list[dict[str, Any]] = []
    if contents.suite is not None and not as_json:
        own = "its own models follow" if contents.models else "it has no model of your own"
        print_text(f"{file}: SUITE is valid; {own}")
    for name, outcomes in checks.items():
        if not as_json:
            print_text(name)
        for outcome in outcomes:
            found.append({"of": name, **dataclasses.asdict(outcome)})
            if not as_json:
                print_text(f"  {outcome.state}: {outcome.rule}")
                for sentence in outcome.sentences:
                    print_text(f"    {sentence}")
    broken = sum(row["state"] in (BROKEN, NOT_CHECKED) for row in found)
    if as_json:
        print_json(found)
    elif found:
        print_text(f"{len(found) - broken} of {len(found)} rules hold")
    if any(row["state"] == BROKEN for row in found):
        raise typer.Exit(1)
