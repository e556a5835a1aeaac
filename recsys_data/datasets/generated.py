"""GeneratedDataset data: what every data set that is computed, not read, has in common."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True)
class GeneratedDataset:
    """A data set that is always at hand, the same for equal fields on every machine."""

    licence: ClassVar[str] = "none: generated"
    citation: ClassVar[str] = "none: generated"
    expected: ClassVar[None] = None

    def present(self, folder: Path | None) -> bool:
        """Whether the data are at hand: always, they are made."""
        return True

    def raw_files(self, folder: Path | None) -> list[Path]:
        """None are read."""
        return []
