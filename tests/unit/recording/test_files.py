"""Sealed segments and keys on disk."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from services.chassis.ids import CallId, TenantId
from services.chassis.key_file import KeyFileUnusable
from services.chassis.sealing import generate_key_pair
from services.recording.keys import KeyRing, ensure_keys, read_keys
from services.recording.model.errors import (
    NoSuchSealingKey,
    RecordingDiskFull,
    SegmentDamaged,
    SegmentsUnavailable,
)
from services.recording.segments import SealedSegment, SegmentPlace
from services.recording.segments_stored import DirectorySegments
from services.recording.wire import sealed_of
from tests.unit.recording.tape import Tape

ACME, OTHER = TenantId("acme"), TenantId("../other")
CALL = CallId("../../call")
PLACE = SegmentPlace(ACME, CALL, "leg/../a", 1, "a" * 64)


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def folders_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_dir()]


async def test_whatever_a_call_is_named_its_files_stay_below_the_folder(tmp_path: Path) -> None:
    files = DirectorySegments(tmp_path / "segments")
    await files.put(PLACE, b"one")
    await files.put(SegmentPlace(OTHER, CallId(".."), "..", 1, "a" * 64), b"two")
    written = files_below(tmp_path)
    assert len(written) == 2
    assert all(path.is_relative_to(tmp_path / "segments") for path in written)
    assert files.tenants() == [OTHER, ACME]
    assert not [path for path in written if path.name.startswith(".")]


async def test_folders_of_segments_are_for_this_user_only(tmp_path: Path) -> None:
    await DirectorySegments(tmp_path / "segments").put(PLACE, b"one")
    folders = folders_below(tmp_path)
    assert len(folders) == 5
    assert all(path.stat().st_mode & 0o077 == 0 for path in folders)


@pytest.mark.parametrize(
    ("number", "wanted"),
    [
        (errno.ENOSPC, RecordingDiskFull),
        (errno.EDQUOT, RecordingDiskFull),
        (errno.EIO, SegmentsUnavailable),
    ],
)
async def test_a_disk_that_fails_says_how_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, wanted: type[Exception]
) -> None:
    files = DirectorySegments(tmp_path)
    await files.put(PLACE, b"one")

    def fail(_handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(wanted):
        await files.put(PLACE, b"two")
    monkeypatch.undo()
    assert await files.get(PLACE) == b"one"
    assert len(files_below(tmp_path)) == 1


async def test_a_folder_that_cannot_be_made_is_storage_away(tmp_path: Path) -> None:
    (tmp_path / "segments").touch()
    with pytest.raises(SegmentsUnavailable):
        await DirectorySegments(tmp_path / "segments").put(PLACE, b"one")


def test_a_stored_segment_reads_as_it_was_written() -> None:
    sealed = sealed_of(Tape("call-1", generate_key_pair()).segment("leg-a", 3, b"\x55" * 320))
    assert SealedSegment.from_bytes(sealed.to_bytes()) == sealed


@pytest.mark.parametrize("stored", [b"", b"\n", b"{}\nx", b"[]\n", b'{"call_id": 1}\n', b"\xff\n"])
def test_what_is_no_stored_segment_is_damaged(stored: bytes) -> None:
    with pytest.raises(SegmentDamaged):
        SealedSegment.from_bytes(stored)


def test_a_key_is_made_once_for_this_user_only(tmp_path: Path) -> None:
    path = tmp_path / "recording" / "keys"
    first = ensure_keys(path).present
    assert ensure_keys(path).present == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["keys"]


def test_a_new_key_is_added_as_the_last_line_and_old_segments_still_open(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    old = ensure_keys(path)
    before = sealed_of(Tape("call-1", old.present).segment("leg-a", 1, b"\x55" * 320))
    with path.open("a") as file:
        file.write(generate_key_pair().private_key.hex() + "\n")
    new = read_keys(path)
    after = sealed_of(Tape("call-2", new.present).segment("leg-a", 1, b"\x55" * 320))
    assert new.present != old.present
    assert new.open(before) == old.open(before)
    assert new.open(after)
    with pytest.raises(NoSuchSealingKey):
        old.open(after)


@pytest.mark.parametrize("text", ["", "zz\n", "abcd\n", "ä", "00" * 33])
def test_a_file_that_holds_no_keys_is_refused_by_name(tmp_path: Path, text: str) -> None:
    path = tmp_path / "keys"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(KeyFileUnusable, match="keys"):
        read_keys(path)


def test_a_key_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "keys"
    ensure_keys(path)
    path.chmod(0o604)
    with pytest.raises(KeyFileUnusable, match="chmod 600"):
        read_keys(path)
    with pytest.raises(KeyFileUnusable, match="CARILLON_RECORDING_KEY_FILE"):
        read_keys(tmp_path / "none")


def test_keys_of_many_calls_are_remembered_within_a_limit() -> None:
    pair = generate_key_pair()
    ring = KeyRing([pair])
    sealed = [
        sealed_of(Tape(f"call-{n}", pair).segment("leg-a", 1, b"\x55" * 16)) for n in range(1_100)
    ]
    for each in (*sealed, sealed[0]):
        assert ring.open(each)
