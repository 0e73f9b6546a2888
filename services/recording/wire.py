"""Between the wire's messages and the model's words: nothing is decided here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

from google.protobuf.message import DecodeError

from protos.recording.v1 import recording_pb2
from services.chassis.ids import CallId
from services.chassis.paging import BadPage
from services.chassis.sealing import SealedKey
from services.recording.core.segments import by_track
from services.recording.model.calls import Difference, Found, Reconciliation, Search
from services.recording.model.errors import BadManifest, BadPolicy, BadSearch, BadSegment
from services.recording.model.evidence import (
    Frames,
    Gap,
    Listening,
    Manifest,
    Marker,
    Pause,
    Played,
    Recording,
    Segment,
    Track,
    Verification,
)
from services.recording.model.policy import Policy, Record
from services.recording.model.waveform import Waveform
from services.recording.segments import SealedSegment

MAX_ID_CHARS = 128
MAX_WORDS_CHARS = 1_000
"""Of a search term or a reason."""
MAX_SEARCHED_ATTRIBUTES = 32
_SHA256_CHARS = 64
DAY_MS = 86_400_000
_TOKEN = re.compile(r"(\d{1,15})\.([^\0]{1,128})")


# ---- from gateways -----------------------------------------------------------------------------


def sealed_of(message: recording_pb2.PutSegmentRequest) -> SealedSegment:
    """A segment as it came; BadSegment when it has no proper name."""
    names = (message.call_id, message.track_id, message.incarnation, message.key.key_id)
    if not all(_is_id(name) for name in names) or message.number < 1:
        raise BadSegment("a segment needs call_id, track_id, number from 1, incarnation, key_id")
    if len(message.sha256) != _SHA256_CHARS or not set(message.sha256) <= set("0123456789abcdef"):
        raise BadSegment("sha256 is no SHA-256 in lower-case hex")
    return SealedSegment(
        call_id=CallId(message.call_id),
        track_id=message.track_id,
        number=message.number,
        sha256=message.sha256,
        incarnation=message.incarnation,
        key=SealedKey(
            key_id=message.key.key_id,
            ephemeral_public_key=message.key.ephemeral_public_key,
            wrapped=message.key.wrapped,
        ),
        sealed=message.sealed,
    )


def frames_of(clear: bytes, segment: SealedSegment) -> Frames:
    """The cleartext of a segment that came; BadSegment when it is another's."""
    message = _segment(clear)
    inside = (message.call_id, message.track_id, message.number)
    if inside != (segment.call_id, segment.track_id, segment.number):
        raise BadSegment(f"inside it says {'/'.join(map(str, inside))[:200]}")
    return _frames(message)


def clear_frames(clear: bytes) -> Frames:
    """The cleartext of a segment that was checked when it came."""
    return _frames(_segment(clear))


def _segment(clear: bytes) -> recording_pb2.Segment:
    message = recording_pb2.Segment()
    try:
        message.ParseFromString(clear)
    except DecodeError as error:
        raise BadSegment(f"no Segment: {error}") from None
    return message


def _frames(message: recording_pb2.Segment) -> Frames:
    return Frames(
        codec=message.codec,
        track_started_at_ms=message.track_started_at_ms,
        at_samples=tuple(message.at_samples),
        sizes=tuple(message.sizes),
        payload=message.payload,
    )


def manifest_of(message: recording_pb2.Manifest) -> Manifest:
    """A manifest as it came; BadManifest when a name in it is none."""
    ids = [message.call_id, message.incarnation, *(each.track_id for each in message.tracks)]
    if not all(_is_id(each) for each in ids):
        raise BadManifest("a manifest needs call_id, incarnation, and a track_id of each track")
    return Manifest(
        call_id=CallId(message.call_id),
        sha256=hashlib.sha256(message.SerializeToString(deterministic=True)).hexdigest(),
        from_number=cleaned(getattr(message, "from")),
        to_number=cleaned(message.to),
        started_at_ms=message.started_at_ms,
        ended_at_ms=message.ended_at_ms,
        consent=cleaned(message.consent),
        answered=message.answered,
        incarnation=message.incarnation,
        tracks=tuple(
            Track(
                track_id=each.track_id,
                role=cleaned(each.role),
                agent_id=cleaned(each.agent_id)[:MAX_ID_CHARS],
                started_at_ms=each.started_at_ms,
                ended_at_ms=each.ended_at_ms,
                segment_count=len(each.segment_sha256),
            )
            for each in message.tracks
        ),
        named=tuple(tuple(each.segment_sha256) for each in message.tracks),
        gaps=tuple(
            Gap(cleaned(each.track_id), each.from_ms, each.to_ms, cleaned(each.reason))
            for each in message.gaps
        ),
        pauses=tuple(
            Pause(each.from_ms, each.to_ms, cleaned(each.reason), cleaned(each.by))
            for each in message.pauses
        ),
        played=tuple(
            Played(
                cleaned(each.leg_id),
                each.from_ms,
                each.to_ms,
                tuple(cleaned(prompt) for prompt in each.prompts),
                each.loop,
            )
            for each in message.played
        ),
        markers=tuple(
            Marker(cleaned(each.kind), each.from_ms, each.to_ms, cleaned(each.leg_id), each.count)
            for each in message.markers
        ),
    )


