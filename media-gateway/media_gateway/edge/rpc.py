"""The edge's gRPC face."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grpc import aio

from media_gateway.edge.book import Announcement, BadAnnouncement, Book, State
from protos.edge.v1 import edge_pb2, edge_pb2_grpc
from services.chassis.clock import Clock
from services.chassis.rpc import Face


class Edge(edge_pb2_grpc.EdgeServicer):
    """The servicer of carillon.edge.v1.Edge."""

    def __init__(
        self,
        book: Book,
        *,
        clock: Clock,
        sip_address: str,
        expires_ms: int,
        on_news: Callable[[], None],
    ) -> None:
        self._book = book
        self._clock = clock
        self._answer = edge_pb2.AnnounceResponse(sip_address=sip_address, expires_ms=expires_ms)
        self._on_news = on_news

    async def Announce(
        self,
        request: edge_pb2.AnnounceRequest,
        _context: aio.ServicerContext[Any, Any],
    ) -> edge_pb2.AnnounceResponse:
        """A gateway is here."""
        try:
            state = State(request.state)
        except ValueError:
            raise BadAnnouncement("state: taking, full, draining or gone") from None
        self._book.announce(
            Announcement(
                gateway_id=request.gateway_id,
                incarnation=request.incarnation,
                address=request.sip_address,
                state=state,
                calls=request.calls,
                at_ms=int(self._clock.monotonic_ms()),
            )
        )
        self._on_news()
        return self._answer

    async def ListGateways(
        self,
        _request: edge_pb2.ListGatewaysRequest,
        _context: aio.ServicerContext[Any, Any],
    ) -> edge_pb2.ListGatewaysResponse:
        """The gateways that are known."""
        now_ms = int(self._clock.monotonic_ms())
        return edge_pb2.ListGatewaysResponse(
            gateways=[
                edge_pb2.Gateway(
                    gateway_id=said.gateway_id,
                    sip_address=said.address,
                    state=said.state.value,
                    calls=said.calls,
                    silent_ms=max(0, now_ms - said.at_ms),
                )
                for said in self._book.present(now_ms)
            ]
        )


def face(servicer: Edge) -> Face:
    """The face as a server takes it."""
    return Face(
        register=lambda server: edge_pb2_grpc.add_EdgeServicer_to_server(servicer, server),
        name=edge_pb2.DESCRIPTOR.services_by_name["Edge"].full_name,
    )
