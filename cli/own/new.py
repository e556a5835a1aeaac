"""The command new."""

from typing import Annotated

import typer

from cli.options import Data

Kind = Annotated[str, typer.Argument(metavar="model|baseline|dataset|suite", help="What to write.")]
Name = Annotated[str, typer.Argument(metavar="NAME", help="Its name, such as MyModel or my_suite.")]
SuiteData = Annotated[
    str, typer.Option("--dataset", metavar="NAME|FILE", help="Data set of a suite: a name of list datasets, a file of "
                      "events, or a file of new dataset [default: generated data].")
]  # fmt: skip
SuiteModels = Annotated[
    list[str], typer.Option("--model", metavar="FILE", help="File with models of your own for a suite.")
]


def new(what: Kind, name: Name, dataset: SuiteData = "", models: SuiteModels = (),  # type: ignore[assignment]
        data: Data = None) -> None:  # fmt: skip
    """Write a commented file for a model, baseline, data set or suite of your own.

    The file runs as it is; change it step by step.
    """
    from cli.own.templates import write_template
    from cli.printing import print_text
    from harness.suites.load import load_suite

    path = write_template(what, name, dataset, models, data)
    print_text(path)
    if what == "suite":
        try:
            load_suite(str(path))
        except ValueError:
            path.unlink()
            raise
        print_text(f"run it: python benchmark.py run ./{path}")
        return
    print_text(f"check it: python benchmark.py check {path}")
    option = "--dataset" if what == "dataset" else "--model"
    print_text(f"use it: python benchmark.py new suite my_suite {option} {path}")
