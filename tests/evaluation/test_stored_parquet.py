"""Columns as they were written, and pandas never loaded for them."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from evaluation.stored_files import read_parquet_columns
from recsys_data.sealed_json import SealBroken


def test_columns_come_back_in_their_types_over_several_row_groups(tmp_path):
    whole = {"a": np.arange(7, dtype=np.int16), "b": np.linspace(0, 1, 7), "c": np.arange(7, dtype=np.int64) << 40}
    table = pa.table(whole).append_column("l", pa.FixedSizeListArray.from_arrays(pa.array(range(14), pa.int32()), 2))
    pq.write_table(table.replace_schema_metadata({"k": "v"}), tmp_path / "x.parquet", row_group_size=3)
    columns, metadata = read_parquet_columns(tmp_path / "x.parquet")
    assert metadata["k"] == "v"
    for name, values in whole.items():
        assert columns[name].dtype == values.dtype
        assert columns[name].tolist() == values.tolist()
        assert not columns[name].flags.writeable
    assert columns["l"].tolist() == np.arange(14).reshape(7, 2).tolist()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([1, None], "its column a holds null, expected numbers"),
        (["x", "y"], "its column a holds string, expected numbers"),
        ([[1], [2, 3]], "its column a holds lists of several lengths, expected one length"),
        ([[1, None], [2, 3]], "its column a holds null, expected numbers"),
        ([{"b": 1}], "its column a holds struct<b: int64>, expected numbers"),
    ],
)
def test_a_column_that_is_not_of_numbers_is_refused(tmp_path, values, said):
    pq.write_table(pa.table({"a": values}), tmp_path / "x.parquet")
    with pytest.raises(SealBroken, match=re.escape(said)):
        read_parquet_columns(tmp_path / "x.parquet")


def test_neither_pandas_nor_data_sets_are_loaded(tmp_path):
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "x.parquet")
    code = (
        "import sys; from pathlib import Path; from evaluation.stored_files import read_parquet_columns\n"
        f"read_parquet_columns(Path({str(tmp_path / 'x.parquet')!r}))\n"
        "assert not {'pandas', 'pyarrow.dataset'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=True)
