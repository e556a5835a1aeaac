"""The common part of synthetic data sets."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar


@dataclass(frozen=True)
class GeneratedDataset:
    """A synthetic data set: always present, the same for equal fields on every machine."""

    licence: ClassVar[str] = "none: generated"
    citation: ClassVar[str] = "none: generated"
    expected: ClassVar[None] = None

    def present(self, folder: Path | None) -> bool:
        """Whether the data are present: always."""
        return True

    def raw_files(self, folder: Path | None) -> list[Path]:
        """The raw files: none."""
        return []
