import math

import pytest

from evaluation import printed_numbers as numbers


@pytest.mark.parametrize(("widths", "places"), [
    ([0.0011], 4), ([0.00987], 4), ([0.011], 3), ([0.3], 2), ([0.000001], 5), ([], 4), ([None, math.nan, 0.0], 4),
    ([0.0011, 0.0012, 0.9], 4),
])  # fmt: skip
def test_decimals_show_two_digits_of_the_usual_half_width(widths, places):
    assert numbers.decimals(widths) == places


@pytest.mark.parametrize(("value", "places", "sign", "text"), [
    (0.0625, 4, False, ".0625"), (-0.00111, 4, True, "−.0011"), (0.00111, 4, True, "+.0011"), (1.0, 3, False, "1.000"),
    (-0.00001, 3, False, ".000"), (None, 4, False, "–"), (math.nan, 4, False, "–"), (12.5, 2, False, "12.50"),
])  # fmt: skip
def test_fractions_drop_the_leading_zero_and_never_show_minus_zero(value, places, sign, text):
    assert numbers.fraction(value, places, sign) == text


def test_intervals_and_percents():
    assert numbers.interval(0.0614, 0.0636) == "[.0614, .0636]"
    assert numbers.interval(None, 0.1) == "–"
    assert numbers.percent(0.0321) == "+3.2 %"
    assert numbers.percent(-0.5, 0) == "−50 %"
    assert numbers.percent(math.inf) == "–"


@pytest.mark.parametrize(("p", "text"), [
    (1e-5, "<.0001"), (0.00012, ".00012"), (0.0034, ".0034"), (0.034, ".034"), (0.0996, ".10"), (0.23, ".23"),
    (0.996, "1.00"), (1.0, "1.00"), (None, "–"),
])  # fmt: skip
def test_p_values_are_never_zero(p, text):
    assert numbers.p_value(p) == text


def test_p_values_and_shares_in_a_sentence_are_written_as_in_a_table():
    assert [numbers.p_text(p) for p in (0.00001, 0.0124, 0.5, 1.0)] == ["p < .0001", "p = .012", "p = .50", "p = 1.00"]
    assert [numbers.short_fraction(x) for x in (0, 0.5, 0.00005, 100, 1.25, -0.5)] == [
        "0", ".5", ".00005", "100", "1.25", "−.5"]  # fmt: skip
    assert numbers.fraction(0.0, 4, sign=True) == ".0000"


def test_quantities():
    assert numbers.count(1000209) == "1,000,209"
    assert numbers.format_number(0) == "0"
    assert numbers.format_number(15234.7) == "15,200"
    assert numbers.format_number(0.012345) == "0.0123"
    assert numbers.format_number(-2.5, 2) == "−2.5"
    assert numbers.format_number(1e20) == "1.00e+20"
    assert numbers.format_seconds(0.42) == "0.42 s"
    assert numbers.format_seconds(83.4) == "83 s"
    assert numbers.format_seconds(725) == "12 min 05 s"
    assert numbers.format_seconds(3599.6) == "1 h 00 min"
    assert numbers.format_seconds(7500) == "2 h 05 min"
    assert numbers.memory(512) == "512 MB"
    assert numbers.memory(999) == "999 MB"
    assert numbers.memory(1000) == "1.0 GB"
    assert numbers.memory(1500) == "1.5 GB"


def test_words():
    assert numbers.join_words(["a"]) == "a"
    assert numbers.join_words(["a", "b", "c"]) == "a, b and c"
    assert numbers.join_words([]) == "none"
    assert numbers.pluralize(1, "cell") == "1 cell"
    assert numbers.pluralize(1200, "entry", "entries") == "1,200 entries"
