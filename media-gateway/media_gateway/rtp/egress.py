"""What one far end hears: keys being sent, else what is played, else the peer, else silence.

Keys, plays and silence are paced by the engine's ticker, a frame each 20 ms; the peer's packets
are sent on as they come. Whether the peer is heard is decided in `port.py`, from what this class
says of itself.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Final

from media_gateway.rtp import g711
from media_gateway.rtp.clip import AudioClip
from media_gateway.rtp.errors import BadDigits, NoTelephoneEvent
from media_gateway.rtp.inbound import Arrival
from media_gateway.rtp.model import FRAME_MS, FRAME_SAMPLES, Address, Codec, RemoteMedia
from media_gateway.rtp.outbound import OutboundStream
from media_gateway.rtp.playlist import Playlist
from media_gateway.rtp.telephone_event import KEYS, event_duration, event_frames

MAX_DIGITS_WAITING: Final = 64
MAX_RESUME_KEYS: Final = 8
"""How many pieces of music a leg remembers its place in; the oldest is forgotten."""
MAX_FRAMES_PER_PACKET: Final = 3

Send = Callable[[bytes, Address], None]


class Egress:
    """Feeds one leg's outbound stream; times are the engine's milliseconds."""

    __slots__ = (
        "_codec",
        "_digits",
        "_event",
        "_event_timestamp",
        "_event_type",
        "_frames_per_packet",
        "_payload_type",
        "_pending",
        "_places",
        "_receives",
        "_silence",
        "play",
        "send",
        "stream",
        "target",
    )

    def __init__(self, stream: OutboundStream) -> None:
        self.stream = stream
        self.send: Send = _send_nowhere
        self.target: Address | None = None
        self.play: Playlist | None = None
        self._codec: Codec = "PCMU"
        self._silence = b""
        self._payload_type = 0
        self._event_type: int | None = None
        self._receives = False
        self._frames_per_packet = 1
        self._pending: list[bytes] = []
        self._digits: deque[str] = deque()
        self._event: deque[tuple[int, bytes] | None] = deque()
        self._event_timestamp = 0
        self._places: dict[str, int] = {}

    def negotiate(self, remote: RemoteMedia) -> None:
        """Take the codec, packet size and direction of a completed negotiation."""
        self._codec = remote.codec
        self._silence = g711.SILENCE[remote.codec] * FRAME_SAMPLES
        self._payload_type = remote.payload_type
        self._event_type = remote.event_payload_type
        self._receives = remote.receives
        self._frames_per_packet = max(1, min(remote.ptime_ms // FRAME_MS, MAX_FRAMES_PER_PACKET))
        self._pending.clear()

    @property
    def hears_peer(self) -> bool:
        """Whether the far end wants audio and nothing of ours has precedence over the peer's."""
        return self._receives and self.play is None and not self.sends_keys

    @property
    def sends_keys(self) -> bool:
        """Whether keys are on their way."""
        return bool(self._event or self._digits)

    @property
    def codec(self) -> Codec:
        """The far end's law, into which a peer's audio is translated."""
        return self._codec

    def start(
        self, operation: str, clips: Sequence[AudioClip], *, loop: bool, resume_key: str | None
    ) -> None:
        """Play from the next frame on, instead of what plays now."""
        self.stop()
        self.play = Playlist(operation, clips, loop=loop, resume_key=resume_key)
        if resume_key is not None:
            self.play.resume(self._places.pop(resume_key, 0))

    def stop(self) -> str | None:
        """Stop at once, remember the place of what can be resumed; the operation stopped."""
        play, self.play = self.play, None
        self._pending.clear()
        if play is None:
            return None
        if play.resume_key is not None:
            self._places.pop(play.resume_key, None)
            self._places[play.resume_key] = play.position
            if len(self._places) > MAX_RESUME_KEYS:
                del self._places[next(iter(self._places))]
        return play.operation

    def queue_digits(self, digits: str) -> None:
        """Send keys after those already waiting; raises BadDigits, NoTelephoneEvent."""
        if self._event_type is None:
            raise NoTelephoneEvent("the far end did not negotiate telephone-event")
        if not digits or any(digit not in KEYS for digit in digits):
            raise BadDigits(f"{digits!r} are not keys")
        if len(self._digits) + len(digits) > MAX_DIGITS_WAITING:
            raise BadDigits(f"more than {MAX_DIGITS_WAITING} keys waiting")
        self._digits.extend(digits)

    def tick(self, now_ms: float, *, after_gap: bool) -> str | None:
        """Send one frame's worth; the operation whose last frame this was, if it was.

        `after_gap` says that frames were left out, so the time line jumps to the wall clock.
        """
        if after_gap:
            self.stream.source = None
        if self.sends_keys:
            self._send_key(now_ms)
            return None
        play = self.play
        if play is None:
            self._send_frame(self, self._silence, now_ms, last=False)
            return None
        frame = play.take(self._codec)
        ended = play.exhausted
        if frame is not None:
            self._send_frame(play, frame, now_ms, last=ended)
        if not ended:
            return None
        self.play = None
        return play.operation

    def relay(  # noqa: PLR0917 - the relay's hot path: keywords would cost more than the rest
        self,
        source: object,
        arrival: Arrival,
        marker: int,
        timestamp: int,
        payload: bytes,
        now_ms: float,
    ) -> None:
        """Send on a packet of the peer's audio, already in this leg's codec."""
        packet = self.stream.relay(
            source, arrival, self._payload_type | marker, timestamp, payload, len(payload), now_ms
        )
        if packet is not None and self.target is not None:
            self.send(packet, self.target)

    def relay_event(  # noqa: PLR0917 - the same parts in the same order as `relay`
        self,
        source: object,
        arrival: Arrival,
        marker: int,
        timestamp: int,
        payload: bytes,
        now_ms: float,
        *,
        begins: bool,
    ) -> None:
        """Send on a packet of a key; one whose beginning went elsewhere is not begun midway."""
        taken_over = source is not self.stream.source or arrival is Arrival.BREAKS
        if self._event_type is None or (taken_over and not begins):
            return
        kind, duration = self._event_type | marker, event_duration(payload)
        packet = self.stream.relay(source, arrival, kind, timestamp, payload, duration, now_ms)
        if packet is not None and self.target is not None:
            self.send(packet, self.target)

    def _send_frame(self, source: object, frame: bytes, now_ms: float, *, last: bool) -> None:
        if self._frames_per_packet > 1:
            self._pending.append(frame)
            if len(self._pending) < self._frames_per_packet and not last:
                return
            frame = b"".join(self._pending)
            self._pending.clear()
        if self.target is None or not self._receives:
            # What follows the pause begins on the wall clock.
            self.stream.source = None
            return
        if self.stream.source is not source:
            self.stream.begin(source, now_ms)
        self.send(self.stream.frame(self._payload_type, frame, now_ms), self.target)

    def _send_key(self, now_ms: float) -> None:
        if not self._event:
            self._event = deque(event_frames(self._digits.popleft()))
            self.stream.begin(self._event, now_ms)
            self._event_timestamp = self.stream.position
        step = self._event.popleft()
        if step is None or self._event_type is None:
            return
        if self.target is None or not self._receives:
            return
        marker, payload = step
        packet = self.stream.event(self._event_type, marker, self._event_timestamp, payload, now_ms)
        self.send(packet, self.target)


def _send_nowhere(packet: bytes, target: Address) -> None:
    """Stand in until the leg's socket is there."""
