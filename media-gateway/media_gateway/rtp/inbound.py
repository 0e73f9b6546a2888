"""The far end's RTP stream as it arrives: order, loss, jitter and breaks (RFC 3550 A.1, A.3, A.8).

Each packet gets one verdict, which is all that a relay needs to know of it. The source was
already admitted by its address, so A.1's probation is not repeated: the first packet counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from media_gateway.rtp.model import SAMPLES_PER_MS
from media_gateway.rtp.packet import MASK_16, MASK_32, signed_32

MAX_DROPOUT: Final = 3_000
"""A.1: a larger step forward is a source that began again, not loss."""
MAX_MISORDER: Final = 100
"""A.1: a packet further behind is a source that began again, not a late packet."""
MAX_REMEMBERED_GAPS: Final = 64
"""How many missing sequence numbers are remembered, to tell a late packet from a duplicate."""
BREAK_MS: Final = 1_000
"""A timestamp that leaves the wall clock by more is a break; network freezes are shorter."""
CUMULATIVE_MAX: Final = 0x7F_FFFF
"""The cumulative loss of a report block is a signed 24-bit number."""


class Arrival(IntEnum):
    """What one packet means to whoever follows the stream; zero is the ordinary case."""

    CONTINUES = 0
    """Next in order, or after a gap."""
    LATE = 1
    """An earlier gap filled; its timestamp lies behind."""
    REFUSED = 2
    """A duplicate, or the first of a numbering that nothing confirms yet."""
    BREAKS = 3
    """A new source, or its clock jumped: its timestamps must be mapped anew."""


_CONTINUES: Final = Arrival.CONTINUES
"""The hot path's answer, looked up once."""


@dataclass(frozen=True, slots=True)
class Reception:
    """The part of a report block that reception decides (RFC 3550, 6.4.1)."""

    ssrc: int
    """The source reported on."""
    fraction_lost: int
    """Of the packets since the last report, in 1/256."""
    cumulative_lost: int
    """Since the source began; -2^23 to 2^23-1."""
    highest_sequence: int
    """Extended highest sequence number received, 32 bits."""
    jitter: int
    """In timestamp units, 1/8 ms."""


