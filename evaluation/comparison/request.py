"""ComparisonRequest: a metric to measure, and a pair of models to test in it, for those who judge by the tables."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ComparisonRequest:
    """A request for the table of one metric on one data set, and for the test of one pair in it.

    pair: the two models to test, or None where the table alone is needed. protocol: the one meant, or empty for each
    protocol of the data set. adjusted: whether the pair's test counts in the family over which Holm adjusts verdicts.
    """

    dataset: str
    metric: str
    pair: tuple[str, str] | None = None
    protocol: str = ""
    adjusted: bool = True

    def concerns(self, dataset: str, protocol: str) -> bool:
        """Whether the request is for this data set under this protocol."""
        return self.dataset == dataset and self.protocol in ("", protocol)
