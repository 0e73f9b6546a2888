"""The pure decisions: what contradicts itself, what is missing, what differs, what is meant."""

from __future__ import annotations

from dataclasses import replace

import pytest

from services.chassis.ids import CallId
from services.recording.core.calls import noted
from services.recording.core.finalise import check_manifest, compare, tracks_of
from services.recording.core.reconcile import MAX_DIFFERENCES, counted, difference
from services.recording.core.search import matches
from services.recording.core.segments import check_frames, ends_at_ms, extent
from services.recording.model.calls import (
    MAX_ATTRIBUTES,
    MAX_PEOPLE,
    AgentTookPart,
    Call,
    ContactKnown,
    Leg,
    LegsHeard,
    Pair,
    Reconciliation,
    RecordingAllowed,
    RecordingFailed,
    Search,
)
from services.recording.model.errors import BadManifest, BadSegment, SegmentsMissing
from services.recording.model.evidence import (
    MAX_SEGMENTS,
    Frames,
    Gap,
    Manifest,
    Marker,
    Pause,
    Recording,
    Segment,
    State,
    Track,
)

CALL = CallId("c")
FRAMES = Frames("PCMU", 1_000, (0, 160), (160, 160), b"\0" * 320)
TRACK = Track("a", "caller", "", 1_000, 9_000, 2)
MANIFEST = Manifest(
    call_id=CALL,
    sha256="m" * 64,
    from_number="",
    to_number="",
    started_at_ms=1_000,
    ended_at_ms=9_000,
    consent="announced",
    answered=True,
    incarnation="gw",
    tracks=(TRACK,),
    named=(("a" * 64, ""),),
)
STORED = Recording(CALL, State.COMPLETE, "gw", 1_000, 9_000, 1_000)
HEARD = replace(STORED, segments=1)
DONE = Call(CALL, ended_at_ms=9_000, bridged=True, consent="announced")


def segment(track_id: str, number: int = 1, at_ms: int = 1_000) -> Segment:
    return Segment(track_id, number, "a" * 64, 10, "PCMU", at_ms, 0, 160, "gw")


@pytest.mark.parametrize(
    "frames",
    [
        replace(FRAMES, codec="G729"),
        replace(FRAMES, track_started_at_ms=-1),
        replace(FRAMES, track_started_at_ms=1 << 48),
        replace(FRAMES, sizes=(320,)),
        replace(FRAMES, sizes=(160, 161)),
        replace(FRAMES, at_samples=(160, 0)),
        replace(FRAMES, at_samples=(0,) * 10_001, sizes=(0,) * 10_001, payload=b""),
    ],
)
def test_a_segment_that_contradicts_itself_is_bad(frames: Frames) -> None:
    check_frames(FRAMES)
    with pytest.raises(BadSegment):
        check_frames(frames)


def test_a_segment_covers_from_its_first_frame_to_the_end_of_its_last() -> None:
    assert extent(FRAMES) == (0, 320)
    assert extent(replace(FRAMES, at_samples=(), sizes=(), payload=b"")) == (0, 0)
    assert extent(replace(FRAMES, codec="OPUS")) == (0, 160 + 960)
    assert ends_at_ms(replace(segment("a"), to_sample=161)) == 1_021
    assert ends_at_ms(replace(segment("a"), codec="OPUS", to_sample=960)) == 1_020


@pytest.mark.parametrize(
    "manifest",
    [
        replace(MANIFEST, started_at_ms=0),
        replace(MANIFEST, started_at_ms=9_001),
        replace(MANIFEST, ended_at_ms=1 << 48),
        replace(MANIFEST, ended_at_ms=1_001 + 24 * 3_600_000),
        replace(MANIFEST, tracks=(TRACK, TRACK)),
        replace(MANIFEST, tracks=tuple(replace(TRACK, track_id=str(n)) for n in range(1_001))),
        replace(MANIFEST, tracks=(replace(TRACK, segment_count=MAX_SEGMENTS + 1),)),
        replace(MANIFEST, pauses=(Pause(1, 2, "", ""),) * 10_001),
        replace(MANIFEST, markers=(Marker("keys", 1, 0, "leg-a", 1),) * 1_001),
        replace(MANIFEST, named=(("A" * 64, ""),)),
    ],
)
def test_a_manifest_that_contradicts_itself_is_bad(manifest: Manifest) -> None:
    check_manifest(MANIFEST)
    with pytest.raises(BadManifest):
        check_manifest(manifest)


def test_of_many_missing_segments_some_are_named_and_all_are_counted() -> None:
    many = replace(MANIFEST, named=(("a" * 64,) * 25,))
    with pytest.raises(SegmentsMissing, match=r"a/1, .*a/20 and 5 more$"):
        compare(many, [])


