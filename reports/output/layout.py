"""Layout: blocks side by side, and blocks that must share a page."""

from __future__ import annotations

from dataclasses import dataclass

from reports.document.blocks import Figure, Section, Table, Tally, Text

LONG_TABLE = 28  # rows; a longer table may break between rows, with its head repeated
_SHORT_TEXT = 500  # characters; a text up to this length stays with the next block
Block = Table | Figure | Tally | Text


@dataclass(frozen=True)
class Item:
    """Blocks that are side by side where there is room: a figure with the blocks beside it, or a single block."""

    blocks: tuple[Block, ...]

    @property
    def is_introduction(self) -> bool:
        """Whether it is a short text that introduces the next item."""
        only = self.blocks[0]
        return len(self.blocks) == 1 and isinstance(only, Text) and sum(map(len, only.paragraphs)) <= _SHORT_TEXT

    @property
    def is_long(self) -> bool:
        """Whether it may need more than a page."""
        return any(isinstance(block, Table) and len(block.rows) > LONG_TABLE for block in self.blocks)


def items(section: Section) -> list[Item]:
    """The blocks of a section, each figure together with the blocks marked ``beside``."""
    found: list[list[Block]] = []
    for block in section.blocks:
        beside = getattr(block, "beside", False)
        if beside and found and isinstance(found[-1][0], Figure):
            found[-1].append(block)
        else:
            found.append([block])
    return [Item(tuple(blocks)) for blocks in found]


def keep_together(section: Section) -> list[list[Item]]:
    """Group items that must share a page: introductions with the next item; the heading is part of the first group."""
    groups: list[list[Item]] = [[]]
    for item in items(section):
        if item.is_long and groups[-1]:
            groups.append([])
        groups[-1].append(item)
        if not item.is_introduction:
            groups.append([])
    return [group for group in groups if group]
