"""The command site."""

from pathlib import Path
from typing import Annotated

import typer

from cli.errors import warn
from cli.options import RESULTS, Results

Bundles = Annotated[
    Path | None, typer.Option("--from", metavar="FOLDER", help="A folder of bundles, instead of --results.")
]
Out = Annotated[Path, typer.Option("-o", "--out", help="Folder of the site; an earlier site in it is replaced.")]


def site(results: Results = RESULTS, bundles: Bundles = None, out: Out = Path("site")) -> None:
    """Write a static site over all stored suites: verdicts by paper, leaderboards and every report.

    It works from disk, without a server. The exit code is 1 if a suite had to be left out.
    """
    from cli.printing import print_text
    from reports.site.write import write_site

    problems = write_site(results if bundles is None else bundles, out, lambda name: print_text(f"report of {name}"))
    print_text(out / "index.html")
    for problem in problems:
        warn(f"warning: {problem}")
    if problems:
        raise typer.Exit(1)
