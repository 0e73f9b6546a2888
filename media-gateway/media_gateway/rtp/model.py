"""What crosses the media engine's wall: the far end, the listener, the numbers of a leg."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal, Protocol

Codec = Literal["PCMU", "PCMA"]
LegKind = Literal["sip", "webrtc"]
"""Whether a leg has sockets of its own, or a browser's transport carries it."""
Address = tuple[str, int]
Heard = tuple[int, int, str, bytes, float]
"""A packet as it was received: SSRC, RTP timestamp, codec, payload, milliseconds of arrival."""
Tap = Callable[[Heard], None]
"""Keeps packets as they come; called for each, so it must return at once."""

SAMPLES_PER_MS: Final = 8
"""Everything here is narrow-band: 8 kHz."""
FRAME_MS: Final = 20
FRAME_SAMPLES: Final = FRAME_MS * SAMPLES_PER_MS
"""One frame is 20 ms: 160 samples, and in G.711 160 bytes."""


@dataclass(frozen=True, slots=True)
class RemoteMedia:
    """The far end of a leg as one completed SDP negotiation describes it."""

    host: str
    """A numeric unicast address; 0.0.0.0 or :: means none yet (hold as RFC 2543 wrote it)."""
    port: int
    """Where it wants RTP."""
    rtcp_port: int
    """Where it wants RTCP (`port + 1` unless its SDP says otherwise)."""
    payload_type: int
    """The number of the codec in use, 0-127."""
    codec: Codec
    """The codec in use."""
    event_payload_type: int | None = None
    """The number of telephone-event/8000, where negotiated."""
    ptime_ms: int = 20
    """How much audio it wants in a packet; whole frames of 20 ms, at most 60."""
    sends: bool = True
    """It sends audio (its direction is sendrecv or sendonly)."""
    receives: bool = True
    """It wants audio (its direction is sendrecv or recvonly)."""


class MediaListener(Protocol):
    """Who is told what happens on a leg; called from the event loop, never from inside a command.

    A call may therefore arrive just after the command that made it stale: compare `operation`.
    """

    def digit(self, leg_id: str, digit: str, how: Literal["rfc4733"]) -> None:
        """The far end pressed a key; told once, at the key's first packet."""

    def play_ended(self, leg_id: str, operation: str, reason: Literal["complete"]) -> None:
        """What was played reached its end; nobody is told of what was stopped or replaced."""

    def media_started(self, leg_id: str) -> None:
        """The first packet since the last negotiation was accepted."""

    def media_timed_out(self, leg_id: str) -> None:
        """Neither RTP, comfort noise nor RTCP came for the time limit; told once per silence."""


@dataclass(frozen=True, slots=True)
class MediaStats:
    """One leg's media in numbers, since it was opened (RFC 3550 A.1, A.3, A.8)."""

    packets_received: int
    """RTP packets accepted from the far end, late and duplicate ones included."""
    packets_expected: int
    """What its sequence numbers say it sent."""
    packets_lost: int
    """Expected less received; duplicates can make it negative, as in the RFC."""
    duplicates: int
    """Packets that came a second time; never relayed."""
    late: int
    """Packets that came after a later one."""
    gaps: int
    """Times that packets were missing when the next one came; a late one may have filled it."""
    longest_gap: int
    """The most packets that were missing in a row."""
    jitter_ms: float
    """Interarrival jitter of the present source."""
    source_changes: int
    """How often its SSRC changed or its numbering began again."""
    strangers: int
    """Datagrams from addresses that are not the far end's (RTP and RTCP); ignored."""
    malformed: int
    """Datagrams from the far end that are not RTP or RTCP."""
    unknown_payload: int
    """RTP packets of a payload type nobody negotiated."""
    comfort_noise: int
    """Comfort noise packets (RFC 3389)."""
    first_packet_ms: float | None
    """From the first negotiation to the first accepted packet; None if none came."""
    remote: Address | None
    """Where media goes now: the negotiated address or the latched one."""
    packets_sent: int
    """RTP packets sent to the far end."""
    octets_sent: int
    """Their payload bytes."""
    send_errors: int
    """Packets that the kernel could not send, or that were answered by "unreachable"."""
    far_lost: int | None
    """Packets of ours that the far end misses, by its last report; None without a report."""
    far_loss: float | None
    """The fraction of ours it lost between its last two reports, 0-1."""
    far_jitter_ms: float | None
    """The jitter it sees."""
    rtt_ms: float | None
    """Round trip by RTCP, last measured."""
