"""What arrived: RTP put in order, on a timeline, and judged. Pure: arrival times come in.

The timeline begins with the first packet. Within one source a sample's place is its RTP
timestamp; a new source, or a timestamp that leaves the clock by more than a second, is placed
by its arrival. What never arrived is silence, as the ear has it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

import numpy as np

from tests.softphone.audio import PCM, RATE_HZ
from tests.softphone.rtp import EVENT_KEYS, RTPPacket, TelephoneEvent

MAX_TIMELINE_SAMPLES: Final = 60 * 60 * RATE_HZ
"""An hour; later sound is counted, not kept."""
MAX_DROPOUT: Final = 100
"""A sequence number further ahead (2 s) is a new beginning, not a loss."""
MAX_MISORDER: Final = 50
"""A sequence number further behind is a new beginning, not a late packet."""
MAX_SKEW_SAMPLES: Final = RATE_HZ
"""A timestamp further from the arrival clock is a jump."""
LATENCY_SAMPLES: Final = 800
"""100 ms: a packet later than this leaves silence at the live end."""
MAX_KEYS: Final = 1000


@dataclass(slots=True)
class Counts:
    """The plain counters of what was received on one call."""

    packets: int = 0
    duplicates: int = 0
    out_of_order: int = 0
    ssrc_changes: int = 0
    sequence_jumps: int = 0
    """New beginnings of the sequence within one source."""
    timestamp_jumps: int = 0
    """Timestamps that do not follow from the packet before, within one source."""
    beyond_timeline: int = 0
    """Packets that the timeline's length had no room for."""


@dataclass(slots=True)
class KeyPress:
    """One key received as a telephone event, with what is needed to judge its sender."""

    key: str
    timestamp: int
    marked: bool
    """Whether its first packet carried the marker bit (RFC 4733 section 2.5.1.2)."""
    packets: int = 0
    end_packets: int = 0
    duration_ms: float = 0.0


@dataclass(slots=True)
class _Run:
    """An unbroken stretch of one source's sequence numbers."""

    ssrc: int
    base: int
    highest: int
    """Extended: counted on beyond 65,535."""
    received: int = 0

    def lost(self) -> int:
        return self.highest - self.base + 1 - self.received


