"""A leg under test without sockets: a clock turned by hand, a far end that keeps what it hears."""

from __future__ import annotations

import random
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from media_gateway.rtp import g711
from media_gateway.rtp.model import Codec, RemoteMedia
from media_gateway.rtp.port import MediaPort

Pcm = npt.NDArray[np.int16]


class Clock:
    """Milliseconds that pass only when told."""

    def __init__(self, now_ms: float = 1_700_000_000_000.0) -> None:
        self.now_ms = now_ms

    def __call__(self) -> float:
        return self.now_ms


@dataclass(frozen=True, slots=True)
class Heard:
    """One RTP packet as a far end reads it, with the moment it came."""

    at_ms: float
    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def read_rtp(data: bytes, at_ms: float = 0.0) -> Heard:
    first, second, sequence, timestamp, ssrc = struct.unpack("!BBHII", data[:12])
    assert first == 0x80
    return Heard(at_ms, second > 127, second & 127, sequence, timestamp, ssrc, data[12:])


def rtp(
    payload: bytes,
    sequence: int,
    timestamp: int,
    *,
    payload_type: int = 0,
    ssrc: int = 0xCAFE,
    marker: bool = False,
) -> bytes:
    kind = payload_type | (0x80 if marker else 0)
    head = struct.pack("!BBHII", 0x80, kind, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, ssrc)
    return head + payload


class Leg:
    """A media port, its listener, and the phone at the other end of it."""

    def __init__(
        self,
        clock: Clock,
        name: str = "leg",
        *,
        number: int = 0,
        codec: Codec = "PCMU",
        event_type: int | None = 101,
        strict: bool = False,
        sequence: int = 65_000,
        timestamp: int = 0xFFFF_0000,
        host: str = "192.0.2.100",
    ) -> None:
        self.clock, self.codec, self.event_type = clock, codec, event_type
        self.address = ("192.0.2.1", 30_000 + 2 * number)
        self.events: list[tuple[str, ...]] = []
        self.heard: list[Heard] = []
        self.reports: list[tuple[bytes, tuple[str, int]]] = []
        self.targets: list[tuple[str, int]] = []
        self.closed = False
        # Numbers that wrap soon: everything here must hold across the wrap.
        self.sequence, self.timestamp, self.ssrc = sequence, timestamp, 0xCAFE + number
        self.port = MediaPort(
            leg_id=name,
            host=host,
            rtp_port=20_000 + 2 * number,
            listener=self,
            clock_ms=clock,
            random_bits=random.Random(number).getrandbits,
            notify=lambda call, *arguments: call(*arguments),
            on_closed=lambda _port: setattr(self, "closed", True),
            strict=strict,
        )
        self.port.egress.send = self._hear
        self.port.control.send = lambda data, target: self.reports.append((data, target))

    def _hear(self, data: bytes, target: tuple[str, int]) -> None:
        self.heard.append(read_rtp(data, self.clock.now_ms))
        self.targets.append(target)

    def digit(self, leg_id: str, digit: str, how: str) -> None:
        self.events.append(("digit", digit, how))

    def play_ended(self, leg_id: str, operation: str, reason: str) -> None:
        self.events.append(("play_ended", operation, reason))

    def media_started(self, leg_id: str) -> None:
        self.events.append(("media_started",))

    def media_timed_out(self, leg_id: str) -> None:
        self.events.append(("media_timed_out",))

    def remote(self, **changes: object) -> RemoteMedia:
        facts: dict[str, object] = {
            "host": self.address[0],
            "port": self.address[1],
            "rtcp_port": self.address[1] + 1,
            "payload_type": 0 if self.codec == "PCMU" else 8,
            "codec": self.codec,
            "event_payload_type": self.event_type,
        }
        return RemoteMedia(**(facts | changes))  # type: ignore[arg-type]  # facts by name

    def negotiate(self, **changes: object) -> None:
        self.port.negotiate(self.remote(**changes))

    def receive(self, data: bytes, source: tuple[str, int] | None = None) -> None:
        self.port.ingress.datagram_received(data, source or self.address)

    def say(self, payload: bytes, *, source: tuple[str, int] | None = None) -> None:
        """One packet of the far end's voice, next in order."""
        kind = 0 if self.codec == "PCMU" else 8
        self.receive(
            rtp(payload, self.sequence, self.timestamp, payload_type=kind, ssrc=self.ssrc), source
        )
        self.sequence += 1
        self.timestamp += len(payload)

    def press(self, payload: bytes, timestamp: int, *, marker: bool = False) -> None:
        """One telephone-event packet of the far end, next in order."""
        kind = self.event_type if self.event_type is not None else 101
        self.receive(
            rtp(payload, self.sequence, timestamp, payload_type=kind, marker=marker, ssrc=self.ssrc)
        )
        self.sequence += 1

    def heard_pcm(self) -> Pcm:
        """What the far end hears, laid out by timestamp from its first packet on; gaps are 0."""
        start = self.heard[0].timestamp
        places = [((packet.timestamp - start) & 0xFFFFFFFF, packet) for packet in self.heard]
        line = np.zeros(max(at + len(packet.payload) for at, packet in places), dtype=np.int16)
        for at, packet in places:
            line[at : at + len(packet.payload)] = g711.decode(packet.payload, self.codec)
        return line


class Floor:
    """Several legs on one clock, moved on frame by frame as the engine would."""

    def __init__(self, *legs: Leg) -> None:
        self.legs = legs
        self.clock = legs[0].clock

    def pass_frame(self, **voices: bytes) -> None:
        """20 ms: each named leg says its payload, and what is paced is sent."""
        self.clock.now_ms += 20
        for leg in self.legs:
            payload = voices.get(leg.port.leg_id)
            if payload is not None:
                leg.say(payload)
        for leg in self.legs:
            if leg.port.paced:
                leg.port.tick(self.clock.now_ms, after_gap=False)


def tone(frequency_hz: float, samples: int, *, peak: float = 8_000.0, start: int = 0) -> Pcm:
    time_s = np.arange(start, start + samples) / 8_000
    return np.round(peak * np.sin(2 * np.pi * frequency_hz * time_s)).astype(np.int16)


def level_db(pcm: Pcm, frequency_hz: float) -> float:
    """The level of one tone in dB against a full-scale sine (Goertzel's sum, as a product)."""
    turn = np.exp(-2j * np.pi * frequency_hz * np.arange(pcm.size) / 8_000)
    amplitude = 2 * abs(np.dot(pcm.astype(np.float64), turn)) / pcm.size
    return float(20 * np.log10(max(amplitude, 1e-9) / 32_768))
