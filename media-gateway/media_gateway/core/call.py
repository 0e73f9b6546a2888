"""One call as a decider: what happened in, what must be done out.

The machines stand in tables of their own (`state`, `leg`, `bridge`, `gather`); what happens is
sorted here to the module that knows what follows. After every decision four things are derived
rather than remembered: whether the caller is unattended, what each leg hears, which legs are
recorded, whether the call is over. So no path can forget them.
"""

from __future__ import annotations

from typing import assert_never

from media_gateway.core import browser, control, flow, handing, media, recording, signalling
from media_gateway.core import happenings as h
from media_gateway.core.alarms import alarms
from media_gateway.core.ending import OVER, end_call, finish
from media_gateway.core.events import Event
from media_gateway.core.sounds import settle_sounds
from media_gateway.core.state import Call
from media_gateway.core.termination import EndCause
from media_gateway.core.turn import Rules, Turn, evolve
from media_gateway.model import CallIsOver, CallState

MAX_UNCONSUMED = 240
"""Reports that wait for a checkpoint; a resumed call may bring at most 256."""
MAX_ALARMS = 64
"""Alarms that one tick lets ring."""


class CallCore:
    """Decides for one call."""

    def __init__(self, call: Call, rules: Rules) -> None:
        self._call = call
        self._rules = rules

    @property
    def call(self) -> Call:
        """The call as it is."""
        return self._call

    def handle(self, happening: h.Happening, now_ms: int) -> list[Event]:
        """What follows from a happening; a named error changes nothing."""
        if self._call.state is CallState.ENDED:
            raise CallIsOver(f"call {self._call.call_id}")
        turn = Turn(self._call, self._rules, now_ms)
        _sort(turn, happening)
        _settle(turn)
        return turn.events

    def tick(self, now_ms: int) -> list[Event]:
        """What follows from time alone; alarms that are late ring in their order."""
        turn = Turn(self._call, self._rules, now_ms)
        for _ in range(MAX_ALARMS):
            due = [alarm for alarm in alarms(turn.call, self._rules.limits) if alarm[0] <= now_ms]
            if not due:
                break
            _, ring = min(due, key=lambda alarm: alarm[0])
            ring(turn)
            _settle(turn)
        return turn.events

    def apply(self, event: Event) -> None:
        """Takes an event into the state."""
        self._call = evolve(self._call, event)

    def deadline_ms(self) -> int | None:
        """When the earliest alarm rings."""
        return min((at_ms for at_ms, _ in alarms(self._call, self._rules.limits)), default=None)

    def snapshot(self) -> Call:
        """The whole state."""
        return self._call

    def restore(self, snapshot: Call) -> None:
        """Replaces the state."""
        self._call = snapshot


def _sort(turn: Turn, happening: h.Happening) -> None:
    match happening:
        case h.OpenCall(codec=codec):
            signalling.open_call(turn, codec)
        case h.RefuseCall(cause=cause):
            signalling.refuse_call(turn, cause)
        case h.EndCall(cause=cause):
            end_call(turn, cause)
        case h.BeginEpoch() | h.AttachFlow() | h.DetachFlow() | h.KeepStep() | h.CloseFlow():
            _sort_flow(turn, happening)
        case h.PauseRecording() | h.ResumeRecording() | h.RecordingFails() | h.RecordingRecovers():
            _sort_recording(turn, happening)
        case (
            h.HoldLeg()
            | h.MuteLeg()
            | h.HangUpLeg()
            | h.LegHolds()
            | h.KeysSent()
            | h.AskTransfer()
        ):
            _sort_control(turn, happening)
        case (
            h.MediaOpened()
            | h.MediaRefused()
            | h.MediaNegotiated()
            | h.MediaHeard()
            | h.MediaLost()
            | h.KeyPressed()
            | h.SoundEnded()
        ):
            _sort_media(turn, happening)
        case _:
            _sort_signalling(turn, happening)


def _sort_flow(
    turn: Turn,
    happening: h.BeginEpoch | h.AttachFlow | h.DetachFlow | h.KeepStep | h.CloseFlow,
) -> None:
    match happening:
        case h.BeginEpoch():
            flow.begin_epoch(turn)
        case h.AttachFlow(epoch=epoch):
            flow.attach(turn, epoch)
        case h.DetachFlow(epoch=epoch, reason=reason):
            flow.detach(turn, epoch, reason)
        case h.KeepStep(step=step):
            flow.keep(turn, step)
        case h.CloseFlow():
            flow.close(turn)
        case _:
            assert_never(happening)


