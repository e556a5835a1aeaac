"""Claim: a statement about models that judges itself from the evidence. A kind of claim is one class in one file."""

from __future__ import annotations

import dataclasses
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from evaluation.comparison.request import ComparisonRequest
from evaluation.json_codec import to_json
from evaluation.metrics.accuracy import metric_named
from evaluation.verdicts.evidence import Evidence
from evaluation.verdicts.verdict import Outcome, Verdict


class Claim(ABC):
    """A statement about models; a kind of claim is a frozen dataclass that extends this class.

    Every kind has the field ``text`` (the sentence that is claimed) and ``dataset``; it may have ``protocol`` (empty:
    judged under each protocol of the data set) and ``place`` (where it was published). ``claimed`` and ``models`` are
    what a table shows of it. A kind may be defined in a suite's file: ``run`` then stores its verdicts, since a report
    reads no suite file.
    """

    text: str
    dataset: str
    signed: ClassVar[bool] = False  # whether what is found is a difference, shown with its sign

    @abstractmethod
    def judge(self, evidence: Evidence, protocol: str) -> Verdict:
        """Return the verdict under one protocol; ``self.verdict`` fills in what a table shows."""

    @property
    def models(self) -> tuple[str, ...]:
        """The models that the claim names, the one said to be ahead first."""
        return ()

    @property
    def claimed(self) -> str:
        """The claimed finding in short, for a column of a table."""
        return ""

    def requests(self) -> Sequence[ComparisonRequest]:
        """Return the tables and tests that ``judge`` needs."""
        return ()

    def protocols(self, evidence: Evidence) -> list[str]:
        """Return the protocols to judge under."""
        return evidence.protocols(self.dataset, getattr(self, "protocol", ""))

    def verdict(self, outcome: Outcome, reason: str, protocol: str = "", **found: Any) -> Verdict:
        """Return a verdict on this claim; ``found``: further fields of Verdict, such as estimate and interval."""
        return Verdict(
            self.text,
            outcome,
            reason,
            kind=type(self).__name__,
            claimed=self.claimed,
            signed=self.signed,
            dataset=getattr(self, "dataset", ""),
            protocol=protocol,
            models=self.models,
            place=getattr(self, "place", ""),
            about=self,
            **found,
        )

    def mistake(self) -> str:
        """Return the mistake in the claim itself that keeps a suite from loading, as a sentence; empty if none."""
        return ""

    def to_json(self) -> dict[str, Any]:
        """Return the claim as JSON data, with its kind."""
        fields = {field.name: to_json(getattr(self, field.name)) for field in dataclasses.fields(self)}
        return {"kind": type(self).__name__, **fields}


def shown_metric(metric: str) -> str:
    """Return a metric's name as tables show it, however it is spelled; an unknown metric unchanged."""
    try:
        return metric_named(metric).name
    except ValueError:
        return metric
