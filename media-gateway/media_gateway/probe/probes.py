"""Probes of the way between browsers and this gateway, each at most fifteen seconds long.

A probe is no call: it has no flow, no record and no recording.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import ClassVar

from media_gateway.probe.probe import PROBE_MS, Probe, Who
from media_gateway.webrtc.connector import Connector
from media_gateway.webrtc.sdp import parse_offer
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import AgentId, TenantId
from services.chassis.metrics import Reading
from services.chassis.tasks import Tasks

MAX_PROBES = 32
"""At once, those that are still saying goodbye included."""

__all__ = ["MAX_PROBES", "PROBE_MS", "Probes", "TooManyProbes"]


class TooManyProbes(CarillonError):
    """As many browsers try their way as may do so at once."""

    code: ClassVar[str] = "too-many-probes"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


class NoProbesNow(CarillonError):
    """The gateway starts, or leaves."""

    code: ClassVar[str] = "gateway-leaving"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class Probes:
    """Made once for a gateway; opened when browsers can be reached, closed before they cannot."""

    def __init__(self, *, clock_ms: Callable[[], float], random_bits: Callable[[int], int]) -> None:
        self._clock_ms, self._random_bits = clock_ms, random_bits
        self._tasks = Tasks(limit=2 * MAX_PROBES)
        self._connector: Connector | None = None
        self._running: dict[Probe, None] = {}
        self._connected = self._failed = 0

    def __len__(self) -> int:
        return len(self._running)

    def open(self, connector: Connector) -> None:
        """Begins to take probes."""
        self._connector = connector

    def drain(self) -> None:
        """Ends those that run and takes no more."""
        self._connector = None
        for probe in self._running:
            probe.end()

    async def close(self) -> None:
        """Ends them and waits until their ports are free."""
        self.drain()
        await self._tasks.close()

    async def begin(self, tenant_id: TenantId, agent_id: AgentId, sdp_offer: str) -> str:
        """Answers a browser's offer; a newer probe of an agent ends the older one.

        Raises BadSdpOffer, TooManyProbes, NoBrowserPort, NoProbesNow.
        """
        if self._connector is None:
            raise NoProbesNow("this gateway takes no probes now")
        offer = parse_offer(sdp_offer)
        if len(self._running) >= MAX_PROBES:
            raise TooManyProbes(f"{MAX_PROBES} browsers try their way already")
        who = Who(tenant_id, agent_id)
        for earlier in self._running:
            if earlier.who == who:
                earlier.end()
        probe = Probe(who, offer, clock_ms=self._clock_ms, random_bits=self._random_bits)
        self._running[probe] = None
        try:
            sdp_answer = await probe.open(self._connector)
        except BaseException:
            del self._running[probe]
            raise
        self._tasks.start(self._run(probe), "probe")
        return sdp_answer

    def readings(self) -> Iterator[Reading]:
        """How many there are, and what became of them."""
        yield Reading("carillon_gateway_probes", "Browsers that try their way now.", len(self))
        for outcome, count in (("connected", self._connected), ("failed", self._failed)):
            yield Reading(
                "carillon_gateway_probes_total",
                "Browsers that tried their way, by whether audio could flow.",
                count,
                (("outcome", outcome),),
                "counter",
            )

    async def _run(self, probe: Probe) -> None:
        try:
            await probe.run()
        finally:
            del self._running[probe]
            self._connected += probe.connected
            self._failed += not probe.connected
