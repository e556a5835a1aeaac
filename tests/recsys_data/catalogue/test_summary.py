import pytest

from recsys_data.catalogue.summary import events_over_time, gaps, histogram_text, histograms, summarise_dataset
from recsys_data.interactions import Clock, Interactions
from reports.figures.dataset import save_figure

DAY = 86_400


def events(clock=Clock.ABSOLUTE, times=(0, 0.5, 60, 10 * DAY, 0, 40 * DAY)):
    users = ["u", "u", "u", "u", "v", "v"]
    return Interactions.from_events("tiny", users, ["a", "b", "a", "c", "a", "b"], times, clock=clock)


def counts(entries):
    return {entry["from"]: entry["count"] for entry in entries}


def test_classes_by_hand():
    found = histograms(events())
    # taken: a 3 times, b 2, c 1; histories of 4 and 2 events
    assert counts(found["popularity"]) == {"1": 1, "2–3": 2}
    assert counts(found["lengths"]) == {"1": 0, "2–3": 1, "4–7": 1}
    # gaps of u: 0.5 s, 59.5 s, 10 days less a minute; of v: 40 days
    assert {k: v for k, v in counts(found["gaps"]).items() if v} == {
        "under a minute": 2, "under 30 days": 1, "longer": 1,
    }  # fmt: skip
    assert counts(histograms(events(times=(5, 5, 65, 65, 0, 3600)))["gaps"])["none"] == 2


def test_a_minute_belongs_to_the_next_class():
    edge = counts(histograms(events(times=(0, 60, 60 + 3_600, 60 + 3_600 + DAY, 0, 7 * DAY)))["gaps"])
    assert [edge[name] for name in ("under a minute", "under an hour", "under a day", "under a week")] == [0, 1, 1, 1]
    assert edge["under 30 days"] == 1


def test_days_or_months_without_holes():
    labels, number = events_over_time(events())
    assert (labels[0], labels[-1], len(labels)) == ("1970-01-01", "1970-02-10", 41)
    assert number[[0, 10, 40]].tolist() == [4, 1, 1] and number.sum() == 6
    labels, number = events_over_time(events(times=(0, 0, 0, 0, 0, 300 * DAY)))
    assert (labels[0], labels[-1], len(labels)) == ("1970-01", "1970-10", 10) and number.tolist()[-1] == 1


def test_a_weak_clock_leaves_lists_empty_and_says_so():
    weak = events(Clock.WITHIN)
    found = summarise_dataset(weak)["histograms"]
    assert found["events"] == found["gaps"] == [] and gaps(weak) is None
    assert histogram_text(found).count("unknown") == 2
    relative = summarise_dataset(events(Clock.RELATIVE))["histograms"]
    assert relative["events"] == [] and sum(counts(relative["gaps"]).values()) == 4


def test_the_longest_bar_has_the_width_and_a_small_one_is_seen():
    classes = [{"from": "x", "count": 1_000}, {"from": "y", "count": 1}, {"from": "z", "count": 0}]
    text = histogram_text({"events": classes, "popularity": [], "lengths": [], "gaps": []}, width=10)
    lines = text.splitlines()
    assert [line.count("█") for line in lines[1:4]] == [10, 1, 0]


@pytest.mark.parametrize("clock", [Clock.ABSOLUTE, Clock.RELATIVE, Clock.WITHIN, Clock.NONE])
def test_the_figure_is_the_same_twice(clock, tmp_path):
    first, second = (save_figure(events(clock), tmp_path / name / "f.svg", "tiny") for name in "ab")
    assert first.read_bytes() == second.read_bytes()
    assert first.read_text().count('id="axes_') == 4


def test_figures_of_other_shapes(tmp_path):
    same = events(times=(1, 1, 1, 1, 2, 2))  # every gap is 0
    assert save_figure(same, tmp_path / "f.png", "same").read_bytes().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match=r"must end in .svg, .png or .pdf, got 'f.jpg'"):
        save_figure(same, tmp_path / "f.jpg", "same")
