"""What a phone sends, frame by frame: speech, a tone, silence, keys. No sockets and no clock.

`tick` is called once for each 20 ms. The media clock goes on even when nothing may be sent (on
hold), so that the timestamps show the gap.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from tests.softphone import audio
from tests.softphone.audio import FRAME_SAMPLES, PCM, RATE_HZ
from tests.softphone.errors import PhoneError
from tests.softphone.rtp import RTPPacket, TelephoneEvent, event_packets
from tests.softphone.sdp import Flow

FRAME_S: Final = 0.02
MAX_SPEECH_S: Final = 600
MAX_KEYS_WAITING: Final = 64
KEY_GAP_FRAMES: Final = 3
"""60 ms between keys: more than the 40 ms pause a receiver may ask for (ITU-T Q.24)."""

_SILENCE: Final = audio.silence(FRAME_S)


class _Tone:
    """A sine made a second at a time: making it frame by frame costs ten times as much."""

    def __init__(self, freq_hz: float, left: int | None, level_dbm0: float) -> None:
        self.left = left
        """Samples still to play; None for endless."""
        self._freq_hz, self._level_dbm0 = freq_hz, level_dbm0
        self._index = 0
        self._second = audio.silence(0.0)

    def next_frame(self) -> PCM:
        at = self._index % RATE_HZ
        if at == 0:
            level = self._level_dbm0
            self._second = audio.tone(self._freq_hz, 1.0, level_dbm0=level, start=self._index)
        self._index += FRAME_SAMPLES
        frame = self._second[at : at + FRAME_SAMPLES]
        if self.left is not None:
            frame = frame[: self.left]
            self.left -= len(frame)
        return frame


@dataclass(slots=True)
class _Press:
    packets: Iterator[TelephoneEvent]
    done: Callable[[], None]
    timestamp: int | None = None


class Sender:
    """One RTP source; `sequence` and `timestamp` are where it begins (RFC 3550: at random)."""

    def __init__(self, *, ssrc: int, sequence: int, timestamp: int) -> None:
        self.ssrc = ssrc
        self.timestamp = timestamp
        self.packets = 0
        self.octets = 0
        self._sequence = sequence
        self._speech: deque[PCM] = deque()
        self._tone: _Tone | None = None
        self._presses: deque[_Press] = deque()
        self._key_gap = 0
        self._talking = False

    @property
    def speaking(self) -> bool:
        """Whether queued speech is still to be sent."""
        return bool(self._speech)

    def say(self, pcm: PCM) -> None:
        """Queue speech; it goes before any tone."""
        if sum(map(len, self._speech)) + len(pcm) > MAX_SPEECH_S * RATE_HZ:
            raise PhoneError(f"more than {MAX_SPEECH_S} s of speech waiting")
        self._speech.append(pcm)

    def play_tone(self, freq_hz: float, seconds: float | None, level_dbm0: float) -> None:
        """Replace the tone, if any, by this one; None plays until it is stopped."""
        left = None if seconds is None else round(seconds * RATE_HZ)
        self._tone = _Tone(freq_hz, left, level_dbm0)

    def stop_tone(self) -> None:
        self._tone = None

    def press(self, key: str, duration_ms: int, done: Callable[[], None]) -> None:
        """Queue a key as a telephone event; `done` is called after its last packet."""
        if len(self._presses) >= MAX_KEYS_WAITING:
            raise PhoneError(f"more than {MAX_KEYS_WAITING} keys waiting")
        self._presses.append(_Press(event_packets(key, duration_ms), done))

    def skip(self, frames: int) -> None:
        """Let the media clock pass frames that were missed."""
        self.timestamp += frames * FRAME_SAMPLES

    def tick(self, flow: Flow | None) -> RTPPacket | None:
        """The packet of this frame, if the agreement lets one be sent."""
        packet = None
        if flow is not None and flow.may_send:
            packet = self._key(flow.event_payload_type) or self._sound(flow)
            self.packets += 1
            self.octets += len(packet.payload)
        else:
            self._talking = False
        self.skip(1)
        return packet

    def _key(self, payload_type: int | None) -> RTPPacket | None:
        self._key_gap -= 1
        if payload_type is None or not self._presses or self._key_gap > 0:
            return None
        press = self._presses[0]
        event = next(press.packets, None)
        if event is None:
            self._presses.popleft()
            self._key_gap = KEY_GAP_FRAMES
            press.done()
            return None
        first = press.timestamp is None
        if press.timestamp is None:
            press.timestamp = self.timestamp
        return self._packet(payload_type, event.encode(), press.timestamp, marker=first)

    def _sound(self, flow: Flow) -> RTPPacket:
        payload = audio.encode(flow.codec, self._next_frame())
        begins, self._talking = not self._talking, True
        return self._packet(flow.payload_type, payload, self.timestamp, marker=begins)

    def _packet(self, kind: int, payload: bytes, timestamp: int, *, marker: bool) -> RTPPacket:
        packet = RTPPacket(kind, self._sequence, timestamp, self.ssrc, payload, marker)
        self._sequence = (self._sequence + 1) & 0xFFFF
        return packet

    def _next_frame(self) -> PCM:
        if self._speech:
            frame = self._speech.popleft()
            if len(frame) > FRAME_SAMPLES:
                self._speech.appendleft(frame[FRAME_SAMPLES:])
            return _padded(frame[:FRAME_SAMPLES])
        if self._tone is None:
            return _SILENCE
        frame = self._tone.next_frame()
        if self._tone.left == 0:
            self._tone = None
        return _padded(frame)


def _padded(frame: PCM) -> PCM:
    if len(frame) == FRAME_SAMPLES:
        return frame
    return np.concatenate([frame, np.zeros(FRAME_SAMPLES - len(frame), np.int16)])
