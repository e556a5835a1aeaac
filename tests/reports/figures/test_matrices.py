from reports.document.blocks import Figure
from reports.figures import draw
from reports.figures.matrices import joined


def test_a_heat_map_without_numbers_still_marks_pairs_that_are_not_significant():
    pair = {"row": 0, "column": 1, "difference": 0.1, "relative": 0.1, "q": 0.5}
    data = {"models": ["A", "B", "C"], "pairs": [pair], "numbered": False}
    unsure = draw.draw(Figure("h", "heat", "H", "", data))
    sure = draw.draw(Figure("h", "heat", "H", "", data | {"pairs": [pair | {"q": 0.0001}]}))
    assert unsure.count("<use") == sure.count("<use") + 1


def test_bars_join_the_longest_runs_within_the_critical_difference():
    assert joined([1.0, 1.5, 2.4, 4.0], 1.0) == [(0, 1), (1, 2)]
    assert joined([1.0, 1.5, 1.9, 4.0], 1.0) == [(0, 2)]
    assert joined([1.0, 2.0, 3.0], 1.0) == []
