"""The command merge."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.errors import warn
from cli.options import RESULTS, Results

Sources = Annotated[list[Path], typer.Argument(metavar="SOURCE…", help="Results folders, or bundles (.zip).")]


def merge(sources: Sources, results: Results = RESULTS) -> None:
    """Enter the cells, searches and suites of other results folders or bundles.

    Checksums are verified. A cell with other ranks than the stored one is refused. The exit code is 1 if anything is.
    """
    from cli.printing import print_text
    from harness.store import Store
    from harness.stores.merge import merge as merge_store

    for source in sources:
        if not source.exists():
            raise ValueError(f"there is no results folder or bundle at {source}")
    store, refused = Store.open(results), 0
    for source in sources:
        with _opened(source) as root:
            outcome = merge_store(store, root, str(source))
        print_text(f"{source}: {_summary(outcome)}")
        for line in outcome.notes:
            warn(f"note: {line}")
        for line in outcome.refused:
            warn(f"REFUSED {line}")
        refused += len(outcome.refused)
    if refused:
        raise typer.Exit(1)


@contextlib.contextmanager
def _opened(source: Path) -> Iterator[Path]:
    """The folder of a store: the source itself, or an unpacked bundle."""
    if source.is_dir():
        yield source
        return
    from reports.output.bundle import open_bundle

    with open_bundle(source) as (root, _):
        yield root


def _summary(outcome: Any) -> str:
    """Counts of what entered."""
    counts = {"cells entered": outcome.entered, "here before": outcome.known}
    more = {"failures entered": outcome.failures, "refused": len(outcome.refused)}
    shown = counts | {name: number for name, number in more.items() if number}
    suites = f"; suites: {', '.join(outcome.suites)}" if outcome.suites else ""
    return ", ".join(f"{name}: {number}" for name, number in shown.items()) + suites
