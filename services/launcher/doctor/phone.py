"""A phone that a doctor calls with: it says something, and counts what comes back."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar

from services.chassis.errors import CarillonError, Kind
from services.launcher.doctor import wire

ANSWER_S = 3.0
"""For the other side's first answer."""
TALK_S = 2.0
"""Long enough for a prompt to begin."""
GOODBYE_S = 1.0
"""For the last report, which is sent as a leg ends."""
FIRST_AGAIN_S = 0.5
"""RFC 3261's T1: what is not answered is sent again, after twice as long each time."""
PACKET_S = 0.02
CALLER = "+12025550198"


class NoAnswer(CarillonError):
    """Nobody answers SIP there."""

    code: ClassVar[str] = "no-sip-answer"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class CallRefused(CarillonError):
    """The call was not taken; the text is the other side's status."""

    code: ClassVar[str] = "call-refused"
    kind: ClassVar[Kind] = Kind.PRECONDITION


@dataclass(frozen=True, slots=True)
class Heard:
    """What a call was like."""

    packets: int
    """Of audio that came."""
    reports: int
    """Of RTCP that came."""
    was_heard: bool
    """Whether some report was on what the doctor said."""


class _Mailbox(asyncio.DatagramProtocol):
    def __init__(self) -> None:
        self.came: asyncio.Queue[bytes] = asyncio.Queue(maxsize=10_000)

    def datagram_received(self, data: bytes, _addr: tuple[str | Any, int]) -> None:
        with contextlib.suppress(asyncio.QueueFull):
            self.came.put_nowait(data)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there: told by the silence that follows."""


class _Socket:
    """A UDP socket and what came to it."""

    def __init__(self, transport: asyncio.DatagramTransport, mailbox: _Mailbox) -> None:
        self.transport, self.came = transport, mailbox.came
        host, port = transport.get_extra_info("sockname")[:2]
        self.host, self.port = str(host), int(port)


async def ping(sip: str) -> int:
    """The status that an OPTIONS is answered with; NoAnswer."""
    async with _socket(_towards(sip)) as own:
        dialog = _dialog(own, f"sip:{sip}")
        answer = await _ask(own, _split(sip), dialog.request("OPTIONS", 1, secrets.token_hex(6)))
    return answer.status


async def call(sip: str, number: str) -> Heard:
    """Calls a number, talks for TALK_S seconds and hangs up; NoAnswer, CallRefused."""
    host = _towards(sip)
    async with _socket(host) as own, _socket_pair(host) as (rtp, rtcp):
        dialog = _dialog(own, f"sip:{number}@{sip}")
        branch, way = secrets.token_hex(6), _split(sip)
        invite = dialog.request("INVITE", 1, branch, wire.offer(own.host, rtp.port))
        answer = await _ask(own, way, invite, final_s=10 * ANSWER_S)
        if answer.status >= 300:
            dialog.to = answer.one("to")
            own.transport.sendto(dialog.request("ACK", 1, branch), way)
            raise CallRefused(f"{answer.status} {answer.reason}")
        dialog.answered(answer)
        own.transport.sendto(dialog.request("ACK", 1, secrets.token_hex(6)), way)
        ssrc = secrets.randbits(32)
        try:
            await _talk(rtp, wire.media_of(answer.body), ssrc)
        finally:
            bye = dialog.request("BYE", 2, secrets.token_hex(6))
            with contextlib.suppress(NoAnswer):
                await _ask(own, way, bye)
        await asyncio.sleep(GOODBYE_S)
        packets = sum(wire.is_rtp(data) for data in _all(rtp))
        reports = _all(rtcp)
    heard = any(wire.reports_on(data, ssrc) for data in reports)
    return Heard(packets, len(reports), heard)


async def _talk(rtp: _Socket, to: tuple[str, int] | None, ssrc: int) -> None:
    if to is None:
        return
    for number in range(round(TALK_S / PACKET_S)):
        rtp.transport.sendto(wire.frame(ssrc, number), to)
        await asyncio.sleep(PACKET_S)


async def _ask(
    own: _Socket, way: tuple[str, int], request: bytes, final_s: float = ANSWER_S
) -> wire.Answer:
    """The final answer to a request, sent again until something comes; NoAnswer."""
    loop = asyncio.get_running_loop()
    pause_s, began_s, heard = FIRST_AGAIN_S, loop.time(), False
    while loop.time() - began_s < (final_s if heard else ANSWER_S):
        if not heard:
            own.transport.sendto(request, way)
        try:
            async with asyncio.timeout(pause_s):
                answer = wire.parse(await own.came.get())
        except TimeoutError:
            pause_s *= 2
            continue
        if answer is not None and answer.status >= 200:
            return answer
        heard = heard or answer is not None
    raise NoAnswer(
        f"{way[0]}:{way[1]} gave no final answer within {final_s if heard else ANSWER_S} s"
    )


def _dialog(own: _Socket, uri: str) -> wire.Dialog:
    return wire.Dialog.begin(host=own.host, port=own.port, uri=uri, caller=CALLER)


def _all(own: _Socket) -> list[bytes]:
    return [own.came.get_nowait() for _ in range(own.came.qsize())]


def _split(sip: str) -> tuple[str, int]:
    host, _, port = sip.rpartition(":")
    return host, int(port)


def _towards(sip: str) -> str:
    """This machine's own address on the way there; NoAnswer when there is no way."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as trying:
        try:
            trying.connect(_split(sip))
        except (OSError, ValueError) as error:
            raise NoAnswer(f"there is no way to {sip}: {error}") from None
        return str(trying.getsockname()[0])


@asynccontextmanager
async def _socket(host: str, port: int = 0) -> AsyncIterator[_Socket]:
    mailbox = _Mailbox()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(lambda: mailbox, local_addr=(host, port))
    try:
        yield _Socket(transport, mailbox)
    finally:
        transport.close()


@asynccontextmanager
async def _socket_pair(host: str) -> AsyncIterator[tuple[_Socket, _Socket]]:
    """An even port and the one above it, for RTP and RTCP (RFC 3550, 11)."""
    for _ in range(64):
        port = 2 * secrets.randbelow(8_000) + 40_000
        async with contextlib.AsyncExitStack() as stack:
            try:
                rtp = await stack.enter_async_context(_socket(host, port))
                rtcp = await stack.enter_async_context(_socket(host, port + 1))
            except OSError:
                continue
            yield rtp, rtcp
            return
    raise NoAnswer(f"no two ports are free on {host}")
