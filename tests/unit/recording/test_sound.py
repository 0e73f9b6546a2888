"""What goes in as frames comes out of the WAV at the right time, on the right side, as loud."""

from __future__ import annotations

import asyncio
import io
import wave
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protos.recording.v1 import recording_pb2
from services.chassis.blobs import MemoryBlobs
from services.chassis.ids import CallId, TenantId
from services.chassis.sealing import generate_key_pair
from services.recording.audio import Renderer, Source
from services.recording.core.finalise import close_by_manifest
from services.recording.core.g711 import decode
from services.recording.core.segments import extent
from services.recording.core.timeline import timeline_of
from services.recording.core.wav import range_of
from services.recording.examining import Examiner
from services.recording.keys import KeyRing
from services.recording.model.calls import Call
from services.recording.model.errors import BadRange, CodecNotRendered
from services.recording.model.evidence import Played, Recording, Segment, State
from services.recording.segments import MemorySegments, SegmentPlace
from services.recording.wire import frames_of, manifest_of, sealed_of
from tests.unit.recording.tape import START_MS, Tape, mu_law, tone

TENANT = TenantId("acme")
PAIR = generate_key_pair()
A_LAW_OF_SILENCE = 0xD5


class Spool:
    """Segments of one call, ready to be rendered."""

    def __init__(self) -> None:
        self.tape = Tape("call-1", PAIR)
        self.files = MemorySegments()
        self.segments: list[Segment] = []
        self.blobs = MemoryBlobs()
        self.played: list[Played] = []
        self.examiner = Examiner(files=self.files, keys=KeyRing([PAIR]))

    def add(self, request: recording_pb2.PutSegmentRequest) -> None:
        sealed = sealed_of(request)
        clear = KeyRing([PAIR]).open(sealed)
        frames = frames_of(clear, sealed)
        place = SegmentPlace(TENANT, sealed.call_id, sealed.track_id, sealed.number, sealed.sha256)
        asyncio.run(self.files.put(place, sealed.to_bytes()))
        first, end = extent(frames)
        self.segments.append(
            Segment(
                sealed.track_id,
                sealed.number,
                sealed.sha256,
                len(clear),
                frames.codec,
                frames.track_started_at_ms,
                first,
                end,
                "gw-1",
            )
        )

    def source(self, *, duration_ms: int = 0, roles: Sequence[str] = ("caller", "agent")) -> Source:
        """Of the finished recording, or of one that goes on if `duration_ms` is 0."""
        begun = Recording(CallId("call-1"), State.RECORDING, "gw-1", START_MS, 0, START_MS)
        if duration_ms:
            request = self.tape.manifest(duration_ms=duration_ms, roles=roles)
            manifest = manifest_of(request.manifest)
            begun = close_by_manifest(begun, manifest, self.segments, sha256="")
            begun = replace(begun, played=tuple(self.played))
        timeline = timeline_of(begun, Call(CallId("call-1")), self.segments)
        return Source(TENANT, CallId("call-1"), timeline)

    def read(self, source: Source, offset: int = 0, length: int = 0) -> bytes:
        async def run() -> bytes:
            first, end = range_of(offset, length, source.total_bytes)
            renderer = Renderer(examiner=self.examiner, blobs=self.blobs, source=source)
            chunks = [chunk async for chunk in renderer.read(first, end)]
            assert all(0 < len(chunk) <= 64 * 1024 for chunk in chunks)
            return b"".join(chunks)

        return asyncio.run(run())


def sides(data: bytes) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int16]]:
    """Left and right, read by somebody else's reader of WAV."""
    with wave.open(io.BytesIO(data)) as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (2, 2, 8_000)
        frames = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2").reshape(-1, 2)
        assert len(frames) == file.getnframes()
    return frames[:, 0], frames[:, 1]


def level_db(pcm: npt.NDArray[np.int16], hz: float) -> float:
    """Of one frequency, over a whole number of its periods; 0 dB is a full sine."""
    time_s = np.arange(len(pcm)) / 8_000
    power = abs(np.mean(pcm * np.exp(-2j * np.pi * hz * time_s))) * 2 / 32_767
    return float(20 * np.log10(power))


def test_tones_come_out_on_their_sides_at_their_times_and_as_loud() -> None:
    spool = Spool()
    spool.add(spool.tape.segment("leg-a", 1, mu_law(tone(400, -10, 16_000)), at=8_000))
    spool.add(spool.tape.segment("leg-b", 1, mu_law(tone(1_000, -20, 16_000)), at=32_000))
    left, right = sides(spool.read(spool.source(duration_ms=10_000)))
    assert len(left) == 80_000
    assert level_db(left[8_000:24_000], 400) == pytest.approx(-10, abs=0.1)
    assert level_db(right[32_000:48_000], 1_000) == pytest.approx(-20, abs=0.1)
    assert not left[:8_000].any()
    assert not left[24_000:].any()
    assert not right[:32_000].any()
    assert not right[48_000:].any()
    # A quarter of the period in, a sine is at its top: the time is right to the sample.
    assert np.argmax(left[8_000:8_020]) == 5


