"""The stack on a real socket of this machine."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

import pytest

from media_gateway.adapters.sip_endpoint import SipEndpoint, SipPortTaken
from media_gateway.sip import events as sip
from media_gateway.sip.address import HostPort, NameAddr
from media_gateway.sip.limits import Limits
from services.chassis.clock import SystemClock

HOST = "127.0.0.1"
LONG = "x" * 64
"""No name at all: a label has at most 63 characters."""


class Far(asyncio.DatagramProtocol):
    """Somebody at another port."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[str] = asyncio.Queue()

    async def open(self) -> int:
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(HOST, 0))
        port: int = self.transport.get_extra_info("sockname")[1]
        return port

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.heard.put_nowait(data.decode())

    async def hears(self) -> str:
        async with asyncio.timeout(2):
            return await self.heard.get()


async def _endpoint(on_event: Callable[[sip.SipEvent], None]) -> SipEndpoint:
    endpoint = SipEndpoint(
        clock=SystemClock(),
        random_bits=lambda bits: (1 << bits) - 1,
        on_event=on_event,
        user_agent="Test",
    )
    await endpoint.open(host=HOST, port=0, advertised="", limits=Limits())
    return endpoint


def _request(method: str, port: int, number: int = 1) -> bytes:
    return (
        f"{method} sip:x@{HOST} SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP {HOST}:{port};branch=z9hG4bK{number}\r\n"
        f"Max-Forwards: 70\r\nFrom: <sip:a@{HOST}>;tag=1\r\nTo: <sip:x@{HOST}>\r\n"
        f"Contact: <sip:a@{HOST}:{port}>\r\n"
        f"Call-ID: {number}\r\nCSeq: 1 {method}\r\nContent-Length: 0\r\n\r\n"
    ).encode()


async def test_a_request_is_answered_from_where_it_was_sent_to() -> None:
    endpoint, far = await _endpoint(lambda _: None), Far()
    port = await far.open()
    far.transport.sendto(_request("OPTIONS", port), (HOST, endpoint.local.port))
    assert (await far.hears()).startswith("SIP/2.0 200 ")
    await endpoint.close()
    far.transport.close()


async def test_an_event_that_cannot_be_taken_leaves_the_socket_open() -> None:
    seen: list[sip.SipEvent] = []

    def take(event: sip.SipEvent) -> None:
        seen.append(event)
        raise RuntimeError("not today")

    endpoint, far = await _endpoint(take), Far()
    port = await far.open()
    where = (HOST, endpoint.local.port)
    far.transport.sendto(_request("INVITE", port), where)
    assert (await far.hears()).startswith("SIP/2.0 100 ")
    far.transport.sendto(_request("OPTIONS", port, 2), where)
    assert (await far.hears()).startswith("SIP/2.0 200 ")
    assert [type(event) for event in seen] == [sip.InviteReceived]
    await endpoint.close()
    far.transport.close()


async def test_what_an_event_makes_its_owner_do_is_sent_at_once() -> None:
    def refuse(event: sip.SipEvent) -> None:
        if isinstance(event, sip.InviteReceived):
            endpoint.stack.refuse(event.session_id, 480, "", endpoint.now_ms())
            endpoint.flush()

    endpoint, far = await _endpoint(refuse), Far()
    port = await far.open()
    far.transport.sendto(_request("INVITE", port), (HOST, endpoint.local.port))
    first, second = await far.hears(), await far.hears()
    assert (first[:11], second[:11]) == ("SIP/2.0 100", "SIP/2.0 480")
    # Unacknowledged, it comes again by the timer.
    assert (await far.hears()) == second
    await endpoint.close()
    far.transport.close()


def _invite(endpoint: SipEndpoint, far: HostPort, *headers: tuple[str, str]) -> None:
    endpoint.stack.invite(
        f"sip:x@{far.host}",
        from_=NameAddr.parse("<sip:a@h>"),
        to=NameAddr.parse("<sip:x@h>"),
        sdp=b"",
        destination=far,
        now_ms=endpoint.now_ms(),
        headers=list(headers),
    )
    endpoint.flush()


@pytest.mark.parametrize("host", ["localhost", LONG])
async def test_a_name_is_looked_up_and_one_that_is_not_found_is_a_failure(host: str) -> None:
    ended: asyncio.Queue[sip.SipEvent] = asyncio.Queue()
    endpoint, far = await _endpoint(ended.put_nowait), Far()
    port = await far.open()
    _invite(endpoint, HostPort(host, port))
    if host == "localhost":
        assert (await far.hears()).startswith("INVITE ")
    else:
        async with asyncio.timeout(2):
            event = await ended.get()
        assert isinstance(event, sip.SessionEnded)
        assert (event.cause, event.status) == (sip.EndCause.FAILED, 503)
    await endpoint.close()
    far.transport.close()


async def test_the_tags_of_a_dialog_name_the_gateway() -> None:
    endpoint, far = (
        SipEndpoint(
            clock=SystemClock(),
            random_bits=lambda bits: (1 << bits) - 1,
            on_event=lambda _: None,
            user_agent="Test",
            name="g7",
        ),
        Far(),
    )
    await endpoint.open(host=HOST, port=0, advertised="", limits=Limits())
    port = await far.open()
    _invite(endpoint, HostPort(HOST, port))
    assert ";tag=g7-ffff" in await far.hears()
    await endpoint.close()
    far.transport.close()


async def test_a_port_that_is_taken_says_what_to_set() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind((HOST, 0))
        endpoint = SipEndpoint(
            clock=SystemClock(), random_bits=lambda _: 1, on_event=lambda _: None, user_agent="T"
        )
        with pytest.raises(SipPortTaken, match="CARILLON_GATEWAY_SIP_PORT"):
            await endpoint.open(
                host=HOST, port=taken.getsockname()[1], advertised="", limits=Limits()
            )
        with pytest.raises(SipPortTaken, match="CARILLON_GATEWAY_SIP_HOST"):
            await endpoint.open(host="192.0.2.1", port=0, advertised="", limits=Limits())
        await endpoint.close()


async def test_a_request_too_long_for_udp_reaches_also_one_that_has_nothing_else() -> None:
    endpoint, far = await _endpoint(lambda _: None), Far()
    port = await far.open()
    _invite(endpoint, HostPort(HOST, port), ("X-Long", "x" * 2_000))
    heard = await far.hears()
    assert heard.startswith("INVITE ")
    assert "Via: SIP/2.0/UDP " in heard
    await endpoint.close()
    far.transport.close()
