"""One probe: a browser's path to this gateway, and its own voice coming back on it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from media_gateway.probe.echo import Echo
from media_gateway.webrtc.connector import Connector
from media_gateway.webrtc.errors import ConnectionFailed
from media_gateway.webrtc.sdp import BrowserOffer
from media_gateway.webrtc.transport import BrowserTransport
from services.chassis.ids import AgentId, TenantId
from services.chassis.log import get_logger

log = get_logger("probe")

PROBE_MS = 15_000
SDP_ID_BITS = 62


@dataclass(frozen=True, slots=True)
class Who:
    """Whose browser it is."""

    tenant_id: TenantId
    """The agent's tenant."""
    agent_id: AgentId
    """The agent."""


class Probe:
    """Opened by an offer; runs until its time is over, the browser leaves, or it is ended."""

    def __init__(
        self,
        who: Who,
        offer: BrowserOffer,
        *,
        clock_ms: Callable[[], float],
        random_bits: Callable[[int], int],
    ) -> None:
        self.who = who
        self.connected = False
        """Whether audio could flow."""
        self._offer = offer
        self._codec = offer.choose_codec("PCMU")
        self._clock_ms, self._random_bits = clock_ms, random_bits
        self._echo = Echo(
            payload_type=offer.payload_types[self._codec],
            clock_ms=clock_ms,
            random_bits=random_bits,
        )
        self._transport: BrowserTransport | None = None

    async def open(self, connector: Connector) -> str:
        """Binds its ports: the sdp_answer; NoBrowserPort."""
        self._transport, sdp_answer = await connector.open(
            self._offer,
            self._echo,
            codec=self._codec,
            session_id=self._random_bits(SDP_ID_BITS),
            ssrc=self._echo.stream.ssrc,
            cname=self._echo.reports.cname,
        )
        return sdp_answer

    def end(self) -> None:
        """Ends it soon."""
        self._echo.over.set()

    async def run(self) -> None:
        """Sends back what comes until the end, and releases the ports."""
        transport, echo = self._transport, self._echo
        assert transport is not None, "it is opened before it runs"
        running = asyncio.ensure_future(self._converse(transport))
        over = asyncio.ensure_future(echo.over.wait())
        try:
            await asyncio.wait(
                (running, over), timeout=PROBE_MS / 1_000, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            # A handshake may take the cancellation for its own; what follows it looks at this.
            self.end()
            over.cancel()
            running.cancel()
            try:
                # What else may have gone wrong in it is told with the task that runs the probe.
                with contextlib.suppress(asyncio.CancelledError, ConnectionFailed):
                    await running
            finally:
                await transport.close()
                self._tell()

    async def _converse(self, transport: BrowserTransport) -> None:
        await transport.connect()
        self.connected = True
        self._echo.send_by(transport.send_rtp)
        reports, over = self._echo.reports, self._echo.over
        while not over.is_set():
            wait_s = max(0.0, reports.due_ms - self._clock_ms()) / 1_000
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(wait_s):
                    await over.wait()
                    return
            transport.send_rtcp(reports.build(self._clock_ms()), transport.remote)

    def _tell(self) -> None:
        heard = self._echo.heard
        log.info(
            "browser tried",
            agent=self.who.agent_id,
            tenant=self.who.tenant_id,
            connected=self.connected,
            packets=heard.received,
            lost=heard.expected - heard.received,
            jitter_ms=round(heard.jitter_ms, 1),
        )
