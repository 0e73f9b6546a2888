"""What a packet between a browser and a phone costs, and against what; and how soon they talk.

Relay: calls bridged between a browser (ICE, DTLS, SRTP) and a phone (RTP), 50 packets a second
each way, sent from another process; the cost is the CPU time of this process for each packet that
it sent on. The reference does the same with aiortc alone: tracks, decoded and encoded again.

Acceptance: whole calls through a gateway with a scripted flow; from the flow's command to bridge
until the first voice has reached both ends. Browsers are connected before, while it rings.

    python -m tests.bench.bench_webrtc [--json]
"""

from __future__ import annotations

import asyncio
import json
import random
import struct
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from time import monotonic, process_time
from typing import Any, cast

import numpy as np
import uvloop
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame

from media_gateway.adapters.browser_media import BrowserMedia, LentPorts
from media_gateway.rtp import g711
from media_gateway.rtp.engine import MediaEngine
from media_gateway.rtp.model import RemoteMedia
from media_gateway.rtp.port import MediaPort
from media_gateway.rtp.port_pool import PortPool
from media_gateway.webrtc.connector import Connector
from media_gateway.webrtc.ice import IceSettings
from media_gateway.webrtc.model import BrowserAddress
from media_gateway.webrtc.sdp import parse_offer
from protos.gateway.v1 import gateway_pb2
from services.chassis.ids import LegId
from services.chassis.rpc import metadata
from services.chassis.tasks import Tasks
from tests.agent import Peer
from tests.agent.peer import offer_only
from tests.bench.far_ends import HOST, Address, FarEnds
from tests.e2e.gateway_stage import TENANT, Stage, Talk, answer, bridge, ring, until_the_end
from tests.softphone import audio
from tests.softphone.call import Call
from tests.softphone.phone import SoftPhone

CALLS = 100
STOCK_CALLS = 8
"""So few because the reference needs a whole core for not many more."""
ROUNDS = 3
"""Ours and the reference take turns, so that a busy machine slows both."""
WARM_UP_S = 0.5
MEASURE_S = 2.0
ACCEPTANCES = 20
PACKET_RATE = 100
"""Packets a second of one call, both ways together."""
BUSY = 0.7
"""The share of a core that calls may take."""
WHOLE = 0.95
"""The share of the load that a round must have seen."""
VOICE_DBM0 = -30.0


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured; CPU times in microseconds, others in milliseconds."""

    relay_us_per_packet: float
    stock_us_per_packet: float
    rtp_us_per_packet: float
    """The same relay between two phones: what encryption and its path cost is the difference."""
    stock_to_relay: float
    relay_to_rtp: float
    relayed_share: float
    """Of the packets sent; less than 1 says that the machine was too busy to measure on."""
    stock_relayed_share: float
    calls_per_core_at_70_percent: int
    stock_calls_per_core_at_70_percent: int
    offer_to_connected_ms_p50: float
    offer_to_connected_ms_p95: float
    accept_to_two_way_audio_ms_p50: float
    accept_to_two_way_audio_ms_p95: float


class Deaf:
    """Listens to ports and browsers with nothing to do."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_args, **_kwargs: None


def now_ms() -> float:
    return monotonic() * 1_000


class Gateway:
    """The media of so many bridged calls, as a gateway has them."""

    def __init__(self, first_port: int) -> None:
        self.deaf = Deaf()
        self.engine = MediaEngine(
            loop=asyncio.get_running_loop(),
            host=HOST,
            ports=PortPool(first=first_port, last=first_port + 4 * CALLS + 100),
            clock_ms=now_ms,
            random_bits=random.Random(1).getrandbits,
        )
        self.connector = Connector(
            IceSettings(
                addresses=[BrowserAddress(HOST, HOST)],
                ports=LentPorts(self.engine),
                silence_ms=5_000,
                clock_ms=now_ms,
            )
        )
        self.tasks = Tasks()
        self.browsers: list[BrowserMedia] = []
        self.targets: list[Address] = []

    async def open(self, offers: list[str], phones: list[Address]) -> list[str]:
        answers = []
        for number, (offer, phone) in enumerate(zip(offers, phones, strict=True)):
            leg = await self.open_phone(number, phone)
            media = BrowserMedia(
                LegId("2"),
                self.engine.open_without_sockets(f"browser {number}", self.deaf),
                connector=self.connector,
                clock_ms=now_ms,
                random_bits=random.Random(number).getrandbits,
                shelf=cast("Any", None),
                events=self.deaf,
                tasks=self.tasks,
            )
            answers.append(await media.connect(parse_offer(offer), "PCMU"))
            leg.connect(media.port)
            self.browsers.append(media)
        return answers

    async def open_phone(self, number: int, phone: Address) -> MediaPort:
        leg = await self.engine.open(f"phone {number}", self.deaf)
        leg.negotiate(RemoteMedia(*phone, phone[1], payload_type=0, codec="PCMU"))
        self.targets.append((HOST, leg.rtp_port))
        return leg

    def relayed(self) -> int:
        return sum(port.report().packets_sent for port in self.engine._ports.values())

    async def close(self) -> None:
        await self.tasks.close()
        await self.connector.close()
        await self.engine.close()