class Reception:
    """One call's received media: `audio` and `event` take packets, the rest answers questions."""

    def __init__(self) -> None:
        self.counts = Counts()
        self.keys: deque[KeyPress] = deque(maxlen=MAX_KEYS)
        """Keys received as telephone events, each once."""
        self.payload_types: list[int] = []
        """In the order of their first packets."""
        self.first_at_s: float | None = None
        self.longest_gap_s = 0.0
        """The longest time between two packets."""
        self.jitter_samples = 0.0
        self._last_at_s = 0.0
        self._run: _Run | None = None
        self._seen: deque[int] = deque(maxlen=2 * MAX_MISORDER)
        self._lost_before = 0
        self._anchor: tuple[int, int] | None = None
        self._expected_timestamp: int | None = None
        self._transit: float | None = None
        self._pcm = np.zeros(30 * RATE_HZ, np.int16)
        self._end = 0

    @property
    def lost(self) -> int:
        return self._lost_before + (self._run.lost() if self._run else 0)

    @property
    def source(self) -> tuple[int, int, int] | None:
        """The present source for a report: SSRC, extended highest sequence, packets expected."""
        if self._run is None:
            return None
        return self._run.ssrc, self._run.highest, self._run.highest - self._run.base + 1

    def audio(self, packet: RTPPacket, pcm: PCM, at_s: float) -> None:
        """Put a packet's samples on the timeline; duplicates and gaps are counted."""
        in_order = self._follow(packet, at_s)
        if in_order is None:
            return
        arrival = round((at_s - self._started(at_s)) * RATE_HZ)
        if in_order:
            self._check_timestamp(packet, len(pcm))
            self._measure_jitter(packet, at_s)
        self._place(self._position(packet.timestamp, arrival), pcm)

    def event(self, packet: RTPPacket, event: TelephoneEvent, at_s: float) -> None:
        """Take a telephone-event packet; one timestamp is one key, however often it is sent."""
        in_order = self._follow(packet, at_s)
        if in_order is None:
            return
        # After a key the sender's clock has gone on by an amount that only it knows.
        self._expected_timestamp = None
        if event.code >= len(EVENT_KEYS):
            return
        last = self.keys[-1] if self.keys else None
        if last is None or packet.timestamp != last.timestamp:
            if last is not None and not in_order:
                return
            last = KeyPress(EVENT_KEYS[event.code], packet.timestamp, packet.marker)
            self.keys.append(last)
        last.packets += 1
        last.end_packets += event.end
        last.duration_ms = max(last.duration_ms, event.duration * 1000 / RATE_HZ)

    def received(self, since_s: float, at_s: float) -> PCM:
        """The timeline from `since_s` after its beginning to the live end at `at_s`."""
        return self._slice(max(0, round(since_s * RATE_HZ)), self.live_end(at_s))

    def latest(self, seconds: float, at_s: float) -> PCM:
        """The last so many seconds as the ear has them: nothing arriving is silence."""
        end = self.live_end(at_s)
        return self._slice(end - round(seconds * RATE_HZ), end)

    def live_end(self, at_s: float) -> int:
        """The sample that is now: the newest received, or the clock when nothing comes."""
        if self.first_at_s is None:
            return 0
        clock = round((at_s - self.first_at_s) * RATE_HZ) - LATENCY_SAMPLES
        return max(self._end, clock)

    def _slice(self, start: int, end: int) -> PCM:
        pcm = np.zeros(max(0, end - start), np.int16)
        first, last = max(start, 0), min(end, self._end)
        if first < last:
            pcm[first - start : last - start] = self._pcm[first:last]
        return pcm

    def _started(self, at_s: float) -> float:
        if self.first_at_s is None:
            self.first_at_s = at_s
        return self.first_at_s

    def _follow(self, packet: RTPPacket, at_s: float) -> bool | None:
        """Account for a packet: True in order, False late, None a duplicate to drop."""
        self.counts.packets += 1
        if self._started(at_s) != at_s:
            self.longest_gap_s = max(self.longest_gap_s, at_s - self._last_at_s)
        self._last_at_s = at_s
        if packet.payload_type not in self.payload_types:
            self.payload_types.append(packet.payload_type)
        run = self._run
        if run is None or run.ssrc != packet.ssrc:
            self.counts.ssrc_changes += run is not None
            return self._begin(packet)
        ahead = (packet.sequence - run.highest + 0x8000) % 0x10000 - 0x8000
        if not -MAX_MISORDER <= ahead <= MAX_DROPOUT:
            self.counts.sequence_jumps += 1
            return self._begin(packet)
        extended = run.highest + ahead
        if extended in self._seen:
            self.counts.duplicates += 1
            return None
        self._seen.append(extended)
        run.received += 1
        if ahead < 0:
            self.counts.out_of_order += 1
            run.base = min(run.base, extended)
            return False
        if ahead > 1:
            self._expected_timestamp = None
        run.highest = extended
        return True

    def _begin(self, packet: RTPPacket) -> bool:
        if self._run is not None:
            self._lost_before += self._run.lost()
        self._run = _Run(packet.ssrc, packet.sequence, packet.sequence, received=1)
        self._seen.clear()
        self._seen.append(packet.sequence)
        self._anchor = self._expected_timestamp = self._transit = None
        return True

    def _check_timestamp(self, packet: RTPPacket, samples: int) -> None:
        """Within a source each packet continues the last; a marker may skip silence, forward."""
        if self._expected_timestamp is not None:
            step = _signed(packet.timestamp - self._expected_timestamp)
            if step < 0 or (step > 0 and not packet.marker):
                self.counts.timestamp_jumps += 1
        self._expected_timestamp = packet.timestamp + samples

    def _measure_jitter(self, packet: RTPPacket, at_s: float) -> None:
        """RFC 3550 A.8, in samples."""
        transit = at_s * RATE_HZ - packet.timestamp
        if self._transit is not None:
            difference = abs(transit - self._transit)
            if difference < MAX_SKEW_SAMPLES:
                self.jitter_samples += (difference - self.jitter_samples) / 16
        self._transit = transit

    def _position(self, timestamp: int, arrival: int) -> int:
        if self._anchor is not None:
            position = self._anchor[1] + _signed(timestamp - self._anchor[0])
            if abs(position - arrival) <= MAX_SKEW_SAMPLES:
                return position
        self._anchor = (timestamp, arrival)
        return arrival

    def _place(self, position: int, pcm: PCM) -> None:
        end = position + len(pcm)
        if position < 0 or end > MAX_TIMELINE_SAMPLES:
            self.counts.beyond_timeline += 1
            return
        if end > len(self._pcm):
            grown = np.zeros(max(end, 2 * len(self._pcm)), np.int16)
            grown[: self._end] = self._pcm[: self._end]
            self._pcm = grown
        self._pcm[position:end] = pcm
        self._end = max(self._end, end)


def _signed(difference: int) -> int:
    """A difference of 32-bit timestamps, across the wrap."""
    return (difference + 0x80000000) % 0x100000000 - 0x80000000
