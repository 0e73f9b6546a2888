"""Which of several paths to one browser counts, by example."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from media_gateway.adapters.browser_media import BrowserMedia, LentPorts
from media_gateway.model import NoSuchReservation
from media_gateway.rtp.engine import MediaEngine
from media_gateway.rtp.errors import NoPortsLeft
from media_gateway.webrtc.connector import Connector
from media_gateway.webrtc.errors import ConnectionFailed, NoBrowserPort
from media_gateway.webrtc.model import BrowserListener
from media_gateway.webrtc.sdp import parse_offer
from services.chassis.ids import LegId
from services.chassis.tasks import Tasks
from tests.unit.rtp.rig import Clock, Leg, rtp
from tests.unit.webrtc.offers import CHROME

LEG = LegId("2")


class Transport:
    """Connects, or fails, when the test says so."""

    def __init__(self, number: int, listener: BrowserListener) -> None:
        self.remote = ("2001:db8::1" if number == 9 else "192.0.2.1", 40_000 + number)
        self.listener = listener
        self.outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.sent: list[bytes] = []
        self.closed = 0

    async def connect(self) -> None:
        await self.outcome

    def send_rtp(self, packet: bytes, target: object) -> None:
        self.sent.append(packet)

    def send_rtcp(self, packet: bytes, target: object) -> None:
        """Reports are another test's."""

    async def close(self) -> None:
        self.closed += 1
        if not self.outcome.done():
            self.outcome.set_exception(ConnectionFailed("closed"))


@dataclass
class Opener:
    """Makes such transports."""

    made: list[Transport] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(
        self, offer: object, listener: BrowserListener, **_: object
    ) -> tuple[Transport, str]:
        await self.gate.wait()
        self.made.append(Transport(len(self.made), listener))
        return self.made[-1], f"answer {len(self.made)}"


@dataclass
class Told:
    """What the call hears of its browser."""

    paths: list[tuple[str, str]] = field(default_factory=list)

    def browser_connected(self, leg_id: LegId, codec: str, took_ms: float) -> None:
        assert took_ms >= 0
        self.paths.append(("connected", codec))

    def browser_lost(self, leg_id: LegId) -> None:
        self.paths.append(("lost", ""))


class Stand:
    """One browser's media between fakes."""

    def __init__(self) -> None:
        self.opener, self.told, self.tasks = Opener(), Told(), Tasks()
        self.opener.gate.set()
        self.leg = Leg(Clock(), "call.2")
        self.media = BrowserMedia(
            LEG,
            self.leg.port,
            connector=cast("Connector", self.opener),
            clock_ms=self.leg.clock,
            random_bits=lambda bits: bits,
            shelf=cast("Any", None),
            events=cast("Any", self.told),
            tasks=self.tasks,
        )

    async def offer(self) -> Transport:
        await self.media.connect(parse_offer(CHROME), "PCMU")
        await self.rest()
        return self.opener.made[-1]

    async def connected(self) -> Transport:
        transport = await self.offer()
        transport.outcome.set_result(None)
        await self.rest()
        return transport

    async def rest(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)


def voice(number: int) -> bytes:
    return rtp(b"\xff" * 160, number, 160 * number)


async def test_a_path_is_heard_and_sent_by_once_it_is_connected() -> None:
    stand = Stand()
    coming = await stand.offer()
    coming.listener.rtp_received(voice(1))
    coming.listener.rtcp_received(b"")
    assert stand.leg.port.report().packets_received == 0
    assert stand.leg.port.report().strangers == 0
    coming.outcome.set_result(None)
    await stand.rest()
    coming.listener.rtp_received(voice(1))
    stand.leg.port.tick(stand.leg.clock.now_ms, after_gap=False)
    assert stand.leg.port.report().packets_received == 1
    assert len(coming.sent) == 1
    assert stand.told.paths == [("connected", "PCMU")]


