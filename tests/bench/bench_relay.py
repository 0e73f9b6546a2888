"""What a relayed and a played RTP packet cost, and against what.

Relay: `CALLS` bridged calls, 50 packets a second each way, sent from another process; the cost is
the CPU time of this process for each packet it sent on. The reference is the least that could do
it on the same loop: as many pairs of sockets that send on each other's datagrams unread. Players:
legs that hear music; the reference is a bare loop of `sendto` of the same packets.

    python -m tests.bench.bench_relay [--json]
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import random
import socket
import struct
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from time import monotonic, process_time, sleep

import uvloop

from media_gateway.rtp.engine import MediaEngine
from media_gateway.rtp.model import RemoteMedia
from media_gateway.rtp.port_pool import PortPool

HOST = "127.0.0.1"
CALLS = 200
"""Enough to keep the caches warm, as a gateway at work does: a packet alone costs twice as much."""
PLAYERS = 400
ROUNDS = 3
"""Relay and reference take turns, so that a busy machine slows both."""
WARM_UP_S = 0.3
MEASURE_S = 1.5
PLAY_S = 2.0
PACKET_RATE = 100
"""Packets a second of one call, both ways together."""
BUSY = 0.7
"""The share of a core that calls may take."""
GIVE_UP_S = 30.0
"""After which the sender stops by itself, should this process be gone."""

Address = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured; times in microseconds of CPU."""

    relay_us_per_packet: float
    forwarder_us_per_packet: float
    relay_to_forwarder: float
    relayed_share: float
    """Of the packets sent; less than 1 says that the machine was too busy to measure on."""
    calls_per_core_at_70_percent: int
    player_us_per_packet: float
    sendto_us_per_packet: float
    player_to_sendto: float
    players_per_core_at_70_percent: int


def send_calls(pipe: Connection) -> None:
    """Be all far ends: tell their addresses, then in each round send a packet every 20 ms."""
    ends = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2 * CALLS)]
    for end in ends:
        end.bind((HOST, 0))
    pipe.send([end.getsockname() for end in ends])
    while targets := pipe.recv():
        start, sent = monotonic(), 0
        while not pipe.poll() and monotonic() - start < GIVE_UP_S:
            due = int((monotonic() - start) * CALLS * PACKET_RATE)
            for number in range(sent, due):
                which, turn = number % len(ends), number // len(ends)
                header = struct.pack("!BBHII", 0x80, 0, turn & 0xFFFF, 160 * turn, which)
                ends[which].sendto(header + bytes(160), targets[which])
            sent = max(sent, due)
            sleep(0.0005)
        pipe.recv()
        pipe.send(sent)


class Sender:
    """The far ends, in a process of their own."""

    def __init__(self) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        context = multiprocessing.get_context("spawn")
        self._process = context.Process(target=send_calls, args=(theirs,), daemon=True)
        self._process.start()
        self.far_ends: list[Address] = self._pipe.recv()

    async def measure(
        self, targets: list[Address], count: Callable[[], int]
    ) -> tuple[float, float]:
        """CPU microseconds for each packet, and the share of the sent ones that went through."""
        before_all = count()
        self._pipe.send(targets)
        await asyncio.sleep(WARM_UP_S)
        before, spent_s = count(), process_time()
        await asyncio.sleep(MEASURE_S)
        spent_s, packets = process_time() - spent_s, count() - before
        self._pipe.send("enough")
        sent = await asyncio.get_running_loop().run_in_executor(None, self._pipe.recv)
        await asyncio.sleep(0.05)
        return 1e6 * spent_s / packets, (count() - before_all) / sent

    def stop(self) -> None:
        self._pipe.send([])
        self._process.join(GIVE_UP_S)


def new_engine(first_port: int) -> MediaEngine:
    return MediaEngine(
        loop=asyncio.get_running_loop(),
        host=HOST,
        ports=PortPool(first=first_port, last=first_port + 2 * max(2 * CALLS, PLAYERS) + 100),
        clock_ms=lambda: monotonic() * 1_000,
        random_bits=random.Random(1).getrandbits,
    )


class Deaf:
    """A listener with nothing to do."""

    def digit(self, *_: str) -> None: ...

    def play_ended(self, *_: str) -> None: ...

    def media_started(self, *_: str) -> None: ...

    def media_timed_out(self, *_: str) -> None: ...


