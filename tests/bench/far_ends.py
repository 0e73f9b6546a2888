"""Browsers and phones of a benchmark, in a process of their own, so that they cost nothing here.

The browsers are aiortc's peer connections without a track: what they send is protected by their own
keys and sent as it is, what they receive is counted unread.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import struct
from multiprocessing.connection import Connection
from time import monotonic
from types import TracebackType
from typing import Any, Self

import uvloop
from aiortc import RTCConfiguration, RTCPeerConnection, RTCRtpSender, RTCSessionDescription

from tests.agent.peer import offer_only

HOST = "127.0.0.1"
FRAME_S = 0.020
SLICES = 10
"""Each 20 ms are sent in so many parts, as unrelated callers would."""
GIVE_UP_S = 60.0

Address = tuple[str, int]


class FarEnds:
    """Tells the other process what to do."""

    def __enter__(self) -> Self:
        self._pipe, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=_run, args=(theirs,), daemon=True)
        self._process.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pipe.send(("leave",))
        self._process.join(GIVE_UP_S)

    async def open(self, *, browsers: int, phones: int) -> tuple[list[str], list[Address]]:
        """The offers of so many browsers, and the addresses of so many phones."""
        offers, addresses = await self._ask("open", browsers, phones)
        return offers, addresses

    async def answer(self, answers: list[str]) -> None:
        """Connects the browsers."""
        await self._ask("answer", answers)

    async def send(self, targets: list[Address], seconds: float) -> None:
        """Browsers and phones send 50 packets a second each; the phones to these addresses."""
        await self._ask("send", targets, seconds)

    async def close_calls(self) -> None:
        """All hang up."""
        await self._ask("close")

    async def _ask(self, *words: Any) -> Any:
        self._pipe.send(words)
        reply = await asyncio.get_running_loop().run_in_executor(None, self._pipe.recv)
        if isinstance(reply, Exception):
            raise reply
        return reply


def _run(pipe: Connection) -> None:
    uvloop.run(_serve(pipe))


async def _serve(pipe: Connection) -> None:
    stand = _Stand()
    while True:
        verb, *words = await asyncio.get_running_loop().run_in_executor(None, pipe.recv)
        if verb == "leave":
            return
        try:
            pipe.send(await getattr(stand, verb)(*words))
        except Exception as error:  # noqa: BLE001 - told to who asked
            pipe.send(RuntimeError(f"{verb}: {error!r}"))


class _Stand:
    def __init__(self) -> None:
        self._browsers: list[RTCPeerConnection] = []
        self._dtls: list[Any] = []
        self._phones: list[socket.socket] = []
        # Goes on from one sending to the next: an SRTP sender never counts back.
        self._slices = 0

    async def open(self, browsers: int, phones: int) -> tuple[list[str], list[Address]]:
        offers = [await self._offer() for _ in range(browsers)]
        for _ in range(phones):
            phone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            phone.bind((HOST, 0))
            self._phones.append(phone)
        return offers, [phone.getsockname() for phone in self._phones]

    async def answer(self, answers: list[str]) -> None:
        for browser, sdp in zip(self._browsers, answers, strict=True):
            await browser.setRemoteDescription(RTCSessionDescription(sdp, "answer"))
        deadline_s = monotonic() + GIVE_UP_S / 2
        while any(browser.connectionState != "connected" for browser in self._browsers):
            if monotonic() > deadline_s:
                raise TimeoutError("not all browsers were connected")
            await asyncio.sleep(0.05)
        for dtls in self._dtls:
            _ignore_media(dtls)

    async def send(self, targets: list[Address], seconds: float) -> None:
        started_s, before = monotonic(), self._slices
        while monotonic() - started_s < seconds:
            due = before + int((monotonic() - started_s) / FRAME_S * SLICES)
            while self._slices < due:
                self._send_slice(targets, self._slices)
                self._slices += 1
            await asyncio.sleep(FRAME_S / SLICES / 4)

    async def close(self) -> None:
        for browser in self._browsers:
            await browser.close()
        for phone in self._phones:
            phone.close()
        self._browsers, self._dtls, self._phones = [], [], []

    async def _offer(self) -> str:
        browser = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        transceiver = browser.addTransceiver("audio", direction="sendrecv")
        known = RTCRtpSender.getCapabilities("audio").codecs
        transceiver.setCodecPreferences(
            [codec for codec in known if codec.mimeType == "audio/PCMU"]
        )
        dtls = transceiver.sender.transport
        offer_only(dtls.transport.iceGatherer._connection)
        await browser.setLocalDescription(await browser.createOffer())
        self._browsers.append(browser)
        self._dtls.append(dtls)
        return str(browser.localDescription.sdp)

    def _send_slice(self, targets: list[Address], slices: int) -> None:
        turn, part = divmod(slices, SLICES)
        for number in range(part, len(targets), SLICES):
            header = struct.pack("!BBHII", 0x80, 0, turn & 0xFFFF, 160 * turn, 1 + number)
            packet = header + bytes(160)
            self._phones[number].sendto(packet, targets[number])
            if number >= len(self._dtls):
                continue
            dtls = self._dtls[number]
            pair = dtls.transport.iceGatherer._connection._nominated.get(1)
            if pair is not None:
                pair.protocol.transport.sendto(dtls._tx_srtp.protect(packet), pair.remote_addr)


def _ignore_media(dtls: Any) -> None:
    for protocol in dtls.transport.iceGatherer._connection._protocols:
        protocol.datagram_received = _unless_media(protocol.datagram_received)


def _unless_media(take: Any) -> Any:
    def taken(data: bytes, addr: Address) -> None:
        if not 128 <= data[0] < 192:
            take(data, addr)

    return taken
