"""The audio of a crowd: cheap to send, read only where somebody listens."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from time import monotonic
from typing import Final

from tests.softphone.sdp import EVENT, Address, Description

HOST: Final = "127.0.0.1"
FRAME_S: Final = 0.020
SAMPLES: Final = 160
LANES: Final = 10
"""Each 20 ms are sent in so many parts, as unrelated people would."""
SILENCE: Final = b"\xff" * SAMPLES
SPEECH: Final = bytes((0x80 | (3 * i) % 0x60) for i in range(SAMPLES))
"""PCMU that is not silence, so that what is recorded is not either."""
EVENT_UPDATES: Final = 5
END_PACKETS: Final = 3
SMALL_BUFFER: Final = 2_304
"""Octets: what nobody reads is thrown away by the kernel at the least cost."""
STAMPS: Final = 35
"""SO_TIMESTAMPNS, which the socket module does not name: when a packet came, as the kernel says."""
LATE_S: Final = 0.060
"""Between two packets: three frames, what a usual jitter buffer bears."""
MAX_BEHIND_S: Final = 0.5


@dataclass(slots=True)
class Heard:
    """What came to those who listened."""

    packets: int = 0
    lost: int = 0
    """By their sequence numbers, gaps where the sender changed excepted."""
    late: int = 0
    """That came more than LATE_S after the one before."""
    jitter_ms: float = 0.0
    """The largest of a leg's interarrival jitter (RFC 3550 section 6.4.1)."""

    def add(self, other: Heard) -> None:
        """Counts another's in."""
        self.packets += other.packets
        self.lost += other.lost
        self.late += other.late
        self.jitter_ms = max(self.jitter_ms, other.jitter_ms)


class Voice:
    """One leg's socket: it sends when its lane is due, and reads only what it is asked to."""

    def __init__(self, ssrc: int, *, listens: bool, first: Callable[[], None]) -> None:
        """`first` is called at the first packet; who `listens` reads all others, too."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(0)
        self._socket.bind((HOST, 0))
        if listens:
            self._socket.setsockopt(socket.SOL_SOCKET, STAMPS, 1)
        else:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        self._packet = bytearray(struct.pack("!BBHII", 0x80, 0, 0, 0, ssrc) + SPEECH)
        self._listens, self._first = listens, first
        self._to: Address | None = None
        self._event_type = 101
        self._turn = 0
        self._pressing: list[bytes] = []
        self._jitter = self._transit = 0.0
        self._last: tuple[float, int, int] | None = None
        self.heard = Heard()
        """What came, where it listens."""
        asyncio.get_running_loop().add_reader(self._socket, self._read)

    @property
    def address(self) -> Address:
        """Where it wants to be sent audio."""
        host, port = self._socket.getsockname()
        return host, port

    def speak_to(self, theirs: Description) -> None:
        """What it sends goes there."""
        audio = theirs.audio()
        assert audio is not None
        self._to = audio.host, audio.port
        types = {name: number for number, name in audio.codecs().items()}
        self._event_type = types.get(EVENT, self._event_type)

    def press(self, code: int) -> None:
        """A key, by RFC 4733."""
        durations = [SAMPLES * number for number in range(1, EVENT_UPDATES + 1)]
        ends = [durations[-1]] * END_PACKETS
        self._pressing = [
            *(struct.pack("!BBH", code, 10, duration) for duration in durations),
            *(struct.pack("!BBH", code, 0x80 | 10, duration) for duration in ends),
        ]

    def send(self) -> None:
        """The next 20 ms."""
        if self._to is None:
            return
        self._turn += 1
        packet: bytes | bytearray = self._packet
        if self._pressing:
            at = SAMPLES * (self._turn - (EVENT_UPDATES + END_PACKETS - len(self._pressing)))
            head = struct.pack("!BBHI", 0x80, self._event_type, self._turn & 0xFFFF, at)
            packet = head + self._packet[8:12] + self._pressing.pop(0)
        else:
            stamp = (SAMPLES * self._turn) & 0xFFFFFFFF
            struct.pack_into("!HI", self._packet, 2, self._turn & 0xFFFF, stamp)
        with suppress(BlockingIOError, ConnectionError):
            self._socket.sendto(packet, self._to)

    def close(self) -> None:
        """Ends it."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _read(self) -> None:
        with suppress(BlockingIOError, ConnectionError):
            data, control, _, _ = self._socket.recvmsg(2_048, 256)
            self._first()
            self._first = _nothing
            if not self._listens:
                asyncio.get_running_loop().remove_reader(self._socket)
            elif len(data) > 12 and not 200 <= data[1] <= 207:
                self._count(data, _arrival_s(control))

    def _count(self, data: bytes, at_s: float) -> None:
        sequence, stamp, ssrc = struct.unpack_from("!HII", data, 2)
        heard = self.heard
        heard.packets += 1
        last, self._last = self._last, (at_s, sequence, ssrc)
        transit = at_s - stamp / 8_000
        if last is None or last[2] != ssrc or (sequence - last[1]) & 0xFFFF > 1_000:
            self._transit = transit
            return
        heard.lost += ((sequence - last[1]) & 0xFFFF) - 1 if sequence != last[1] else 0
        heard.late += at_s - last[0] > LATE_S
        step, self._transit = abs(transit - self._transit), transit
        if step < 1:  # more is a new beginning of their time stamps
            self._jitter += (step - self._jitter) / 16
        heard.jitter_ms = max(heard.jitter_ms, 1_000 * self._jitter)


class Lanes:
    """Sends for all voices, evenly over each 20 ms."""

    def __init__(self) -> None:
        self._lanes: list[set[Voice]] = [set() for _ in range(LANES)]
        self._next = 0
        self.behind_ms = 0.0
        """How late it was at most; much says that the machine was too busy to measure on."""

    def add(self, voice: Voice) -> None:
        """From now on it is sent for."""
        self._next += 1
        self._lanes[self._next % LANES].add(voice)

    def remove(self, voice: Voice) -> None:
        """No longer."""
        for lane in self._lanes:
            lane.discard(voice)

    async def run(self) -> None:
        """Until it is cancelled."""
        began_s, done = monotonic(), 0
        while True:
            now_s = monotonic()
            due = int((now_s - began_s) / FRAME_S * LANES)
            self.behind_ms = max(self.behind_ms, (due - done) * 1_000 * FRAME_S / LANES)
            if (due - done) * FRAME_S / LANES > MAX_BEHIND_S:
                done = due - 1  # what was missed is silence, not a burst
            while done < due:
                for voice in self._lanes[done % LANES]:
                    voice.send()
                done += 1
            await asyncio.sleep(FRAME_S / LANES / 2)


def _arrival_s(control: list[tuple[int, int, bytes]]) -> float:
    for level, kind, data in control:
        if (level, kind) == (socket.SOL_SOCKET, STAMPS):
            seconds, nanoseconds = struct.unpack("@ll", data)
            return float(seconds + nanoseconds / 1e9)
    return monotonic()


def _nothing() -> None:
    """After the first packet."""
