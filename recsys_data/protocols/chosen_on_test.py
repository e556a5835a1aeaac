"""ChosenOnTest: another protocol whose test part is its validation part as well, as codes have it that choose there."""

from __future__ import annotations

from dataclasses import dataclass, replace

from recsys_data.interactions import Interactions
from recsys_data.protocols.per_user import SplitProtocol
from recsys_data.protocols.published import AsPublished
from recsys_data.split import Split

_CAVEAT = (
    "CHOSEN ON TEST: the epoch is chosen on the test part, as the published code does; the numbers are optimistic by "
    "what that choice is worth"
)


@dataclass(frozen=True)
class ChosenOnTest:
    """``protocol`` with the test part in the place of the validation part: to measure what choosing there is worth.

    ::

        protocol        a: = = = =    b: = = =    c: t t t
        ChosenOnTest    the same; c validates and tests

    A model trains on the same events and is tested on the same queries, so the difference of both protocols is the
    effect of the choice alone. Raises ValueError for a protocol that has a validation part: it would be thrown away.
    """

    protocol: SplitProtocol = AsPublished(validation=0)  # noqa: RUF009 - frozen

    @property
    def allows(self) -> frozenset[str]:
        """The findings of the audit that the wrapped protocol accepts."""
        return frozenset(self.protocol.allows)

    @property
    def name(self) -> str:
        """The wrapped protocol, and what chooses."""
        return f"{self.protocol.name}, chosen on the test part"

    def prepare(self, interactions: Interactions) -> Split:
        """Split as the wrapped protocol does; both held-out parts are its test part."""
        split = self.protocol.prepare(interactions)
        if len(split.validation):
            raise ValueError(
                f"{self.name} would throw away the {len(split.validation):,} validation queries of "
                f"{self.protocol.name}; wrap a protocol with validation 0"
            )
        return replace(split, validation=split.test, caveats=(*split.caveats, _CAVEAT))
