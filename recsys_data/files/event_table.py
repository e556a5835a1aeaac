"""EventTable: the columns of a user's file by role, and what was left out of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from recsys_data.arrow import numbers, pa, pc
from recsys_data.columns.column_roles import ColumnRoles
from recsys_data.columns.open_choice import LEFT_OUT_AT_MOST, UnreadableValue

_MOST_VALUES = 50  # different values that cannot be read


@dataclass(frozen=True)
class EventTable:
    """A ``table`` whose columns are named by role, the file's ``layout`` in words, and a name for each row's place.

    ragged: the number of lines left out since they have too few or too many fields. unreadable: by role, the values
    that cannot be read, with the number of events left out for each.
    """

    table: pa.Table
    layout: str
    roles: ColumnRoles
    place: Callable[[int], str]
    ragged: int = 0
    unreadable: Mapping[str, Counter[str]] = field(default_factory=dict)

    def without(self, error: UnreadableValue) -> EventTable:
        """The table without the events whose value is the one that cannot be read.

        Raises ValueError for more than 50 such values, or if more than one event in ten would be left out.
        """
        column = self.table[error.role]
        column = column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        same = numbers(pc.cast(pc.fill_null(pc.equal(column, column[error.row]), False), pa.uint8())) > 0
        rows = np.flatnonzero(~same)
        values = Counter({str(column[error.row].as_py()): int(same.sum())})
        values += self.unreadable.get(error.role, Counter())
        found = {**self.unreadable, error.role: values}
        left_out = sum(map(Counter.total, found.values()))
        if len(values) > _MOST_VALUES or left_out > LEFT_OUT_AT_MOST * (len(rows) + left_out):
            raise ValueError(f"{error}, but at most {_MOST_VALUES} different values and one event in ten, and the file "
                             "has more") from error  # fmt: skip
        return replace(
            self, table=self.table.take(rows), place=lambda row: self.place(int(rows[row])), unreadable=found
        )

    @property
    def notes(self) -> tuple[str, ...]:
        """A sentence for each kind of event that was left out."""
        total = len(self.table) + sum(map(Counter.total, self.unreadable.values()))
        ragged = f"lines left out because they have too few or too many fields: {self.ragged:,}"
        return (*([ragged] if self.ragged else []), *(
            f"{values.total():,} of {total:,} events left out because the {role} cannot be read: {_counted(values)}"
            for role, values in self.unreadable.items()
        ))  # fmt: skip


def _counted(values: Counter[str]) -> str:
    """The most frequent values with their counts."""
    shown = ", ".join(f"{value!r} ({count:,})" for value, count in values.most_common(3))
    return f"{shown} and {len(values) - 3} more" if len(values) > 3 else shown
