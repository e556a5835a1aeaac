"""Guarded commands: an expected error is one sentence on stderr and exit code 2, an interruption is 130."""

import errno
import functools
import os
import sys
from collections.abc import Callable
from typing import Any

import typer


def guarded(function: Callable[..., Any]) -> Callable[..., Any]:
    """The command with its errors told in one sentence; ENCORE_TRACE=1 lets the traceback through."""

    @functools.wraps(function)
    def told(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except (ValueError, OSError) as error:
            if os.environ.get("ENCORE_TRACE") or isinstance(error, BrokenPipeError):  # whoever read has gone
                raise
            warn(f"error: {' '.join(_words(error).split())}")
            raise typer.Exit(2) from error
        except KeyboardInterrupt as error:
            warn("interrupted: what is finished is kept; run the same command again to go on")
            raise typer.Exit(130) from error

    return told


def _words(error: ValueError | OSError) -> str:
    """An error's own words; the system's in an order to be read: which file, what is the matter, what to do."""
    if not isinstance(error, OSError) or error.errno is None or error.strerror is None:
        return str(error)
    places = [str(place) for place in (error.filename, error.filename2) if place is not None]
    full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    remedy = "free some space" if full else "name another place, or make this one usable"
    return f"{': '.join([*places[-1:], error.strerror])}; {remedy}, and run again"


def warn(text: str) -> None:
    """Print a line on stderr."""
    print(text, file=sys.stderr, flush=True)
