from recsys_data.containers.separators import guess_separator


def test_a_text_with_commas_does_not_hide_the_separator():
    assert guess_separator(["1\t2\tGood, bad", "1\t3\tUgly"], "f") == "\t"
    assert guess_separator(["1::2::3"], "f") == "::"
