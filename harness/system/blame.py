"""The line of code to name for an error: the innermost of the user's, else the innermost of Encore's."""

from __future__ import annotations

import functools
import inspect
import re
import sys
import sysconfig
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Encore's own code in the checkout; a user's files may be anywhere else, the checkout's folder included.
_ENCORE = tuple(ROOT / name for name in ("baselines", "benchmark.py", "cli", "evaluation", "harness", "recsys_data",
                                         "recsys_models", "reference", "reports", "speed", "studies", "suites",
                                         "training"))  # fmt: skip
_LIBRARIES = tuple({Path(path).resolve() for path in (*sysconfig.get_paths().values(), sys.base_prefix, sys.prefix)})
_DUMPED_FRAME = re.compile(r'^  File "(.+)", line (\d+) in (.+)$', re.MULTILINE)


def blamed_line(error: BaseException, suspect: type | None = None) -> str:
    """File, line and name of the code to look at; "" for none.

    It is the innermost frame outside Encore and the libraries, else the class ``suspect`` if it is a user's, else the
    innermost frame of Encore, unless Encore refused something there with a sentence of its own.
    """
    frames = [frame for cause in causes(error) for frame in reversed(traceback.extract_tb(cause.__traceback__))]
    own = [f for f in frames if Path(f.filename).is_file() and not _is_in(f.filename, _LIBRARIES)]
    chosen = next((frame for frame in own if not _is_in(frame.filename, _ENCORE)), None)
    if chosen is None and suspect is not None and (place := _definition(suspect)):
        return place
    if chosen is None and own and not (isinstance(error, ValueError) and (own[0].line or "").startswith("raise ")):
        chosen = own[0]
    return "" if chosen is None else f"{_shown(Path(chosen.filename))}, line {chosen.lineno}, {chosen.name}"


def blamed_line_in_dump(dump: str) -> str:
    """The line of the user's code in the stacks of a process that ended, as faulthandler wrote them; "" for none."""
    for file, line, name in _DUMPED_FRAME.findall(dump):
        if Path(file).is_file() and not _is_in(file, (*_LIBRARIES, *_ENCORE)):
            return f"{_shown(Path(file))}, line {line}, {name}"
    return ""


def is_encore_class(kind: type) -> bool:
    """Whether a class is of this checkout, a suite's own classes apart."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    return file is not None and _is_encore_file(file)


@functools.cache
def _is_encore_file(file: str) -> bool:
    """Whether a file is of this checkout, suites apart."""
    return _is_in(file, tuple(place for place in _ENCORE if place.name != "suites"))


def _definition(kind: type) -> str:
    """Where a user's class is defined; "" for a class of Encore or of a library."""
    try:
        file, (_, line) = inspect.getsourcefile(kind), inspect.getsourcelines(kind)
    except (TypeError, OSError):  # its source cannot be read
        return ""
    if file is None or _is_in(file, (*_LIBRARIES, *_ENCORE)):
        return ""
    return f"{_shown(Path(file))}, line {line}, {kind.__name__}"


def causes(error: BaseException) -> list[BaseException]:
    """An error and the errors that led to it, the last one first."""
    found: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and not any(following is known for known in found):
        found.append(following)
        following = following.__cause__ or following.__context__
    return found


def _is_in(file: str, places: tuple[Path, ...]) -> bool:
    """Whether a file is in one of the places; a place that contains Encore's checkout does not count."""
    path = Path(file).resolve()
    return any(path.is_relative_to(place) for place in places if not ROOT.is_relative_to(place))


def _shown(path: Path) -> str:
    """A path in messages: relative to the current folder if it is inside."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
