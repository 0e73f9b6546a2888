"""Whether a call is being recorded, and which of its legs.

    off ──consent──▶ on ⇄ paused (asked for, or consent taken back)
                      ⇅
                    failed (what is missing is marked as a gap)

Consent, a pause and a failure are three things that do not know of each other; the state follows
from them. So whoever takes up a recording again cannot override a caller who took consent back,
and a disk that has space again does not end a pause. Which legs are tapped is derived after every
decision, as sounds are: no path can forget to stop one.
"""

from __future__ import annotations

from dataclasses import replace

from media_gateway.core import facts
from media_gateway.core.ending import OVER
from media_gateway.core.events import BeginRecording, TapLeg, UntapLeg
from media_gateway.core.leg import TALKING
from media_gateway.core.state import Call
from media_gateway.core.turn import Turn
from media_gateway.model import BridgeState, LegRole, NoConsent, Recording, RecordingState

TAPPED = frozenset({RecordingState.ON, RecordingState.FAILED})
"""States in which legs are listened to. After a failure too: it goes on as soon as it can."""


def set_consent(turn: Turn, *, granted: bool, basis: str) -> None:
    """The flow says whether the call may be recorded. The first basis is the recording's."""
    before = turn.call.recording
    if granted == before.granted:
        return
    first = before.basis or (basis if granted else "")
    begun = replace(before, granted=granted, basis=first)
    _become(turn, begun, reason="" if granted else basis)


def pause(turn: Turn, *, reason: str, by: str) -> None:
    """Nothing is written until it is taken up again; before consent, nor after it is given.

    While an agent and the caller talk, the pause is that agent's: it ends with their leg.
    """
    before = turn.call.recording
    if not before.paused:
        paused = replace(before, paused=True, paused_for=_talking_agent(turn.call))
        _become(turn, paused, reason=reason, by=by)


def resume(turn: Turn, *, by: str) -> None:
    """Takes the recording up again; NoConsent when the caller has not given any, or no more."""
    before = turn.call.recording
    if not before.granted:
        raise NoConsent(f"call {turn.call.call_id} may not be recorded")
    _become(turn, replace(before, paused=False, paused_for=""), by=by)


def fail(turn: Turn, reason: str) -> None:
    """What is said now cannot be kept; the call goes on."""
    _become(turn, replace(turn.call.recording, failure=reason))


def recover(turn: Turn) -> None:
    """It can be kept again."""
    _become(turn, replace(turn.call.recording, failure=""))


def settle_pause(turn: Turn) -> None:
    """Ends an agent's pause when their part is over: whoever talks next is recorded."""
    before = turn.call.recording
    if not before.paused_for or turn.call.state in OVER:
        return
    if not any(leg.leg_id == before.paused_for and leg.state in TALKING for leg in turn.call.legs):
        _become(turn, replace(before, paused=False, paused_for=""))


def settle_taps(turn: Turn) -> None:
    """Brings what is listened to in line with what may be."""
    tapped = turn.call.recording.state in TAPPED
    for leg in turn.call.legs:
        # What a muted leg says is heard by nobody, so it is kept by nobody.
        wanted = tapped and leg.state in TALKING and not leg.muted
        if wanted == leg.tapped:
            continue
        turn.change_leg(leg.leg_id, tapped=wanted)
        if wanted:
            turn.emit(TapLeg(leg.leg_id))
        elif leg.state in TALKING:
            turn.emit(UntapLeg(leg.leg_id))


def _talking_agent(call: Call) -> str:
    """The leg of the agent whom the caller hears; empty: nobody's."""
    bridge = call.bridge
    if bridge is None or bridge.state is not BridgeState.JOINED:
        return ""
    return bridge.leg_id if call.leg(bridge.leg_id).role is LegRole.AGENT else ""


def _become(turn: Turn, after: Recording, *, reason: str = "", by: str = "") -> None:
    before = turn.call.recording
    if after == before:
        return
    turn.change_call(recording=after)
    if after.basis and not before.basis:
        turn.emit(BeginRecording(after.basis))
    if after.state is before.state:
        return
    match after.state:
        case RecordingState.ON:
            reason = after.basis
        case RecordingState.FAILED:
            reason = after.failure
    turn.publish(facts.RecordingChanged(after.state, reason, by))
