"""Candidates: the items that a target is ranked among."""

from __future__ import annotations

from dataclasses import dataclass

from recsys_data.checks import check_range


@dataclass(frozen=True)
class AllItems:
    """Every item of the catalogue; ``exclude_seen`` leaves out the items of the query's history."""

    exclude_seen: bool = False

    @property
    def suffix(self) -> str:
        """The addition to the protocol's name that identifies this rule; empty for all items."""
        return ", seen items left out" if self.exclude_seen else ""

    @property
    def caveat(self) -> str:
        """Empty: a full ranking needs no caveat."""
        return ""


@dataclass(frozen=True)
class SampledItems:
    """The target and ``count`` other items drawn uniformly, ``repeats`` times, averaged (Time-LSTM: 100, 3 times).

    Sampled metrics differ from those of a full ranking and may order models differently, so every result carries a
    caveat. Items of the history may be drawn unless ``exclude_seen``.
    """

    count: int = 100
    repeats: int = 1
    seed: int = 0
    exclude_seen: bool = False

    def __post_init__(self) -> None:
        check_range(self, "count", "repeats", at_least=1)

    @property
    def suffix(self) -> str:
        """The addition to the protocol's name that identifies this rule."""
        return f", among {self.count} sampled" + (" unseen" if self.exclude_seen else "")

    @property
    def caveat(self) -> str:
        """The sentence that every result carries."""
        times = "once" if self.repeats == 1 else f"{self.repeats} times, averaged"
        return (
            f"SAMPLED: ranked among {self.count} random other items ({times}); not comparable with a ranking of all "
            "items"
        )


Candidates = AllItems | SampledItems

ALL_ITEMS = AllItems()
UNSEEN_ITEMS_ONLY = AllItems(exclude_seen=True)
