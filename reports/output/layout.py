"""Layout: blocks side by side, and blocks that must share a page."""

from __future__ import annotations

from dataclasses import dataclass

from reports.document.blocks import Figure, Section, Table, Tally, Text

LONG_TABLE = 28  # rows; a longer table may break between rows, with its head repeated, and begins a page
_SHORT_TEXT = 500  # characters; a text up to this length stays with the next block
Block = Table | Figure | Tally | Text


@dataclass(frozen=True)
class Item:
    """Blocks that are side by side where there is room: a figure with the blocks beside it, or a single block."""

    blocks: tuple[Block, ...]

    def introduces(self, following: Item) -> bool:
        """Whether it is a text that stays with the item ``following``: any before a long table, else a short one."""
        only = self.blocks[0]
        if len(self.blocks) > 1 or not isinstance(only, Text):
            return False
        return following.is_long or sum(map(len, only.paragraphs)) <= _SHORT_TEXT

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
    """Group items that must share a page: a text with what it introduces; the heading is part of the first group.

    A group with a long table begins a page.
    """
    groups: list[list[Item]] = []
    for item in items(section):
        if groups and groups[-1][-1].introduces(item):
            groups[-1].append(item)
        else:
            groups.append([item])
    return groups
