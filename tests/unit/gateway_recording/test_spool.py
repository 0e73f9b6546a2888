"""The spool: what is in it is whole, what has no room is a gap, what is left is finished."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from media_gateway.recording import call_log
from media_gateway.recording.call_recording import MAX_FRAMES_WAITING, Track
from media_gateway.recording.cutter import TrackCutter
from media_gateway.recording.model import CallKey
from media_gateway.recording.spool import MAX_REFUSED, Room, Spool
from media_gateway.recording.writing import Batch, CallWriter
from media_gateway.rtp.model import Heard
from protos.recording.v1 import recording_pb2
from services.chassis.sealing import (
    SealedKey,
    generate_key_pair,
    open_segment,
    unseal_key,
)
from tests.unit.gateway_recording.test_cutter import FRAME, voice

CALL = CallKey("acme/../evil", "call-1")
START_MS = 1_000_000
PAIR = generate_key_pair()
PLENTY = Room(max_bytes=1 << 30, min_free_bytes=0)


def manifest(**fields: object) -> recording_pb2.Manifest:
    made = recording_pb2.Manifest(
        call_id=CALL.call_id, started_at_ms=START_MS, incarnation="inc-1", consent="announced"
    )
    made.tracks.add(track_id="1", role="caller", started_at_ms=START_MS)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def ended() -> recording_pb2.Manifest:
    made = manifest(ended_at_ms=START_MS + 9_000)
    made.tracks[0].ended_at_ms = START_MS + 9_000
    return made


class Desk:
    """One call being written to a spool."""

    def __init__(self, folder: Path, room: Room = PLENTY) -> None:
        self.spool = Spool(folder / "spool", room=room)
        self.left = self.spool.open()
        self.track = Track("1", START_MS, TrackCutter(started_at_ms=START_MS))
        self.key: bytes | None = PAIR.public_key
        self.writer = CallWriter(
            CALL, public_key=lambda: self.key, spool=self.spool, incarnation="inc-1"
        )

    def write(
        self,
        frames: list[Heard] | None = None,
        *,
        known: recording_pb2.Manifest | None = None,
        over: bool = False,
    ) -> bool:
        return self.writer.write(Batch(known, ((self.track, frames or []),), over))

    def say(self, second: int) -> bool:
        """A second of voice."""
        frames = voice(50, timestamp=8_000 * second, at_ms=START_MS + 1_000 * second)
        return self.write(frames)

    def gaps(self) -> list[tuple[str, int, int]]:
        """Those of the finished manifest: why, from when, until when since the start."""
        return [
            (gap.reason, gap.from_ms - START_MS, gap.to_ms - START_MS)
            for gap in self.finished().gaps
        ]

    def finished(self) -> recording_pb2.Manifest:
        found = self.spool.manifest(CALL)
        assert found is not None
        return found


def opened(request: recording_pb2.PutSegmentRequest) -> recording_pb2.Segment:
    """What the recording service reads."""
    wrapped = SealedKey(request.key.key_id, request.key.ephemeral_public_key, request.key.wrapped)
    key = unseal_key(wrapped, private_key=PAIR.private_key, call_id=request.call_id)
    clear = open_segment(
        key,
        request.sealed,
        call_id=request.call_id,
        track_id=request.track_id,
        number=request.number,
    )
    return recording_pb2.Segment.FromString(clear)


def full_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a file nor a line more fits on the disk."""

    def refuse(*_: object) -> int:
        raise OSError(errno.ENOSPC, "no space left on device")

    monkeypatch.setattr(os, "write", refuse)
    monkeypatch.setattr(Path, "write_bytes", refuse)


def test_what_was_said_is_in_the_segments_for_recording_alone(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    assert desk.write(known=manifest())
    assert desk.say(0)
    assert desk.say(1)
    waiting = desk.spool.waiting(CALL, limit=10)
    first, second = (opened(each.request) for each in waiting)
    assert first.payload == FRAME * 50
    assert (first.number, second.number, first.codec) == (1, 2, "PCMU")
    assert list(second.at_samples)[:2] == [8_000, 8_160]
    assert FRAME not in b"".join(each.request.sealed for each in waiting)
    files = [path for path in (tmp_path / "spool").rglob("*") if path.is_file()]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in files)
    assert desk.spool.used_bytes == sum(p.stat().st_size for p in files if p.suffix == ".seg")


