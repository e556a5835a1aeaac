import pytest

from recsys_data.files.interaction_file import InteractionFile

FOUR = ("user", "item", "rating", "timestamp")


def load(tmp_path, text, **fields):
    path = tmp_path / "log.txt"
    path.write_text(text)
    return InteractionFile(str(path), **fields).read()


@pytest.mark.parametrize(
    ("text", "columns", "events"),
    [
        ("77,01X,0,1000000000\n78,0144,9,1000000000\n78,0909,1,1000000060\n", FOUR, 3),  # an ISBN with its check digit
        ("guest;10;5;1000000000\n1;11;4;1000000060\n2;12;4;1000000120\n", FOUR, 3),
        ("u1::B00X::5::1000000000\nu1::101::4::1000000060\n", FOUR, 2),
        ("1,Independence Day,5\n1,The Time Machine,4\n2,When Harry Met Sally,4\n", ("user", "item", "rating"), 3),
        ("ann,apple,2019-10-01\nbob,pear,2019-10-02\n", ("user", "item", "timestamp"), 2),
        ("ann\tapple\nann\tpear\nbob\tapple\n", ("user", "item"), 3),  # a name does not come again below
        ("visitor,product\nv3,p2\nv3,p4\nv2,p1\n", ("user", "item"), 3),  # names without a digit above v3, p2
        ("visitor,product,clicked\nann,apple,100\nbob,pear,200\n", ("user", "item", "timestamp"), 2),
        ("u,i,r,t\n1,10,4,7\n2,20,3,5\n", FOUR, 2),
        ("qui\tquoi\n1\t10\n2\t20\n", ("user", "item"), 2),  # two columns of numbers below words
        ('"user_id" "item_id"\n"1" "ann" "apple"\n"2" "bob" "pear"\n', (), 2),  # R's write.table
        (",user_id,item_id\n0,ann,apple\n1,bob,pear\n", (), 2),  # pandas' to_csv with its index
    ],
)
def test_the_first_line_is_decided_by_all_columns(tmp_path, text, columns, events):
    data, _ = load(tmp_path, text, columns=columns)
    assert len(data) == events


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("who\twhat\nalice\tapple\nbob\tpear\n", ("user", "item")),
        ("visiteur,quoi\n1,poire\n2,pomme\n", ("user", "item")),  # one column of numbers: ids
        ("0,1,2\n5,6,7\n8,9,7\n", ("user", "item", "rating")),  # the names that pandas gives
        ("ann\tTime\nbob\tMoney\n", ("user", "item")),  # titles
        ("user_id,item_id,5\nann,apple,4\n", ("user", "item", "rating")),
    ],
)
def test_an_open_first_line_is_refused_and_an_option_settles_it(tmp_path, text, columns):
    with pytest.raises(
        ValueError, match=r"log.txt: line 1 \(.*\) may name the columns or be an event; say --header or"
    ):
        load(tmp_path, text, columns=columns)
    lines = text.count("\n")
    assert len(load(tmp_path, text, columns=columns, header=True)[0]) == lines - 1
    assert len(load(tmp_path, text, columns=columns, header=False)[0]) == lines


def test_comment_lines_at_the_top_are_left_out_and_counted(tmp_path):
    text = "% bip weighted\n% 3 2 2\n1 10 4.0 964982703\n1 20 4.0 964981247\n"
    data, reading = load(tmp_path, text, columns=FOUR)
    assert data.user_ids.tolist() == [1] and len(data) == 2
    assert "2 lines that begin with % left out" in reading.layout and reading.first[0].startswith("line 3: user 1")
    data, _ = load(tmp_path, "# made in May\nuser,item\na,x\nb,y\n")
    assert data.user_ids.tolist() == ["a", "b"]


def test_marks_that_may_be_ids_are_refused_until_said(tmp_path):
    text = "#love,12\n#hate,13\nann,12\n#love,13\n"
    columns = ("user", "item")
    with pytest.raises(ValueError, match="line 1 begins with #, as later lines do; say --comment '#'"):
        load(tmp_path, text, columns=columns)
    assert load(tmp_path, text, columns=columns, comment="")[0].user_ids.tolist() == ["#hate", "#love", "ann"]
    assert load(tmp_path, text, columns=columns, comment="#")[0].user_ids.tolist() == ["ann"]
    assert load(tmp_path, "// by\na,1\n// me\nb,2\n", columns=columns, comment="//")[0].user_ids.tolist() == ["a", "b"]


def test_runs_of_blanks_separate_where_single_ones_do_not(tmp_path):
    data, reading = load(tmp_path, "  1   10\t4   964982703\n 12   20 \t 3.5 964981247\n", columns=FOUR)
    assert data.user_ids.tolist() == [1, 12] and "separator blanks" in reading.layout
    assert data.timestamps.tolist() == [964982703, 964981247]


@pytest.mark.parametrize(
    ("text", "fields", "line"),
    [
        ("user,item,rating\n\na,x,4\n\n\nb,y,five\n", {}, 6),
        ("# one\n# two\nuser,item,rating\na,x,4\nb,y,five\n", {}, 5),
        ("user;item;rating\n// c\na;x;4\n// d\nb;y;five\n", {"comment": "//"}, 5),
        ('note,user,item,rating\n"a\nb",a,x,4\n-,b,y,five\n', {}, 4),
    ],
)
def test_messages_give_the_line_of_the_users_file(tmp_path, text, fields, line):
    with pytest.raises(ValueError, match=f"log.txt: .*rating.*'five' in line {line};"):
        load(tmp_path, text, **fields)
    mark = ";" if ";" in text else ","
    dated = text.replace("rating", "timestamp").replace(f"{mark}4", f"{mark}1500000000")
    note = f"-{mark}" if "note" in text else ""
    dated += "".join(f"{note}{user}{mark}z{mark}1500000001\n" for user in "cd")  # most times are numbers
    with pytest.raises(ValueError, match=f"log.txt: line {line}, column 'timestamp' has the time 'five'"):
        load(tmp_path, dated, **fields)
