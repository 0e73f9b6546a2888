"""A gateway and the edges that it announces itself to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from media_gateway.announcing import Announcing
from media_gateway.sip.address import HostPort
from protos.edge.v1 import edge_pb2, edge_pb2_grpc
from services.chassis.rpc import Face, RpcServer, open_channel


class Listening(edge_pb2_grpc.EdgeServicer):
    """An edge that only listens."""

    def __init__(self, sip_address: str) -> None:
        self.sip_address = sip_address
        self.heard: list[edge_pb2.AnnounceRequest] = []

    async def Announce(
        self, request: edge_pb2.AnnounceRequest, _context: Any
    ) -> edge_pb2.AnnounceResponse:
        self.heard.append(request)
        return edge_pb2.AnnounceResponse(sip_address=self.sip_address, expires_ms=5_000)

    async def ListGateways(
        self, request: edge_pb2.ListGatewaysRequest, _context: Any
    ) -> edge_pb2.ListGatewaysResponse:
        raise AssertionError("gateways announce themselves; they ask for no list")

    def served_at(self, path: Path) -> RpcServer:
        register = edge_pb2_grpc.add_EdgeServicer_to_server
        face = Face(register=lambda server: register(self, server), name="carillon.edge.v1.Edge")
        return RpcServer(path=path, faces=[face])


@asynccontextmanager
async def announcing(folder: Path, *edges: str) -> AsyncIterator[Announcing]:
    """A gateway's announcements to edges by their sockets in a folder."""
    async with AsyncExitStack() as stack:
        channels = {name: open_channel(folder / f"{name}.sock") for name in edges}
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        yield Announcing(
            edges=edges,
            dial=channels.__getitem__,
            describe=lambda: edge_pb2.AnnounceRequest(gateway_id="g1", state="taking"),
            every_s=0.05,
        )


async def test_an_edge_that_answers_is_believed_and_used(tmp_path: Path) -> None:
    edge = Listening("10.0.0.7:5060")
    server = edge.served_at(tmp_path / "edge.sock")
    await server.start()
    async with announcing(tmp_path, "edge") as gateway:
        assert gateway.way_out() is None
        assert not gateway.is_edge(HostPort("10.0.0.7", 5060))
        await gateway.announce()
        assert gateway.way_out() == HostPort("10.0.0.7", 5060)
        assert gateway.is_edge(HostPort("10.0.0.7", 5060))
        # Whoever else is at that host, or comes by a connection of any port, is not the edge.
        assert not gateway.is_edge(HostPort("10.0.0.7", 5061))
        assert not gateway.is_edge(HostPort("10.0.0.7", 5060, "TCP", 3))
        await gateway.leave()
        assert [said.state for said in edge.heard] == ["taking", "gone"]
    await server.stop()


async def test_calls_outside_go_by_the_edges_in_turn_and_by_those_that_answer(
    tmp_path: Path,
) -> None:
    servers = [Listening(f"10.0.0.{n}:5060").served_at(tmp_path / f"e{n}.sock") for n in (1, 2)]
    for server in servers:
        await server.start()
    async with announcing(tmp_path, "e1", "e2") as gateway:
        await gateway.announce()
        assert {gateway.way_out() for _ in range(4)} == {
            HostPort("10.0.0.1", 5060),
            HostPort("10.0.0.2", 5060),
        }
        await servers[0].stop()
        await gateway.announce()
        assert {gateway.way_out() for _ in range(4)} == {HostPort("10.0.0.2", 5060)}
        await servers[1].stop()
        await gateway.announce()
        # Kamailio may live on when the programs beside it do not.
        assert gateway.answering == 0
        assert len({gateway.way_out() for _ in range(4)}) == 2


async def test_an_edge_that_is_away_is_told_as_soon_as_it_is_back(tmp_path: Path) -> None:
    async with announcing(tmp_path, "edge") as gateway, asyncio.timeout(20):
        telling = asyncio.ensure_future(gateway.run())
        await asyncio.sleep(0.2)
        assert gateway.way_out() is None
        edge = Listening("10.0.0.7:5060")
        server = edge.served_at(tmp_path / "edge.sock")
        await server.start()
        while len(edge.heard) < 3:  # noqa: ASYNC110 (a server is waited for)
            await asyncio.sleep(0.02)
        assert gateway.answering == 1
        telling.cancel()
        await asyncio.gather(telling, return_exceptions=True)
        await server.stop()


async def test_an_edge_that_says_nonsense_is_not_used(tmp_path: Path) -> None:
    server = Listening("nowhere:at:all").served_at(tmp_path / "edge.sock")
    await server.start()
    async with announcing(tmp_path, "edge") as gateway:
        await gateway.announce()
        assert (gateway.way_out(), gateway.answering) == (None, 0)
    await server.stop()
