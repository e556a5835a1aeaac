"""One rule for ids, whatever the container: equal data have equal fingerprints."""

import decimal
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recsys_data.files.interaction_file import InteractionFile

USERS, ITEMS = [1, 1, 2, 2, 1], [999_999_999_999_999_999, 10**18 + 1, 10**18 + 1, 7, 999_999_999_999_999_999]
BEYOND = [2**64 - 1, 2**63 + 5, 2**63 + 5, 7, 2**64 - 1]


def text_file(path, columns, separator=","):
    rows = zip(*columns.values(), strict=True)
    lines = [separator.join(columns), *(separator.join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def json_file(path, columns):
    rows = zip(*columns.values(), strict=True)
    path.write_text("".join(json.dumps(dict(zip(columns, row, strict=True))) + "\n" for row in rows))
    return path


def parquet_file(path, **columns):
    pq.write_table(pa.table(columns), path)
    return path


def load(path, **fields):
    return InteractionFile(str(path), **fields).load()


def events(data):
    """Every event as the ids that it was written with."""
    users, items = data.user_ids[data.users].tolist(), data.item_ids[data.items].tolist()
    return list(zip(map(str, users), map(str, items), strict=True))


@pytest.mark.parametrize("items", [ITEMS, BEYOND], ids=["18 and 19 digits", "uint64"])
def test_equal_data_have_one_fingerprint(tmp_path, items):
    columns = {"user": USERS, "item": items}
    texts = list(map(str, items))
    files = [
        text_file(tmp_path / "a.csv", columns),
        text_file(tmp_path / "a.tsv", columns, "\t"),
        text_file(tmp_path / "a.inter", {"user_id:token": USERS, "item_id:token": items}, "\t"),
        text_file(tmp_path / "blanks.csv", {"user": USERS, " item": [f" {item} " for item in items]}),
        text_file(tmp_path / "zeros.csv", {"user": USERS, "item": [f"{item}.0" for item in items]}),
        json_file(tmp_path / "a.jsonl", columns),
        json_file(tmp_path / "texts.jsonl", {"user": USERS, "item": texts}),
        parquet_file(tmp_path / "uint64.parquet", user=pa.array(USERS, pa.int8()), item=pa.array(items, pa.uint64())),
        parquet_file(tmp_path / "string.parquet", user=pa.array(list(map(str, USERS))), item=pa.array(texts)),
        parquet_file(tmp_path / "large.parquet", user=USERS, item=pa.array(texts, pa.large_string())),
        parquet_file(tmp_path / "view.parquet", user=USERS, item=pa.array(texts, pa.string_view())),
        parquet_file(tmp_path / "binary.parquet", user=USERS, item=pa.array([text.encode() for text in texts])),
        parquet_file(tmp_path / "dictionary.parquet", user=USERS, item=pa.array(texts).dictionary_encode()),
        parquet_file(tmp_path / "numbers.parquet", user=pa.array(USERS).dictionary_encode(), item=pa.array(texts)),
        parquet_file(tmp_path / "float.parquet", user=pa.array(USERS, pa.float64()), item=pa.array(texts)),
        parquet_file(tmp_path / "decimal.parquet", user=pa.array(USERS),
                     item=pa.array(list(map(decimal.Decimal, items)), pa.decimal128(38, 2))),
    ]  # fmt: skip
    if max(items) < 2**63:
        files.append(parquet_file(tmp_path / "int64.parquet", user=pa.array(USERS, pa.uint16()), item=items))
    found = {path.name: load(path) for path in files}
    fingerprints = {name: data.fingerprint for name, data in found.items()}
    assert len(set(fingerprints.values())) == 1, fingerprints
    data = found["a.csv"]
    assert list(map(str, data.item_ids.tolist())) == list(map(str, sorted(set(items))))  # in the order of the numbers
    assert events(data) == [(str(u), str(i)) for u, i in sorted(zip(USERS, items, strict=True), key=lambda e: e[0])]


def test_one_text_makes_a_column_of_texts(tmp_path):
    data = load(text_file(tmp_path / "a.csv", {"user": [1, 1, 1, 1], "item": ["10", "9", "007", "7"]}))
    assert data.item_ids.tolist() == ["007", "10", "7", "9"]  # 007 and 7 differ, and the order is that of texts
    data = load(text_file(tmp_path / "b.csv", {"user": [1, 1, 1], "item": ["10.0", "9", "x9"]}))
    assert data.item_ids.tolist() == ["10.0", "9", "x9"]
    data = load(text_file(tmp_path / "c.csv", {"user": [1, 1, 1], "item": ["10.0", "9", "10"]}))
    assert data.item_ids.tolist() == [9, 10] and "item ids such as 7.0 are read as whole numbers" in data.edition


def test_blanks_around_an_id_do_not_count_and_this_is_said(tmp_path):
    path = tmp_path / "ids.csv"
    path.write_text("user, item\na, 10\na,10\nb b,\t20\nb b,20 \n")
    data = load(path)
    assert events(data) == [("a", "10"), ("a", "10"), ("b b", "20"), ("b b", "20")]  # blanks inside stay
    assert "blanks around 3 item ids left out" in data.edition
    data = load(parquet_file(tmp_path / "ids.parquet", user=["a", " a"], item=["x\u00a0", "x"]))
    assert data.num_users == data.num_items == 1


WORDS = ["", " ", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "<NA>", r"\N", " NA "]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_words_for_a_missing_id_are_refused_or_left_out(tmp_path, word, kind):
    columns = {"user": ["a", word, "b", word], "item": ["x", "y", "z", "x"], "time": ["1", "2", "3", "4"]}
    path = tmp_path / f"w.{kind}"
    if kind == "parquet":
        parquet_file(path, **columns)
    else:
        (json_file if kind == "jsonl" else text_file)(path, columns)
    place = {"csv": "line 3", "jsonl": "line 2", "parquet": "row 2"}[kind]
    with pytest.raises(ValueError, match=rf"w.{kind}: {place} has no user.*; 2 of 4 events lack a value \(user in 2\), "
                                         "and --drop-missing leaves them out"):  # fmt: skip
        load(path)
    data = load(path, drop_missing=True)
    assert events(data) == [("a", "x"), ("b", "z")]
    assert "2 of 4 events left out because a value is missing (2 without user)" in data.edition


def test_nulls_of_every_type_are_missing(tmp_path):
    for name, user in {
        "int": pa.array([1, None, 2]), "float": pa.array([1.0, None, 2.0]), "nan": pa.array([1.0, np.nan, 2.0]),
        "text": pa.array(["1", None, "2"]), "decimal": pa.array([decimal.Decimal(1), None, decimal.Decimal(2)]),
        "dictionary": pa.array(["1", None, "2"]).dictionary_encode(), "binary": pa.array([b"1", None, b"2"]),
    }.items():  # fmt: skip
        path = parquet_file(tmp_path / f"{name}.parquet", user=user, item=["x", "y", "z"])
        with pytest.raises(ValueError, match="row 2 has no user; fill it in or remove the row; 1 of 3 events"):
            load(path)
        assert events(load(path, drop_missing=True)) == [("1", "x"), ("2", "z")], name


def test_missing_ratings_and_times_may_be_left_out_or_not_read(tmp_path):
    path = text_file(tmp_path / "r.csv", {"user": "aab", "item": "xyz", "rating": ["5", "NA", "4"], "time": "12 "})
    with pytest.raises(ValueError, match=r"line 3 has no rating, since 'NA' stands .*or read the file without it "
                                         r"\(--columns rating=\); 2 of 3 events lack a value \(rating in 1, "
                                         r"timestamp in 1\)"):  # fmt: skip
        load(path)
    data = load(path, drop_missing=True)
    assert events(data) == [("a", "x")] and data.ratings.tolist() == [5.0]
    assert "2 of 3 events left out because a value is missing (1 without rating, 1 without timestamp)" in data.edition
    assert len(load(path, columns=("rating=", "timestamp="))) == 3


def test_a_file_of_missing_ids_alone_is_refused(tmp_path):
    path = parquet_file(tmp_path / "n.parquet", user=pa.nulls(2), item=["x", "y"])
    with pytest.raises(ValueError, match=r"2 of 2 events lack a value \(user in 2\), so no event would be left"):
        load(path, drop_missing=True)


REFUSED = {
    "bool": (pa.array([True]), "holds bool; ids must be whole numbers or texts"),
    "list": (pa.array([[1, 2]]), "holds list<.*>; ids must be whole numbers or texts, one in each row"),
    "struct": (pa.array([{"a": 1}]), "holds struct<.*>; ids must be whole numbers or texts, one in each row"),
    "map": (pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())), "holds map<.*>; ids must be"),
    "duration": (pa.array([5], pa.duration("s")), r"holds duration\[s\]; ids must be"),
    "time32": (pa.array([5], pa.time32("ms")), r"holds time32\[ms\]; ids must be"),
    "date32": (pa.array([5], pa.date32()), r"holds date32.*; ids must be"),
    "timestamp": (pa.array([5], pa.timestamp("ms", "UTC")), r"holds timestamp\[ms, tz=UTC\]; ids must be"),
    "fraction": (pa.array([1.5]), "holds fractions; ids must be"),
    "decimal": (pa.array([decimal.Decimal("1.5")]), r"holds fractions \(decimal128\(2, 1\)\); ids must be"),
    "binary": (pa.array([b"\xff\xfe"]), "holds binary that is not text in UTF-8; write it as text or numbers"),
    "rounded": (pa.array([1e18]), "holds 1000000000000000000 as double, which is exact only below 9,007,199,254,740"),
    "float32": (pa.array([2.0**24], pa.float32()), "holds 16777216 as float, which is exact only below 16,777,216"),
    "spreadsheet": (pa.array(["1.23E+18", "5"]), r"holds '1.23E\+18', a whole number that was shortened"),
}  # fmt: skip


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("role", ["user", "item"])
def test_types_that_no_id_has_are_named_with_their_column(tmp_path, kind, role):
    column, sentence = REFUSED[kind]
    other = "item" if role == "user" else "user"
    path = parquet_file(tmp_path / "t.parquet", **{f"{role}_id": column, f"{other}_id": pa.array([1] * len(column))})
    with pytest.raises(ValueError, match=f"t.parquet: the {role} column '{role}_id' {sentence}") as caught:
        load(path)
    assert "\n" not in str(caught.value)


