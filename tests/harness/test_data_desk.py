import pytest

from harness.data_desk import dataset_named, import_file
from recsys_data.interactions import Clock

ROWS = "user\titem\ttimestamp\n" + "".join(f"{u}\t{i}\t{60 * t}\n" for u in (1, 2) for t, i in enumerate("abcab"))


@pytest.mark.parametrize(("clock", "kept"), [("relative", Clock.RELATIVE), ("", Clock.ABSOLUTE)])
def test_an_imported_file_keeps_the_clock_it_was_read_with(tmp_path, clock, kept):
    (tmp_path / "plays.tsv").write_text(ROWS)
    dataset = import_file(tmp_path / "plays.tsv", (), "plays", clock, tmp_path)
    again = dataset.load(tmp_path)
    assert again.clock is kept
    assert again.timestamps[:5].tolist() == [0, 60, 120, 180, 240]


def test_an_unknown_name_is_answered_by_a_near_one():
    with pytest.raises(ValueError, match="no data set or file is called 'ml-100'.*did you mean 'ml-100k'"):
        dataset_named("ml-100", {"ml-100k": None})