class PhoneTrack(MediaStreamTrack):
    """A phone's RTP as a track."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.waiting: asyncio.Queue[bytes] = asyncio.Queue(maxsize=50)
        self._samples = 0

    async def recv(self) -> AudioFrame:
        pcm = g711.decode(await self.waiting.get(), "PCMU")
        frame = AudioFrame.from_ndarray(pcm[np.newaxis, :], "s16", "mono")
        frame.sample_rate, frame.pts = 8_000, self._samples
        frame.time_base = cast("Any", Fraction(1, 8_000))
        self._samples += len(pcm)
        return frame


class StockCall(asyncio.DatagramProtocol):
    """One call as aiortc alone would carry it: a peer connection, its tracks, and a socket."""

    def __init__(self, phone: Address) -> None:
        self.pc = RTCPeerConnection(RTCConfiguration(iceServers=[]))
        self.track = PhoneTrack()
        self.relayed = 0
        self._phone = phone
        self._socket: asyncio.DatagramTransport | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self.pc.on(
            "track", lambda track: self._tasks.append(asyncio.ensure_future(self._to(track)))
        )

    async def open(self, offer: str) -> tuple[str, Address]:
        loop = asyncio.get_running_loop()
        self._socket, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=(HOST, 0))
        self.pc.addTrack(self.track)
        sender = self.pc.getTransceivers()[0].sender
        offer_only(sender.transport.transport.iceGatherer._connection)
        await self.pc.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        await self.pc.setLocalDescription(await self.pc.createAnswer())
        self._count(sender.transport)
        return self.pc.localDescription.sdp, self._socket.get_extra_info("sockname")

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if not self.track.waiting.full():
            self.track.waiting.put_nowait(data[12:])

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await self.pc.close()
        if self._socket is not None:
            self._socket.close()

    async def _to(self, track: MediaStreamTrack) -> None:
        number = 0
        while True:
            try:
                frame: Any = await track.recv()
            except MediaStreamError:
                return
            payload = g711.encode(frame.to_ndarray().reshape(-1), "PCMU")
            header = struct.pack("!BBHII", 0x80, 0, number & 0xFFFF, 160 * number, 7)
            assert self._socket is not None
            self._socket.sendto(header + payload, self._phone)
            number += 1
            self.relayed += 1

    def _count(self, dtls: Any) -> None:
        send = dtls._send_rtp

        async def counted(data: bytes) -> None:
            self.relayed += not 192 <= data[1] < 224
            await send(data)

        dtls._send_rtp = counted


async def measure(
    far: FarEnds, targets: list[Address], count: Callable[[], int], *, rate: float = PACKET_RATE
) -> tuple[float, float]:
    """CPU microseconds for each packet sent on, and their share of those that came.

    `rate` is what comes in a second for each target.
    """
    sending = asyncio.ensure_future(far.send(targets, WARM_UP_S + MEASURE_S + 0.5))
    await asyncio.sleep(WARM_UP_S)
    before, spent_s, started_s = count(), process_time(), monotonic()
    await asyncio.sleep(MEASURE_S)
    spent_s, packets = process_time() - spent_s, count() - before
    share = packets / (rate * len(targets) * (monotonic() - started_s))
    await sending
    return 1e6 * spent_s / packets, share


async def measure_rtp(far: FarEnds, first_port: int) -> tuple[float, float]:
    gateway = Gateway(first_port)
    _, phones = await far.open(browsers=0, phones=2 * CALLS)
    try:
        legs = [await gateway.open_phone(number, phone) for number, phone in enumerate(phones)]
        for left, right in zip(legs[::2], legs[1::2], strict=True):
            left.connect(right)
        return await measure(far, gateway.targets, gateway.relayed, rate=PACKET_RATE / 2)
    finally:
        await far.close_calls()
        await gateway.close()


async def measure_relay(far: FarEnds, first_port: int) -> tuple[float, float]:
    gateway = Gateway(first_port)
    offers, phones = await far.open(browsers=CALLS, phones=CALLS)
    try:
        await far.answer(await gateway.open(offers, phones))
        cost_us, share = await measure(far, gateway.targets, gateway.relayed)
    finally:
        await far.close_calls()
        await gateway.close()
    return cost_us, share


async def measure_stock(far: FarEnds) -> tuple[float, float]:
    offers, phones = await far.open(browsers=STOCK_CALLS, phones=STOCK_CALLS)
    calls = [StockCall(phone) for phone in phones]
    try:
        opened = [await call.open(offer) for call, offer in zip(calls, offers, strict=True)]
        await far.answer([sdp for sdp, _ in opened])
        targets = [address for _, address in opened]
        return await measure(far, targets, lambda: sum(call.relayed for call in calls))
    finally:
        await far.close_calls()
        for call in calls:
            await call.close()


async def measure_acceptance() -> tuple[list[float], list[float]]:
    """Milliseconds from offer to connection; and from the command to bridge until both ends have
    had the first voice."""
    connected_ms, accepted_ms = [], []
    for _ in range(ACCEPTANCES):
        accepted = asyncio.Event()
        asked_s = [0.0]

        async def script(
            talk: Talk, accepted: asyncio.Event = accepted, asked_s: list[float] = asked_s
        ) -> None:
            await talk.step(answer(), ring("webrtc:"))
            await accepted.wait()
            asked_s[0] = monotonic()
            await talk.step(bridge())
            await until_the_end(talk)

        async with (
            SoftPhone() as caller,
            Stage(script, webrtc_addresses=(HOST,)) as stage,
            Peer() as peer,
        ):
            call = await caller.call(stage.uri)
            await call.answered()
            call.play_tone(440)
            peer.play_tone(660)
            response = await stage.stub.ConnectAgent(
                gateway_pb2.ConnectAgentRequest(
                    reservation_id="r.1", agent_id="agent-1", sdp_offer=await peer.offer()
                ),
                metadata=metadata(tenant_id=TENANT),
            )
            await peer.accept_answer(response.sdp_answer)
            await peer.connected()
            heard = [first_voice_at_caller(call), first_voice_at_browser(peer)]
            await asyncio.sleep(0.2 + random.random() * 0.02)
            accepted.set()
            accepted_ms.append(1_000 * (max(await asyncio.gather(*heard)) - asked_s[0]))
            connected_ms.append((await stage.fact("leg_connection_changed")).took_ms)
            await call.hangup()
    return connected_ms, accepted_ms


def first_voice_at_caller(call: Call) -> asyncio.Future[float]:
    """When the first packet with a voice in it came to the phone."""
    heard: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    reception = call.media.reception
    take = reception.audio

    def listening(packet: Any, pcm: Any, at_s: float) -> None:
        if not heard.done() and audio.level_dbm0(pcm) > VOICE_DBM0:
            heard.set_result(monotonic())
        take(packet, pcm, at_s)

    reception.audio = listening  # type: ignore[method-assign] # before any delay of an ear's
    return heard


def first_voice_at_browser(peer: Peer) -> asyncio.Future[float]:
    """When the first packet with a voice in it came to the browser, before its jitter buffer."""
    heard: asyncio.Future[float] = asyncio.get_running_loop().create_future()
    dtls: Any = peer._dtls
    take = dtls._handle_rtp_data

    async def listening(data: bytes, arrival_time_ms: int) -> None:
        if not heard.done() and audio.level_dbm0(audio.decode("PCMU", data[12:])) > VOICE_DBM0:
            heard.set_result(monotonic())
        await take(data, arrival_time_ms=arrival_time_ms)

    dtls._handle_rtp_data = listening
    return heard


def least(rounds: list[tuple[float, float]]) -> tuple[float, float]:
    """The least disturbed round is the nearest to what the code costs; half a load is no round."""
    return min(rounds, key=lambda one: (one[1] < WHOLE, one[0]))


def percentile(values: list[float], share: float) -> float:
    return round(float(np.percentile(values, 100 * share)), 1)


def main() -> None:
    relays, stocks, rtps = [], [], []
    with FarEnds() as far:
        for number in range(ROUNDS):
            relays.append(uvloop.run(measure_relay(far, 14_000 + 1_000 * number)))
            rtps.append(uvloop.run(measure_rtp(far, 17_000 + 1_000 * number)))
            stocks.append(uvloop.run(measure_stock(far)))
    (relay_us, relayed), (stock_us, stock_relayed) = least(relays), least(stocks)
    rtp_us, _ = least(rtps)
    connected_ms, accepted_ms = uvloop.run(measure_acceptance())
    result = Result(
        relay_us_per_packet=round(relay_us, 2),
        stock_us_per_packet=round(stock_us, 2),
        rtp_us_per_packet=round(rtp_us, 2),
        stock_to_relay=round(stock_us / relay_us, 1),
        relay_to_rtp=round(relay_us / rtp_us, 2),
        relayed_share=round(relayed, 3),
        stock_relayed_share=round(stock_relayed, 3),
        calls_per_core_at_70_percent=int(BUSY * 1e6 / relay_us / PACKET_RATE),
        stock_calls_per_core_at_70_percent=int(BUSY * 1e6 / stock_us / PACKET_RATE),
        offer_to_connected_ms_p50=percentile(connected_ms, 0.5),
        offer_to_connected_ms_p95=percentile(connected_ms, 0.95),
        accept_to_two_way_audio_ms_p50=percentile(accepted_ms, 0.5),
        accept_to_two_way_audio_ms_p95=percentile(accepted_ms, 0.95),
    )
    if "--json" in sys.argv[1:]:
        print(json.dumps(asdict(result)))
        return
    for name, value in asdict(result).items():
        print(f"{name.replace('_', ' '):40}{value:>10,}")


if __name__ == "__main__":
    main()
