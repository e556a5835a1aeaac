"""Read the columns with a role of a Parquet table: one file, or a folder of parts as Spark and Hive write them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from recsys_data.arrow import pa, pq
from recsys_data.columns.column_roles import ColumnRoles, assign_roles
from recsys_data.containers.content import Content

if TYPE_CHECKING:
    import pyarrow.dataset as ds

_SAMPLE = 300  # rows in which times are recognised


def read_parquet_events(
    content: Content, columns: Sequence[str], where: str, folder: Path | None = None
) -> tuple[pa.Table, ColumnRoles]:
    """The columns of a Parquet table, named by role. ``columns``: as in InteractionFile.

    folder: of the parts; a subfolder such as day=2020-01-01 is a column. Raises ValueError for damaged files, parts
    with different columns, and as in assign_roles.
    """
    try:
        table = _open(content, folder)
        names = table.schema.names
        samples = [_as_texts(column) for column in table.head(_SAMPLE).columns]
        roles = assign_roles(columns, names, samples, named=True, where=where)
        if repeated := [name for name in roles.places if names.count(roles.name_of(name)) > 1]:
            raise ValueError(f"{where}: several columns are called {roles.name_of(repeated[0])!r}; rename one of them")
        read = table.to_table(columns=[roles.name_of(role) for role in roles.places])
    except (pa.ArrowException, OSError) as error:
        raise ValueError(f"{where}: cannot be read as Parquet ({str(error).splitlines()[0]})") from error
    return read.rename_columns(list(roles.places)), roles


def _open(content: Content, folder: Path | None) -> ds.Dataset:
    """The table as a dataset of pyarrow, nothing of it read yet; its parts may differ in the width of their types."""
    import pyarrow.dataset as ds  # imported here: it imports pandas

    if not content.paths:
        return ds.InMemoryDataset(pq.read_table(pa.BufferReader(content.data)))
    paths = list(map(str, content.paths))
    if folder is None:
        return ds.dataset(paths, format="parquet")
    layout = {"format": "parquet", "partitioning": "hive", "partition_base_dir": str(folder)}
    opened = ds.dataset(paths, **layout)
    parts = [pq.read_schema(path) for path in paths]
    found = [field for field in opened.schema if all(field.name not in part.names for part in parts)]
    schema = pa.unify_schemas([part.remove_metadata() for part in parts], promote_options="permissive")
    return ds.dataset(paths, schema=pa.schema([*schema, *found]), **layout)


def _as_texts(column: pa.ChunkedArray) -> list[str]:
    """The values of a column as texts, "" for one without a text form."""
    try:
        return [text or "" for text in column.cast(pa.string()).to_pylist()]
    except pa.ArrowException:
        return [""] * len(column)
