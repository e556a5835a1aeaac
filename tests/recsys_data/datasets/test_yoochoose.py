import numpy as np
import pytest

from recsys_data.datasets.yoochoose import YooChoose100k, YooChooseClicks, read_clicks
from recsys_data.protocols.by_time import LastDays
from recsys_data.protocols.filters import MinUserEvents
from tests.recsys_data.splits import history


def test_yoochoose_clicks(tmp_path):
    path = tmp_path / "clicks.dat"
    path.write_text("2,2014-04-07T10:51:09.277Z,214536502,0\n1,2014-04-07T10:54:09.868Z,214536500,S\n"
                    "2,2014-04-07T10:50:00.000Z,7,0\n")  # fmt: skip
    data = read_clicks(path, "y")
    assert data.unit == "session" and history(data, 1)[0] == [7, 214536502]
    assert history(data, 1)[1] == [1396867800.0, 1396867869.277]
    target = tmp_path / YooChooseClicks.source.files[0]
    target.parent.mkdir()
    target.write_text(path.read_text())
    with pytest.raises(ValueError, match="holds 3 events, 2 sessions, 3 items; expected 33,003,944 events"):
        YooChooseClicks().load(tmp_path)


def test_real_yoochoose_slice_is_its_own_last_day():
    if not YooChoose100k().present(None):
        pytest.skip("yoochoose-100k is not there: set ENCORE_DATA to the folder that has it")
    data = YooChoose100k().load()
    split = LastDays(test=1, validation=0, filters=(MinUserEvents(2),)).prepare(data)
    assert np.array_equal(split.test.clusters, np.flatnonzero(data.parts == 2))  # the published test sessions
