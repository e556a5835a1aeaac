"""Messy files by hand: all that they leave open is found at once, and the likely answers read them as written here."""

import numpy as np
import pytest

from recsys_data.files.interaction_file import InteractionFile
from recsys_data.files.open_choices import find_open_choices

FIRST = 1_683_720_120.0  # 2023-05-10 12:02 UTC
SEMICOLONS = "Kundennr;Artikel;Kaufdatum;Preis\n" + "".join(
    f"K{user};A-{(user + place) % 7};{10 + place}/05/2023 12:02;{user},{place}9\n"
    for user in range(9)
    for place in range(6)
)
TIMES = "order_date,ship_date,sku,client\n" + "".join(
    f"1/{2 + place}/2023,2023-03-0{place + 1},s{(user + place) % 4},{user}\n" for user in range(4) for place in range(5)
)
UNTITLED = "".join(
    f"{user},{100 + (user * place) % 9},{1_683_720_120 + 60 * place}000\n" for user in range(8) for place in range(5)
)


def choices(tmp_path, text, encoding="utf-8", **fields):
    path = tmp_path / "messy.csv"
    path.write_bytes(text.encode(encoding))
    return find_open_choices(InteractionFile(str(path), label="messy", **fields), None)


def events(found):
    data = found.likely.load()
    users, items = np.asarray(data.user_ids)[data.users], np.asarray(data.item_ids)[data.items]
    return list(zip(users.tolist(), items.tolist(), data.timestamps.tolist(), strict=True))


def test_columns_gaps_and_broken_values_are_found_at_once(tmp_path):
    broken = "K1;;11/05/2023 12:02;1,9\nK2;A-1;00/00/0000;2,9\nK3;A-2;n/a;3,9\nK4;A-3\n"
    found = choices(tmp_path, SEMICOLONS + broken)
    assert found.likely.columns == ("user=Kundennr", "item=Artikel", "timestamp=Kaufdatum")
    assert found.likely.drop_missing and found.likely.drop_unreadable
    starts = ["the columns of the user (or session) and of the item are not recognised", "row 59, column"]
    assert [s in sentence for s, sentence in zip(starts, found.sentences, strict=False)] == [True, True]
    assert any("2 of 57 events lack a value (item in 1, timestamp in 1)" in sentence for sentence in found.sentences)
    kept = events(found)
    assert len(kept) == 54 and kept[0] == ("K0", "A-0", FIRST) and kept[-1] == ("K8", "A-6", FIRST + 5 * 86_400)
    notes = " ".join(found.reading.notes)
    assert "too few or too many fields: 1" in notes and "timestamp cannot be read: '00/00/0000' (1)" in notes
    clean = choices(tmp_path, SEMICOLONS, columns=found.likely.columns)
    assert clean.sentences == () and events(clean) == kept and not clean.reading.notes


def test_encoding_short_years_and_a_word_for_a_time(tmp_path):
    text = SEMICOLONS.replace("/05/2023", ".05.23").replace("A-", "Bücher ").replace("Kaufdatum", "Ausgeliehen am")
    found = choices(tmp_path, text + "K1;Bücher 1;unbekannt;1\n", "cp1252")
    assert (found.likely.encoding, found.likely.time_format) == ("cp1252", "%d.%m.%y %H:%M")
    assert "not in the format '%d.%m.%y %H:%M'" in found.sentences[-1] and len(found.sentences) == 4
    assert events(found)[0] == ("K0", "Bücher 0", FIRST)


def test_day_or_month_and_one_of_two_dates(tmp_path):
    found = choices(tmp_path, TIMES)
    assert found.likely.columns == ("user=client", "item=sku", "timestamp=order_date")
    assert found.likely.time_format == "%d/%m/%Y" and "day or month first?" in found.sentences[-1]
    named = choices(tmp_path, TIMES, columns=("user=client", "item=sku"))
    assert "order_date, ship_date look like times" in named.sentences[0]
    assert named.likely == found.likely


def test_a_file_without_header_gets_roles_in_order(tmp_path):
    found = choices(tmp_path, UNTITLED)
    assert (found.likely.columns, found.likely.header) == (("user", "item", "timestamp"), False)
    kept = events(found)
    assert kept[0] == (0, 100, FIRST)
    answered = choices(tmp_path, UNTITLED + "3,104,0\n")  # 0 is no time in milliseconds
    assert answered.likely.drop_unreadable and events(answered) == kept


def test_an_optional_column_with_many_gaps_is_left_out_instead_of_its_events(tmp_path):
    rows = "".join(f"{user},{place},{'' if place else 4}\n" for user in range(4) for place in range(4))
    found = choices(tmp_path, "user,item,rating\n" + rows)
    assert found.likely.columns == ("rating=",) and not found.likely.drop_missing
    assert len(events(found)) == 16


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("user,item,date\n" + "a,x,31/02/2023\n" * 5, "one event in ten, and the file has more"),
        ("user,item\n" + "a,x\n" * 300 + "a\n" * 40, "40 of 340 lines do not have 2 fields"),
        ("a,b\n" + "x,y\n" * 3, "are not recognised"),  # nothing tells users from items
    ],
)
def test_a_file_without_a_likely_answer(tmp_path, text, sentence):
    found = choices(tmp_path, text)
    assert found.reading is None and len(found.sentences) == 1 and sentence in found.sentences[0]


def test_semicolons_come_before_a_header_without_row_names(tmp_path):
    """A comma in every amount of a semicolon file is no separator; R's row names are still recognised."""
    path = tmp_path / "r.csv"
    path.write_text("user,item\n1,a,x\n2,a,y\n")
    data = InteractionFile(str(path)).load()
    assert data.num_items == 2 and len(data) == 2