def test_the_manifest_names_every_segment_in_order(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write(known=manifest())
    desk.say(0)
    desk.say(1)
    assert desk.spool.manifest(CALL) is None
    assert desk.write(known=ended(), over=True)
    found = desk.finished()
    waiting = desk.spool.waiting(CALL, limit=10)
    assert list(found.tracks[0].segment_sha256) == [each.request.sha256 for each in waiting]
    assert list(found.gaps) == []
    desk.spool.forget(CALL, [each.name for each in waiting])
    assert desk.spool.used_bytes == 0
    desk.spool.remove(CALL)
    assert desk.spool.open() == []


def test_a_spool_at_its_limit_makes_one_gap_and_goes_on(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Room(max_bytes=20_000, min_free_bytes=0))
    desk.write(known=manifest())
    assert [desk.say(second) for second in range(4)] == [True, True, False, False]
    waiting = desk.spool.waiting(CALL, limit=10)
    desk.spool.forget(CALL, [waiting[0].name])
    assert desk.say(4)
    assert desk.write(known=ended(), over=True)
    found = desk.finished()
    (missing,) = found.gaps
    assert (missing.track_id, missing.reason) == ("1", "disk-full")
    assert (missing.from_ms - START_MS, missing.to_ms - START_MS) == (2_000, 4_000)
    assert len(found.tracks[0].segment_sha256) == 3


def test_too_little_space_left_counts_as_full(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Room(max_bytes=1 << 30, min_free_bytes=1 << 62))
    desk.write(known=manifest())
    assert not desk.say(0)
    assert not desk.write(known=ended(), over=True)


def test_a_disk_without_space_loses_a_stretch_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)
    desk.write(known=manifest())
    assert desk.say(0)
    with monkeypatch.context() as full:
        full_disk(full)
        assert not desk.say(1)
        assert not desk.say(2)
        # The end waits until there is space for it.
        assert not desk.write(known=ended(), over=True)
    assert desk.write(over=True)
    found = desk.finished()
    assert found.ended_at_ms == START_MS + 9_000
    (missing,) = found.gaps
    assert (missing.from_ms - START_MS, missing.to_ms - START_MS) == (1_000, 3_000)
    assert not list((tmp_path / "spool").rglob("*.tmp"))


def test_a_segment_without_its_place_in_the_log_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)
    desk.write(known=manifest())
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda *given: len(given[1]) // 2)
        assert not desk.say(0)
    assert desk.spool.waiting(CALL, limit=10) == []
    assert desk.say(1)
    assert [each.request.number for each in desk.spool.waiting(CALL, limit=10)] == [1]


