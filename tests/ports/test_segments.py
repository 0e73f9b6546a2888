"""What every place for sealed segments keeps to, and what a bucket shows of them to strangers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from minio import Minio

from services.chassis.blobs_s3 import S3Blobs
from services.chassis.bus import MemoryBus
from services.chassis.ids import CallId, TenantId
from services.chassis.objects_sealed import SealedObjects
from services.chassis.s3 import S3, S3Address
from services.chassis.sealing import generate_key_pair
from services.chassis.tasks import Tasks
from services.launcher.parts.minio import MinioServer
from services.recording.examining import Examiner
from services.recording.ingest import Ingest
from services.recording.keys import KeyRing, ensure_keys
from services.recording.model.errors import SegmentDamaged, SegmentsUnavailable
from services.recording.model.evidence import State, Verification
from services.recording.segments import MemorySegments, SegmentFiles, SegmentPlace
from services.recording.segments_stored import (
    DirectorySegments,
    StoredSegments,
    segment_name,
    summary_name,
)
from services.recording.store import MemoryRecordingStore
from services.recording.verify import verify_files, verify_recording
from services.recording.wire import manifest_of, sealed_of
from tests.stage.s3 import fresh_bucket, running_minio
from tests.unit.recording.conftest import HandClock
from tests.unit.recording.tape import Tape

ACME, OTHER = TenantId("acme"), TenantId("../other")
CALL = CallId("../../call")
PLACE = SegmentPlace(ACME, CALL, "leg/../a", 1, "a" * 64)
CALLER = "+4930123456"
"""Of the tape's call."""


@pytest.fixture(params=["memory", "directory", "s3", "s3-worm"])
async def files(
    request: pytest.FixtureRequest, tmp_path: Path, minio_server: MinioServer
) -> AsyncIterator[SegmentFiles]:
    if request.param == "memory":
        yield MemorySegments()
    elif request.param == "directory":
        yield DirectorySegments(tmp_path / "segments")
    else:
        address = await fresh_bucket(minio_server, worm=request.param == "s3-worm")
        blobs = S3Blobs(address)
        objects = blobs.objects("recordings")
        yield StoredSegments(objects, summaries=SealedObjects(objects, [generate_key_pair()]))
        await blobs.close()


async def test_what_was_put_is_got(files: SegmentFiles) -> None:
    await files.put(PLACE, b"one")
    await files.put(PLACE, b"two")
    assert await files.get(PLACE) == b"two"


@pytest.mark.parametrize(
    "place",
    [
        SegmentPlace(OTHER, CALL, "leg/../a", 1, "a" * 64),
        SegmentPlace(ACME, CallId("call"), "leg/../a", 1, "a" * 64),
        SegmentPlace(ACME, CALL, "a", 1, "a" * 64),
        SegmentPlace(ACME, CALL, "leg/../a", 2, "a" * 64),
        SegmentPlace(ACME, CALL, "leg/../a", 1, "b" * 64),
    ],
)
async def test_every_part_of_a_place_tells_segments_apart(
    files: SegmentFiles, place: SegmentPlace
) -> None:
    await files.put(PLACE, b"one")
    with pytest.raises(SegmentDamaged, match="is gone"):
        await files.get(place)


async def test_a_call_is_closed_by_its_summary(files: SegmentFiles) -> None:
    assert await files.summary(ACME, CALL) is None
    await files.close_call(ACME, CALL, b"first")
    await files.close_call(ACME, CALL, b"last")
    assert await files.summary(ACME, CALL) == b"last"
    assert await files.summary(OTHER, CALL) is None


@dataclass
class Archive:
    """A recording that was closed in a bucket which holds what it is given."""

    address: S3Address
    s3: S3
    keys: KeyRing
    files: StoredSegments
    store: MemoryRecordingStore
    tape: Tape
    call: CallId

    async def verify(self, **other: Any) -> Verification:
        recording = await self.store.recording(ACME, self.call)
        assert recording is not None
        segments = await self.store.segments(ACME, self.call)
        files = other.get("files", self.files)
        examiner = Examiner(files=files, keys=other.get("keys", self.keys))
        return await verify_recording(
            ACME, recording, segments, files=files, examiner=examiner, now_ms=7
        )

    def place(self, track_id: str, number: int) -> SegmentPlace:
        sha256 = self.tape.tracks[track_id][number - 1]
        return SegmentPlace(ACME, self.call, track_id, number, sha256)

    async def stored(self) -> dict[str, bytes]:
        """Everything in the bucket, by its name."""

        def read(client: Minio) -> dict[str, bytes]:
            listed = client.list_objects(self.address.bucket, recursive=True)
            names = [each.object_name for each in listed if each.object_name]
            return {name: client.get_object(self.address.bucket, name).read() for name in names}

        return await self.s3.ask(read, about="everything")


