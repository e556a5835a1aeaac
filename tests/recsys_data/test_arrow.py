import subprocess
import sys

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys_data.arrow import count_true, null_where, numbers, text_array, texts


def test_pieces_slices_and_nothing():
    column = pa.chunked_array([[1, 2], [], [3]], pa.int32())
    assert numbers(column).tolist() == [1, 2, 3] and numbers(column).dtype == np.int32
    assert numbers(pa.array([1.5, 2.5, 3.5]).slice(1, 2)).tolist() == [2.5, 3.5]
    for kind, dtype in ((pa.float64(), np.float64), (pa.int64(), np.int64), (pa.float32(), np.float32)):
        assert numbers(pa.chunked_array([], kind)).dtype == dtype
    words = texts(pa.chunked_array([["é", "a" * 999], ["b"]]))
    assert words.tolist() == ["é", "a" * 999, "b"] and words.dtype == object


def test_reading_a_file_does_without_pandas(tmp_path):
    (tmp_path / "e.tsv").write_text("u\tx\t4\t10\nu\ty\t5\t20\nv\tx\t1\t30\n")
    code = (
        "import sys\nfrom recsys_data.files.interaction_file import InteractionFile\n"
        f"data = InteractionFile({str(tmp_path / 'e.tsv')!r}, columns=('user', 'item', 'rating', 'timestamp')).load()\n"
        "assert data.items.tolist() == [0, 1, 0], data.items\n"
        "assert not {'pandas', 'pooch', 'requests', 'torch'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=4), max_size=8))
def test_texts_as_an_array(values):
    assert text_array(values).equals(pa.array(values, pa.string()))


def test_nulls_and_counts():
    column = pa.chunked_array([["a", "b"], ["c", None]])
    mask = pa.chunked_array([[True, False], [None, False]])
    assert null_where(mask, column).to_pylist() == [None, "b", None, None]  # an unknown condition gives null
    assert count_true(mask) == 1 and count_true(pa.array([], pa.bool_())) == 0
