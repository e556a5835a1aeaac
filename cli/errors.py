"""Error handling of commands: one sentence on stderr and an exit code instead of a traceback."""

import errno
import functools
import os
import sys
from collections.abc import Callable
from typing import Any

import typer


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
            warn(f"error: {' '.join(_message(error).split())}")
            raise typer.Exit(2) from error
        except KeyboardInterrupt as error:
            warn("interrupted: finished cells are stored; run the same command again to continue")
            raise typer.Exit(130) from error

    return handled


def _message(error: ValueError | OSError) -> str:
    """The error's message; for an error of the operating system: the file, the problem and the remedy."""
    if not isinstance(error, OSError) or error.errno is None or error.strerror is None:
        return str(error)
    paths = [str(path) for path in (error.filename, error.filename2) if path is not None]
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    remedy = "free disk space" if full else "choose another path, or make this one usable"
    return f"{': '.join([*paths[-1:], error.strerror])}; {remedy}, and run again"


def warn(text: str) -> None:
    """Print a line on stderr."""
    print(text, file=sys.stderr, flush=True)