IDS = st.lists(
    st.integers(-(2**63), 2**64 - 1).map(str) | st.text("0123456789abc", min_size=1, max_size=4), min_size=1, max_size=9
)


@settings(deadline=None, max_examples=60)
@given(IDS)
def test_containers_agree_on_any_ids(tmp_path_factory, items):
    folder = tmp_path_factory.mktemp("ids")
    columns = {"user": [1] * len(items), "item": items}
    found = {
        load(text_file(folder / "a.csv", columns), columns=("user", "item"), header=True).fingerprint,
        load(json_file(folder / "a.jsonl", columns)).fingerprint,
        load(parquet_file(folder / "a.parquet", **columns)).fingerprint,
        load(parquet_file(folder / "d.parquet", user=columns["user"], item=pa.array(items).dictionary_encode()))
        .fingerprint,
    }  # fmt: skip
    if all(item.removeprefix("-").isdecimal() and str(int(item)) == item for item in items):
        numbers = [int(item) for item in items]
        if min(numbers) >= -(2**63) and max(numbers) < 2**63:
            found.add(load(parquet_file(folder / "i.parquet", user=columns["user"], item=numbers)).fingerprint)
        elif min(numbers) >= 0:
            column = pa.array(numbers, pa.uint64())
            found.add(load(parquet_file(folder / "u.parquet", user=columns["user"], item=column)).fingerprint)
    assert len(found) == 1
