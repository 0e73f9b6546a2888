"""Where one leg's RTP arrives: whose it is, what it is, and who is to hear it.

`datagram_received` is the hot path of every call: each packet is unpacked once, judged once
(`InboundStream`), and handed to the egress of the peer, if there is one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from media_gateway.rtp import g711
from media_gateway.rtp.egress import Egress
from media_gateway.rtp.inbound import Arrival, InboundStream
from media_gateway.rtp.latch import Latch
from media_gateway.rtp.model import Codec, RemoteMedia, Tap
from media_gateway.rtp.packet import (
    HEADER,
    HEADER_BYTES,
    MARKER,
    MAX_DATAGRAM_BYTES,
    PLAIN,
    payload_of,
)
from media_gateway.rtp.telephone_event import KeyReceiver, is_key

MAX_KEYS: Final = 50
"""Keys told of one leg within `KEYS_MS`: each is decided on and put on record, and no telephone,
be it a machine's, presses so many."""
KEYS_MS: Final = 1_000
COMFORT_NOISE: Final = 13
"""RFC 3389's static payload type: alive, but nothing to relay."""
_STATIC: Final = {"PCMU": 0, "PCMA": 8}

_unpack = HEADER.unpack_from
# Looked up once: a member of an enumeration costs more to reach than the packet to judge.
_CONTINUES, _REFUSED, _BREAKS = Arrival.CONTINUES, Arrival.REFUSED, Arrival.BREAKS


class Ingress(asyncio.DatagramProtocol):
    """Receives one leg's RTP; `on_key` and `on_started` are told of keys and of the first packet.

    The route is where its audio goes: None while nobody is to hear it. The tap is given every
    packet of audio as it was received, whoever hears it: None while it is not recorded.
    """

    def __init__(
        self,
        *,
        latch: Latch,
        clock_ms: Callable[[], float],
        on_key: Callable[[str], None],
        on_started: Callable[[], None],
    ) -> None:
        self.latch = latch
        self.stream = InboundStream()
        self.route: Egress | None = None
        self.tap: Tap | None = None
        self.muted = False
        self.heard_ms = clock_ms()
        self.malformed = self.unknown_payload = self.comfort_noise = self.send_errors = 0
        self._clock_ms = clock_ms
        self._on_key, self._on_started = on_key, on_started
        self._keys = KeyReceiver()
        self._keys_told, self._keys_since_ms = 0, self.heard_ms
        self._source: object = None
        self._tables: dict[int, bytes | None] = {}
        self._codecs: dict[int, Codec] = {}
        self._event_type: int | None = None
        self._remote: RemoteMedia | None = None

    def negotiate(self, remote: RemoteMedia) -> None:
        """Take the payload types of a completed negotiation; its first packet is news again."""
        self._remote = remote
        self._event_type = remote.event_payload_type
        self._source = None
        self.heard_ms = self._clock_ms()

    def shut(self) -> None:
        """Hear nothing any more; the socket may stay bound."""
        self.route = self._remote = self._source = None

    def hear(self, route: Egress | None) -> None:
        """Send what comes to `route`, in its codec.

        Both laws are taken whatever was chosen: a far end that was told of both may send either.
        """
        self.route = route
        if self._remote is None:
            return
        target = self._remote.codec if route is None else route.codec
        self._codecs = {0: "PCMU", 8: "PCMA", self._remote.payload_type: self._remote.codec}
        self._tables = {
            _STATIC["PCMU"]: g711.translation("PCMU", target),
            _STATIC["PCMA"]: g711.translation("PCMA", target),
            self._remote.payload_type: g711.translation(self._remote.codec, target),
        }

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """Take one datagram, of anybody's making."""
        if addr != self._source and not self._admit(data, addr):
            return
        if not HEADER_BYTES < len(data) < MAX_DATAGRAM_BYTES:
            self.malformed += 1
            return
        first, second, sequence, timestamp, ssrc = _unpack(data)
        payload = data[HEADER_BYTES:] if first == PLAIN else payload_of(data)
        if payload is None:
            self.malformed += 1
            return
        now_ms = self.heard_ms = self._clock_ms()
        payload_type = second & 0x7F
        if payload_type not in self._tables:
            arrival = self.stream.receive_untimed(ssrc, sequence, timestamp, now_ms)
            self._receive_other(second, arrival, timestamp, payload, now_ms)
            return
        arrival = self.stream.receive(ssrc, sequence, timestamp, len(payload), now_ms)
        if arrival is not _CONTINUES:
            if arrival is _REFUSED:
                return
            if arrival is _BREAKS:
                self._keys.reset()
        if self.tap is not None:
            self.tap((ssrc, timestamp, self._codecs[payload_type], payload, now_ms))
        route = self.route
        if route is None:
            return
        table = self._tables[payload_type]
        if self.muted:
            payload = g711.SILENCE[route.codec] * len(payload)
        elif table is not None:
            payload = payload.translate(table)
        route.relay(self.stream, arrival, second & MARKER, timestamp, payload, now_ms)

    def error_received(self, exc: Exception) -> None:  # noqa: ARG002 - asyncio's signature
        """Count what the kernel could not send (a far end that is not there, no route)."""
        self.send_errors += 1

    def _receive_other(
        self, second: int, arrival: Arrival, timestamp: int, payload: bytes, now_ms: float
    ) -> None:
        payload_type, marker = second & 0x7F, second & MARKER
        if payload_type == COMFORT_NOISE:
            self.comfort_noise += 1
            return
        if payload_type != self._event_type:
            self.unknown_payload += 1
            return
        if arrival is _REFUSED:
            return
        if arrival is _BREAKS:
            self._keys.reset()
        key = self._keys.receive(timestamp, payload, marker=bool(marker))
        if self.route is not None and is_key(payload):
            self.route.relay_event(
                self.stream, arrival, marker, timestamp, payload, now_ms, begins=key is not None
            )
        if key is not None and self._may_tell_key(now_ms):
            self._on_key(key)

    def _may_tell_key(self, now_ms: float) -> bool:
        if now_ms - self._keys_since_ms >= KEYS_MS:
            self._keys_told, self._keys_since_ms = 0, now_ms
        self._keys_told += 1
        return self._keys_told <= MAX_KEYS

    def _admit(self, data: bytes, addr: tuple[str, int]) -> bool:
        """Judge a datagram from an address that is not the one locked on."""
        source = addr[:2]
        if self._remote is None:
            self.latch.refuse()
            return False
        if not self._is_media(data):
            if source == self.latch.target:
                return True
            self.latch.refuse()
            return False
        if not self.latch.admit(source, self._clock_ms()):
            return False
        self._source = addr
        self._on_started()
        return True

    def _is_media(self, data: bytes) -> bool:
        """Only what could be this call's media may move where its media goes."""
        if payload_of(data) is None:
            return False
        payload_type = data[1] & 0x7F
        return payload_type in self._tables or payload_type in (self._event_type, COMFORT_NOISE)
