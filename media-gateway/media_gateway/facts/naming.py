"""Whose a call is becomes known after its first facts: they are kept back until then."""

from __future__ import annotations

from collections.abc import Iterable

from media_gateway.facts.files import Kept, Position
from protos.gateway.v1.events_pb2 import CallFact

MAX_HELD = 4_096
"""Calls whose facts wait for a name at once."""
MAX_FACTS = 64
"""Facts of one of them; a call is named, or over, long before."""


class Naming:
    """Lets facts through in each call's order, under their tenant's name."""

    def __init__(self) -> None:
        self._held: dict[str, list[Kept]] = {}

    @property
    def held_from(self) -> Position | None:
        """Where the oldest fact that waits stands; None: none waits."""
        # In the order of their coming, so that the first one's first fact is the oldest.
        for held in self._held.values():
            return held[0].begin
        return None

    def let_through(self, kept: Iterable[Kept]) -> list[CallFact]:
        """What may be published now. Facts of a call that was nobody's are nobody's to read."""
        through: list[CallFact] = []
        for each in kept:
            fact = each.fact
            if fact.tenant_id:
                for earlier in self._held.pop(fact.call_id, ()):
                    earlier.fact.tenant_id = fact.tenant_id
                    through.append(earlier.fact)
                through.append(fact)
            elif fact.HasField("call_ended"):
                self._held.pop(fact.call_id, None)
            else:
                self._hold(each)
        return through

    def _hold(self, each: Kept) -> None:
        held = self._held.setdefault(each.fact.call_id, [])
        if len(held) < MAX_FACTS:
            held.append(each)
        if len(self._held) > MAX_HELD:
            del self._held[next(iter(self._held))]
