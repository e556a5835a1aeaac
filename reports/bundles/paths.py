"""Paths and names of the machine that packs: replaced in a bundle's texts, and searched for in what is packed."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_START = r"(?<![^\s'\"=(\[,;:`])"  # where a path can begin: a text, or after a blank, a quote or such a sign
_PART = r"[^\s'\"`<>|;,:)\]/\\]"
_ABSOLUTE = re.compile(rf"{_START}(?:file://)?(?:~|(?:\.\.)+)?/(?!/)(?:{_PART}+/)*{_PART}*")
_UP = re.compile(rf"{_START}(?:\.\./)+(?:{_PART}+/)*{_PART}*")
_QUOTED = re.compile(r"(?<!\w)(['\"])(?:~|(?:\.\.)+)?/(?:[^'\"\n/]+/)+([^'\"\n/]*)\1(?!\w)")  # with blanks in it
_DRIVE = re.compile(rf"{_START}[A-Za-z]:[\\/](?:{_PART}+[\\/])*({_PART}+)")
_LIBRARY = re.compile(rf"{_START}/(?:{_PART}+/)*(?=(?:site-packages|dist-packages|lib/python3[.\d]*)/)")
_SHARED_NAMES = {"root", "user", "admin", "ubuntu", "runner", "nobody", "home", "localhost", "local", "me", "data"}


@dataclass(frozen=True)
class Machine:
    """Texts that identify the machine that packs.

    folders: absolute paths, longest first; names: of its users and its host.
    """

    folders: tuple[str, ...]
    names: tuple[str, ...] = ()

    @classmethod
    def here(cls, folders: Iterable[Path] = ()) -> Machine:
        """The checkout, home, temporary and present folders, ``folders``, and the names of user, host and author."""
        given = [parent for folder in map(Path.absolute, folders) for parent in (folder, *folder.parents)]
        given = [folder for folder in given if _is_deep(str(folder))]
        known = [ROOT, Path.cwd(), Path(tempfile.gettempdir()), Path(sys.prefix), *given]
        with contextlib.suppress(RuntimeError):
            known.append(Path.home())
        found = {str(form) for path in known for form in (path.absolute(), path.resolve())} - {"/", ""}
        return cls(tuple(sorted(found, key=len, reverse=True)), tuple(sorted(_names(), key=len, reverse=True)))

    def clean(self, text: str) -> str:
        """The text with each absolute path, or path to a parent folder, replaced by the part that names the file.

        A file of the checkout or of a library keeps its path inside it, other files keep their name alone.
        """
        if "/" not in text and "\\" not in text:
            return text
        for folder in self.folders:
            if _is_deep(folder):
                text = text.replace(f"{folder}/", "")
                text = re.sub(rf"{re.escape(folder)}(?![\w.-])", lambda _, name=Path(folder).name: name, text)
        text = _QUOTED.sub(r"\1\2\1", _LIBRARY.sub("", text))
        text = _UP.sub(lambda found: Path(found[0]).name, text)
        return _DRIVE.sub(r"\1", _ABSOLUTE.sub(_last_part, text))

    def without_names(self, text: str) -> str:
        """The text with the names of users and host replaced."""
        for name in self.names:
            text = _name_pattern(name).sub("anonymous", text)
        return text

    def found_in(self, text: str, *, names: bool) -> Iterator[tuple[int, str]]:
        """The line and the text of each folder, and of each name where ``names`` counts, that a text holds."""
        for number, line in enumerate(text.split("\n"), start=1):
            yield from ((number, folder) for folder in self.folders if _holds_folder(line, folder))
            if names:
                yield from ((number, name) for name in self.names if _name_pattern(name).search(line))


def _name_pattern(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(name)}(?!\w)")


def _holds_folder(line: str, folder: str) -> bool:
    """Whether a line holds the path of a folder: a short one, such as /tmp, only where a path can begin."""
    if folder not in line:
        return False
    return _is_deep(folder) or re.search(rf"{_START}{re.escape(folder)}(?!\w)", line) is not None


def _is_deep(folder: str) -> bool:
    """Whether a path has two parts or more, so that no other text holds it by chance."""
    return folder.count("/") > 1


def _last_part(found: re.Match[str]) -> str:
    """The name of the file in a path; a path of one part that is no file of this machine is no path, such as /s."""
    text = found[0]
    ending = text[len(text.rstrip(".")) :]
    path = text.removeprefix("file://").rstrip(".")
    if path.count("/") == 1 and not path.startswith(("~", "..")) and (path == "/" or not os.path.exists(path)):  # noqa: PTH110
        return text
    return Path(path).name + ending


def _names() -> set[str]:
    """The names of the host, of its user, and of the author that git knows, without those that say nothing."""
    found = {socket.gethostname(), socket.gethostname().partition(".")[0], Path("~").expanduser().name}
    with contextlib.suppress(OSError, KeyError, ImportError):
        found.add(getpass.getuser())
    for field in ("user.name", "user.email"):
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            command = ["git", "-C", str(ROOT), "config", field]
            found.add(subprocess.run(command, capture_output=True, text=True, timeout=20).stdout.strip())
    return {name for name in found if len(name) > 1 and name.lower() not in _SHARED_NAMES}
