import math

import pytest

from training.control.schedules import Geometric, Linear
from training.control.stopping import Patience, StopAfterN, WorstTimesX, new_bests


def stopped_at(rule, scores, times=None):
    """The number of the evaluation after which the rule stops, or None."""
    times = list(range(1, len(scores) + 1)) if times is None else times
    return next((n for n in range(1, len(scores) + 1) if rule.stops(times[:n], scores[:n])), None)


def test_a_tie_or_nan_is_no_new_best():
    assert new_bests([0.1, 0.1, math.nan, 0.3, 0.2, 0.3, 0.4]) == [0, 3, 6]
    assert new_bests([math.nan, -math.inf]) == []


@pytest.mark.parametrize("evaluations, scores, stop", [
    (2, [0.1, 0.3, 0.2, 0.3, 0.9], 4),  # 3 and 4 (a tie) are no new best
    (3, [0.1, 0.3, 0.2, 0.3, 0.9], None),
    (2, [math.nan, math.nan, 0.5], 2),
])  # fmt: skip
def test_patience_counts_evaluations_without_a_new_best(evaluations, scores, stop):
    assert stopped_at(Patience(evaluations), scores) == stop
    assert stopped_at(StopAfterN(evaluations), scores) == stop  # what its documentation says


def test_stop_after_n_as_coded_looks_at_the_evaluation_before():
    # the best is the second; after it every other evaluation rises on the one before, but never above the best
    scores = [0.1, 0.9, 0.2, 0.3, 0.25, 0.28, 0.27, 0.26]
    assert stopped_at(StopAfterN(2), scores) == 4  # 3 and 4 are below .9
    assert stopped_at(StopAfterN(2, version="coded"), scores) == 8  # .28 > .27 > .26
    assert stopped_at(StopAfterN(3, version="coded"), scores) is None
    assert stopped_at(StopAfterN(2, version="coded"), [0.5, 0.5, 0.5]) == 3  # a tie is no improvement
    assert stopped_at(StopAfterN(2, version="coded"), [0.5, 0.4]) is None  # one comparison is not two


def test_worst_times_x_on_a_score_list_made_by_hand():
    # new bests at 1, 2 and 4: L = 2, so it waits until more than max(1, 2 · 2) = 4 epochs after 4, that is at 9
    scores = [0.1, 0.2, 0.15, 0.3, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1]
    assert stopped_at(WorstTimesX(factor=2.0, min_wait=1.0), scores) == 9
    assert stopped_at(WorstTimesX(factor=1.0, min_wait=1.0), scores) == 7  # more than 2 after 4
    assert stopped_at(WorstTimesX(factor=2.0, min_wait=5.0), scores) == 10  # the minimum wait is the longer one
    # no second best: it stops when more than the minimum wait has gone by since the first
    assert stopped_at(WorstTimesX(factor=9.0, min_wait=1.0), [0.5, 0.4, 0.4, 0.4]) == 3
    # several evaluations an epoch: bests at .1 and .3, L = .2; W > max(1, .4) first at 1.4
    assert stopped_at(WorstTimesX(2.0, 1.0), [0.1, 0.2, 0.1, 0.1, 0.1], [0.1, 0.3, 0.9, 1.3, 1.4]) == 5


def due_times(schedule, count):
    times = [schedule.begin()]
    while len(times) < count:
        times.append(schedule.after(times[-1]))
    return times


@pytest.mark.parametrize("schedule, times", [
    (Linear(), [1, 2, 3, 4]),
    (Linear(unit="iterations", every=5000, first=50000), [50000, 55000, 60000, 65000]),  # kwonmha on ML-1M
    (Geometric(unit="iterations"), [2, 4, 8, 16]),  # Devooght and Bersini's --progress 2.
    (Geometric(unit="iterations", factor=3.0, largest=10.0), [3, 9, 19, 29]),
    (Geometric(unit="seconds", factor=1.5, first=10.0), [10.0, 15.0, 22.5, 33.75]),
], ids=repr)  # fmt: skip
def test_when_evaluations_are_due(schedule, times):
    assert due_times(schedule, 4) == times


@pytest.mark.parametrize("made, words", [
    (lambda: Patience(0), "evaluations must be at least 1, got 0"),
    (lambda: StopAfterN(0), "evaluations must be at least 1, got 0"),
    (lambda: StopAfterN(version="guessed"), "version must be one of documented, coded, got 'guessed'"),
    (lambda: WorstTimesX(factor=0.0), "factor must be above 0, got 0.0"),
    (lambda: WorstTimesX(min_wait=-1.0), "min_wait must be at least 0 epochs, got -1.0"),
    (lambda: Linear(unit="hours"), "unit must be one of epochs, iterations, seconds, got 'hours'"),
    (lambda: Linear(every=0.0), "every must be above 0 epochs, got 0.0"),
    (lambda: Linear(first=0.0), "first must be above 0 epochs or None, got 0.0"),
    (lambda: Geometric(factor=1.0), "factor must be above 1, got 1.0"),
    (lambda: Geometric(unit="seconds", largest=0.0), "largest must be above 0 seconds or None, got 0.0"),
])  # fmt: skip
def test_a_field_out_of_range_is_named(made, words):
    with pytest.raises(ValueError, match=words):
        made()