def incarnation_of(message: recording_pb2.ReportGatewayRequest) -> str:
    """A gateway process by its name; BadManifest when it has none."""
    if not _is_id(message.incarnation):
        raise BadManifest("a gateway needs its incarnation")
    return message.incarnation


# ---- for people --------------------------------------------------------------------------------


def search_of(message: recording_pb2.ListRecordingsRequest, own_agent_id: str) -> Search:
    """What is looked for; BadSearch."""
    if len(message.attributes) > MAX_SEARCHED_ATTRIBUTES:
        raise BadSearch(f"more than {MAX_SEARCHED_ATTRIBUTES} attributes")
    attributes = {}
    for each in message.attributes:
        name, equals, value = each.partition("=")
        if not name or not equals:
            raise BadSearch(f"{each[:80]!r} is not name=value")
        attributes[term(name)] = term(value)
    if message.state not in {"", "recording", "complete", "incomplete"}:
        raise BadSearch("state is recording, complete or incomplete")
    return Search(
        agent_id=term(message.agent_id),
        own_agent_id=own_agent_id,
        queue_id=term(message.queue_id),
        number=term(message.number),
        from_ms=message.from_ms,
        to_ms=message.to_ms,
        attributes=attributes,
        external_ref=term(message.external_ref),
        state=message.state,
    )


def recording_id_of(text: str) -> CallId:
    """A recording's id as it was asked for; BadSearch when it cannot be one."""
    if not _is_id(text):
        raise BadSearch("recording_id is missing or no id")
    return CallId(text)


def stretch_of(message: recording_pb2.ReconcileRequest, now_ms: int) -> tuple[int, int]:
    """From when to when calls ended that are compared; BadSearch."""
    to_ms = message.to_ms or now_ms
    from_ms = message.from_ms or max(0, to_ms - DAY_MS)
    if not 0 <= from_ms <= to_ms:
        raise BadSearch("it ends before it begins")
    return from_ms, to_ms


def place_of(token: str) -> tuple[int, str] | None:
    """The last recording of the page before, as `place_token` told it; BadPage."""
    if not token:
        return None
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise BadPage("no token of this list")
    return int(match.group(1)), match.group(2)


def place_token(recording: Recording) -> str:
    """The place of a recording among the newest."""
    return f"{recording.started_at_ms}.{recording.recording_id}"


def view_message(found: Found) -> recording_pb2.RecordingView:
    """A recording as a list shows it."""
    recording, call = found.recording, found.call
    begun, ended = recording.started_at_ms, recording.ended_at_ms
    view = recording_pb2.RecordingView(
        recording_id=recording.recording_id,
        state=recording.state.value,
        to=recording.to_number,
        started_at_ms=begun,
        ended_at_ms=ended,
        duration_ms=max(0, ended - begun) if ended else 0,
        agent_ids=call.agent_ids,
        agent_names=[found.names.get(("agent", each), each) for each in call.agent_ids],
        queue_ids=call.queue_ids,
        queue_names=[found.names.get(("queue", each), each) for each in call.queue_ids],
        attributes=call.attributes,
        external_ref=call.external_ref,
        sha256=recording.sha256,
        segments=recording.segments,
        bytes=recording.size_bytes,
        consent=recording.consent or call.consent,
        dispositions=call.dispositions,
    )
    setattr(view, "from", recording.from_number)
    return view


