"""Candidates: among which items a target is ranked, each rule a value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class AllItems:
    """Every item of the catalogue; with ``exclude_seen`` those that the query's history holds are left out."""

    exclude_seen: bool = False

    @property
    def suffix(self) -> str:
        """What a protocol adds to its name, so that two rules beside each other are told apart; nothing for all."""
        return ", seen items left out" if self.exclude_seen else ""

    @property
    def caveat(self) -> str:
        """Empty: full ranking needs no warning."""
        return ""


@dataclass(frozen=True)
class SampledItems:
    """The target and ``count`` other items drawn uniformly, ``repeats`` times, averaged (Time-LSTM: 100, 3 times).

    Sampled metrics are another quantity than full ranking and may order models otherwise, so every result carries a
    caveat. Items of the history may be drawn unless ``exclude_seen``.
    """

    count: int = 100
    repeats: int = 1
    seed: int = 0
    exclude_seen: bool = False

    def __post_init__(self) -> None:
        for name in ("count", "repeats"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")

    @property
    def suffix(self) -> str:
        """What a protocol adds to its name, so that two rules beside each other are told apart."""
        return f", among {self.count} sampled" + (" unseen" if self.exclude_seen else "")

    @property
    def caveat(self) -> str:
        """What every result must say."""
        times = "once" if self.repeats == 1 else f"{self.repeats} times, averaged"
        return (
            f"SAMPLED: ranked among {self.count} random other items ({times}); not comparable with a ranking of all "
            "items"
        )


Candidates = AllItems | SampledItems

ALL_ITEMS = AllItems()
UNSEEN_ITEMS_ONLY = AllItems(exclude_seen=True)  # what the history does not hold
