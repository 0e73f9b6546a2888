"""From packets to pieces: when each frame is, and where a piece ends."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from media_gateway.recording.cutter import MAX_PIECE_FRAMES, MAX_PIECE_SAMPLES, TrackCutter
from media_gateway.rtp.model import Heard

START_MS = 1_000_000.0
FRAME = bytes(range(160))


def voice(
    count: int,
    *,
    ssrc: int = 7,
    timestamp: int = 0xFFFF_FF00,
    at_ms: float = START_MS,
    codec: str = "PCMU",
) -> list[Heard]:
    """Frames of 20 ms, one after another; their timestamps soon wrap."""
    return [
        (ssrc, (timestamp + 160 * n) % (1 << 32), codec, FRAME, at_ms + 20 * n)
        for n in range(count)
    ]


def places(cutter: TrackCutter, frames: list[Heard]) -> list[int]:
    return [at for piece in cutter.cut(frames) for at in piece.at_samples]


def test_frames_lie_where_the_far_end_put_them_across_batches_and_the_wrap() -> None:
    cutter = TrackCutter(started_at_ms=START_MS)
    frames = voice(30, at_ms=START_MS + 100)
    found = places(cutter, frames[:11]) + places(cutter, frames[11:])
    assert found == [800 + 160 * n for n in range(30)]


def test_delay_on_the_way_moves_nothing() -> None:
    frames = [(*frame[:4], frame[4] + 40 * (n % 3)) for n, frame in enumerate(voice(12))]
    assert places(TrackCutter(started_at_ms=START_MS), frames) == [160 * n for n in range(12)]


def test_a_packet_that_was_overtaken_is_put_in_its_place() -> None:
    frames = voice(5)
    frames[2], frames[3] = frames[3], frames[2]
    (piece,) = TrackCutter(started_at_ms=START_MS).cut(frames)
    assert piece.at_samples == (0, 160, 320, 480, 640)


def test_silence_that_was_not_sent_stays_empty() -> None:
    frames = voice(2) + voice(2, timestamp=0xFFFF_FF00 + 8_000, at_ms=START_MS + 1_000)
    assert places(TrackCutter(started_at_ms=START_MS), frames) == [0, 160, 8_000, 8_160]


def test_another_source_and_a_clock_that_jumped_are_tied_to_the_wall() -> None:
    cutter = TrackCutter(started_at_ms=START_MS)
    places(cutter, voice(2))
    assert places(cutter, voice(2, ssrc=8, timestamp=5, at_ms=START_MS + 500)) == [4_000, 4_160]
    assert places(cutter, voice(2, ssrc=8, timestamp=9_999_999, at_ms=START_MS + 600)) == [
        4_800,
        4_960,
    ]


def test_packets_that_waited_for_this_process_stay_where_they_belong() -> None:
    """It stood still for 800 ms: what came meanwhile came at once."""
    frames = [
        (*frame[:4], frame[4] if n < 10 else max(frame[4], START_MS + 1_000))
        for n, frame in enumerate(voice(60))
    ]
    assert places(TrackCutter(started_at_ms=START_MS), frames) == [160 * n for n in range(60)]


def test_a_source_that_stood_still_and_goes_on_counting_is_tied_to_the_wall() -> None:
    before = voice(2)
    after = voice(40, timestamp=0xFFFF_FF00 + 320, at_ms=START_MS + 2_000)
    found = places(TrackCutter(started_at_ms=START_MS), before + after)
    assert found == [0, 160, *(16_000 + 160 * n for n in range(40))]


def test_another_codec_begins_another_piece() -> None:
    frames = voice(2) + voice(2, codec="PCMA", timestamp=0xFFFF_FF00 + 320, at_ms=START_MS + 40)
    pieces = TrackCutter(started_at_ms=START_MS).cut(frames)
    assert [(piece.codec, piece.at_samples) for piece in pieces] == [
        ("PCMU", (0, 160)),
        ("PCMA", (320, 480)),
    ]


def test_nothing_makes_no_piece() -> None:
    assert TrackCutter(started_at_ms=START_MS).cut([]) == []


def test_nothing_lies_before_the_track() -> None:
    frames = voice(2, at_ms=START_MS - 30)
    assert places(TrackCutter(started_at_ms=START_MS), frames) == [0, 0]


@given(
    frames=st.lists(
        st.tuples(
            st.integers(1, 2),
            st.integers(0, (1 << 32) - 1),
            st.sampled_from(["PCMU", "PCMA"]),
            st.binary(min_size=1, max_size=480),
            st.floats(START_MS, START_MS + 20_000),
        ),
        max_size=60,
    )
)
def test_whatever_comes_makes_pieces_in_order_and_within_their_limits(
    frames: list[Heard],
) -> None:
    pieces = TrackCutter(started_at_ms=START_MS).cut(frames)
    assert sorted(frame for piece in pieces for frame in piece.frames) == sorted(
        frame[3] for frame in frames
    )
    for piece in pieces:
        assert list(piece.at_samples) == sorted(piece.at_samples)
        assert len(piece.at_samples) == len(piece.frames) <= MAX_PIECE_FRAMES
        assert all(0 <= at < 1 << 32 for at in piece.at_samples)


def test_a_piece_has_at_most_two_seconds_and_so_many_frames() -> None:
    pieces = TrackCutter(started_at_ms=START_MS).cut(voice(250))
    assert [len(piece.frames) for piece in pieces] == [100, 100, 50]
    assert all(p.end_samples - p.at_samples[0] <= MAX_PIECE_SAMPLES for p in pieces)
    flood = [(7, 0, "PCMU", b"x", START_MS)] * (MAX_PIECE_FRAMES + 1)
    assert len(TrackCutter(started_at_ms=START_MS).cut(flood)) == 2