def full_message(found: Found, segments: Sequence[Segment]) -> recording_pb2.RecordingView:
    """A recording with its tracks, gaps, pauses, markers and what was played."""
    view = view_message(found)
    stored = by_track(segments)
    for track in found.recording.tracks:
        hashes = {each.number: each.sha256 for each in stored.get(track.track_id, [])}
        view.tracks.add(
            track_id=track.track_id,
            role=track.role,
            agent_id=track.agent_id,
            started_at_ms=track.started_at_ms,
            ended_at_ms=track.ended_at_ms,
            segment_sha256=[hashes.get(each + 1, "") for each in range(track.segment_count)],
        )
    for gap in found.recording.gaps:
        view.gaps.add(
            track_id=gap.track_id, from_ms=gap.from_ms, to_ms=gap.to_ms, reason=gap.reason
        )
    for pause in found.recording.pauses:
        view.pauses.add(from_ms=pause.from_ms, to_ms=pause.to_ms, reason=pause.reason, by=pause.by)
    for played in found.recording.played:
        view.played.add(
            leg_id=played.leg_id,
            from_ms=played.from_ms,
            to_ms=played.to_ms,
            prompts=played.prompts,
            loop=played.loop,
        )
    for marker in found.recording.markers:
        view.markers.add(
            kind=marker.kind,
            from_ms=marker.from_ms,
            to_ms=marker.to_ms,
            leg_id=marker.leg_id,
            count=marker.count,
        )
    return view


def verification_message(found: Verification) -> recording_pb2.Verification:
    """What a verification found."""
    return recording_pb2.Verification(
        recording_id=found.recording_id,
        intact=found.intact,
        expected_sha256=found.expected_sha256,
        computed_sha256=found.computed_sha256,
        segments_checked=found.segments_checked,
        faults=found.faults,
        at_ms=found.at_ms,
    )


def listening_message(listening: Listening) -> recording_pb2.Listening:
    """One time that somebody listened."""
    return recording_pb2.Listening(
        recording_id=listening.recording_id,
        listener_id=listening.listener_id,
        listener_name=listening.listener_name,
        at_ms=listening.at_ms,
    )


def waveform_message(drawn: Waveform) -> recording_pb2.Waveform:
    """How loud both sides are."""
    return recording_pb2.Waveform(duration_ms=drawn.duration_ms, left=drawn.left, right=drawn.right)


def policy_message(policy: Policy) -> recording_pb2.Policy:
    """A tenant's decisions."""
    return recording_pb2.Policy(
        record=policy.record.value,
        agents_may_listen=policy.agents_may_listen,
        agents_may_pause=policy.agents_may_pause,
    )


def policy_of(message: recording_pb2.Policy) -> Policy:
    """A tenant's decisions as they came; BadPolicy."""
    if message.record not in set(Record):
        raise BadPolicy(f"record: one of {', '.join(Record)}")
    return Policy(Record(message.record), message.agents_may_listen, message.agents_may_pause)


def reconciliation_message(found: Reconciliation) -> recording_pb2.Reconciliation:
    """Answered calls against stored recordings."""
    return recording_pb2.Reconciliation(
        answered_calls=found.answered_calls,
        expected=found.expected,
        stored=found.stored,
        differences=_differences(found.differences),
    )


def _differences(found: Iterable[Difference]) -> list[recording_pb2.Difference]:
    return [
        recording_pb2.Difference(
            call_id=each.call_id, kind=each.kind, at_ms=each.at_ms, detail=each.detail
        )
        for each in found
    ]


# ---- text --------------------------------------------------------------------------------------


def cleaned(text: str) -> str:
    """Words for the record, without what a database cannot keep."""
    return text[:MAX_WORDS_CHARS].replace("\0", "")


def bounded(values: Mapping[str, str]) -> dict[str, str]:
    """Attributes for the record."""
    return {cleaned(name): cleaned(value) for name, value in values.items() if name}


def _is_id(text: str) -> bool:
    return 0 < len(text) <= MAX_ID_CHARS and text.isprintable()


def term(text: str) -> str:
    """A term of a search as it is; BadSearch when no text of ours can be like it."""
    if len(text) > MAX_WORDS_CHARS or "\0" in text:
        raise BadSearch("a term is too long, or no text")
    return text
