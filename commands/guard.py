"""Guarded commands: an expected error is one sentence on stderr and exit code 2, an interruption is 130."""

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
        except (ValueError, FileNotFoundError) as error:
            if os.environ.get("ENCORE_TRACE"):
                raise
            warn(f"error: {' '.join(str(error).split())}")
            raise typer.Exit(2) from error
        except KeyboardInterrupt as error:
            warn("interrupted: what is finished is kept; run the same command again to go on")
            raise typer.Exit(130) from error

    return told


def warn(text: str) -> None:
    """Print a line on stderr."""
    print(text, file=sys.stderr, flush=True)
