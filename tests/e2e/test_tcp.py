"""SIP over TCP: SIPp's calls come through, and what is no SIP harms nobody."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.cast import Cast
from tests.e2e.listening import has_heard
from tests.e2e.sipp_runner import demand_flawless, run_callers
from tests.softphone import Answer
from tests.stage.seed import NUMBER

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]

OPTIONS = (
    b"OPTIONS sip:carillon@127.0.0.1 SIP/2.0\r\n"
    b"Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKt%d;rport\r\n"
    b"Max-Forwards: 70\r\nFrom: <sip:probe@127.0.0.1>;tag=p\r\nTo: <sip:carillon@127.0.0.1>\r\n"
    b"Call-ID: probe-%d\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
)


async def connected(cast: Cast) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    return await asyncio.open_connection("127.0.0.1", cast.carillon.sip_port)


async def answer(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(5):
        return await reader.readuntil(b"\r\n\r\n")


async def test_a_caller_by_tcp_reaches_an_agent(cast: Cast) -> None:
    desk = await cast.agent("abel", Answer(ring_s=0.1))
    calling = run_callers(
        "caller", number=NUMBER, port=cast.carillon.sip_port, pause_ms=3_000, key="1", tcp=True
    )
    # A group, so that a caller who cannot even start is told of at once.
    async with asyncio.TaskGroup() as group:
        verdict = group.create_task(calling)
        leg = await desk.incoming(20)
    demand_flawless(verdict.result(), 1)
    await leg.ended(5)
    assert has_heard(leg, 440)


async def test_twenty_callers_share_one_connection(cast: Cast) -> None:
    verdict = await run_callers(
        "caller", number=NUMBER, port=cast.carillon.sip_port, calls=20, rate=20, tcp=True
    )
    demand_flawless(verdict, 20)
    assert verdict.retransmissions == 0


async def test_fragments_and_several_messages_at_once_are_all_answered(cast: Cast) -> None:
    reader, writer = await connected(cast)
    for byte in OPTIONS % (1, 1):
        writer.write(bytes([byte]))
        await writer.drain()
    assert (await answer(reader)).startswith(b"SIP/2.0 200")
    writer.write(OPTIONS % (2, 2) + b"\r\n" + OPTIONS % (3, 3))
    for number in (b"probe-2", b"probe-3"):
        assert number in await answer(reader)
    writer.close()


async def test_a_keep_alive_is_answered(cast: Cast) -> None:
    reader, writer = await connected(cast)
    writer.write(b"\r\n\r\n")
    async with asyncio.timeout(5):
        assert await reader.readexactly(2) == b"\r\n"
    writer.close()


async def test_what_is_no_sip_is_shown_the_door_and_others_stay(cast: Cast) -> None:
    good, to_good = await connected(cast)
    for garbage in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01" + b"x" * 40_000):
        reader, writer = await connected(cast)
        writer.write(garbage)
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()
    to_good.write(OPTIONS % (4, 4))
    assert (await answer(good)).startswith(b"SIP/2.0 200")
    to_good.close()
