"""Which column holds which role, from the user's words or from known names, and what was decided on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from recsys_data.checks import did_you_mean
from recsys_data.columns.column_names import KNOWN_NAMES, ROLES, known_place
from recsys_data.columns.likely_columns import likely_columns
from recsys_data.columns.open_choice import OpenChoice
from recsys_data.columns.time_columns import NO_TIMES, choose_time_column, diginetica_columns, looks_like_time
from recsys_data.printable import printable

OFFSET = "offset"  # the role of Diginetica's timeframe, which is added to the day of the session


@dataclass(frozen=True)
class ColumnRoles:
    """``places``, the column number of each role; the ``names`` of all columns; ``notes``, decisions as sentences."""

    places: dict[str, int]
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def unused(self) -> list[str]:
        """The names of the columns without a role."""
        return [name for place, name in enumerate(self.names) if place not in self.places.values()]

    @property
    def labels(self) -> list[str]:
        """A name for each column of the table: its role, or its number for a column without a role."""
        roles = {place: role for role, place in reversed(self.places.items())}
        return [roles.get(place, f"column {place + 1}") for place in range(len(self.names))]

    def name_of(self, role: str) -> str:
        """The name of the column of a role, for messages."""
        return self.names[self.places[role]]

    def summary(self) -> str:
        """The roles and the columns left out, in words."""
        roles = ", ".join(f"{role} = {self.names[place]}" for role, place in self.places.items())
        return roles + f"; not used: {', '.join(self.unused) or 'none'}"


def assign_roles(
    columns: Sequence[str], names: Sequence[str], samples: Sequence[Sequence[str]], *, named: bool, where: str
) -> ColumnRoles:
    """Assign roles to the columns of a file.

    columns: the user's words, as in InteractionFile. names: of the columns; ``named``: whether the file gives them.
    samples: some values of each column, as texts, in which times are recognised. Raises ValueError that lists the
    columns where one is missing or where the choice is open.
    """
    _refuse_benchmark(names, where)
    shown = names if named else [sample[0] if sample else "" for sample in samples]
    found = f"{len(names)} columns found: {', '.join(_shortened(name) for name in shown)}"
    if columns and not any("=" in column for column in columns):
        if len(columns) != len(names):
            raise ValueError(f"{where}: {len(columns)} columns named ({', '.join(columns)}) but {found}")
        places = {role: place for place, role in enumerate(columns) if role}
        given = set(ROLES)
    else:
        places, given = _named_places(columns, names, found, where)
    notes: list[str] = []
    if named and len(given) < len(ROLES):
        _add_known(places, given, names, where)
    if "item" not in places or not places.keys() & {"user", "session"}:
        likely = likely_columns(names, samples, places.values(), given)
        raise OpenChoice(
            f"{where}: the columns of the user (or session) and of the item are not recognised; {found}; "
            "name them with data import --columns, such as user,item,rating,timestamp or user=NAME,item=NAME",
            **_proposal(columns, likely, places, names, named=named),
        )
    if named and "timestamp" not in places and "timestamp" not in given:
        _add_times(places, names, samples, where, notes)
    if "session" in places and "user" in places:
        user = names[places.pop("user")]
        notes.append(f"sessions are the unit and {user} is left out; --columns user=NAME,item=NAME takes users instead")
    order = [*ROLES, OFFSET]
    roles = ColumnRoles(dict(sorted(places.items(), key=lambda entry: order.index(entry[0]))), tuple(names))
    for place, name in enumerate(names):
        if place not in places.values() and looks_like_time(name, samples[place] if samples else ()):
            notes.append(f"{name} looks like times and is not used; --columns timestamp={name} would use it")
    return ColumnRoles(roles.places, roles.names, tuple(notes))


def _proposal(
    columns: Sequence[str], likely: dict[str, int], places: dict[str, int], names: Sequence[str], *, named: bool
) -> dict[str, Any]:
    """Fields of InteractionFile that give the likely columns their roles; none where a column of ids is missing."""
    roles = places | likely
    if "item" not in roles or not roles.keys() & {"user", "session"} or (columns and "=" not in "".join(columns)):
        return {}
    if named and len(set(names)) == len(names) and not any("," in names[place] for place in likely.values()):
        return {"columns": tuple(f"{role}={names[place]}" for role, place in likely.items())}
    by_place = {place: role for role, place in roles.items()}
    return {"columns": tuple(by_place.get(place, "") for place in range(len(names))), "header": named}


def _shortened(name: str) -> str:
    """A name on one line, in at most 60 characters."""
    return printable(name if len(name) <= 60 else f"{name[:59]}…")


def _named_places(
    columns: Sequence[str], names: Sequence[str], found: str, where: str
) -> tuple[dict[str, int], set[str]]:
    """The columns given as ROLE=NAME, and the roles that the user spoke of; ROLE= is a role without a column."""
    untyped, places, given = [name.partition(":")[0].strip() for name in names], {}, set()
    for column in columns:
        role, equals, name = column.partition("=")
        if not equals:
            raise ValueError(f"{where}: --columns mixes {column!r} with ROLE=NAME; use one of the two forms")
        if role in given:
            raise ValueError(f"{where}: --columns names the {role} twice")
        given.add(role)
        if not name:
            continue
        known = untyped if name in untyped else list(names)
        if name not in known:
            sentence = f"{where}: no column {name!r} for the {role}; {found}"
            raise ValueError("; ".join(filter(None, [sentence, did_you_mean(name, untyped)])))
        if known.count(name) > 1:
            raise ValueError(f"{where}: {known.count(name)} columns are called {name!r}; rename one, or give the roles "
                             "of all columns in order")  # fmt: skip
        place = known.index(name)
        if place in places.values():
            other = next(role for role, known_place in places.items() if known_place == place)
            raise ValueError(f"{where}: --columns gives the column {name!r} to the {other} and to the {role}; "
                             "give each a column of its own")  # fmt: skip
        places[role] = place
    return places, given


def _add_known(places: dict[str, int], given: set[str], names: Sequence[str], where: str) -> None:
    """Add the roles whose columns have known names, except those that the user spoke of."""
    spoken = given | ({"user", "session"} if given & {"user", "session"} else set())
    for role in KNOWN_NAMES:
        place = None if role in spoken else known_place(role, names)
        if place is None or place in places.values():
            continue
        if list(names).count(names[place]) > 1:
            raise ValueError(f"{where}: several columns are called {names[place]!r}; rename all but the {role}'s")
        places[role] = place


def _add_times(
    places: dict[str, int], names: Sequence[str], samples: Sequence[Sequence[str]], where: str, notes: list[str]
) -> None:
    """Add the column of the times where it can be recognised; note what was decided."""
    if "session" in places and (pair := diginetica_columns(names)):
        places["timestamp"], places[OFFSET] = pair
        notes.append(
            f"Diginetica's times: {names[pair[0]]} of a session's first row plus {names[pair[1]]} in milliseconds"
        )
        return
    free = {name: samples[place] for place, name in enumerate(names) if place not in places.values()}
    if (name := choose_time_column(free, where)) is not None:
        places["timestamp"] = list(names).index(name)
        notes.append(f"{name} is taken for the times; say --columns {NO_TIMES}")


def _refuse_benchmark(names: Sequence[str], where: str) -> None:
    """Raise ValueError for a RecBole benchmark file, whose rows are not events."""
    for name in names:
        plain, _, kind = name.partition(":")
        if plain.strip() == "item_id_list" or (kind.endswith("_seq") and plain.strip().endswith(("_list", "_seq"))):
            raise ValueError(
                f"{where}: line 1, column {name!r}: this is a benchmark file of RecBole, each row of which holds a "
                "history and its target, no event; import the atomic file it was made from (user_id:token, "
                "item_id:token, timestamp:float)"
            )
