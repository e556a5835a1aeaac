from calendar import month_name, timegm
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime

import pyarrow as pa
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recsys_data.columns.times import to_seconds

MOMENTS = st.datetimes(datetime(1974, 1, 1), datetime(2100, 12, 31)).map(lambda m: m.replace(microsecond=0, tzinfo=UTC))
MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


def read(*values, **options):
    return to_seconds(pa.chunked_array([list(values)]), "f", **options)


def utc(*parts):
    return float(timegm((*parts, *(0,) * (6 - len(parts)), 0, 0, 0)))


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Tue Apr 03 18:00:09 +0000 2012", utc(2012, 4, 3, 18, 0, 9)),  # Twitter
        ("Tue Apr 03 18:00:09 +0200 2012", utc(2012, 4, 3, 16, 0, 9)),
        ("2012/04/03 18:00:09-0530", utc(2012, 4, 3, 23, 30, 9)),
        ("2012/04/03 18:00:09 +02", utc(2012, 4, 3, 16, 0, 9)),
        ("Tue Apr 3 18:00:09 2012", utc(2012, 4, 3, 18, 0, 9)),  # ctime
        ("2019-10-01 00:00:05 UTC", utc(2019, 10, 1, 0, 0, 5)),
        ("2019-10-01 00:00:05.250000 UTC", utc(2019, 10, 1, 0, 0, 5) + 0.25),
        ("2019-10-01T00:00:05.123456789Z", utc(2019, 10, 1, 0, 0, 5) + 0.123456),
        ("2019/10/1 3:04", utc(2019, 10, 1, 3, 4)),
        ("20191001T030405Z", utc(2019, 10, 1, 3, 4, 5)),
        ("31/12/2019 10:00", utc(2019, 12, 31, 10)),
        ("12/31/2019 1:00:30 PM", utc(2019, 12, 31, 13, 0, 30)),
        ("12/31/2019 12:00 am", utc(2019, 12, 31)),
        ("31.12.2019", utc(2019, 12, 31)),
        ("06 3, 2013", utc(2013, 6, 3)),  # reviewTime of the Amazon reviews
        ("01-Jan-1995", utc(1995, 1, 1)),  # MovieLens
        ("April 3rd, 2012 6:05 PM", utc(2012, 4, 3, 18, 5)),
        (" 29 Feb 2012 ", utc(2012, 2, 29)),
    ],
)
def test_dates_by_hand(text, moment):
    assert read(text)[0].tolist() == [moment]


@given(st.lists(MOMENTS, min_size=1, max_size=5), st.integers(-11, 12))
def test_dates_agree_with_pythons_own(moments, hours):
    zone = timezone(timedelta(hours=hours))
    expected = [moment.timestamp() for moment in moments]
    forms = (
        lambda m: m.isoformat(),
        lambda m: format_datetime(m.astimezone(zone)),
        lambda m: m.astimezone(zone).strftime("%a %b %d %H:%M:%S %z %Y"),
        lambda m: m.strftime("%Y/%m/%d %H:%M:%S"),
        lambda m: m.strftime("%Y%m%dT%H%M%SZ"),
        lambda m: f"{month_name[m.month]} {m.day}, {m.year} {m.hour}:{m.minute:02}:{m.second:02}",
        lambda m: str(int(m.timestamp()) * 10**9),
        lambda m: m.strftime("%Y%m%d%H%M%S"),
    )
    for form in forms:
        assert read(*map(form, moments))[0].tolist() == expected


@given(st.lists(MOMENTS, min_size=1, max_size=6))
def test_the_order_of_day_and_month_is_decided_or_refused(moments):
    assume(any(moment.day != moment.month for moment in moments))
    for pattern in ("%d/%m/%Y", "%m/%d/%Y"):
        texts = [moment.strftime(pattern) for moment in moments]
        expected = [datetime.strptime(text, pattern).replace(tzinfo=UTC).timestamp() for text in texts]
        if any(moment.day > 12 for moment in moments):
            assert read(*texts)[0].tolist() == expected
        else:
            with pytest.raises(ValueError, match="day or month first"):
                read(*texts)
        assert read(*texts, pattern=pattern)[0].tolist() == expected


