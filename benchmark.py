"""The command line: names the commands; each lives in cli/, heavy imports inside it."""

from collections.abc import Callable, Mapping

import typer

from cli import data, info, results, run
from cli.errors import guarded

HELP = "Play papers on sequential recommendation again, and say with statistics what reproduced."
DATA_HELP = "Fetch, describe, verify, audit, import and export data sets."
# rich would take a third of a second to load for the help
PLAIN = {"no_args_is_help": True, "add_completion": False, "pretty_exceptions_enable": False, "rich_markup_mode": None}
COMMANDS = {
    "run": run.run,
    "plan": run.plan,
    "verify": run.verify,
    "show": results.show,
    "report": results.report,
    "bundle": results.bundle,
    "compare": results.compare,
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
    "import": data.import_,
    "export": data.export,
}


def group(help_text: str, commands: Mapping[str, Callable[..., None]]) -> typer.Typer:
    """The commands under their names, guarded."""
    made = typer.Typer(help=help_text, **PLAIN)
    for name, function in commands.items():
        made.command(name)(guarded(function))
    return made


app = group(HELP, COMMANDS)
app.add_typer(group(DATA_HELP, DATA_COMMANDS), name="data")

if __name__ == "__main__":
    app()
