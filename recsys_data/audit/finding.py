"""Finding: what a check of the audit found, and how grave it is."""

from __future__ import annotations

from dataclasses import dataclass

FAIL, SEVERE, CAVEAT, NOTE = "fail", "severe caveat", "caveat", "note"
LEVELS = (FAIL, SEVERE, CAVEAT, NOTE)  # the gravest first
CARRIED = (SEVERE, CAVEAT)  # every result carries the sentences of these findings


@dataclass(frozen=True)
class Finding:
    """A finding of the audit.

    level: "fail" (the split must not be used), "severe caveat" (results mean something else than they seem to; shown
    as strongly as a failure), "caveat" (every result carries the sentence) or "note". value: the measured number, a
    share where the sentence has a per cent sign; None where the clock is too weak to measure it.
    """

    level: str
    name: str
    value: float | None
    sentence: str