def test_a_recording_that_nobody_ended_is_closed_with_a_gap(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    known = manifest()
    known.pauses.add(from_ms=START_MS + 500, reason="card")
    known.played.add(leg_id="1", from_ms=START_MS, prompts=["music"], loop=True)
    known.markers.add(kind="hold", from_ms=START_MS, leg_id="2")
    known.markers.add(kind="keys", from_ms=START_MS, leg_id="1", count=1)
    known.tracks.add(track_id="2", role="agent", started_at_ms=START_MS, ended_at_ms=START_MS + 1)
    desk.write(known=known)
    desk.say(0)
    log = next((tmp_path / "spool").rglob("log"))
    log.write_bytes(log.read_bytes() + b"\0\0\0\x20torn")
    again = Desk(tmp_path)
    assert again.left == [CALL]
    assert again.spool.log_of(CALL).incarnation == "inc-1"
    again.spool.close_lost(CALL, at_ms=START_MS + 1_700)
    found = again.finished()
    (missing,) = found.gaps
    assert (missing.track_id, missing.reason) == ("1", "gateway-lost")
    assert (missing.from_ms - START_MS, missing.to_ms - START_MS) == (1_000, 1_700)
    assert [track.ended_at_ms - START_MS for track in found.tracks] == [1_700, 1]
    assert found.ended_at_ms == found.pauses[0].to_ms == found.played[0].to_ms
    assert [each.to_ms for each in found.markers] == [found.ended_at_ms, 0]
    assert len(found.tracks[0].segment_sha256) == 1


class Killed(BaseException):
    """The process ends here."""


def test_a_process_that_dies_before_the_last_words_are_written_leaves_a_gap(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(tmp_path)
    desk.write(known=manifest())
    desk.say(0)

    def die(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as dying:
        dying.setattr(Spool, "add_segment", die)
        with pytest.raises(Killed):
            desk.write(voice(50, timestamp=8_000, at_ms=START_MS + 1_000), known=ended(), over=True)
    desk.spool.close_lost(CALL, at_ms=START_MS + 8_000)
    assert desk.gaps() == [("gateway-lost", 1_000, 8_000)]


def test_a_successor_that_dies_as_it_closes_leaves_the_gap_to_the_next(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write(known=manifest())
    desk.say(0)
    first = desk.spool.log_of(CALL).closing(at_ms=START_MS + 5_000)[0]
    desk.spool.add_record(CALL, first)
    desk.spool.close_lost(CALL, at_ms=START_MS + 5_000)
    assert desk.gaps() == [("gateway-lost", 1_000, 5_000)]
    assert desk.finished().tracks[0].ended_at_ms == START_MS + 5_000


def test_what_a_track_misses_already_is_not_missed_again_by_a_death(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.key = None
    desk.write(known=manifest())
    desk.say(0)
    desk.spool.close_lost(CALL, at_ms=START_MS + 5_000)
    assert desk.gaps() == [("no-sealing-key", 0, 1_000), ("gateway-lost", 1_000, 5_000)]


def test_a_call_without_a_key_is_one_gap_until_the_key_comes(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.key = None
    assert desk.write(known=manifest())
    assert not desk.say(0)
    assert not desk.say(1)
    assert desk.writer.trouble == "no-sealing-key"
    assert desk.spool.waiting(CALL, limit=10) == []
    desk.key = PAIR.public_key
    assert desk.say(2)
    assert desk.writer.trouble == ""
    assert desk.write(known=ended(), over=True)
    assert desk.gaps() == [("no-sealing-key", 0, 2_000)]
    (kept,) = desk.spool.waiting(CALL, limit=10)
    assert opened(kept.request).at_samples[0] == 16_000


def test_a_call_whose_key_never_comes_is_told_as_missing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.key = None
    frames = voice(50, timestamp=0, at_ms=START_MS)
    assert not desk.write(frames, known=ended(), over=True)
    assert desk.writer.finished
    assert desk.gaps() == [("no-sealing-key", 0, 1_000)]
    assert list(desk.finished().tracks[0].segment_sha256) == []


def test_each_reason_why_something_is_missing_has_its_own_stretch(tmp_path: Path) -> None:
    desk = Desk(tmp_path, Room(max_bytes=0, min_free_bytes=0))
    desk.key = None
    desk.write(known=manifest())
    desk.say(0)
    desk.key = PAIR.public_key
    desk.say(1)
    assert desk.writer.trouble == "disk-full"
    desk.write(known=ended(), over=True)
    assert desk.gaps() == [("no-sealing-key", 0, 1_000), ("disk-full", 1_000, 2_000)]


def test_what_a_full_tap_has_lost_is_a_gap(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write(known=manifest())
    desk.say(0)
    late = voice(MAX_FRAMES_WAITING, timestamp=80_000, at_ms=START_MS + 60_000)
    assert not desk.write(late)
    assert desk.writer.trouble == "disk-slow"
    assert desk.write(known=ended(), over=True)
    assert desk.gaps() == [("disk-slow", 1_000, 60_000)]
    assert len(desk.spool.waiting(CALL, limit=100)) == 1 + 20


def test_what_a_fault_has_lost_is_a_gap(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write(known=manifest())
    frames = voice(50, timestamp=0, at_ms=START_MS)
    silent = Track("2", START_MS, TrackCutter(started_at_ms=START_MS))
    desk.writer.lose(Batch(known=None, heard=((desk.track, frames), (silent, [])), over=False))
    assert desk.writer.trouble == "segment-lost"
    assert desk.write(known=ended(), over=True)
    assert desk.gaps() == [("segment-lost", 0, 1_000)]


def test_segments_that_cannot_be_read_are_lost_and_the_others_are_not(tmp_path: Path) -> None:
    """As after a loss of power, which may leave a file without its end, or empty."""
    desk = Desk(tmp_path)
    desk.write(known=manifest())
    for second in range(4):
        desk.say(second)
    folder = tmp_path / "spool"
    files = sorted(folder.rglob("*.seg"))
    files[0].write_bytes(b"")
    files[1].write_bytes(files[1].read_bytes()[:-9])
    files[2].replace(files[2].with_name("1.seg"))
    again = Desk(tmp_path)
    (kept,) = again.spool.waiting(CALL, limit=2)
    assert kept.request.number == 4
    again.spool.forget(CALL, [kept.name])
    assert again.spool.used_bytes == 0
    assert len(list((folder / "refused").iterdir())) == 3
    again.spool.close_lost(CALL, at_ms=START_MS + 4_000)
    assert again.gaps()[:2] == [("gateway-lost", 4_000, 4_000), ("segment-lost", 0, 1_000)]
    assert Desk(tmp_path).spool.used_bytes == 0


@pytest.mark.parametrize("torn", [b"", b"\x0a\xff"])
def test_a_manifest_that_cannot_be_read_is_made_again(tmp_path: Path, torn: bytes) -> None:
    desk = Desk(tmp_path)
    desk.write(known=manifest())
    desk.say(0)
    desk.write(known=ended(), over=True)
    whole = desk.finished()
    (file,) = (tmp_path / "spool").rglob("manifest")
    file.write_bytes(torn)
    assert not desk.spool.is_finished(CALL)
    desk.spool.close_lost(CALL, at_ms=START_MS + 10_000)
    assert desk.finished() == whole


def test_a_manifest_and_a_log_that_cannot_be_read_to_their_ends_leave_a_gap(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write(known=manifest())
    desk.say(0)
    desk.write(known=ended(), over=True)
    (file,), (log,) = (list((tmp_path / "spool").rglob(name)) for name in ("manifest", "log"))
    file.write_bytes(b"")
    log.write_bytes(log.read_bytes()[:-1])
    desk.spool.close_lost(CALL, at_ms=START_MS + 10_000)
    assert desk.gaps() == [("gateway-lost", 1_000, 10_000)]


def test_a_death_before_the_last_segment_is_at_its_end(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write(known=manifest())
    desk.say(0)
    desk.spool.close_lost(CALL, at_ms=0)
    assert desk.finished().ended_at_ms == START_MS + 1_000


def test_a_segment_that_is_never_taken_is_a_gap_of_its_stretch(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.write(known=manifest())
    desk.say(0)
    desk.say(1)
    desk.spool.note_lost(CALL, call_log.lost("1", 1))
    desk.write(known=ended(), over=True)
    desk.spool.note_lost(CALL, call_log.lost("1", 2))
    found = desk.finished()
    assert list(found.tracks[0].segment_sha256) == ["", ""]
    assert [(gap.reason, gap.from_ms - START_MS) for gap in found.gaps] == [
        ("segment-lost", 0),
        ("segment-lost", 1_000),
    ]


def test_refused_manifests_are_kept_and_not_for_ever(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for number in range(MAX_REFUSED + 2):
        call = CallKey("acme", f"call-{number:06d}")
        desk.spool.begin(call)
        desk.spool.add_record(call, call_log.known(manifest()))
        desk.spool.finish(call)
        desk.spool.set_aside(call)
    kept = sorted(path.name for path in (tmp_path / "spool" / "refused").iterdir())
    assert len(kept) == MAX_REFUSED
    assert kept[0] == "call-000002.manifest"
    assert desk.spool.open() == []


def test_what_is_not_there_is_nothing(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    nobody = CallKey("acme", "nobody")
    assert desk.spool.waiting(nobody, limit=1) == []
    assert desk.spool.manifest(nobody) is None
    assert desk.spool.log_of(nobody).incarnation == ""
