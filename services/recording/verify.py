"""Verification: everything is read again and compared with what was computed at the end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from services.chassis.ids import CallId, TenantId
from services.chassis.objects_sealed import is_sealed, unseal
from services.chassis.sealing import SealBroken
from services.chassis.settings import load
from services.recording.examining import Examiner
from services.recording.keys import KeyRing, read_keys
from services.recording.model.errors import NoSuchRecording, SegmentDamaged
from services.recording.model.evidence import Recording, Segment, State, Verification
from services.recording.segments import SegmentFiles
from services.recording.segments_stored import DirectorySegments, summary_name
from services.recording.settings import RecordingSettings
from services.recording.summary import differs, read_summary

MAX_FAULTS = 1_000
"""That are told of one recording."""


async def verify_recording(
    tenant_id: TenantId,
    recording: Recording,
    segments: Sequence[Segment],
    *,
    files: SegmentFiles,
    examiner: Examiner,
    now_ms: int,
) -> Verification:
    """Compares what is stored with what the database remembers; SegmentsUnavailable."""
    examined = await examiner.examine(tenant_id, recording.recording_id, segments)
    faults = [f"{segment.name}: {why}" for segment, why in examined.damaged]
    if recording.state is State.RECORDING:
        faults.append("the recording still goes on")
    else:
        faults += await _summary_faults(tenant_id, recording, segments, files)
    return Verification(
        recording_id=recording.recording_id,
        expected_sha256=recording.sha256,
        computed_sha256=examined.sha256,
        segments_checked=len(segments),
        faults=tuple(faults[:MAX_FAULTS]),
        at_ms=now_ms,
    )


async def _summary_faults(
    tenant_id: TenantId, recording: Recording, segments: Sequence[Segment], files: SegmentFiles
) -> list[str]:
    try:
        data = await files.summary(tenant_id, recording.recording_id)
    except SegmentDamaged as error:
        return [str(error)]
    if data is None:
        return ["recording.json is gone"]
    fault = differs(data, recording, segments)
    return [fault] if fault else []


async def verify_files(
    *, folder: Path, key_file: Path, recording_id: str, now_ms: int
) -> list[Verification]:
    """Verifies from files alone, without database and services: for each tenant that has the call.

    `folder` has the segments, `key_file` the private keys. NoSuchRecording, KeyFileUnusable.
    """
    files, keys = DirectorySegments(folder), read_keys(key_file)
    examiner = Examiner(files=files, keys=keys)
    found = []
    for tenant_id in files.tenants():
        data = await files.summary(tenant_id, CallId(recording_id))
        if data is None:
            continue
        summary = read_summary(_opened(data, tenant_id, CallId(recording_id), keys))
        examined = await examiner.examine(tenant_id, summary.recording_id, summary.segments)
        faults = [f"{segment.name}: {why}" for segment, why in examined.damaged]
        if summary.recording_id != recording_id:
            faults.append("recording.json is another call's")
        found.append(
            Verification(
                recording_id=CallId(recording_id),
                expected_sha256=summary.sha256,
                computed_sha256=examined.sha256,
                segments_checked=len(summary.segments),
                faults=tuple(faults),
                at_ms=now_ms,
            )
        )
    if not found:
        raise NoSuchRecording(f"{recording_id} has no recording.json below {folder}")
    return found


def _opened(data: bytes, tenant_id: TenantId, call_id: CallId, keys: KeyRing) -> bytes:
    """What closes a call, also from a copy of a bucket, where it is sealed; SegmentDamaged."""
    if not is_sealed(data):
        return data
    try:
        return unseal(data, name=summary_name(tenant_id, call_id), pairs=keys.pairs)
    except SealBroken as error:
        raise SegmentDamaged(f"recording.json cannot be opened: {error}") from None


def verify(var_dir: Path, recording_id: str) -> list[Verification]:
    """Verifies a recording of the installation that keeps its data in `var_dir`; see above."""
    settings = load(RecordingSettings)
    return asyncio.run(
        verify_files(
            folder=settings.segments_in(var_dir),
            key_file=settings.keys_in(var_dir),
            recording_id=recording_id,
            now_ms=time.time_ns() // 1_000_000,
        )
    )


def told(found: Verification) -> str:
    """A verification in lines for a terminal."""
    lines = [
        f"recording {found.recording_id}: {'intact' if found.intact else 'NOT INTACT'}",
        f"  expected {found.expected_sha256}",
        f"  computed {found.computed_sha256}",
        f"  segments {found.segments_checked}",
        *(f"  fault    {fault}" for fault in found.faults),
    ]
    return "\n".join(lines)
