"""Whatever happens to a stored recording is found, with and without the service."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import pytest

from services.chassis.bus import MemoryBus
from services.chassis.ids import CallId, TenantId
from services.chassis.tasks import Tasks
from services.recording.examining import Examiner
from services.recording.ingest import Ingest
from services.recording.keys import ensure_keys
from services.recording.model.errors import NoSuchRecording, SegmentDamaged
from services.recording.model.evidence import Verification
from services.recording.segments import SegmentPlace
from services.recording.segments_stored import SUMMARY, DirectorySegments
from services.recording.store import MemoryRecordingStore
from services.recording.summary import differs, read_summary
from services.recording.verify import told, verify, verify_files, verify_recording
from services.recording.wire import manifest_of, sealed_of
from tests.unit.recording.conftest import HandClock
from tests.unit.recording.tape import START_MS, Tape

ACME = TenantId("acme")
CALL = CallId("call-1")


@dataclass
class Archive:
    """A closed recording on disk."""

    var_dir: Path
    files: DirectorySegments
    store: MemoryRecordingStore
    examiner: Examiner
    tape: Tape

    async def verify(self) -> Verification:
        recording = await self.store.recording(ACME, CALL)
        assert recording is not None
        segments = await self.store.segments(ACME, CALL)
        return await verify_recording(
            ACME, recording, segments, files=self.files, examiner=self.examiner, now_ms=7
        )

    async def verify_offline(self) -> list[Verification]:
        folder = self.var_dir / "recording"
        return await verify_files(
            folder=folder / "segments", key_file=folder / "keys", recording_id=CALL, now_ms=7
        )

    def path(self, track_id: str, number: int) -> Path:
        sha256 = self.tape.tracks[track_id][number - 1]
        return self.files.path(SegmentPlace(ACME, CALL, track_id, number, sha256))

    @property
    def summary(self) -> Path:
        return self.files.call_folder(ACME, CALL) / SUMMARY


@pytest.fixture
async def archive(tmp_path: Path) -> Archive:
    keys = ensure_keys(tmp_path / "recording" / "keys")
    files = DirectorySegments(tmp_path / "recording" / "segments")
    store, ids, tasks = MemoryRecordingStore(MemoryBus()), count(1), Tasks()
    examiner = Examiner(files=files, keys=keys)
    ingest = Ingest(
        keys=keys,
        files=files,
        store=store,
        examiner=examiner,
        clock=HandClock(),
        new_id=lambda: str(next(ids)),
        tasks=tasks,
    )
    tape = Tape(CALL, keys.present)
    for track_id in ("leg-b", "leg-a"):
        for number in (1, 2):
            payload = bytes([number]) * 16_000
            request = tape.segment(track_id, number, payload, at=16_000 * (number - 1))
            await ingest.put_segment(ACME, sealed_of(request))
    manifest = tape.manifest(roles=("agent", "caller")).manifest
    manifest.markers.add(kind="hold", from_ms=START_MS, to_ms=START_MS + 500, leg_id="leg-b")
    await ingest.put_manifest(ACME, manifest_of(manifest))
    return Archive(tmp_path, files, store, examiner, tape)


async def test_what_nobody_touched_is_intact(archive: Archive) -> None:
    online, offline = await archive.verify(), (await archive.verify_offline())[0]
    assert online == offline
    assert online.intact
    assert online.segments_checked == 4
    assert "intact" in told(online)


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


def move(source: Path, target: Path) -> None:
    target.write_bytes(source.read_bytes())


TOUCHES: list[tuple[str, Callable[[Archive], object], str]] = [
    ("byte of sound", lambda a: flip(a.path("leg-a", 1), -100), "leg-a/1: call-1/leg-a/1: changed"),
    ("byte of tag", lambda a: flip(a.path("leg-a", 2), -1), "leg-a/2: "),
    ("byte of head", lambda a: flip(a.path("leg-b", 1), 20), "leg-b/1: "),
    ("missing", lambda a: a.path("leg-b", 2).unlink(), "leg-b/2: leg-b/2 is gone"),
    ("cut", lambda a: a.path("leg-b", 2).write_bytes(b""), "leg-b/2: its head"),
    (
        "swapped",
        lambda a: move(a.path("leg-a", 2), a.path("leg-a", 1)),
        "leg-a/1: another segment stands in its place",
    ),
    (
        "of another track",
        lambda a: move(a.path("leg-b", 1), a.path("leg-a", 1)),
        "leg-a/1: another segment stands in its place",
    ),
]


@pytest.mark.parametrize(("touch", "fault"), [each[1:] for each in TOUCHES], ids=lambda _: "")
async def test_every_touch_is_found(
    archive: Archive, touch: Callable[[Archive], object], fault: str
) -> None:
    touch(archive)
    for found in (await archive.verify(), (await archive.verify_offline())[0]):
        assert not found.intact
        assert len(found.faults) == 1
        assert found.faults[0].startswith(fault)
        assert found.computed_sha256 != found.expected_sha256
        assert "NOT INTACT" in told(found)
        assert found.faults[0] in told(found)


async def test_a_segment_sealed_anew_with_other_sound_is_found(archive: Archive) -> None:
    """Somebody who has the private key can seal, but not change what the hash is."""
    forged = sealed_of(archive.tape.segment("leg-a", 1, b"\x00" * 16_000))
    archive.tape.tracks["leg-a"].pop()
    archive.path("leg-a", 1).write_bytes(forged.to_bytes())
    assert not (await archive.verify()).intact


async def test_a_summary_that_tells_something_else_is_found(archive: Archive) -> None:
    value = json.loads(archive.summary.read_text())
    value["sha256"] = "0" * 64
    archive.summary.write_text(json.dumps(value))
    assert (await archive.verify()).faults == ("recording.json tells another hash",)
    assert not (await archive.verify_offline())[0].intact
    archive.summary.write_text("{}")
    assert "cannot be read" in (await archive.verify()).faults[0]
    archive.summary.unlink()
    assert (await archive.verify()).faults == ("recording.json is gone",)
    with pytest.raises(NoSuchRecording):
        await archive.verify_offline()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("consent", "agreed"),
        ("gaps", []),
        ("markers", []),
        ("from_number", "+49301"),
        ("stored", {"leg-a": []}),
        ("said", "more"),
    ],
)
async def test_whatever_was_changed_in_a_summary_is_found(
    archive: Archive, name: str, value: object
) -> None:
    summary = json.loads(archive.summary.read_text())
    was = summary.get(name)
    summary[name] = [{"track_id": "leg-a"}] if value == was else value
    archive.summary.write_text(json.dumps(summary))
    found = await archive.verify()
    assert found.faults == ("recording.json is not what was written",)
    assert not found.intact


async def test_a_summary_of_before_there_were_markers_is_intact(archive: Archive) -> None:
    recording = await archive.store.recording(ACME, CALL)
    assert recording is not None
    before = json.loads(archive.summary.read_text())
    assert before.pop("markers")
    archive.summary.write_text(json.dumps(before))
    segments = await archive.store.segments(ACME, CALL)
    assert differs(archive.summary.read_bytes(), replace(recording, markers=()), segments) == ""


async def test_another_calls_summary_is_found(archive: Archive) -> None:
    value = json.loads(archive.summary.read_text())
    value["recording_id"] = "call-2"
    archive.summary.write_text(json.dumps(value))
    assert "another call's" in (await archive.verify_offline())[0].faults[-1]


async def test_what_goes_on_is_not_intact_yet(archive: Archive) -> None:
    request = Tape("call-2", ensure_keys(archive.var_dir / "recording" / "keys").present)
    ids = count(100)
    ingest = Ingest(
        keys=ensure_keys(archive.var_dir / "recording" / "keys"),
        files=archive.files,
        store=archive.store,
        examiner=archive.examiner,
        clock=HandClock(),
        new_id=lambda: str(next(ids)),
        tasks=Tasks(),
    )
    await ingest.put_segment(ACME, sealed_of(request.segment("leg-a", 1, b"\x55" * 160)))
    recording = await archive.store.recording(ACME, CallId("call-2"))
    assert recording is not None
    segments = await archive.store.segments(ACME, CallId("call-2"))
    found = await verify_recording(
        ACME, recording, segments, files=archive.files, examiner=archive.examiner, now_ms=7
    )
    assert found.faults == ("the recording still goes on",)


def test_the_command_needs_files_and_keys_only(archive: Archive) -> None:
    found = verify(archive.var_dir, CALL)
    assert [each.intact for each in found] == [True]
    with pytest.raises(NoSuchRecording):
        verify(archive.var_dir, "call-9")


def test_a_summary_is_read_whole_or_not_at_all() -> None:
    for data in (b"", b"[]", b'{"recording_id": "x"}', b'{"stored": {"a": [{}]}}'):
        with pytest.raises(SegmentDamaged):
            read_summary(data)


DOCUMENT = Path(__file__).parents[3] / "docs" / "recordings.md"


def commands() -> str:
    """What docs/recordings.md tells an auditor to type, as it stands there."""
    found = re.search(r"```bash\n(#!/bin/bash\n.*?)```", DOCUMENT.read_text(), re.DOTALL)
    assert found is not None, "the page has no script"
    return found.group(1)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_an_auditor_opens_and_hashes_a_recording_with_openssl_alone(
    archive: Archive, tmp_path: Path
) -> None:
    whole = hashlib.sha256()
    work = tmp_path / "by-hand"
    work.mkdir()
    for track_id in ("leg-a", "leg-b"):
        for number in (1, 2):
            keys = archive.var_dir / "recording" / "keys"
            clear = subprocess.run(
                ["bash", "-c", commands(), "open-segment", archive.path(track_id, number), keys],
                cwd=work,
                check=True,
                capture_output=True,
            ).stdout
            assert hashlib.sha256(clear).hexdigest() == archive.tape.tracks[track_id][number - 1]
            whole.update(clear)
    assert whole.hexdigest() == json.loads(archive.summary.read_text())["sha256"]
