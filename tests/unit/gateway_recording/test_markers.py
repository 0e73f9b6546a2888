"""What a listener wants to find is in the manifest, and nothing says which keys were pressed."""

from __future__ import annotations

from media_gateway.core import happenings as h
from media_gateway.core.facts import (
    DigitsReceived,
    DigitsSent,
    LegHoldChanged,
    LegMuteChanged,
    TransferRequested,
)
from media_gateway.core.steps import Hangup, SetConsent
from media_gateway.model import (
    CALLER_LEG,
    LegEnd,
    Termination,
    TerminationClass,
    Transfer,
    TransferKind,
)
from media_gateway.recording.call_recording import CallRecording
from media_gateway.recording.markers import MAX_MARKERS, SAME_KEYS_MS, note_marker
from protos.recording.v1.recording_pb2 import Manifest, Marker
from tests.unit.gateway.driver import AGENT_LEG, START_MS, Driver

ANNOUNCED = SetConsent(granted=True, basis="announced")


class Scene:
    """A call that talks and is recorded from its first second."""

    def __init__(self) -> None:
        self.driver = Driver().talking()
        self.about = CallRecording()
        self._seen = 0

    def shown(self) -> list[Marker]:
        """What there is to find, once the recording has seen what was decided."""
        for event in self.driver.events[self._seen :]:
            self.about.observe(event, now_ms=self.driver.now_ms)
        self._seen = len(self.driver.events)
        return list(self.about.known().markers)

    def begun(self) -> Scene:
        self.driver.now_ms = START_MS + 1_000
        self.driver.step(ANNOUNCED)
        self.about.begin(
            self.driver.call, "announced", now_ms=self.driver.now_ms, incarnation="inc-1"
        )
        self.shown()
        return self

    def do(self, at_ms: int, happening: h.Happening) -> list[Marker]:
        self.driver.now_ms = START_MS + at_ms
        self.driver.do(happening)
        return self.shown()


def told(markers: list[Marker]) -> list[tuple[str, int, int, str, int]]:
    return [
        (
            each.kind,
            each.from_ms - START_MS,
            each.to_ms and each.to_ms - START_MS,
            each.leg_id,
            each.count,
        )
        for each in markers
    ]


def test_a_hold_and_a_mute_last_from_their_beginning_to_their_end() -> None:
    scene = Scene().begun()
    scene.do(2_000, h.HoldLeg(AGENT_LEG, held=True))
    scene.do(3_000, h.MuteLeg(AGENT_LEG, muted=True))
    scene.do(4_000, h.HoldLeg(AGENT_LEG, held=False))
    assert told(scene.do(5_000, h.MuteLeg(AGENT_LEG, muted=False))) == [
        ("hold", 2_000, 4_000, AGENT_LEG, 0),
        ("mute", 3_000, 5_000, AGENT_LEG, 0),
    ]


def test_what_happened_before_the_recording_is_no_part_of_it() -> None:
    scene = Scene()
    scene.do(500, h.HoldLeg(AGENT_LEG, held=True))
    scene.begun()
    assert scene.do(2_000, h.HoldLeg(AGENT_LEG, held=False)) == []


def test_a_number_that_is_keyed_in_is_one_marker_with_its_length() -> None:
    scene = Scene().begun()
    for number in range(4):
        scene.do(2_000 + 300 * number, h.KeyPressed(CALLER_LEG, str(number), "rfc4733"))
    scene.do(3_000, h.KeyPressed(AGENT_LEG, "5", "rfc4733"))
    late_ms = 2_900 + SAME_KEYS_MS + 1
    markers = scene.do(late_ms, h.KeyPressed(CALLER_LEG, "9", "rfc4733"))
    assert told(markers) == [
        ("keys", 2_000, 2_900, CALLER_LEG, 4),
        ("keys", 3_000, 0, AGENT_LEG, 1),
        ("keys", late_ms, 0, CALLER_LEG, 1),
    ]


def test_keys_that_an_agent_sends_and_a_transfer_are_found() -> None:
    manifest = Manifest()
    assert note_marker(manifest, DigitsSent(AGENT_LEG, 3), at_ms=START_MS)
    transfer = Transfer(TransferKind.QUEUE, "sales", "wants to buy", "agent-1")
    assert note_marker(manifest, TransferRequested(AGENT_LEG, transfer), at_ms=START_MS + 1)
    assert told(list(manifest.markers)) == [
        ("keys", 0, 0, AGENT_LEG, 3),
        ("transfer", 1, 0, AGENT_LEG, 0),
    ]
    assert b"sales" not in manifest.SerializeToString()


def test_a_hold_ends_with_its_leg_and_with_the_call() -> None:
    scene = Scene().begun()
    scene.do(2_000, h.HoldLeg(AGENT_LEG, held=True))
    scene.do(2_500, h.HoldLeg(CALLER_LEG, held=True))
    scene.do(3_000, h.LegLeaves(AGENT_LEG, LegEnd.HUNG_UP))
    scene.do(4_000, h.LegLeaves(CALLER_LEG, LegEnd.HUNG_UP))
    scene.driver.step(Hangup(Termination(TerminationClass.SUCCESS, "done")))
    assert told(scene.shown()) == [
        ("hold", 2_000, 3_000, AGENT_LEG, 0),
        ("hold", 2_500, 4_000, CALLER_LEG, 0),
    ]


def test_markers_have_a_limit_and_what_goes_on_still_ends() -> None:
    manifest = Manifest()
    assert note_marker(manifest, LegHoldChanged(AGENT_LEG, held=True), at_ms=1)
    for number in range(1, MAX_MARKERS):
        keys = DigitsReceived(CALLER_LEG, 1, "rfc4733")
        assert note_marker(manifest, keys, at_ms=number * 2 * SAME_KEYS_MS)
    late_ms = MAX_MARKERS * 2 * SAME_KEYS_MS
    assert not note_marker(manifest, LegMuteChanged(AGENT_LEG, muted=True), at_ms=late_ms)
    assert not note_marker(manifest, LegMuteChanged(AGENT_LEG, muted=False), at_ms=late_ms)
    assert note_marker(manifest, LegHoldChanged(AGENT_LEG, held=False), at_ms=late_ms)
    assert len(manifest.markers) == MAX_MARKERS
    assert manifest.markers[0].to_ms == late_ms