def _sort_recording(
    turn: Turn,
    happening: h.PauseRecording | h.ResumeRecording | h.RecordingFails | h.RecordingRecovers,
) -> None:
    match happening:
        case h.PauseRecording(reason=reason, by=by):
            recording.pause(turn, reason=reason, by=by)
        case h.ResumeRecording(by=by):
            recording.resume(turn, by=by)
        case h.RecordingFails(reason=reason):
            recording.fail(turn, reason)
        case h.RecordingRecovers():
            recording.recover(turn)
        case _:
            assert_never(happening)


def _sort_control(
    turn: Turn,
    happening: h.HoldLeg | h.MuteLeg | h.HangUpLeg | h.LegHolds | h.KeysSent | h.AskTransfer,
) -> None:
    match happening:
        case h.HoldLeg(leg_id=leg_id, held=held):
            control.hold(turn, leg_id, held=held)
        case h.MuteLeg(leg_id=leg_id, muted=muted):
            control.mute(turn, leg_id, muted=muted)
        case h.HangUpLeg(leg_id=leg_id):
            control.hang_up(turn, leg_id)
        case h.LegHolds(leg_id=leg_id, held=held):
            control.hold_by_endpoint(turn, leg_id, held=held)
        case h.KeysSent(leg_id=leg_id, count=count):
            handing.note_keys(turn, leg_id, count)
        case h.AskTransfer(leg_id=leg_id, transfer=transfer):
            handing.ask_transfer(turn, leg_id, transfer)
        case _:
            assert_never(happening)


def _sort_media(
    turn: Turn,
    happening: h.MediaOpened
    | h.MediaRefused
    | h.MediaNegotiated
    | h.MediaHeard
    | h.MediaLost
    | h.KeyPressed
    | h.SoundEnded,
) -> None:
    match happening:
        case h.MediaOpened(leg_id=leg_id):
            signalling.open_media(turn, leg_id)
        case h.MediaRefused(leg_id=leg_id):
            signalling.deny_media(turn, leg_id)
        case h.MediaNegotiated(leg_id=leg_id, codec=codec):
            signalling.change_codec(turn, leg_id, codec)
        case h.MediaHeard(leg_id=leg_id):
            media.hear_media(turn, leg_id)
        case h.MediaLost(leg_id=leg_id):
            media.lose_media(turn, leg_id)
        case h.KeyPressed(leg_id=leg_id, key=key, how=how):
            media.press_key(turn, leg_id, key, how)
        case h.SoundEnded(leg_id=leg_id, sound=sound, failed=failed):
            media.end_sound(turn, leg_id, sound, failed=failed)
        case _:
            assert_never(happening)


def _sort_signalling(
    turn: Turn,
    happening: h.LegResponds
    | h.LegRings
    | h.LegAnswers
    | h.LegAnswersUnusably
    | h.LegRefuses
    | h.LegLeaves
    | h.LegReleased
    | h.LegConnects
    | h.LegDisconnects,
) -> None:
    match happening:
        case h.LegResponds(leg_id=leg_id):
            signalling.respond(turn, leg_id)
        case h.LegRings(leg_id=leg_id):
            signalling.ring(turn, leg_id)
        case h.LegAnswers(leg_id=leg_id, codec=codec):
            signalling.answer(turn, leg_id, codec)
        case h.LegAnswersUnusably(leg_id=leg_id):
            signalling.answer_unusable(turn, leg_id)
        case h.LegRefuses(leg_id=leg_id, sip_status=sip_status):
            signalling.refuse(turn, leg_id, sip_status)
        case h.LegLeaves(leg_id=leg_id, end=end, unacknowledged=unacknowledged):
            signalling.leave(turn, leg_id, end, unacknowledged=unacknowledged)
        case h.LegReleased(leg_id=leg_id):
            signalling.confirm_release(turn, leg_id)
        case h.LegConnects(leg_id=leg_id, codec=codec, took_ms=took_ms):
            browser.connect(turn, leg_id, codec, took_ms)
        case h.LegDisconnects(leg_id=leg_id):
            browser.disconnect(turn, leg_id)
        case _:
            assert_never(happening)


def _settle(turn: Turn) -> None:
    """Derives what follows from any change: attendance, sounds, the end."""
    call = turn.call
    if len(call.flow.unconsumed) >= MAX_UNCONSUMED and call.state not in OVER:
        end_call(turn, EndCause.FLOW_OVERRUN)
    if flow.is_unattended(turn):
        if turn.call.unattended_since_ms is None:
            turn.change_call(unattended_since_ms=turn.now_ms)
    elif turn.call.unattended_since_ms is not None:
        turn.change_call(unattended_since_ms=None)
    if turn.call.apology_deadline_ms is not None and turn.call.caller is None:
        turn.change_call(apology_deadline_ms=None)
    settle_sounds(turn)
    recording.settle_pause(turn)
    recording.settle_taps(turn)
    finish(turn)
