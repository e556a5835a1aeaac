"""The command data import, and the choices that a file leaves to its user."""

from __future__ import annotations

import functools
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cli.errors import warn
from cli.options import AsJson, Data

if TYPE_CHECKING:
    from recsys_data.files.interaction_file import InteractionFile
    from recsys_data.files.open_choices import OpenChoices

SEPARATOR_NAMES = {"tab": "\t", "\\t": "\t", "blank": " ", "comma": ",", "semicolon": ";", "bar": "|"}

Columns = Annotated[str, typer.Option(help="Roles in column order (user,item,rating,timestamp), or ROLE=NAME of the "
                                      "header (user=Customer_ID,item=StockCode,timestamp=).")]  # fmt: skip
Separator = Annotated[str, typer.Option(help="The separator, or its name: tab, blank, comma, semicolon or bar.")]
Header = Annotated[bool | None, typer.Option("--header/--no-header", help="Whether the first line names the columns.")]
Comment = Annotated[str | None, typer.Option(help="The beginning of lines to leave out, such as '#'; '' for none.")]
Encoding = Annotated[str, typer.Option(help="The encoding of the text, such as latin-1 [default: recognised].")]
TimeFormat = Annotated[str, typer.Option(help="The format of the times in the codes of strptime: '%d/%m/%Y %H:%M'.")]
TimeUnit = Annotated[str, typer.Option(help="The unit of numeric times since 1970: s, ms, us, ns or day.")]
ClockName = Annotated[str, typer.Option("--clock", help="The meaning of the times if they are not Unix times.")]
DropMissing = Annotated[bool, typer.Option("--drop-missing", help="Leave out events with a missing value (empty, NA, "
                                           "null, nan) and say how many.")]  # fmt: skip
DropUnreadable = Annotated[bool, typer.Option("--drop-unreadable", help="Leave out broken lines and events whose "
                                              "time or rating cannot be read, at most one in ten.")]  # fmt: skip
Replace = Annotated[bool, typer.Option("--replace", help="Replace imported data of this name.")]


def import_(file: Annotated[Path, typer.Argument(help="CSV, TSV, RecBole .inter, JSON lines or Parquet, "
                                           "also compressed; a folder of Parquet parts.")],
            name: Annotated[str, typer.Option(help="The name of the data set.")],
            columns: Columns = "", separator: Separator = "", header: Header = None, comment: Comment = None,
            encoding: Encoding = "", time_format: TimeFormat = "", time_unit: TimeUnit = "", clock: ClockName = "",
            drop_missing: DropMissing = False, drop_unreadable: DropUnreadable = False, replace: Replace = False,
            data: Data = None, as_json: AsJson = False) -> None:  # fmt: skip
    """Import a file of events as a data set.

    Checks the file, stores it in the data folder and prints how it was read and how a suite refers to it. Where the
    file leaves choices open, prints all of them and one command that takes the likely ones; at a terminal, asks.
    """
    from cli.data_actions import import_file
    from cli.printing import print_json, print_text
    from recsys_data.catalogue.summary import summarise_dataset
    from recsys_data.files.interaction_file import InteractionFile
    from recsys_data.files.open_choices import UnsettledFile

    source = InteractionFile(
        str(file), tuple(columns.split(",")) if columns else (), SEPARATOR_NAMES.get(separator, separator) or None,
        header, comment, encoding, time_format, time_unit, clock, name,
        drop_missing, drop_unreadable,
    )  # fmt: skip
    tell = functools.partial(print_text, to_stderr=as_json)
    try:
        dataset = import_file(source, data, tell, replace=replace)
    except UnsettledFile as error:
        elsewhere = data is not None and os.environ.get("ENCORE_DATA") != str(data)
        show_choices(error.choices, ["--replace"] * replace + ["--data", str(data)] * elsewhere)
        if not confirm_choices(error.choices):
            raise typer.Exit(2) from error
        dataset = import_file(error.choices.likely, data, tell, replace=replace)
    if as_json:
        print_json(summarise_dataset(dataset.load(data)))
    else:
        print(f"imported as {name}: the commands list, data and run know it by this name; in a suite, use")
        print(f"  from recsys_data.datasets.imported import Imported\n  Imported({name!r})")


def show_choices(choices: OpenChoices, extra: Sequence[str] = ()) -> None:
    """Print the choices on stderr, and the command with the likely ones. extra: further arguments of the command."""
    sentences = choices.sentences
    if len(sentences) > 1:
        warn(f"error: {choices.likely.path} leaves {len(sentences)} choices open")
        for number, sentence in enumerate(sentences, start=1):
            warn(f"  {number}. {sentence.removeprefix(f'{choices.likely.path}: ')}")
    else:
        warn(f"error: {sentences[0]}")
    if choices.reading is not None:
        warn("the likely choices; change what is wrong:")
        warn(f"  python benchmark.py data import {import_words(choices.likely, extra)}")
        warn("they read the first events as")
        for line in (*choices.reading.first, *(f"NOTE: {note}" for note in choices.reading.notes)):
            warn(f"  {line}")


def confirm_choices(choices: OpenChoices) -> bool:
    """Ask at a terminal whether the likely choices are right; False where there is none, or no likely choice."""
    at_terminal = sys.stdin.isatty() and sys.stderr.isatty()
    return at_terminal and choices.reading is not None and typer.confirm("Import with these choices?", err=True)


def import_words(source: InteractionFile, extra: Sequence[str] = ()) -> str:
    """The arguments of the command data import for a file, as a shell takes them."""
    values = {"--columns": ",".join(source.columns) or None, "--separator": source.separator,
              "--comment": source.comment, "--encoding": source.encoding or None,
              "--time-format": source.time_format or None, "--time-unit": source.time_unit or None,
              "--clock": source.clock or None}  # fmt: skip
    flags = {"--header": source.header is True, "--no-header": source.header is False,
             "--drop-missing": source.drop_missing, "--drop-unreadable": source.drop_unreadable}  # fmt: skip
    given = [word for option, value in values.items() if value is not None for word in (option, value)]
    return shlex.join([source.path, "--name", source.label, *given, *(f for f, on in flags.items() if on), *extra])
