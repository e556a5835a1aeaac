"""ChosenOnTest: another protocol with its test part as validation part, as in code that chooses its epoch on it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from recsys_data.interactions import Interactions
from recsys_data.protocols.per_user import SplitProtocol
from recsys_data.protocols.published import AsPublished
from recsys_data.split import Split

_CAVEAT = "CHOSEN ON TEST: epochs and tuned settings are chosen on the test part, so the numbers are optimistic"


@dataclass(frozen=True)
class ChosenOnTest:
    """``protocol`` with the test part in the place of the validation part: to measure what choosing there is worth.

    ::

        protocol        a: = = = =    b: = = =    c: t t t
        ChosenOnTest    the same; c validates and tests

    A model trains on the same events and is tested on the same queries, from draws of its own, since the draws of a
    cell depend on its split: the difference of both protocols is the effect of the choice and the noise of seeds. In
    one fit, the best less the last score of the curve is what the choice is worth, in the metric that chooses. Raises
    ValueError for a protocol that has a validation part: it would be thrown away.
    """

    protocol: SplitProtocol = AsPublished(validation=0)  # noqa: RUF009 - frozen

    @property
    def allows(self) -> frozenset[str]:
        """The findings of the audit that the wrapped protocol accepts."""
        return frozenset(self.protocol.allows)

    @property
    def name(self) -> str:
        """The wrapped protocol, and where the choice is made."""
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
