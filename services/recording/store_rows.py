"""Rows of PostgreSQL as the model's data, and back."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, TypeAlias

import asyncpg

from services.chassis.ids import CallId, TenantId
from services.recording.model.calls import Call, Leg
from services.recording.model.evidence import (
    Gap,
    Listening,
    Marker,
    Pause,
    Played,
    Recording,
    Segment,
    State,
    Track,
)

Row: TypeAlias = asyncpg.Record

RECORDING = (
    "recording_id, state, incarnation, started_at_ms, ended_at_ms, heard_at_ms, from_number,"
    " to_number, consent, sha256, manifest_sha256, segments, size_bytes, details"
)
SEGMENT = (
    "track_id, number, sha256, size_bytes, codec, track_started_at_ms, from_sample, to_sample,"
    " incarnation"
)
CALL = (
    "call_id, ended_at_ms, bridged, consent, trouble, agent_ids, queue_ids, dispositions,"
    " attributes, external_ref, legs"
)
LISTENING = "recording_id, listening_id, listener_id, listener_name, at_ms"


def recording_values(tenant_id: TenantId, recording: Recording) -> tuple[Any, ...]:
    """In the order of tenant_id and RECORDING."""
    details = {
        "tracks": [asdict(each) for each in recording.tracks],
        "gaps": [asdict(each) for each in recording.gaps],
        "pauses": [asdict(each) for each in recording.pauses],
        "played": [asdict(each) for each in recording.played],
        "markers": [asdict(each) for each in recording.markers],
    }
    return (
        tenant_id,
        recording.recording_id,
        recording.state.value,
        recording.incarnation,
        recording.started_at_ms,
        recording.ended_at_ms,
        recording.heard_at_ms,
        recording.from_number,
        recording.to_number,
        recording.consent,
        recording.sha256,
        recording.manifest_sha256,
        recording.segments,
        recording.size_bytes,
        json.dumps(details),
    )


def recording_of(row: Row) -> Recording:
    """A recording as stored."""
    details = json.loads(row["details"])
    return Recording(
        recording_id=CallId(row["recording_id"]),
        state=State(row["state"]),
        incarnation=row["incarnation"],
        started_at_ms=row["started_at_ms"],
        ended_at_ms=row["ended_at_ms"],
        heard_at_ms=row["heard_at_ms"],
        from_number=row["from_number"],
        to_number=row["to_number"],
        consent=row["consent"],
        sha256=row["sha256"],
        manifest_sha256=row["manifest_sha256"],
        segments=row["segments"],
        size_bytes=row["size_bytes"],
        tracks=tuple(Track(**each) for each in details["tracks"]),
        gaps=tuple(Gap(**each) for each in details["gaps"]),
        pauses=tuple(Pause(**each) for each in details["pauses"]),
        played=tuple(
            Played(**{**each, "prompts": tuple(each["prompts"])}) for each in details["played"]
        ),
        # Recordings of before there were markers have none.
        markers=tuple(Marker(**each) for each in details.get("markers", [])),
    )


def segment_values(tenant_id: TenantId, recording_id: CallId, segment: Segment) -> tuple[Any, ...]:
    """In the order of tenant_id, recording_id and SEGMENT."""
    return (
        tenant_id,
        recording_id,
        segment.track_id,
        segment.number,
        segment.sha256,
        segment.size_bytes,
        segment.codec,
        segment.track_started_at_ms,
        segment.from_sample,
        segment.to_sample,
        segment.incarnation,
    )


def segment_of(row: Row) -> Segment:
    """A segment as stored."""
    return Segment(**dict(row.items()))


def call_values(tenant_id: TenantId, call: Call) -> tuple[Any, ...]:
    """In the order of tenant_id and CALL."""
    return (
        tenant_id,
        call.call_id,
        call.ended_at_ms,
        call.bridged,
        call.consent,
        call.trouble,
        call.agent_ids,
        call.queue_ids,
        call.dispositions,
        json.dumps(dict(call.attributes)),
        call.external_ref,
        json.dumps({leg_id: asdict(leg) for leg_id, leg in call.legs.items()}),
    )


def call_of(row: Row) -> Call:
    """A call as stored."""
    legs = json.loads(row["legs"])
    return Call(
        call_id=CallId(row["call_id"]),
        ended_at_ms=row["ended_at_ms"],
        bridged=row["bridged"],
        consent=row["consent"],
        trouble=row["trouble"],
        agent_ids=tuple(row["agent_ids"]),
        queue_ids=tuple(row["queue_ids"]),
        dispositions=tuple(row["dispositions"]),
        attributes=json.loads(row["attributes"]),
        external_ref=row["external_ref"],
        legs={leg_id: Leg(**leg) for leg_id, leg in legs.items()},
    )


def listening_of(row: Row) -> Listening:
    """A listening as stored."""
    return Listening(**dict(row.items()))
