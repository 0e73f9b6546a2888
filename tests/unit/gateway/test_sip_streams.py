"""TCP connections on this machine: who keeps a place, and who loses it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from media_gateway.adapters.sip_streams import (
    MAX_CONNECTING_TO_ONE_HOST,
    MAX_WAITING,
    Patience,
    SipStreams,
)
from media_gateway.sip.address import HostPort
from media_gateway.sip.stack import Datagram

HOST = "127.0.0.1"
OPTIONS = b"OPTIONS sip:x@h SIP/2.0\r\nCall-ID: 1\r\nContent-Length: 0\r\n\r\n"
PATIENT = Patience()


@dataclass
class Told:
    """What the streams tell."""

    messages: asyncio.Queue[tuple[bytes, HostPort]] = field(default_factory=asyncio.Queue)
    failed: list[Datagram] = field(default_factory=list)

    def message(self, data: bytes, source: HostPort) -> None:
        self.messages.put_nowait((data, source))


@asynccontextmanager
async def listening(patience: Patience) -> AsyncIterator[tuple[SipStreams, Told, int]]:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    told = Told()
    streams = SipStreams(on_message=told.message, on_failure=told.failed.append, patience=patience)
    await streams.listen(host=HOST, port=port)
    try:
        yield streams, told, port
    finally:
        await streams.close()


async def empty(streams: SipStreams) -> None:
    async with asyncio.timeout(5):
        while len(streams):  # noqa: ASYNC110 - connections end by themselves
            await asyncio.sleep(0.01)


async def test_one_that_never_asks_anything_loses_its_place_whatever_else_it_sends() -> None:
    async with listening(Patience(first_s=0.3)) as (streams, _, port):
        reader, writer = await asyncio.open_connection(HOST, port)
        asking = asyncio.ensure_future(reader.read())
        for _ in range(200):
            if asking.done():
                break
            writer.write(b"\r\n\r\n")
            await asyncio.sleep(0.02)
        assert asking.done()
        await empty(streams)
        writer.close()


async def test_one_that_has_asked_keeps_its_place() -> None:
    async with listening(Patience(first_s=0.1)) as (streams, told, port):
        _, writer = await asyncio.open_connection(HOST, port)
        writer.write(OPTIONS)
        assert (await told.messages.get())[0] == OPTIONS
        await asyncio.sleep(0.3)
        assert len(streams) == 1
        writer.close()
        await empty(streams)


async def test_a_message_that_drips_in_loses_its_place() -> None:
    async with listening(Patience(message_s=0.3)) as (streams, _, port):
        reader, writer = await asyncio.open_connection(HOST, port)
        ended = asyncio.ensure_future(reader.read())
        for byte in OPTIONS * 4:
            if ended.done():
                break
            writer.write(bytes([byte]))
            await asyncio.sleep(0.02)
            if byte == OPTIONS[20]:
                continue
        await asyncio.wait_for(asyncio.wait([ended]), 5)
        await empty(streams)
        writer.close()


async def test_one_that_does_not_read_loses_its_place_too() -> None:
    async with listening(Patience(idle_s=0.3)) as (streams, told, port):
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            deaf.setblocking(False)  # noqa: FBT003 - the socket's own signature
            loop = asyncio.get_running_loop()
            await loop.sock_connect(deaf, (HOST, port))
            await loop.sock_sendall(deaf, OPTIONS)
            _, source = await told.messages.get()
            # More than the kernel holds for it, so that the rest waits here.
            for _ in range(20):
                streams.send(Datagram(b"x" * 500_000, source))
            await empty(streams)


async def test_what_one_host_makes_us_connect_to_is_bounded() -> None:
    told = Told()
    streams = SipStreams(on_message=told.message, on_failure=told.failed.append)
    for port in range(9, 10 + MAX_CONNECTING_TO_ONE_HOST):
        streams.send(Datagram(b"", HostPort("192.0.2.1", port, "TCP")))
    assert [datagram.destination.port for datagram in told.failed] == [
        9 + MAX_CONNECTING_TO_ONE_HOST
    ]
    for _ in range(MAX_WAITING):
        streams.send(Datagram(b"", HostPort("192.0.2.1", 9, "TCP")))
    assert len(told.failed) == 2
    await streams.close()


async def test_who_is_called_by_a_name_is_reached_by_one_connection() -> None:
    async with listening(PATIENT) as (theirs, told, port):
        ours = SipStreams(on_message=told.message, on_failure=told.failed.append)
        by_name = Datagram(OPTIONS, HostPort("localhost", port, "TCP"))
        async with asyncio.timeout(5):
            for _ in range(3):
                ours.send(by_name)
                await told.messages.get()
        assert (len(theirs), len(ours), told.failed) == (1, 1, [])
        await ours.close()
        await empty(theirs)
        await empty(ours)
        # Gone, it is not found by its name any more.
        ours.send(by_name)
        async with asyncio.timeout(5):
            await told.messages.get()
        await ours.close()
