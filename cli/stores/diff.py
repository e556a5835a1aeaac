"""The command diff."""

import contextlib
import dataclasses
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.options import AsJson

WRITTEN = (".html", ".txt", ".json")
SideArgument = Annotated[
    Path, typer.Argument(help="A results folder, a bundle (.zip), RESULTS/suites/SUITE, or a cell's folder.")
]
OneSuite = Annotated[str, typer.Option(metavar="NAME", help="Compare this suite or variant alone.")]
Out = Annotated[Path | None, typer.Option(help="File to write: .html, .txt or .json.")]


def diff(a: SideArgument, b: SideArgument, suite: OneSuite = "", out: Out = None, as_json: AsJson = False) -> None:
    """Show what changed between two stores, bundles, suites or cells.

    For every cell and every number: equal bits, near-ties, within seed noise, beyond it, or missing, with the recorded
    differences that go with it. The exit code is 1 if anything moved beyond the noise of seeds.
    """
    from cli.printing import print_json, print_text
    from evaluation.changes.changes import find_changes

    if out is not None and out.suffix not in WRITTEN:
        raise ValueError(f"--out {out} must end in .html, .txt or .json")
    with contextlib.ExitStack() as stack:
        changes = find_changes(_side(a, suite, stack), _side(b, suite, stack))
    if out is not None:
        _write(changes, out)
    if as_json:
        print_json(_record(changes))
    else:
        from reports.changes.text import diff_text

        print_text(diff_text(changes))
    if changes.beyond:
        raise typer.Exit(1)


def _side(path: Path, suite: str, stack: contextlib.ExitStack) -> Any:
    """The results of one side; a bundle is unpacked for as long as the command runs."""
    from evaluation.changes.sides import read_side

    if path.suffix == ".zip" and path.is_file():
        from reports.output.bundle import open_bundle

        root, _ = stack.enter_context(open_bundle(path))
        return read_side(root, suite, str(path))
    return read_side(path, suite)


def _record(changes: Any) -> dict[str, Any]:
    """The changes as JSON data."""
    from evaluation.json_codec import to_json

    return {"a": changes.before, "b": changes.after, "beyond": changes.beyond,
            **{kind: [to_json(dataclasses.asdict(each)) for each in getattr(changes, kind)]
               for kind in ("cells", "numbers")}}  # fmt: skip


def _write(changes: Any, path: Path) -> None:
    """Write the diff in the format of the file's extension."""
    import json

    from recsys_data.atomic_write import write_bytes_atomically
    from reports.changes.page import diff_report
    from reports.changes.text import diff_text
    from reports.output.html import render_html

    path.parent.mkdir(parents=True, exist_ok=True)
    text = {".html": lambda: render_html(diff_report(changes)), ".txt": lambda: diff_text(changes) + "\n",
            ".json": lambda: json.dumps(_record(changes), indent=1, allow_nan=False)}[path.suffix]()  # fmt: skip
    write_bytes_atomically(path, text.encode())
