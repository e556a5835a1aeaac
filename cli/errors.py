"""Error handling of commands: one sentence on stderr and an exit code instead of a traceback; repeated options."""

import errno
import functools
import os
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import typer
from typer.core import TyperCommand, TyperOption

from recsys_data.printable import printable_lines

ADDED_UP = ("PATTERN", "SEEDS")  # what the options that select cells take
LONGEST = 2000  # characters of a message


def handle_errors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Print expected errors as one sentence and exit with code 2, or 130 for an interruption.

    ENCORE_TRACE=1 shows the traceback of an expected error.
    """

    @functools.wraps(command)
    def handled(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except (ValueError, OSError) as error:
            if os.environ.get("ENCORE_TRACE") or isinstance(error, BrokenPipeError):  # the reader closed the pipe
                raise
            warn(f"error: {shortened(' '.join(_message(error).split()))}")
            raise typer.Exit(2) from error
        except KeyboardInterrupt as error:
            warn("interrupted: finished cells are stored; run the same command again to continue")
            raise typer.Exit(130) from error

    return handled


def shortened(text: str) -> str:
    """The text without its middle where it is very long, as a message is that quotes a damaged file."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} … {text[-LONGEST // 2 :]}"


def _message(error: ValueError | OSError) -> str:
    """The error's message; for an error of the operating system: the file, the problem and the remedy."""
    if not isinstance(error, OSError) or error.errno is None or error.strerror is None:
        return str(error)
    paths = [str(path) for path in (error.filename, error.filename2) if path is not None]
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    remedy = "free disk space" if full else "choose another path, or make this one usable"
    return f"{': '.join([*paths[-1:], error.strerror])}; {remedy}, and run again"


def warn(text: str) -> None:
    """Print lines on stderr; control characters, such as those of a terminal, become codes."""
    print(printable_lines(text), file=sys.stderr, flush=True)


class OnceCommand(TyperCommand):
    """A command that takes each option once; --set takes each name once, and selections of cells add up."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        """Parse the arguments; exit with code 2 and one sentence for a repeated option."""
        if not ctx.resilient_parsing:
            values, _, order = self.make_parser(ctx).parse_args(args=list(args))
            for parameter, times in Counter(order).items():
                repeated = _repeated(parameter, times, values.get(parameter.name), args)
                if repeated is not None:
                    warn(f"error: {repeated} is given more than once, and only one value can count; give it once")
                    raise typer.Exit(2)
        return super().parse_args(ctx, args)


def _repeated(parameter: Any, times: int, values: Any, args: list[str]) -> str | None:
    """Return what an option repeats: itself, or a name in its values NAME=VALUE; None if nothing is lost."""
    if not isinstance(parameter, TyperOption) or parameter.count or times == 1:
        return None
    if parameter.metavar in ADDED_UP:
        return None
    if not parameter.multiple:
        return _given_names(parameter, args)
    names = Counter(name.strip() for name, equals, _ in (str(value).partition("=") for value in values) if equals)
    twice = next((name for name, count in names.items() if count > 1), None)
    return None if twice is None else f"{_given_names(parameter, args)} {twice}"


def _given_names(option: TyperOption, args: list[str]) -> str:
    """Return the option's names as they are given, such as "-o/--out"."""
    names = (*option.opts, *option.secondary_opts)
    given = [arg.partition("=")[0] for arg in args]
    return "/".join(dict.fromkeys(name for name in given if name in names)) or names[-1]
