"""Which edges there are to this gateway, and what they are told of it, again and again.

An edge answers with its own SIP address: what comes from there is its word, and calls outside go
there. Addresses once learned are kept when an edge no longer answers: Kamailio may well live on
when the program beside it does not.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from itertools import count

from grpc import aio

from media_gateway.sip.address import HostPort, parse_host_port
from media_gateway.sip.grammar import MalformedField
from protos.edge.v1 import edge_pb2, edge_pb2_grpc
from services.chassis.log import get_logger

log = get_logger("gateway")

ANNOUNCE_S = 1.0
TIMEOUT_S = 2.0
FAREWELL_S = 1.0
DEFAULT_PORT = 5060


class Announcing:
    """Tells every edge; each for itself, so that one that is away delays no other."""

    def __init__(
        self,
        *,
        edges: Sequence[str],
        dial: Callable[[str], aio.Channel],
        describe: Callable[[], edge_pb2.AnnounceRequest],
        every_s: float = ANNOUNCE_S,
    ) -> None:
        """`describe` says what the gateway is like now."""
        self._edges = tuple(edges)
        self._dial = dial
        self._describe = describe
        self._every_s = every_s
        self._learned: dict[str, HostPort] = {}
        self._answering: set[str] = set()
        self._silent: set[str] = set()
        self._turn = count()

    @property
    def answering(self) -> int:
        """Edges that know of this gateway."""
        return len(self._answering)

    def is_edge(self, source: HostPort) -> bool:
        """Whether a message by UDP came from an edge's own address and port."""
        return not source.is_reliable and source in self._learned.values()

    def way_out(self) -> HostPort | None:
        """The edge that a call outside goes by, one after the other; None: there is none."""
        names = [name for name in self._edges if name in self._answering]
        known = [self._learned[name] for name in names] or list(self._learned.values())
        return known[next(self._turn) % len(known)] if known else None

    async def announce(self) -> None:
        """Tells every edge once, so that a gateway that begins knows its edges at once."""
        await asyncio.gather(*(self._tell(name) for name in self._edges))

    async def run(self) -> None:
        """Announces for ever."""
        async with asyncio.TaskGroup() as group:
            for name in self._edges:
                group.create_task(self._keep_telling(name))

    async def leave(self) -> None:
        """Says that this gateway ends."""
        farewell = self._describe()
        farewell.state = "gone"
        stubs = [edge_pb2_grpc.EdgeStub(self._dial(name)) for name in self._answering]
        await asyncio.gather(
            *(stub.Announce(farewell, timeout=FAREWELL_S) for stub in stubs),
            # Silence says the same a few seconds later.
            return_exceptions=True,
        )
        self._answering.clear()

    async def _keep_telling(self, name: str) -> None:
        while True:
            await self._tell(name)
            await asyncio.sleep(self._every_s)

    async def _tell(self, name: str) -> None:
        try:
            stub = edge_pb2_grpc.EdgeStub(self._dial(name))
            answer = await stub.Announce(self._describe(), timeout=TIMEOUT_S)
            host, port = parse_host_port(answer.sip_address)
        except (aio.AioRpcError, MalformedField) as error:
            self._answering.discard(name)
            if name not in self._silent:
                reason = error.details() if isinstance(error, aio.AioRpcError) else str(error)
                log.warning("an edge does not take this gateway", edge=name, reason=reason)
            self._silent.add(name)
            return
        self._learned[name] = HostPort(host, port or DEFAULT_PORT)
        self._answering.add(name)
        if name in self._silent:
            log.info("an edge takes this gateway again", edge=name)
        self._silent.discard(name)