def test_of_unknown_legs_the_first_is_the_caller_unless_another_is() -> None:
    stored = [segment("x", at_ms=2_000), segment("b", at_ms=1_000), segment("z", at_ms=3_000)]
    roles = [(each.track_id, each.role) for each in tracks_of(stored, {})]
    assert roles == [("b", "caller"), ("x", "external"), ("z", "external")]
    legs = {"z": Leg("caller", ""), "b": Leg("agent", "anna")}
    known = [(each.track_id, each.role, each.agent_id) for each in tracks_of(stored, legs)]
    assert known == [("b", "agent", "anna"), ("x", "external", ""), ("z", "caller", "")]


def test_what_is_known_of_a_call_is_bounded() -> None:
    call = Call(CALL)
    for number in range(MAX_PEOPLE + 5):
        call = noted(call, AgentTookPart(CALL, f"a{number}", ""))
        call = noted(call, ContactKnown(CALL, {f"k{number}": "v"}, ""))
    assert len(call.agent_ids) == MAX_PEOPLE
    assert len(call.attributes) == MAX_ATTRIBUTES
    assert call.queue_ids == ()


def test_what_was_known_stays_known() -> None:
    call = noted(Call(CALL), ContactKnown(CALL, {"a": "1", "b": "1"}, "case"))
    call = noted(call, ContactKnown(CALL, {"b": "2"}, ""))
    call = noted(noted(call, RecordingAllowed(CALL, "agreed")), RecordingAllowed(CALL, ""))
    call = noted(call, RecordingFailed(CALL, "disk-full"))
    assert (call.attributes, call.external_ref) == ({"a": "1", "b": "2"}, "case")
    assert (call.consent, call.trouble) == ("agreed", "disk-full")


def test_legs_that_nobody_told_about_name_no_agent() -> None:
    call = noted(Call(CALL), LegsHeard(CALL, ("x", "y")))
    assert (call.bridged, call.agent_ids) == (True, ())


@pytest.mark.parametrize(
    ("pair", "kind", "detail"),
    [
        (Pair(DONE, STORED), None, ""),
        (Pair(DONE, None), "missing", "no segment ever came"),
        (
            Pair(replace(DONE, trouble="disk-full"), None),
            "missing",
            "recording failed: disk-full",
        ),
        (Pair(replace(DONE, consent=""), None), None, ""),
        (Pair(replace(DONE, bridged=False), None), None, ""),
        (Pair(replace(DONE, consent=""), HEARD), "unexpected", "nothing says it was allowed"),
        (Pair(replace(DONE, consent=""), STORED), None, ""),
        (Pair(None, STORED), "orphan", "whose end nobody told"),
        (Pair(None, replace(STORED, state=State.RECORDING)), None, ""),
        (Pair(replace(DONE, ended_at_ms=0), STORED), "orphan", "whose end nobody told"),
        (Pair(DONE, replace(STORED, state=State.RECORDING)), "incomplete", "manifest"),
        (
            Pair(
                DONE,
                replace(
                    STORED,
                    state=State.INCOMPLETE,
                    gaps=(Gap("a", 1, 2, "damaged"), Gap("a", 3, 4, "disk-full")),
                ),
            ),
            "incomplete",
            "2 gaps: damaged, disk-full",
        ),
    ],
)
def test_a_difference_says_what_is_wrong(pair: Pair, kind: str | None, detail: str) -> None:
    found = difference(pair)
    assert (found.kind if found else None) == kind
    assert detail in (found.detail if found else "")
    assert pair.call_id == CALL


def test_a_reconciliation_counts_and_keeps_at_most_a_thousand_differences() -> None:
    pairs = [
        Pair(DONE, STORED),
        Pair(replace(DONE, consent=""), None),
        Pair(replace(DONE, bridged=False), STORED),
        *[Pair(DONE, None)] * (MAX_DIFFERENCES + 1),
    ]
    found = counted(Reconciliation(), pairs)
    assert (found.answered_calls, found.expected, found.stored) == (1_003, 1_002, 1)
    assert len(found.differences) == MAX_DIFFERENCES


def test_a_search_for_nothing_means_everything() -> None:
    assert matches(Search(), STORED, DONE)
    assert not matches(Search(number="1234"), STORED, DONE)
    assert not matches(Search(number="1"), STORED, DONE)
    assert matches(Search(number="9999"), replace(STORED, to_number="+999999"), DONE)
    assert matches(Search(number="77"), replace(STORED, from_number="77"), DONE)