class InboundStream:
    """Follows one leg's incoming RTP; times are the engine's milliseconds."""

    __slots__ = (
        "_arrived_ms",
        "_base",
        "_expected_before",
        "_expected_prior",
        "_gaps",
        "_highest",
        "_next_sequence",
        "_next_timestamp",
        "_received",
        "_received_before",
        "_received_prior",
        "_restart_sequence",
        "_timestamp",
        "duplicates",
        "gaps",
        "jitter",
        "late",
        "longest_gap",
        "source_changes",
        "ssrc",
    )

    def __init__(self) -> None:
        self.ssrc: int | None = None
        self.jitter = 0.0
        self.duplicates = self.late = self.source_changes = 0
        self.gaps = self.longest_gap = 0
        self._base = self._highest = self._received = 0
        self._next_sequence = self._next_timestamp = self._restart_sequence = -1
        self._timestamp, self._arrived_ms = 0, 0.0
        self._expected_before = self._received_before = 0
        self._expected_prior = self._received_prior = 0
        self._gaps: dict[int, None] = {}

    @property
    def received(self) -> int:
        """Packets received from all sources so far."""
        return self._received_before + self._received

    @property
    def expected(self) -> int:
        """Packets that all sources so far sent, by their numbering."""
        return self._expected_before + self._expected

    @property
    def jitter_ms(self) -> float:
        """Interarrival jitter of the present source."""
        return self.jitter / SAMPLES_PER_MS

    @property
    def _expected(self) -> int:
        return 0 if self.ssrc is None else self._highest - self._base + 1

    def receive(
        self, ssrc: int, sequence: int, timestamp: int, samples: int, now_ms: float
    ) -> Arrival:
        """Count an audio packet of `samples`; the relay's hot path, so the ordinary case is first.

        In the ordinary case the sender's clock moved by exactly the last packet's samples.
        """
        elapsed_ms = now_ms - self._arrived_ms
        if (
            timestamp == self._next_timestamp
            and sequence == self._next_sequence
            and ssrc == self.ssrc
            and elapsed_ms < BREAK_MS
        ):
            drift = elapsed_ms * SAMPLES_PER_MS - ((timestamp - self._timestamp) & MASK_32)
            self.jitter += ((drift if drift >= 0 else -drift) - self.jitter) / 16
            self._highest += 1
            self._received += 1
            self._next_sequence = (sequence + 1) & MASK_16
            self._next_timestamp = (timestamp + samples) & MASK_32
            self._timestamp = timestamp
            self._arrived_ms = now_ms
            return _CONTINUES
        return self._receive_unusual(ssrc, sequence, timestamp, now_ms, samples)

    def receive_untimed(self, ssrc: int, sequence: int, timestamp: int, now_ms: float) -> Arrival:
        """Count a packet that is not audio: keys carry their start's timestamp, so no jitter."""
        return self._receive_unusual(ssrc, sequence, timestamp, now_ms, None)

    def reception(self) -> Reception | None:
        """The present source's figures for a report block; each call ends a report interval."""
        if self.ssrc is None:
            return None
        expected, received = self._expected, self._received
        expected_interval = expected - self._expected_prior
        lost_interval = expected_interval - (received - self._received_prior)
        self._expected_prior, self._received_prior = expected, received
        fraction = 0
        if expected_interval > 0 and lost_interval > 0:
            fraction = min((lost_interval << 8) // expected_interval, 255)
        lost = max(-CUMULATIVE_MAX - 1, min(CUMULATIVE_MAX, expected - received))
        return Reception(
            ssrc=self.ssrc,
            fraction_lost=fraction,
            cumulative_lost=lost,
            highest_sequence=self._highest & MASK_32,
            jitter=int(self.jitter),
        )

    def _receive_unusual(
        self, ssrc: int, sequence: int, timestamp: int, now_ms: float, samples: int | None
    ) -> Arrival:
        ahead = (sequence - self._next_sequence) & MASK_16
        if ssrc != self.ssrc:
            self._begin(ssrc, sequence)
        elif ahead < MAX_DROPOUT - 1:
            return self._receive_ahead(ahead, timestamp, now_ms, samples)
        elif ahead >= 65_536 - MAX_MISORDER:
            return self._receive_behind(65_536 - ahead, timestamp, now_ms, samples)
        elif sequence != self._restart_sequence:
            self._restart_sequence = (sequence + 1) & MASK_16
            return Arrival.REFUSED
        else:
            self._begin(ssrc, sequence)
        self._move_to(timestamp, samples, now_ms)
        return Arrival.BREAKS

    def _begin(self, ssrc: int, sequence: int) -> None:
        """Start counting a new source; what the earlier ones sent stays in the leg's totals."""
        if self.ssrc is not None:
            self.source_changes += 1
        self._expected_before, self._received_before = self.expected, self.received
        self._expected_prior = self._received_prior = 0
        self.ssrc, self.jitter = ssrc, 0.0
        self._base = self._highest = sequence
        self._received = 1
        self._next_sequence = (sequence + 1) & MASK_16
        self._restart_sequence = -1
        self._gaps.clear()

    def _receive_ahead(
        self, skipped: int, timestamp: int, now_ms: float, samples: int | None
    ) -> Arrival:
        if skipped:
            self._remember_gap(skipped)
            self.gaps += 1
            self.longest_gap = max(self.longest_gap, skipped)
        self._highest += skipped + 1
        self._received += 1
        self._next_sequence = (self._highest + 1) & MASK_16
        self._restart_sequence = -1
        if samples is None and timestamp == self._timestamp:
            return Arrival.CONTINUES
        drift = self._drift(timestamp, now_ms)
        self._move_to(timestamp, samples, now_ms)
        if abs(drift) > BREAK_MS * SAMPLES_PER_MS:
            return Arrival.BREAKS
        if samples is not None:
            self._take_jitter(drift)
        return Arrival.CONTINUES

    def _receive_behind(
        self, behind: int, timestamp: int, now_ms: float, samples: int | None
    ) -> Arrival:
        self._received += 1
        extended = self._highest + 1 - behind
        if extended not in self._gaps:
            self.duplicates += 1
            return Arrival.REFUSED
        del self._gaps[extended]
        self.late += 1
        if samples is not None:
            # Jitter compares neighbours in order of arrival (6.4.1), the late one included.
            self._take_jitter(self._drift(timestamp, now_ms))
            self._timestamp, self._arrived_ms = timestamp, now_ms
        return Arrival.LATE

    def _drift(self, timestamp: int, now_ms: float) -> float:
        """How far the wall clock ran ahead of the sender's since the last packet, in samples."""
        wall = (now_ms - self._arrived_ms) * SAMPLES_PER_MS
        return wall - signed_32(timestamp - self._timestamp)

    def _take_jitter(self, drift: float) -> None:
        self.jitter += (abs(drift) - self.jitter) / 16

    def _move_to(self, timestamp: int, samples: int | None, now_ms: float) -> None:
        self._timestamp, self._arrived_ms = timestamp, now_ms
        self._next_timestamp = -1 if samples is None else (timestamp + samples) & MASK_32

    def _remember_gap(self, skipped: int) -> None:
        for back in range(min(skipped, MAX_REMEMBERED_GAPS), 0, -1):
            self._gaps[self._highest + 1 + skipped - back] = None
        while len(self._gaps) > MAX_REMEMBERED_GAPS:
            del self._gaps[next(iter(self._gaps))]
