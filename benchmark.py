#!/usr/bin/env python3
"""Entry point of the command line. The commands are in cli/ and import heavy libraries only when they run."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

import typer

from cli import data, info, results, run
from cli.errors import OnceCommand, handle_errors
from cli.own import check, import_data, new
from cli.stores import adopt, bundle, diff, merge, site

HELP = """Rerun published experiments on sequential recommendation and test which results reproduce.

A suite is a set of experiments. A cell is one model on one data set, with one protocol and one random seed.
"""
DATA_HELP = "Fetch, verify, describe, audit, import, remove and export data sets."
TYPER_OPTIONS = {
    "no_args_is_help": True,
    "context_settings": {"help_option_names": ["-h", "--help"]},
    "pretty_exceptions_enable": False,
    "rich_markup_mode": None,  # importing rich takes a third of a second
}
COMMANDS = {
    "run": run.run,
    "plan": run.plan,
    "verify": run.verify,
    "new": new.new,
    "check": check.check,
    "show": results.show,
    "report": results.report,
    "export": results.export,
    "bundle": bundle.bundle,
    "rerun": bundle.rerun,
    "merge": merge.merge,
    "adopt": adopt.adopt,
    "compare": results.compare,
    "diff": diff.diff,
    "site": site.site,
    "track": results.track,
    "ui": results.ui,
    "doctor": info.doctor,
    "list": info.list_,
}
DATA_COMMANDS = {
    "fetch": data.fetch,
    "verify": data.verify,
    "describe": data.describe,
    "audit": data.audit,
    "import": import_data.import_,
    "remove": data.remove,
    "export": data.export,
}


def group(help_text: str, commands: Mapping[str, Callable[..., None]], **options: Any) -> typer.Typer:
    """A typer application of the commands, each with error handling."""
    application = typer.Typer(help=help_text, **TYPER_OPTIONS, **options)
    for name, function in commands.items():
        application.command(name, cls=OnceCommand)(handle_errors(function))
    return application


app = group(HELP, COMMANDS)  # with completion, for a shell that calls ./benchmark.py
app.add_typer(group(DATA_HELP, DATA_COMMANDS, add_completion=False), name="data")


@app.callback()
def main(version: Annotated[bool, typer.Option("--version", is_eager=True, callback=info.version,
                                               help="Show the version and exit.")] = False) -> None:  # fmt: skip
    """Take the options that stand before a command."""


if __name__ == "__main__":
    app()