@pytest.mark.parametrize(
    ("values", "moments", "kind"),
    [
        (["20001231", "20010101"], [utc(2000, 12, 31), utc(2001, 1, 1)], "%Y%m%d"),
        ([20001231, 20010101], [utc(2000, 12, 31), utc(2001, 1, 1)], "%Y%m%d"),
        ([200012312359, 200101010000], [utc(2000, 12, 31, 23, 59), utc(2001, 1, 1)], "%Y%m%d%H%M"),
        (["20001231235958"], [utc(2000, 12, 31, 23, 59, 58)], "%Y%m%d%H%M%S"),
    ],
)
def test_whole_numbers_that_are_days(values, moments, kind):
    seconds, found = read(*values)
    assert seconds.tolist() == moments and found == f"whole numbers of the form {kind}"


@pytest.mark.parametrize(
    ("values", "options", "sentence"),
    [
        (["1500007200", "1500003600000", "1500010800"], {}, "event 2 has the time '1500003600000'; as milliseconds"),
        (["1500007200000", "1500007200", "1500010800000"], {}, "event 2 has the time '1500007200'; as seconds a plaus"),
        (["1500007200000", "0", "1500010800000"], {}, "event 2 .* say --time-unit ms if it is right for all"),
        (["20001231", "20009901", "20010101"], {}, "event 2 has the time '20009901'; other rows are days such as 2000"),
        (["31122000", "01012001"], {}, "event 1 has the time '31122000'; this looks like %d%m%Y; say --time-format"),
        (["12312000"], {}, "this looks like %m%d%Y"),
        (["1500007200", "yesterday", "1500010800"], {}, "event 2 has the time 'yesterday'; expected a number"),
        (["-1"], {}, "event 1 has the time '-1'; read as seconds it is 1969-12-31T23:59:59.* outside 1970 to 2100"),
        (["5000000000", "5000000001"], {}, "read as seconds it is 2128-06-11.* say --time-unit"),
        (["1500007200"], {"unit": "day"}, "read as days it is about the year 4,1.*, outside 1970 to 2100"),
        (["0001-01-01", "2019-01-01"], {}, "event 1 has the time '0001-01-01'; .* outside 1970 to 2100"),
        (["nan", "1500007200"], {}, "event 1 has the time 'nan'; expected seconds"),
        (["2019-02-30"], {}, "event 1 has the time '2019-02-30'; the month has no day 30"),
        (["13/13/2019"], {}, "event 1 has the time '13/13/2019'"),
        (["13/01/2019", "01/13/2019", "14/01/2019"], {}, "event 2 .* month first, unlike other rows"),
        (["2004-11-04 02:25:05+00", "yesterday"], {}, "event 2 has the time 'yesterday'"),
        (["3 Mai 2019"], {}, "'Mai' is not an English month; give other formats with --time-format"),
        (["31/12/19"], {}, "event 1 has the time '31/12/19'; .*--time-format"),
        (["10:00:00"], {}, "event 1 has the time '10:00:00'; a time of day without a date"),
        (
            ["31/12/19", "32/12/19"],
            {"pattern": "%d/%m/%y"},
            "event 2 has the time '32/12/19'; not in the format '%d",
        ),
        (["2019-01-01"], {"unit": "ms"}, "event 1 has the time '2019-01-01'; expected a number of --time-unit ms"),
    ],
)
def test_what_cannot_be_decided_is_refused_with_its_row(values, options, sentence):
    with pytest.raises(ValueError, match=f"^f: .*{sentence}"):
        read(*values, **options)


@pytest.mark.parametrize(
    ("unit", "value"), [("s", 86_400), ("ms", 86_400_000), ("us", 86_400 * 10**6), ("ns", 86_400 * 10**9), ("day", 1)]
)
def test_a_unit_is_taken_at_its_word(unit, value):
    assert read(value, 0, unit=unit)[0].tolist() == [86_400.0, 0.0]


def test_positions_are_not_dates():
    assert read(20001231, 7, 9e12, absolute=False)[0].tolist() == [20001231, 7, 9e12]
