"""The server: its port, its patience, its headers, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from services.portal import http_server
from services.portal.http_server import MAX_HEADER_BYTES, HttpServer, PortInUse, bound

SETTING = "CARILLON_PORTAL_HTTP_PORT"


PINGS = 100_000
"""More than the kernel keeps for one connection: 13 MB of answers."""
HANDSHAKE = (
    b"GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\n"
    b"sec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


def ping(words: bytes) -> bytes:
    """A ping as a client sends it, masked by zeros (RFC 6455, 5.2)."""
    return bytes([0x89, 0x80 | len(words)]) + bytes(4) + words


@contextlib.asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[int]:
    """The port of a server with an application."""
    listening = bound(host="127.0.0.1", port=0, setting=SETTING, fallback=False)
    server = HttpServer(app=app, listening=[listening])
    server.start()
    try:
        yield listening.getsockname()[1]
    finally:
        await server.stop()


@pytest_asyncio.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(http_server, "REQUEST_LIMIT_S", 0.1)
    monkeypatch.setattr(http_server, "KEEP_ALIVE_S", 1)
    async with served(PlainTextResponse("well")) as port:
        yield port


def test_a_port_in_use_is_said_with_what_to_set() -> None:
    with bound(host="127.0.0.1", port=0, setting=SETTING, fallback=False) as first:
        taken = first.getsockname()[1]
        with pytest.raises(PortInUse, match=f"127.0.0.1:{taken} is in use: set {SETTING}"):
            bound(host="127.0.0.1", port=taken, setting=SETTING, fallback=False)


def test_a_port_in_use_is_replaced_where_that_is_wanted() -> None:
    with bound(host="127.0.0.1", port=0, setting=SETTING, fallback=False) as first:
        taken = first.getsockname()[1]
        with bound(host="127.0.0.1", port=taken, setting=SETTING, fallback=True) as other:
            assert other.getsockname()[1] != taken


def test_it_listens_by_ipv6_too() -> None:
    with bound(host="::1", port=0, setting=SETTING, fallback=False) as listening:
        assert listening.family is socket.AF_INET6


async def test_it_answers_and_does_not_say_what_it_is(port: int) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as http:
        answer = await http.get("/")
    assert answer.text == "well"
    assert "server" not in answer.headers


async def test_a_connection_without_a_request_is_closed(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nx-slow: ")
    async with asyncio.timeout(5):
        assert await reader.read() == b""
    writer.close()


async def test_a_connection_whose_next_request_does_not_end_is_closed(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
    async with asyncio.timeout(5):
        await reader.readuntil(b"well")
        writer.write(b"GET / HTTP/1.1\r\nx-slow: ")
        assert await reader.read() == b""
    writer.close()


async def test_what_nobody_reads_is_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_server, "UNREAD_LIMIT_S", 0.5)
    gone = asyncio.Event()

    async def endless(_scope: Scope, receive: Receive, send: Send) -> None:
        async def watch() -> None:
            while (await receive())["type"] != "http.disconnect":
                pass
            gone.set()

        await send({"type": "http.response.start", "status": 200, "headers": []})
        async with asyncio.TaskGroup() as group:
            group.create_task(watch())
            while not gone.is_set():
                await send({"type": "http.response.body", "body": bytes(65_536), "more_body": True})

    async with served(endless) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n")
        async with asyncio.timeout(20):
            await gone.wait()
        writer.close()


async def test_answers_to_pings_do_not_pile_up_for_somebody_who_does_not_read() -> None:
    async def listening(_scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass

    async with served(listening) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=4_096)
        writer.write(HANDSHAKE)
        async with asyncio.timeout(60):
            await reader.readuntil(b"\r\n\r\n")
            for _ in range(PINGS // 1_000):
                writer.write(ping(b"p" * 125) * 1_000)
                await writer.drain()
            answers = bytearray()
            # The server has read all of them once it answers this one, for it reads in their order.
            while b"the last" not in answers:
                writer.write(ping(b"the last"))
                answers += await reader.read(1_000_000)
            answered = answers.count(b"p" * 125)
        writer.close()
    assert 0 < answered < PINGS


async def test_headers_have_a_limit(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nhost: a\r\nx-long: " + b"x" * (2 * MAX_HEADER_BYTES))
    async with asyncio.timeout(5):
        line = await reader.readline()
    assert line.split()[1] in {b"400", b"431"}
    writer.close()


async def test_a_server_that_never_started_stops() -> None:
    listening = bound(host="127.0.0.1", port=0, setting=SETTING, fallback=False)
    await HttpServer(app=PlainTextResponse("well"), listening=[listening]).stop()
    assert listening.fileno() == -1
