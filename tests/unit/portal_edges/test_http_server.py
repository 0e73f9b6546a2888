"""The server: its port, its patience, its headers, and its end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio
from starlette.responses import PlainTextResponse

from services.portal import http_server
from services.portal.http_server import MAX_HEADER_BYTES, HttpServer, PortInUse, bound

SETTING = "CARILLON_PORTAL_HTTP_PORT"


@pytest_asyncio.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(http_server, "FIRST_REQUEST_LIMIT_S", 0.1)
    listening = bound(host="127.0.0.1", port=0, setting=SETTING, fallback=False)
    server = HttpServer(app=PlainTextResponse("well"), listening=listening)
    server.start()
    yield listening.getsockname()[1]
    await server.stop()


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


async def test_headers_have_a_limit(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\nhost: a\r\nx-long: " + b"x" * (2 * MAX_HEADER_BYTES))
    async with asyncio.timeout(5):
        line = await reader.readline()
    assert line.split()[1] in {b"400", b"431"}
    writer.close()


async def test_a_server_that_never_started_stops() -> None:
    listening = bound(host="127.0.0.1", port=0, setting=SETTING, fallback=False)
    await HttpServer(app=PlainTextResponse("well"), listening=listening).stop()
    assert listening.fileno() == -1
