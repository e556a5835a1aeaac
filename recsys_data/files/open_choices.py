"""All choices that a user's file leaves open, with the likely answer to each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from recsys_data.columns.open_choice import OpenChoice
from recsys_data.files.interaction_file import InteractionFile
from recsys_data.files.reading import FileReading


@dataclass(frozen=True)
class OpenChoices:
    """The ``sentences``, one per choice; ``likely``, the data set with likely answers; ``reading``, how it is read.

    reading: None if some choice has no likely answer.
    """

    sentences: tuple[str, ...]
    likely: InteractionFile
    reading: FileReading | None


class UnsettledFile(ValueError):
    """A file that leaves ``choices`` to its user."""

    def __init__(self, choices: OpenChoices) -> None:
        super().__init__(" ".join(choices.sentences))
        self.choices = choices


def find_open_choices(source: InteractionFile, folder: Path | None) -> OpenChoices:
    """Find why a file cannot be read as ``source`` says: all reasons, as each is settled by its likely answer."""
    sentences: list[str] = []
    answer: dict[str, Any] = {}
    while True:
        try:
            _, reading = source.read(folder)
        except ValueError as error:
            if answer.get("drop_unreadable") and not isinstance(error, OpenChoice):
                sentences.pop()  # the same lines or values: there are more than can be left out
            sentences.append(str(error))
            answer = error.answer if isinstance(error, OpenChoice) else {}
            answered = _with_answer(source, answer)
            if answered == source:
                return OpenChoices(tuple(sentences), source, None)
            source = answered
        else:
            return OpenChoices(tuple(sentences), source, reading)


def _with_answer(source: InteractionFile, answer: dict[str, Any]) -> InteractionFile:
    """The data set with the fields of an answer; a column named by role is added to those named already."""
    if any("=" in column for column in answer.get("columns", ())):
        roles = {column.partition("=")[0]: column for column in (*source.columns, *answer["columns"])}
        answer = {**answer, "columns": tuple(roles.values())}
    return replace(source, **answer)
