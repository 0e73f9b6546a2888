"""A port that another transport carries: left and taken up again, and one stream all the while."""

from __future__ import annotations

import asyncio
import random

import pytest

from media_gateway.rtp import g711
from media_gateway.rtp.engine import MediaEngine
from media_gateway.rtp.errors import LegAlreadyOpen, NoPortsLeft
from media_gateway.rtp.model import RemoteMedia
from media_gateway.rtp.port_pool import DRAIN_MS, PortPool
from tests.unit.rtp.rig import Clock, Floor, Leg, level_db, read_rtp, tone
from tests.unit.rtp.test_engine import Ears

SILENT_MS = 30_000


def frames(frequency_hz: float, count: int) -> list[bytes]:
    pcm = tone(frequency_hz, 160 * count)
    return [g711.encode(pcm[160 * n : 160 * n + 160], "PCMU") for n in range(count)]


def talking() -> tuple[Floor, Leg, Leg]:
    clock = Clock()
    caller, browser = Leg(clock, "caller", number=1), Leg(clock, "browser", number=2)
    for leg in (caller, browser):
        leg.negotiate()
    caller.port.connect(browser.port)
    floor = Floor(caller, browser)
    for voice in frames(440, 10):
        floor.pass_frame(caller=voice, browser=voice)
    return floor, caller, browser


def test_a_detached_leg_is_silent_both_ways_and_is_not_missed() -> None:
    floor, caller, browser = talking()
    browser.port.detach()
    sent = len(browser.heard)
    for voice in frames(440, 10):
        floor.pass_frame(caller=voice)
    browser.say(frames(660, 1)[0])
    assert len(browser.heard) == sent
    # The caller hears silence at its own pace, until something is played.
    assert level_db(caller.heard_pcm()[-1_600:], 660) < -80
    assert [packet.sequence for packet in caller.heard[-3:]] == [
        caller.heard[-1].sequence - 2,
        caller.heard[-1].sequence - 1,
        caller.heard[-1].sequence,
    ]
    floor.clock.now_ms += SILENT_MS
    browser.port.watch(floor.clock.now_ms)
    assert ("media_timed_out",) not in browser.events
    assert browser.reports == []


def test_taken_up_again_the_bridge_goes_on_as_one_stream() -> None:
    floor, caller, browser = talking()
    before = browser.heard[-1]
    received = browser.port.report().packets_received
    browser.port.detach()
    floor.clock.now_ms += 3_000
    again: list[bytes] = []
    browser.port.attach(lambda data, _: again.append(data), lambda *_: None)
    browser.ssrc += 1
    browser.address = ("192.0.2.200", 40_000)
    browser.negotiate()
    browser.events.clear()
    for voice in frames(440, 10):
        floor.pass_frame(caller=voice, browser=voice)
    heard = [read_rtp(data) for data in again]
    assert len(heard) >= 10
    assert {packet.ssrc for packet in heard} == {before.ssrc}
    assert heard[0].sequence == (before.sequence + 1) & 0xFFFF
    assert heard[0].marker
    assert browser.events[0] == ("media_started",)
    assert browser.port.report().packets_received == received + 10
    assert level_db(caller.heard_pcm()[-1_600:], 440) > -20


def test_hold_and_mute_outlast_a_loss() -> None:
    floor, caller, browser = talking()
    browser.port.set_hold(True)
    browser.port.detach()
    browser.negotiate()
    for voice in frames(440, 10):
        floor.pass_frame(caller=voice, browser=voice)
    assert level_db(browser.heard_pcm()[-1_600:], 440) < -80
    browser.port.set_hold(False)
    browser.port.set_mute(True)
    browser.port.detach()
    browser.negotiate()
    for voice in frames(440, 10):
        floor.pass_frame(caller=voice, browser=voice)
    assert level_db(browser.heard_pcm()[-1_600:], 440) > -20
    assert level_db(caller.heard_pcm()[-1_600:], 440) < -80


def engine(clock: Clock, ports: PortPool) -> MediaEngine:
    return MediaEngine(
        loop=asyncio.get_running_loop(),
        host="127.0.0.1",
        ports=ports,
        clock_ms=clock,
        random_bits=random.Random(1).getrandbits,
    )


async def test_the_engine_opens_a_port_without_sockets_once() -> None:
    media = engine(Clock(), PortPool(first=12_000, last=12_003))
    port = media.open_without_sockets("leg", Ears())
    with pytest.raises(LegAlreadyOpen):
        media.open_without_sockets("leg", Ears())
    assert (len(media), media.ticking) == (1, True)
    assert port.ssrc
    assert port.cname
    port.negotiate(RemoteMedia("2001:db8::7", 9, 9, payload_type=0, codec="PCMU"))
    port.close()
    assert len(media) == 0
    await media.close()


async def test_a_lent_port_drains_before_it_is_lent_again() -> None:
    clock, ports = Clock(), PortPool(first=12_000, last=12_001)
    media = engine(clock, ports)
    lent = media.lend()
    with pytest.raises(NoPortsLeft):
        media.lend()
    media.give_back(lent)
    with pytest.raises(NoPortsLeft):
        media.lend()
    assert ports.drained(clock.now_ms + DRAIN_MS) == [lent]
    assert media.lend() == lent
    await media.close()
