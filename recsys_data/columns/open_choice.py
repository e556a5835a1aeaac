"""Errors that an option of the reader settles: they carry the option, so that an import can propose all at once."""

from __future__ import annotations

from typing import Any

LEFT_OUT_AT_MOST = 0.1  # the share of a file's events; more broken ones are a mistake in reading it


class OpenChoice(ValueError):
    """A choice that a file leaves to its user; ``answer``: fields of InteractionFile that make the likely one."""

    def __init__(self, sentence: str, **answer: Any) -> None:
        super().__init__(sentence)
        self.answer = answer


class UnreadableValue(OpenChoice):
    """A value that cannot be read; the events that hold it can be left out. row: of the table, from 0."""

    def __init__(self, sentence: str, role: str, row: int) -> None:
        super().__init__(f"{sentence}; --drop-unreadable leaves such events out", drop_unreadable=True)
        self.role, self.row = role, row