def test_every_code_of_both_laws_is_what_the_recommendation_says() -> None:
    """ITU-T G.711, tables 1 and 2: chosen values, in 16 bits."""
    codes = {0xFF: 0, 0x7F: 0, 0x80: 32_124, 0x00: -32_124, 0xFE: 8, 0x7E: -8, 0xBF: 1_980}
    assert [decode(bytes([code]), "PCMU")[0] for code in codes] == list(codes.values())
    codes = {0xD5: 8, 0x55: -8, 0xAA: 32_256, 0x2A: -32_256, 0xC5: 264, 0xF5: 528}
    assert [decode(bytes([code]), "PCMA")[0] for code in codes] == list(codes.values())
    every = bytes(range(256))
    assert mu_law(decode(every, "PCMU")) == every.replace(b"\x7f", b"\xff")


def test_a_track_in_a_law_follows_one_in_mu_law() -> None:
    spool = Spool()
    spool.add(spool.tape.segment("leg-a", 1, b"\x00" * 8_000))
    spool.add(spool.tape.segment("leg-a", 2, b"\x2a" * 8_000, at=8_000, codec="PCMA"))
    left, _ = sides(spool.read(spool.source(duration_ms=2_000)))
    assert set(left[:8_000]) == {-32_124}
    assert set(left[8_000:]) == {-32_256}