@pytest.fixture
async def archive(minio_server: MinioServer, tmp_path: Path) -> AsyncIterator[Archive]:
    address = await fresh_bucket(minio_server, worm=True)
    blobs, s3 = S3Blobs(address), S3(address)
    keys = ensure_keys(tmp_path / "recording" / "keys")
    objects = blobs.objects("recordings")
    files = StoredSegments(objects, summaries=SealedObjects(objects, keys.pairs))
    store, ids, tasks = MemoryRecordingStore(MemoryBus()), count(1), Tasks()
    ingest = Ingest(
        keys=keys,
        files=files,
        store=store,
        examiner=Examiner(files=files, keys=keys),
        clock=HandClock(),
        new_id=lambda: str(next(ids)),
        tasks=tasks,
    )
    tape = Tape("call-1", keys.present)
    for track_id in ("leg-b", "leg-a"):
        for number in range(1, 21):
            payload = bytes([number]) * 16_000
            request = tape.segment(track_id, number, payload, at=16_000 * (number - 1))
            await ingest.put_segment(ACME, sealed_of(request))
    manifest = tape.manifest(roles=("agent", "caller")).manifest
    recording = await ingest.put_manifest(ACME, manifest_of(manifest))
    assert recording.state is State.COMPLETE
    yield Archive(address, s3, keys, files, store, tape, CallId(tape.call_id))
    await tasks.close()
    await blobs.close()
    await s3.close()


async def test_a_recording_in_a_bucket_is_intact(archive: Archive) -> None:
    found = await archive.verify()
    assert found.intact
    assert found.segments_checked == 40


async def test_a_bucket_tells_nobody_who_spoke(archive: Archive) -> None:
    stored = await archive.stored()
    assert len(stored) == 41
    assert not [name for name, data in stored.items() if CALLER.encode() in data]
    stranger = KeyRing([generate_key_pair()])
    objects = S3Blobs(archive.address).objects("recordings")
    files = StoredSegments(objects, summaries=SealedObjects(objects, stranger.pairs))
    found = await archive.verify(files=files, keys=stranger)
    assert len(found.faults) == 41
    assert "recording.json cannot be opened" in found.faults[-1]


async def test_what_is_removed_by_its_name_is_still_there(archive: Archive) -> None:
    names = [
        f"recordings/{segment_name(archive.place('leg-a', 1))}",
        f"recordings/{summary_name(ACME, archive.call)}",
    ]
    for name in names:
        await archive.s3.ask(
            lambda client, name=name: client.remove_object(archive.address.bucket, name),  # type: ignore[misc]  # a lambda has no types
            about=name,
        )
    assert len(await archive.stored()) == 39
    assert (await archive.verify()).intact


async def test_what_is_written_over_is_found(archive: Archive) -> None:
    await archive.files.put(archive.place("leg-a", 1), b"nothing")
    assert (await archive.verify()).faults[0].startswith("leg-a/1: its head cannot be read")


async def test_a_copy_of_the_bucket_is_verified_as_a_directory(
    archive: Archive, tmp_path: Path
) -> None:
    for name, data in (await archive.stored()).items():
        path = tmp_path / "copy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    async def verified() -> list[Verification]:
        return await verify_files(
            folder=tmp_path / "copy" / "recordings",
            key_file=tmp_path / "recording" / "keys",
            recording_id=archive.call,
            now_ms=7,
        )

    assert [each.intact for each in await verified()] == [True]
    summary = tmp_path / "copy" / "recordings" / summary_name(ACME, archive.call)
    assert json.loads(summary.read_bytes().partition(b"\n")[0]).keys() >= {"key_id", "wrapped_key"}
    summary.write_bytes(summary.read_bytes()[:-1] + b"x")
    with pytest.raises(SegmentDamaged, match=r"recording\.json cannot be opened"):
        await verified()


async def test_storage_that_is_away_or_refuses_is_no_loss(minio_server: MinioServer) -> None:
    async with running_minio() as server:
        address = replace(await fresh_bucket(server), timeout_s=1.0)
        blobs = S3Blobs(address)
        files = StoredSegments(blobs.objects("recordings"))
        await files.put(PLACE, b"before")
        await server.kill()
        for work in (files.put(PLACE, b"after"), files.get(PLACE), files.summary(ACME, CALL)):
            with pytest.raises(SegmentsUnavailable):
                await work
        await server.start()
        assert await files.get(PLACE) == b"before"
        await blobs.close()
    unknown = StoredSegments(
        S3Blobs(replace(address, endpoint=minio_server.url)).objects("recordings")
    )
    with pytest.raises(SegmentsUnavailable, match=r"access key|secret key|no such bucket"):
        await unknown.put(PLACE, b"x")
