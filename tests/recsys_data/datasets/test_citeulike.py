import pytest

from recsys_data.catalogue.all_datasets import DATASETS
from recsys_data.datasets.citeulike import CiteULikeLog
from recsys_data.fetching.errors import DataMissing
from recsys_data.interactions import Clock

LOG = """\
42|61baaeba8de136d9c1aa9c18ec3860e8|2004-11-04 02:25:05.373798+00|ecoli
42|61baaeba8de136d9c1aa9c18ec3860e8|2004-11-04 02:25:05.373798+00|metabolism
43|61baaeba8de136d9c1aa9c18ec3860e8|2004-11-04 02:25:06+00|barabasi
42|0a|2004-11-04 02:25:05.373798+00|no-tag
42|61baaeba8de136d9c1aa9c18ec3860e8|2004-11-05 00:00:00+00|again
"""


def put_log(folder, text):
    path = folder / "citeulike" / "who-posted-what.txt"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)


def test_the_log_by_hand(tmp_path):
    put_log(tmp_path, LOG)
    data = CiteULikeLog().load(tmp_path)
    assert (len(data), data.num_users, data.num_items, data.clock) == (4, 2, 2, Clock.ABSOLUTE)  # two tags, one posting
    assert data.user_ids[data.users].tolist()[0] == "0a"
    assert data.item_ids[data.items].tolist() == [42, 42, 43, 42]
    # 2004-11-04 00:00 UTC is 12,726 days after 1970: 1,099,526,400 s; 02:25:05 is 8,705 s more
    assert data.timestamps[1] == pytest.approx(1_099_535_105.373798, abs=1e-6)
    assert data.timestamps[2:].tolist() == [1_099_535_106, 1_099_612_800]


def test_the_log_cut_to_three_columns_is_the_same(tmp_path):
    put_log(tmp_path, LOG)
    whole = CiteULikeLog().load(tmp_path)
    lines = [line.rpartition("|")[0] for line in LOG.splitlines()]
    put_log(tmp_path, "\n".join(dict.fromkeys(lines)) + "\n")  # awk and uniq, as the paper's README has it
    assert CiteULikeLog().load(tmp_path).fingerprint == whole.fingerprint


def test_a_broken_log_and_a_missing_one_say_so(tmp_path):
    with pytest.raises(DataMissing, match=r"who-posted-what.txt not found .* its official address no longer exists"):
        CiteULikeLog().load(tmp_path)
    put_log(tmp_path, LOG + "44|0a\n")
    with pytest.raises(ValueError, match="row 6, column time is missing: 2 fields, expected 4"):
        CiteULikeLog().load(tmp_path)
    put_log(tmp_path, LOG + "44|0a|yesterday|x\n")
    with pytest.raises(ValueError, match="event 6 has the time 'yesterday'"):
        CiteULikeLog().load(tmp_path)


def test_the_log_is_known_by_name():
    assert DATASETS["citeulike-log"] == CiteULikeLog()