def test_all_who_are_not_the_caller_are_summed_and_held_within_range() -> None:
    spool = Spool()
    spool.add(spool.tape.segment("leg-a", 1, mu_law(np.full(800, 1_000, np.int16))))
    for track_id, value in (("leg-b", 20_000), ("leg-c", 20_000)):
        spool.add(spool.tape.segment(track_id, 1, mu_law(np.full(800, value, np.int16))))
        spool.add(
            spool.tape.segment(track_id, 2, mu_law(np.full(800, value // 4, np.int16)), at=800)
        )
    source = spool.source(duration_ms=200, roles=("caller", "agent", "external"))
    left, right = sides(spool.read(source))
    assert set(right[:800]) == {32_767}
    assert right[900] == pytest.approx(10_000, rel=0.03)
    assert left[100] == pytest.approx(1_000, rel=0.03)


def test_within_a_track_a_later_frame_replaces_what_it_overlaps() -> None:
    spool = Spool()
    loud, quiet = np.full(320, 8_000, np.int16), np.full(320, 100, np.int16)
    spool.add(spool.tape.segment("leg-a", 1, mu_law(loud)))
    spool.add(spool.tape.segment("leg-a", 2, mu_law(quiet), at=160))
    left, _ = sides(spool.read(spool.source(duration_ms=60)))
    assert left[100] == pytest.approx(8_000, rel=0.03)
    assert left[200] == pytest.approx(100, abs=8)


def test_lost_frames_are_silence_in_their_place() -> None:
    spool = Spool()
    segment = recording_pb2.Segment(
        call_id="call-1",
        track_id="leg-a",
        number=1,
        track_started_at_ms=START_MS + 500,
        codec="PCMU",
        at_samples=[0, 320],
        sizes=[160, 80],
        payload=b"\x00" * 240,
    )
    spool.add(spool.tape.seal(segment))
    left, _ = sides(spool.read(spool.source(duration_ms=1_000)))
    sounding = np.flatnonzero(left)
    wanted = [*range(4_000, 4_160), *range(4_320, 4_400)]
    assert sounding.tolist() == wanted


def test_a_recording_that_goes_on_is_as_long_as_what_there_is() -> None:
    spool = Spool()
    spool.add(spool.tape.segment("leg-a", 1, b"\x00" * 1_600, at=1_600))
    spool.add(spool.tape.segment("leg-b", 1, b"\x80" * 1_600, started_at_ms=START_MS - 100))
    left, right = sides(spool.read(spool.source()))
    # The track that began first is taken for the caller's, and the sound begins with it.
    assert len(left) == 800 + 3_200
    assert set(left[:1_600]) == {32_124}
    assert set(right[2_400:4_000]) == {-32_124}


def test_an_empty_recording_is_a_wav_without_sound() -> None:
    spool = Spool()
    assert len(sides(spool.read(spool.source()))[0]) == 0
    assert not sides(spool.read(spool.source(duration_ms=40)))[0].any()


def test_opus_is_kept_and_said_not_to_be_rendered() -> None:
    spool = Spool()
    spool.add(spool.tape.segment("leg-a", 1, b"\x00" * 100, codec="OPUS"))
    with pytest.raises(CodecNotRendered, match="leg-a is kept as OPUS"):
        spool.source()


def test_a_damaged_segment_is_silence_and_the_rest_sounds() -> None:
    spool = Spool()
    for number in (1, 2):
        spool.add(spool.tape.segment("leg-a", number, b"\x00" * 1_600, at=1_600 * (number - 1)))
    place = spool.files.places()[0]
    asyncio.run(spool.files.put(place, b"damaged"))
    left, _ = sides(spool.read(spool.source(duration_ms=400)))
    assert not left[:1_600].any()
    assert set(left[1_600:3_200]) == {-32_124}


def test_beyond_the_end_there_is_nothing_to_read() -> None:
    assert range_of(100, 0, 100) == (100, 100)
    assert range_of(90, 50, 100) == (90, 100)
    with pytest.raises(BadRange):
        range_of(101, 1, 100)


def prompt(spool: Spool, samples: npt.NDArray[np.int16], *, rate_hz: int = 8_000) -> str:
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(samples.astype("<i2").tobytes())
    return asyncio.run(spool.blobs.put(file.getvalue()))


def played(prompts: Sequence[str], from_ms: int, to_ms: int, **more: object) -> Played:
    until_ms = START_MS + to_ms if to_ms else 0
    leg_id = str(more.get("leg_id", "leg-a"))
    return Played(leg_id, START_MS + from_ms, until_ms, tuple(prompts), loop=bool(more.get("loop")))


def test_what_the_caller_was_played_is_on_the_right() -> None:
    spool = Spool()
    spool.add(spool.tape.segment("leg-a", 1, b"\x00" * 8_000))
    one, two = (prompt(spool, np.full(80, value, np.int16)) for value in (111, 222))
    spool.played = [
        played([one, two], 100, 200),
        played([two], 300, 305, loop=True),
        played([one, two], 400, 425, loop=True),
        played([one], 500, 600, leg_id="leg-b"),
    ]
    left, right = sides(spool.read(spool.source(duration_ms=1_000)))
    wanted = np.zeros(8_000, np.int16)
    wanted[800:880], wanted[880:960] = 111, 222
    wanted[2_400:2_440] = 222
    wanted[3_200:3_280], wanted[3_280:3_360], wanted[3_360:3_400] = 111, 222, 111
    assert right.tolist() == wanted.tolist()
    assert set(left) == {-32_124}


def test_after_a_prompt_that_is_not_at_hand_comes_silence() -> None:
    spool = Spool()
    spool.add(spool.tape.segment("leg-a", 1, b"\x00" * 160))
    one = prompt(spool, np.full(80, 111, np.int16))
    fast = prompt(spool, np.full(80, 5, np.int16), rate_hz=16_000)
    text = asyncio.run(spool.blobs.put(b"no sound"))
    spool.played = [
        played([one, "moh", one], 100, 200, loop=True),
        *(played([each], 300, 400) for each in ("0" * 64, fast, text)),
        played([one], 990, 0, loop=True),
    ]
    _, right = sides(spool.read(spool.source(duration_ms=1_000)))
    assert np.flatnonzero(right).tolist() == [*range(800, 880), *range(7_920, 8_000)]


def test_more_prompts_than_are_kept_sound_all_the_same() -> None:
    spool = Spool()
    spool.add(spool.tape.segment("leg-a", 1, b"\x00" * 160))
    many = [prompt(spool, np.full(8, value, np.int16)) for value in range(1, 51)]
    spool.played = [played(many, 0, 50)]
    _, right = sides(spool.read(spool.source(duration_ms=50)))
    assert right.tolist() == np.repeat(np.arange(1, 51), 8).tolist()


def long_spool() -> Spool:
    """Two tracks with holes, overlapping frames and segments of odd sizes, 9 seconds."""
    spool, dice = Spool(), np.random.default_rng(7)
    for track_id, origin in (("leg-a", 0), ("leg-b", 333)):
        at = 0
        for number in range(1, 12):
            payload = dice.integers(0, 256, int(dice.integers(1, 9_000)), np.uint8).tobytes()
            at = max(0, at + int(dice.integers(-300, 3_000)))
            spool.add(
                spool.tape.segment(
                    track_id, number, payload, at=at, started_at_ms=START_MS + origin
                )
            )
            at += len(payload)
    clips = [prompt(spool, dice.integers(-999, 999, 777).astype(np.int16)) for _ in range(2)]
    spool.played = [played(clips, 1_000, 4_000, loop=True), played(clips, 6_000, 8_000)]
    return spool


LONG = long_spool()
LONG_SOURCE = LONG.source(duration_ms=9_000)
WHOLE = LONG.read(LONG_SOURCE)


@settings(max_examples=200, deadline=None)
@given(
    offset=st.integers(0, len(WHOLE)) | st.integers(0, 60) | st.integers(61_430, 61_500),
    length=st.integers(0, 200_000) | st.integers(0, 50),
)
def test_any_range_is_the_same_part_of_the_whole(offset: int, length: int) -> None:
    part = LONG.read(LONG_SOURCE, offset, length)
    assert part == (WHOLE[offset : offset + length] if length else WHOLE[offset:])


def test_the_whole_has_the_length_that_it_says() -> None:
    assert len(WHOLE) == LONG_SOURCE.total_bytes
    assert len(sides(WHOLE)[0]) == LONG_SOURCE.timeline.samples
