"""Fuzzing of every parser: random changes of well-formed inputs give a result or one sentence, never a traceback.

Input ``number`` of a parser depends on the seed and its number alone, so any failure can be repeated on its own.
"""

from __future__ import annotations

import contextlib
import os
import re
import resource
import signal
import tempfile
import time
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pyarrow as pa

from tests.faults.fuzzing import files, ranks, store
from tests.faults.fuzzing.parser import Input, Parser
from tests.faults.trial import Trial

LIMIT = 5.0  # seconds for one input
MEMORY = 4 << 30  # bytes more than at the start
LIBRARY_ERRORS = (UnicodeError,)  # are ValueErrors, and their messages name no file
EXPECTATION = re.compile(
    "expected|must|need|cannot|instead|give |say |name |remove |again|fetch|choose|rename|known|belong|refused|found|"
    "not understood|not in the format|in one unit|read as|fill it in|duplicate|differ|reads schema|save |write |"
    "import |number the"
)


class _Late(BaseException):
    """An input that takes longer than LIMIT."""


def trials(folder: Path, scale: float, seed: int) -> Iterator[Trial]:
    """Fuzz one parser after the other; at least 300,000 inputs at scale 1."""
    memory = Path("/dev/shm")  # writing a file to a disk takes as long as parsing it
    with tempfile.TemporaryDirectory(dir=memory if os.access(memory, os.W_OK) else folder) as place:
        for parser in parsers(Path(place)):
            trial = Trial(f"random changes of {parser.name}: a result, or one sentence that names the file")
            with bounded():
                for number in range(max(round(scale * parser.tries), 20)):
                    trial.count(attempt(parser, number, seed))
            yield trial


def parsers(folder: Path) -> list[Parser]:
    """All parsers, with seeds in ``folder``."""
    return [*files.parsers(folder), *ranks.parsers(folder), *store.parsers(folder)]


def attempt(parser: Parser, number: int, seed: int) -> str:
    """Parse one input; what went wrong, or nothing."""
    made = parser.draw(Random(f"{seed} {parser.name} {number}"))
    fault = judge(made)
    return f"input {number} of seed {seed}: {fault} [{repr(made.shown)[:400]}]" if fault else ""


@contextlib.contextmanager
def bounded() -> Iterator[None]:
    """Bound the memory, raise in an input that takes too long, turn warnings into errors, and use one core."""

    def late(*_: object) -> None:
        raise _Late

    handler, limits = signal.signal(signal.SIGALRM, late), resource.getrlimit(resource.RLIMIT_AS)
    cores = pa.cpu_count()
    pa.set_cpu_count(1)  # handing a small file to several threads takes longer than parsing it
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", DeprecationWarning)  # as Python hides them from users
        resource.setrlimit(resource.RLIMIT_AS, (used + MEMORY, limits[1]))
        try:
            yield
        finally:
            pa.set_cpu_count(cores)
            resource.setrlimit(resource.RLIMIT_AS, limits)
            signal.signal(signal.SIGALRM, handler)


def judge(made: Input) -> str:
    """Read an input; what went wrong, or nothing."""
    started = time.monotonic()
    signal.setitimer(signal.ITIMER_REAL, LIMIT)
    fault = ""
    try:
        made.read()
    except (ValueError, OSError) as error:
        fault = complaint(error, made)
    except _Late:
        pass
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames[:-4:-1])
        fault = f"traceback: {type(error).__name__}: {str(error)[:200]} at {where}"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    seconds = time.monotonic() - started
    return f"hang: {seconds:.1f} seconds" if seconds > LIMIT else fault


def complaint(error: Exception, made: Input) -> str:
    """What an error's message lacks, or nothing."""
    text, kind = str(error), type(error)
    if isinstance(error, LIBRARY_ERRORS) or kind.__module__.startswith(("pyarrow", "numpy", "json")):
        return f"an error of a library: {kind.__name__}: {text[:200]}"
    if "\n" in text or "\r" in text or not text:
        return f"no single line: {text[:300]!r}"
    if not any(name in text for name in made.names):
        return f"names no input: {text[:300]}"
    if kind is ValueError and not EXPECTATION.search(text):
        return f"does not say what was expected: {text[:300]}"
    return ""
