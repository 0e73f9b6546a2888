"""The one RTP stream that a far end hears, whatever feeds it: prompt, music, relay, silence, keys.

It has one SSRC for the life of the leg; the sequence grows by one with every packet, so that the
far end's reports tell the loss of this leg alone. Timestamps follow the wall clock: a source that
takes over continues where the last one ended if that is at hand, and otherwise at the wall's
present sample, never before what was already sent. Its first packet carries the marker, which
tells a jitter buffer that it may start afresh.
"""

from __future__ import annotations

from typing import Final

from media_gateway.rtp.inbound import Arrival
from media_gateway.rtp.model import FRAME_SAMPLES, SAMPLES_PER_MS
from media_gateway.rtp.packet import HEADER, MARKER, MASK_16, MASK_32, PLAIN, signed_32

SNAP_SAMPLES: Final = FRAME_SAMPLES
"""A source that starts within a frame of the last one's end is joined to it without a gap."""

_pack = HEADER.pack
_CONTINUES: Final = Arrival.CONTINUES


class OutboundStream:
    """Numbers and times the packets to one far end; times are the engine's milliseconds."""

    __slots__ = (
        "_born_ms",
        "_end",
        "_first",
        "_floor",
        "_marker",
        "_offset",
        "_sent_at_ms",
        "_sequence",
        "octets",
        "packets",
        "source",
        "ssrc",
    )

    def __init__(self, *, ssrc: int, sequence: int, timestamp: int, now_ms: float) -> None:
        self.ssrc = ssrc
        self.packets = self.octets = 0
        self.source: object = None
        self._sequence = sequence
        self._first = self._end = self._floor = timestamp
        self._born_ms = self._sent_at_ms = now_ms
        self._offset = 0
        self._marker = 0

    def begin(self, source: object, now_ms: float) -> None:
        """Let `source` take over, or go on after a pause: on the wall clock, with a marker."""
        wall = self._first + int((now_ms - self._born_ms) * SAMPLES_PER_MS)
        if signed_32(wall - self._end) > (SNAP_SAMPLES if self.packets else 0):
            self._end = wall & MASK_32
        self._floor = self._end
        self.source = source
        self._marker = MARKER

    def frame(self, payload_type: int, payload: bytes, now_ms: float) -> bytes:
        """The next packet of a source that is paced here; one payload byte is one sample."""
        return self._packet(payload_type | self._marker, self._end, payload, len(payload), now_ms)

    def event(
        self, payload_type: int, marker: int, timestamp: int, payload: bytes, now_ms: float
    ) -> bytes:
        """A packet of a key that is sent here; its time is the key's start (RFC 4733)."""
        duration = int.from_bytes(payload[2:4], "big")
        return self._packet(payload_type | marker, timestamp, payload, duration, now_ms)

    @property
    def position(self) -> int:
        """The timestamp of the next sample, where a key sent here starts."""
        return self._end

    def relay(  # noqa: PLR0917 - the relay's hot path: keywords would cost more than the rest
        self,
        source: object,
        arrival: Arrival,
        kind: int,
        timestamp: int,
        payload: bytes,
        samples: int,
        now_ms: float,
    ) -> bytes | None:
        """A packet of another leg on this leg's time line; `kind` is marker and payload type.

        None if it must not be sent: it is late and its time belongs to an earlier source.
        """
        if source is not self.source or arrival is not _CONTINUES:
            if arrival is Arrival.LATE:
                return self._relay_late(source, kind, timestamp, payload, now_ms)
            self.begin(source, now_ms)
            self._offset = self._end - timestamp
            kind |= MARKER
        # The rest is `_packet`, written out: a call costs a tenth of what is done here.
        timestamp = (timestamp + self._offset) & MASK_32
        self._sequence = sequence = (self._sequence + 1) & MASK_16
        self._end = (timestamp + samples) & MASK_32
        self._marker = 0
        self._sent_at_ms = now_ms
        self.packets += 1
        self.octets += len(payload)
        return _pack(PLAIN, kind, sequence, timestamp, self.ssrc) + payload

    def timestamp_at(self, now_ms: float) -> int:
        """The timestamp of this moment, as a sender report pairs it with the clock."""
        if not self.packets:
            return self._first
        return (self._end + int((now_ms - self._sent_at_ms) * SAMPLES_PER_MS)) & MASK_32

    def _relay_late(
        self, source: object, kind: int, timestamp: int, payload: bytes, now_ms: float
    ) -> bytes | None:
        timestamp = (timestamp + self._offset) & MASK_32
        if source is not self.source or signed_32(timestamp - self._floor) < 0:
            return None
        ahead = signed_32(self._end - timestamp)
        return self._packet(kind, timestamp, payload, ahead, now_ms)

    def _packet(
        self, kind: int, timestamp: int, payload: bytes, samples: int, now_ms: float
    ) -> bytes:
        self._sequence = sequence = (self._sequence + 1) & MASK_16
        self._end = (timestamp + samples) & MASK_32
        self._marker = 0
        self._sent_at_ms = now_ms
        self.packets += 1
        self.octets += len(payload)
        return _pack(PLAIN, kind, sequence, timestamp, self.ssrc) + payload
