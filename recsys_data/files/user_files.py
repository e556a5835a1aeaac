"""A user's own files in a folder, as a data set: where they are, and what they are called."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from recsys_data.fetching.source import data_folder


@dataclass(frozen=True)
class UserFiles:
    """A folder (or file) of a user's own, found as it is given, else under the data folder."""

    path: str
    label: str = ""
    licence: str = "unknown: the user's own files"
    citation: str = "none given"

    expected: ClassVar[None] = None

    @property
    def name(self) -> str:
        """The label, or the name of the folder (or file)."""
        return self.label or Path(self.path).name

    @property
    def title(self) -> str:
        """The name."""
        return self.name

    def place(self, folder: Path | None) -> Path:
        """The folder (or file) itself, or under the data folder."""
        place = Path(self.path).expanduser()
        return place if place.is_absolute() or place.exists() else data_folder(folder) / place
