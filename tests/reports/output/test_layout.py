import dataclasses

from reports.document.blocks import Figure, Section, Table, Text
from reports.output.layout import items, keep_together


def test_blocks_beside_a_figure_and_blocks_of_one_page():
    figure = Figure("p", "lines", "l", "c", {})
    beside = Table("t", "c", (), (), beside=True)
    long = Table("l", "c", (), tuple(range(40)))
    words = Text("h", ("short",))
    section = Section("s", "S", (words, figure, beside, beside, long, words, dataclasses.replace(beside, anchor="x")))
    assert [len(item.blocks) for item in items(section)] == [1, 3, 1, 1, 1]
    groups = [[item.blocks[0] for item in group] for group in keep_together(section)]
    assert groups[0] == [words, figure]  # an introduction stays with what it introduces
    assert groups[1] == [long]  # a long table may be cut
    assert groups[2][0] == words


def test_a_text_stays_with_the_long_table_after_it_so_that_no_page_holds_the_text_alone():
    text, table = Text("t", ("word " * 200,)), Table("s", "c", (), ())
    long = dataclasses.replace(table, anchor="l", rows=tuple(range(40)))
    assert [len(group) for group in keep_together(Section("s", "S", (text, long)))] == [2]
    assert [len(group) for group in keep_together(Section("s", "S", (text, table)))] == [1, 1]  # they may be too much
