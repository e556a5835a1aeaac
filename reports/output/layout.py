"""Layout: which blocks stand side by side, and which may not be parted by the foot of a page."""

from __future__ import annotations

from dataclasses import dataclass

from reports.document.blocks import Figure, Section, Table, Text

LONG = 28  # rows; a longer table may be cut between rows, with its head repeated
_SHORT = 500  # characters; words up to this length stay with what follows them
Block = Table | Figure | Text


@dataclass(frozen=True)
class Item:
    """Blocks that stand side by side where there is room: a figure and what is told beside it, or one block."""

    blocks: tuple[Block, ...]

    @property
    def opens(self) -> bool:
        """Whether it only introduces what follows."""
        only = self.blocks[0]
        return len(self.blocks) == 1 and isinstance(only, Text) and sum(map(len, only.paragraphs)) <= _SHORT

    @property
    def long(self) -> bool:
        """Whether it needs more than a page, or may."""
        return any(isinstance(block, Table) and len(block.rows) > LONG for block in self.blocks)


def items(section: Section) -> list[Item]:
    """The blocks of a section, those ``beside`` a figure together with it."""
    found: list[list[Block]] = []
    for block in section.blocks:
        beside = getattr(block, "beside", False)
        if beside and found and isinstance(found[-1][0], Figure):
            found[-1].append(block)
        else:
            found.append([block])
    return [Item(tuple(blocks)) for blocks in found]


def keep_together(section: Section) -> list[list[Item]]:
    """Items by what must share a page: introductions with what they introduce; the heading belongs to the first."""
    groups: list[list[Item]] = [[]]
    for item in items(section):
        if item.long and groups[-1]:
            groups.append([])
        groups[-1].append(item)
        if not item.opens:
            groups.append([])
    return [group for group in groups if group]
