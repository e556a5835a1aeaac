"""Caveats of training that differ only in their best epoch: those of several seeds are one in a text."""

from __future__ import annotations

import re
from collections.abc import Iterable

_OF_TRAINING = re.compile(r"(?P<before>.*) \(best epoch (?P<epoch>\d+)\)")


def split_best_epoch(caveat: str) -> tuple[str, int | None]:
    """The caveat without its best epoch, and the epoch; None for a caveat that has none."""
    found = _OF_TRAINING.fullmatch(caveat)
    return (found["before"], int(found["epoch"])) if found else (caveat, None)


def join_best_epochs(caveats: Iterable[str]) -> list[str]:
    """The caveats, once each; those that differ only in their best epoch are one: "… (best epochs 19, 20)"."""
    alike: dict[str, set[int]] = {}
    for caveat in caveats:
        text, epoch = split_best_epoch(caveat)
        alike.setdefault(text, set()).update([] if epoch is None else [epoch])
    return [text + _best_epochs(sorted(epochs)) for text, epochs in alike.items()]


def _best_epochs(epochs: list[int]) -> str:
    return f" (best epoch{'s' * (len(epochs) > 1)} {', '.join(map(str, epochs))})" if epochs else ""
