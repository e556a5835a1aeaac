import lzma

import pytest

from recsys_data.datasets.diginetica import DigineticaViews
from tests.recsys_data.splits import history


def test_diginetica_orders(tmp_path):
    path = tmp_path / "diginetica/train-item-views.csv.xz"
    path.parent.mkdir()
    rows = "1;NA;10;5000;2016-05-09\n1;NA;11;1000;2016-05-09\n1;NA;12;9000;2016-05-10\n2;5;10;0;2016-05-01\n"
    path.write_bytes(lzma.compress(("session_id;user_id;item_id;timeframe;eventdate\n" + rows).encode()))
    by_time = DigineticaViews().load(tmp_path)
    assert history(by_time, 0)[0] == [11, 10, 12]
    assert history(by_time, 0)[1] == [1462752001.0, 1462752005.0, 1462752009.0]  # 2016-05-09 and 1, 5, 9 s
    by_file = DigineticaViews(order="file").load(tmp_path)
    assert history(by_file, 0)[0] == [10, 11, 12]


def test_real_diginetica_sample():
    dataset = DigineticaViews(sample=True)
    if not dataset.present(None):
        pytest.skip(f"{dataset.name} is not there: set ENCORE_DATA to the folder that has it")
    data = dataset.load()
    assert (len(data), data.num_users, data.num_items) == (12_391, 2_986, 7_139)
    assert DigineticaViews(order="file", sample=True).load().fingerprint != data.fingerprint
