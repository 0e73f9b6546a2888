"""The engine over real sockets on loopback, on the standard loop and on uvloop."""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import pairwise

import pytest
import uvloop

from media_gateway.rtp.clip import AudioClip
from media_gateway.rtp.engine import WATCH_FRAMES, MediaEngine
from media_gateway.rtp.errors import LegAlreadyOpen, NoPortsLeft
from media_gateway.rtp.model import RemoteMedia
from media_gateway.rtp.port_pool import DRAIN_MS, PortPool
from tests.unit.rtp.rig import Heard, read_rtp, rtp, tone

HOST = "127.0.0.1"
FIRST_PORT = 10_000 + 8 * (os.getpid() % 1_000)
"""Each test process has its own four pairs, outside what a gateway takes by default."""


class Ears:
    """A listener that waits."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[tuple[str, ...]] = asyncio.Queue()

    def digit(self, leg_id: str, digit: str, how: str) -> None:
        self.events.put_nowait(("digit", digit, how))

    def play_ended(self, leg_id: str, operation: str, reason: str) -> None:
        self.events.put_nowait(("play_ended", operation, reason))

    def media_started(self, leg_id: str) -> None:
        self.events.put_nowait(("media_started",))

    def media_timed_out(self, leg_id: str) -> None:
        self.events.put_nowait(("media_timed_out",))


class Phone:
    """Two bound sockets."""

    def __init__(self) -> None:
        self.rtp, self.rtcp = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in "12")
        for end in (self.rtp, self.rtcp):
            end.bind((HOST, 0))
            end.setblocking(False)  # noqa: FBT003 - the socket's own signature
        self._sequence = 0

    def remote(self) -> RemoteMedia:
        return RemoteMedia(
            host=HOST,
            port=self.rtp.getsockname()[1],
            rtcp_port=self.rtcp.getsockname()[1],
            payload_type=0,
            codec="PCMU",
            event_payload_type=101,
        )

    def say(self, payload: bytes, port: int) -> None:
        self.rtp.sendto(rtp(payload, self._sequence, 160 * self._sequence), (HOST, port))
        self._sequence += 1

    async def hear(self) -> Heard:
        loop = asyncio.get_running_loop()
        return read_rtp(await loop.sock_recv(self.rtp, 2_048), 1_000 * loop.time())

    def close(self) -> None:
        self.rtp.close()
        self.rtcp.close()


@pytest.fixture
def phones() -> Iterator[Callable[[], Phone]]:
    made: list[Phone] = []

    def make() -> Phone:
        made.append(Phone())
        return made[-1]

    yield make
    for phone in made:
        phone.close()


class Ahead:
    """The loop's clock, which a test can set forward."""

    def __init__(self) -> None:
        self.ahead_ms = 0.0

    def __call__(self) -> float:
        return asyncio.get_running_loop().time() * 1_000 + self.ahead_ms


def new_engine(clock: Ahead) -> MediaEngine:
    return MediaEngine(
        loop=asyncio.get_running_loop(),
        host=HOST,
        ports=PortPool(first=FIRST_PORT, last=FIRST_PORT + 7),
        clock_ms=clock,
        random_bits=random.Random(1).getrandbits,
        sounds={"music": AudioClip(tone(440, 1_600))},
    )


@pytest.fixture
def clock() -> Ahead:
    return Ahead()


@pytest.fixture
async def engine(clock: Ahead) -> AsyncIterator[MediaEngine]:
    engine = new_engine(clock)
    yield engine
    await engine.close()