def remote_at(address: Address) -> RemoteMedia:
    return RemoteMedia(
        host=address[0],
        port=address[1],
        rtcp_port=address[1],
        payload_type=0,
        codec="PCMU",
        event_payload_type=101,
    )


async def measure_relay(sender: Sender) -> tuple[float, float]:
    engine = new_engine(12_000)
    ports = [await engine.open(f"leg {n}", Deaf()) for n in range(2 * CALLS)]
    for port, far_end in zip(ports, sender.far_ends, strict=True):
        port.negotiate(remote_at(far_end))
    for left, right in zip(ports[::2], ports[1::2], strict=True):
        left.connect(right)
    targets = [(HOST, port.rtp_port) for port in ports]
    try:
        return await sender.measure(
            targets, lambda: sum(port.report().packets_sent for port in ports)
        )
    finally:
        await engine.close()


class Forwarder(asyncio.DatagramProtocol):
    """Sends on what it gets, unread, by another's socket."""

    def __init__(self) -> None:
        self.packets = 0
        self.out: asyncio.DatagramTransport | None = None
        self.target: Address = (HOST, 9)

    def datagram_received(self, data: bytes, addr: Address) -> None:
        if self.out is not None:
            self.packets += 1
            self.out.sendto(data, self.target)


async def measure_forwarder(sender: Sender) -> tuple[float, float]:
    loop = asyncio.get_running_loop()
    ends = [
        await loop.create_datagram_endpoint(Forwarder, local_addr=(HOST, 0))
        for _ in range(2 * CALLS)
    ]
    for number, (_, forwarder) in enumerate(ends):
        forwarder.out, forwarder.target = ends[number ^ 1][0], sender.far_ends[number ^ 1]
    targets = [transport.get_extra_info("sockname") for transport, _ in ends]
    try:
        return await sender.measure(targets, lambda: sum(f.packets for _, f in ends))
    finally:
        for transport, _ in ends:
            transport.close()


async def measure_players() -> float:
    engine = new_engine(14_000)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind((HOST, 0))
        ports = [await engine.open(f"leg {n}", Deaf()) for n in range(PLAYERS)]
        for port in ports:
            port.negotiate(remote_at(listener.getsockname()))
            port.play("music", [engine.sounds["music"]], loop=True)
        await asyncio.sleep(WARM_UP_S)
        before, spent_s = sum(port.report().packets_sent for port in ports), process_time()
        await asyncio.sleep(PLAY_S)
        spent_s = process_time() - spent_s
        packets = sum(port.report().packets_sent for port in ports) - before
        await engine.close()
    return 1e6 * spent_s / packets


def measure_sendto(packets: int = 20_000) -> float:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
    ):
        listener.bind((HOST, 0))
        target, payload = listener.getsockname(), bytes(172)
        started = process_time()
        for _ in range(packets):
            sender.sendto(payload, target)
        return 1e6 * (process_time() - started) / packets


def measure() -> Result:
    sender, relays, forwarders = Sender(), [], []
    for _ in range(ROUNDS):
        relays.append(uvloop.run(measure_relay(sender)))
        forwarders.append(uvloop.run(measure_forwarder(sender)))
    sender.stop()
    # The least disturbed round of each is the nearest to what the code costs.
    relay_us, relayed_share = min(relays)
    forwarder_us, _ = min(forwarders)
    player_us, sendto_us = uvloop.run(measure_players()), measure_sendto()
    return Result(
        relay_us_per_packet=round(relay_us, 2),
        forwarder_us_per_packet=round(forwarder_us, 2),
        relay_to_forwarder=round(relay_us / forwarder_us, 2),
        relayed_share=round(relayed_share, 3),
        calls_per_core_at_70_percent=int(BUSY * 1e6 / relay_us / PACKET_RATE),
        player_us_per_packet=round(player_us, 2),
        sendto_us_per_packet=round(sendto_us, 2),
        player_to_sendto=round(player_us / sendto_us, 2),
        players_per_core_at_70_percent=int(BUSY * 1e6 / player_us / (PACKET_RATE / 2)),
    )


def main() -> None:
    result = measure()
    if "--json" in sys.argv[1:]:
        print(json.dumps(asdict(result)))
        return
    for name, value in asdict(result).items():
        print(f"{name.replace('_', ' '):36}{value:>10,}")


if __name__ == "__main__":
    main()