async def test_a_path_that_fails_is_closed_and_another_may_come() -> None:
    stand = Stand()
    first = await stand.offer()
    first.outcome.set_exception(ConnectionFailed("no path"))
    await stand.rest()
    assert (first.closed, stand.told.paths) == (1, [])
    await stand.connected()
    assert stand.told.paths == [("connected", "PCMU")]


async def test_the_newest_offer_wins_while_both_connect() -> None:
    stand = Stand()
    older, newer = await stand.offer(), await stand.offer()
    assert older.closed == 1
    newer.outcome.set_result(None)
    await stand.rest()
    assert stand.told.paths == [("connected", "PCMU")]
    assert newer.closed == 0


async def test_an_older_offer_whose_ports_come_later_does_not_take_the_newer_ones_place() -> None:
    stand = Stand()
    stand.opener.gate.clear()
    older = asyncio.ensure_future(stand.media.connect(parse_offer(CHROME), "PCMU"))
    await stand.rest()
    held, stand.opener.gate = stand.opener.gate, asyncio.Event()
    stand.opener.gate.set()
    newer = await stand.offer()
    held.set()
    with pytest.raises(NoSuchReservation):
        await older
    assert [transport.closed for transport in stand.opener.made] == [0, 1]
    newer.outcome.set_result(None)
    await stand.rest()
    assert stand.told.paths == [("connected", "PCMU")]


async def test_an_older_path_that_connects_after_all_is_not_taken() -> None:
    stand = Stand()
    older = await stand.offer()
    older.outcome.set_result(None)
    newer = await stand.offer()
    assert stand.told.paths == []
    newer.outcome.set_result(None)
    await stand.rest()
    assert (older.closed, newer.closed) == (1, 0)
    older.listener.connection_lost()
    assert stand.told.paths == [("connected", "PCMU")]


async def test_the_old_path_is_kept_until_the_new_one_is_there() -> None:
    stand = Stand()
    old = await stand.connected()
    new = await stand.offer()
    assert old.closed == 0
    new.outcome.set_exception(ConnectionFailed("no path"))
    await stand.rest()
    old.listener.rtp_received(voice(1))
    assert stand.leg.port.report().packets_received == 1
    assert (old.closed, new.closed) == (0, 1)


async def test_a_lost_path_is_told_once_and_left() -> None:
    stand = Stand()
    path = await stand.connected()
    path.listener.connection_lost()
    path.listener.connection_lost()
    await stand.rest()
    assert stand.told.paths == [("connected", "PCMU"), ("lost", "")]
    assert path.closed == 1
    assert not stand.leg.port.paced


async def test_a_leg_that_ends_takes_its_paths_along() -> None:
    stand = Stand()
    present, coming = await stand.connected(), await stand.offer()
    assert stand.media.close().packets_received == 0
    await stand.rest()
    assert (present.closed, coming.closed) == (1, 1)
    assert stand.leg.closed


async def test_an_offer_whose_leg_ends_meanwhile_is_refused() -> None:
    stand = Stand()
    stand.opener.gate.clear()
    offered = asyncio.ensure_future(stand.media.connect(parse_offer(CHROME), "PCMU"))
    await stand.rest()
    stand.media.close()
    stand.opener.gate.set()
    with pytest.raises(NoSuchReservation):
        await offered
    assert stand.opener.made[0].closed == 1


def test_ports_are_lent_by_the_engine_or_refused_in_the_browsers_words() -> None:
    @dataclass
    class Engine:
        back: list[int] = field(default_factory=list)

        def lend(self) -> int:
            if self.back:
                raise NoPortsLeft("none")
            return 7

        def give_back(self, port: int) -> None:
            self.back.append(port)

    engine = Engine()
    ports = LentPorts(cast("MediaEngine", engine))
    ports.give_back(ports.lend())
    assert engine.back == [7]
    with pytest.raises(NoBrowserPort):
        ports.lend()