async def test_a_prompt_is_paced_and_its_end_told(
    engine: MediaEngine, phones: Callable[[], Phone]
) -> None:
    ears, phone = Ears(), phones()
    port = await engine.open("leg", ears)
    port.negotiate(phone.remote())
    prompt = AudioClip(tone(440, 5 * 160))
    port.play("op", [prompt], loop=False)
    async with asyncio.timeout(5):
        heard = [await phone.hear() for _ in range(8)]
        assert await ears.events.get() == ("play_ended", "op", "complete")
    assert tuple(packet.payload for packet in heard[:5]) == prompt.frames("PCMU")
    assert [(b.sequence - a.sequence) & 0xFFFF for a, b in pairwise(heard)] == [1] * 7
    assert min((b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(heard)) >= 160
    # No burst: had all been sent at once, nothing would lie between.
    assert heard[-1].at_ms - heard[0].at_ms >= 40


async def test_two_phones_hear_each_other(engine: MediaEngine, phones: Callable[[], Phone]) -> None:
    left, right = phones(), phones()
    ears = Ears()
    ports = [await engine.open("left", ears), await engine.open("right", Ears())]
    for port, phone in zip(ports, (left, right), strict=True):
        port.negotiate(phone.remote())
    ports[0].connect(ports[1])
    async with asyncio.timeout(5):
        for n in range(5):
            left.say(bytes([n]) * 160, ports[0].rtp_port)
            right.say(bytes([n + 100]) * 160, ports[1].rtp_port)
            assert (await right.hear()).payload == bytes([n]) * 160
            assert (await left.hear()).payload == bytes([n + 100]) * 160
        left.rtp.sendto(rtp(b"\x05\x0a\x00\xa0", 5, 800, payload_type=101), (HOST, FIRST_PORT))
        events = [await ears.events.get() for _ in range(2)]
    assert events == [("media_started",), ("digit", "5", "rfc4733")]
    assert ports[0].report().packets_received == 6


async def test_closing_says_goodbye_and_drains(
    engine: MediaEngine, phones: Callable[[], Phone], clock: Ahead
) -> None:
    phone = phones()
    port = await engine.open("leg", Ears())
    port.negotiate(phone.remote())
    assert port.rtp_port % 2 == 0
    assert port.rtcp_port == port.rtp_port + 1
    port.close()
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(5):
        assert b"\x81\xcb" in await loop.sock_recv(phone.rtcp, 2_048)
    assert len(engine) == 0
    again = [await engine.open(f"leg {n}", Ears()) for n in range(3)]
    assert port.rtp_port not in {other.rtp_port for other in again}
    with pytest.raises(NoPortsLeft):
        await engine.open("one too many", Ears())
    assert not can_bind(port.rtp_port)
    clock.ahead_ms += DRAIN_MS
    again[0].negotiate(phone.remote())
    async with asyncio.timeout(5):
        # The ticker looks after drained ports every so many frames, and this leg hears each frame.
        for _ in range(WATCH_FRAMES + 2):
            await phone.hear()
    assert (await engine.open("late", Ears())).rtp_port == port.rtp_port


def can_bind(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


async def test_ports_that_others_hold_are_passed_over(engine: MediaEngine) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind((HOST, FIRST_PORT + 1))
        port = await engine.open("leg", Ears())
    assert port.rtp_port == FIRST_PORT + 2
    # The RTP port of the pair that was half free is not left bound.
    assert can_bind(FIRST_PORT)


async def test_no_port_left_when_others_hold_them_all(engine: MediaEngine) -> None:
    others = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(4)]
    try:
        for n, other in enumerate(others):
            other.bind((HOST, FIRST_PORT + 2 * n))
        with pytest.raises(NoPortsLeft):
            await engine.open("leg", Ears())
    finally:
        for other in others:
            other.close()


async def test_a_leg_has_one_port(engine: MediaEngine) -> None:
    await engine.open("leg", Ears())
    with pytest.raises(LegAlreadyOpen):
        await engine.open("leg", Ears())


async def give_up_opening(engine: MediaEngine) -> None:
    opening = asyncio.ensure_future(engine.open("given up", Ears()))
    await asyncio.sleep(0)
    opening.cancel()
    with pytest.raises(asyncio.CancelledError):
        await opening


async def test_an_opening_given_up_leaves_nothing_behind(engine: MediaEngine) -> None:
    await give_up_opening(engine)
    port = await engine.open("leg", Ears())
    assert port.rtp_port == FIRST_PORT + 2
    assert len(engine) == 1
    await engine.close()
    assert can_bind(FIRST_PORT)


def test_the_loop_of_production_does_the_same(phones: Callable[[], Phone]) -> None:
    async def call() -> list[Heard]:
        loop, clock = asyncio.get_running_loop(), Ahead()
        engine = new_engine(clock)
        await give_up_opening(engine)
        left, right = phones(), phones()
        ports = [await engine.open("left", Ears()), await engine.open("right", Ears())]
        for port, phone in zip(ports, (left, right), strict=True):
            port.negotiate(phone.remote())
        ports[0].connect(ports[1])
        async with asyncio.timeout(5):
            left.say(bytes(160), ports[0].rtp_port)
            heard = [await right.hear()]
            ports[1].play("music", [engine.sounds["music"]], loop=True)
            heard += [await right.hear() for _ in range(3)]
            ports[1].close()
            assert b"\x81\xcb" in await loop.sock_recv(right.rtcp, 2_048)
        await engine.close()
        assert can_bind(FIRST_PORT)
        return heard

    heard = uvloop.run(call())
    assert [(b.sequence - a.sequence) & 0xFFFF for a, b in pairwise(heard)] == [1, 1, 1]


async def test_a_stalled_process_skips_ahead_instead_of_a_burst(
    engine: MediaEngine, phones: Callable[[], Phone], clock: Ahead
) -> None:
    phone = phones()
    port = await engine.open("leg", Ears())
    port.negotiate(phone.remote())
    async with asyncio.timeout(5):
        before = await phone.hear()
        clock.ahead_ms += 1_000
        heard = [before, *[await phone.hear() for _ in range(3)]]
    steps = [(b.timestamp - a.timestamp) & 0xFFFFFFFF for a, b in pairwise(heard)]
    assert max(steps) >= 8_000
    assert engine.frames_skipped >= 45
    assert [(b.sequence - a.sequence) & 0xFFFF for a, b in pairwise(heard)] == [1, 1, 1]


async def test_a_silent_far_end_is_noticed_by_the_ticker(
    engine: MediaEngine, phones: Callable[[], Phone], clock: Ahead
) -> None:
    ears = Ears()
    port = await engine.open("leg", ears)
    port.negotiate(phones().remote())
    clock.ahead_ms += 30_000
    async with asyncio.timeout(5):
        assert await ears.events.get() == ("media_timed_out",)


async def test_the_engine_rests_when_empty_and_ticks_again(
    engine: MediaEngine, phones: Callable[[], Phone], clock: Ahead
) -> None:
    phone = phones()
    (await engine.open("first", Ears())).close()
    clock.ahead_ms += DRAIN_MS
    async with asyncio.timeout(5):
        while engine.ticking:  # noqa: ASYNC110 - the ticker stops on its own time
            await asyncio.sleep(0)
        port = await engine.open("second", Ears())
        port.negotiate(phone.remote())
        await phone.hear()
    assert engine.ticking


async def test_sounds_are_the_built_in_ones_unless_given(engine: MediaEngine) -> None:
    assert set(engine.sounds) == {"music"}
    assert set(plain_engine(HOST).sounds) == {"music", "ringback", "beep"}


async def test_ports_are_bound_on_ipv6_too() -> None:
    engine = plain_engine("::1")
    try:
        port = await engine.open("six", Ears())
    except NoPortsLeft:
        pytest.skip("this machine has no IPv6")
    assert port.rtp_port == FIRST_PORT
    await engine.close()


def plain_engine(host: str) -> MediaEngine:
    return MediaEngine(
        loop=asyncio.get_running_loop(),
        host=host,
        ports=PortPool(first=FIRST_PORT, last=FIRST_PORT + 7),
        clock_ms=Ahead(),
        random_bits=random.Random(1).getrandbits,
    )


async def test_a_lent_port_drains_though_no_leg_is_there(engine: MediaEngine, clock: Ahead) -> None:
    lent = [engine.lend() for _ in range(4)]
    for port in lent:
        engine.give_back(port)
    clock.ahead_ms += DRAIN_MS
    async with asyncio.timeout(5):
        while engine.ticking:  # noqa: ASYNC110 - the ticker stops on its own time
            await asyncio.sleep(0)
    assert [engine.lend() for _ in range(4)] == lent


async def test_a_leg_that_cannot_be_sent_to_silences_no_other(
    engine: MediaEngine, phones: Callable[[], Phone]
) -> None:
    faults: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))

    def refuse(packet: bytes, target: tuple[str, int]) -> None:
        raise ValueError("not there")

    faulty, healthy = phones(), phones()
    port = await engine.open("faulty", Ears())
    port.attach(refuse, refuse)
    port.negotiate(faulty.remote())
    (await engine.open("healthy", Ears())).negotiate(healthy.remote())
    async with asyncio.timeout(5):
        for _ in range(3):
            await healthy.hear()
    assert "leg faulty" in str(faults[0]["message"])
    port.attach(lambda *_: None, lambda *_: None)
