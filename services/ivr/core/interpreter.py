"""The interpreter of call flows: where a call stands, and an event, give what follows.

Pure: no clock, socket, log or random number. Everything that another replica needs is in the
checkpoint of the outcome; the same checkpoint, event and time give the same outcome.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from services.ivr.core import customers, handing, ringing, waiting
from services.ivr.core.ending import end_failed_call, end_for_caller
from services.ivr.core.entering import end_prompt, run
from services.ivr.core.limits import MAX_FACT_BYTES, MAX_HEADER_BYTES, MAX_HEADERS
from services.ivr.core.stages import TABLE, Ignored, Kind, Reaction, kind_of
from services.ivr.core.templates import clip
from services.ivr.core.turn import Outcome, Turn
from services.ivr.model import call
from services.ivr.model.actions import SetConsent
from services.ivr.model.call import CallInvited, Event
from services.ivr.model.checkpoint import CallFacts, Checkpoint, Purpose, Stage
from services.ivr.model.flow import POLICY, Flow

_RING_STAGES = frozenset(
    {Stage.DIALLING, Stage.RINGING, Stage.ANSWERED, Stage.ACCEPTED, Stage.BRIDGING}
)


def start(flow: Flow, *, flow_id: str, version: int, invited: CallInvited, now_ms: int) -> Outcome:
    """Begins a call in its flow."""
    at = Checkpoint(
        flow_id=flow_id,
        version=version,
        call=_facts(invited),
        stage=Stage.IN_NODE,
        node=flow.start,
        variables=flow.variables,
    )
    turn = Turn(flow=flow, at=at, now_ms=now_ms)
    customers.look_up(turn)
    if flow.recording == POLICY:
        turn.command(SetConsent(granted=flow.may_record, basis=POLICY))
    turn.target = flow.start
    run(turn)
    return turn.outcome()


def advance(flow: Flow, at: Checkpoint, event: Event, now_ms: int) -> Outcome:
    """What follows from an event; an event that does not fit changes nothing and says why."""
    kind = kind_of(event)
    reaction = TABLE[at.stage][kind]
    if isinstance(reaction, Ignored):
        return Outcome(at, ignored=reaction.value)
    stale = _stale(at, kind, event)
    if stale:
        return Outcome(at, ignored=stale)
    turn = Turn(flow=flow, at=at, now_ms=now_ms)
    ignored = REACTIONS[reaction](turn, event)
    run(turn)
    assert is_heard(turn.at), f"silence in stage {turn.at.stage}"
    return turn.outcome(ignored or "")


def deadline_ms(at: Checkpoint) -> int | None:
    """When `advance` wants a `TimePassed`, UTC milliseconds; None: not before another event."""
    if at.stage in _RING_STAGES and at.ring is not None:
        return at.ring.give_up_at_ms
    if at.stage is Stage.APOLOGISING:
        return at.give_up_at_ms
    if at.stage is Stage.LOOKING_UP:
        return at.customer_until_ms
    return waiting.message_due_ms(at)


def is_heard(at: Checkpoint) -> bool:
    """Whether the caller hears something, hears somebody, or is gone: never silence.

    But for the fraction of a second that a look-up may take.
    """
    silent_stages = {Stage.LOOKING_UP, Stage.BRIDGING, Stage.TALKING, Stage.ENDED}
    return at.stage in silent_stages or bool(at.operation)


def _facts(invited: CallInvited) -> CallFacts:
    return CallFacts(
        call_id=_plain(invited.call_id),
        caller=_plain(invited.caller),
        called=_plain(invited.called),
        caller_name=_plain(invited.caller_name),
        asserted_identity=_plain(invited.asserted_identity),
        diversion=_plain(invited.diversion),
        trunk=_plain(invited.trunk),
        gateway_address=_plain(invited.gateway_address),
        headers=_headers(invited.headers),
    )


def _headers(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    room = MAX_HEADER_BYTES
    kept = []
    for name, value in headers[:MAX_HEADERS]:
        entry = (_plain(name).lower(), _plain(value))
        room -= sum(len(text.encode()) for text in entry)
        if room < 0:
            break
        kept.append(entry)
    return tuple(kept)


def _plain(text: str) -> str:
    """What a stranger sent, without control characters and of bounded length."""
    return clip("".join(letter for letter in text if letter.isprintable()), MAX_FACT_BYTES)


# ---- which event is believed -------------------------------------------------------------------


def _stale(at: Checkpoint, kind: Kind, event: Event) -> str:
    if isinstance(event, call.OperationEnded):
        return "" if event.operation == at.operation else "stale-operation"
    ring = at.ring
    if kind in _NAMING_A_RING:
        named = getattr(event, "ring_id", "")
        return "" if ring is not None and named == ring.ring_id else "stale-ring"
    if kind in _NAMING_A_RESERVATION:
        named = getattr(event, "reservation_id", "")
        fits = ring is not None and ring.agent and named == ring.ring_id
        return "" if fits else "stale-ring"
    return ""


_NAMING_A_RING = frozenset(
    {
        Kind.LEG_RINGING,
        Kind.LEG_ANSWERED,
        Kind.LEG_FAILED,
        Kind.BRIDGED,
        Kind.BRIDGE_FAILED,
        Kind.FAR_END_GONE,
        Kind.TRANSFER_REQUESTED,
    }
)
_NAMING_A_RESERVATION = frozenset(
    {Kind.RESERVATION_RELEASED, Kind.RESERVATION_ACCEPTED, Kind.ACCEPT_REFUSED}
)


# ---- what is done ------------------------------------------------------------------------------


def _say_message(turn: Turn, _: Any) -> str | None:
    return waiting.say_message(turn)


def _end_play(turn: Turn, _: Any) -> None:
    turn.change(operation="", purpose=Purpose.NONE)


def _end_apology(turn: Turn, event: Event) -> str | None:
    if isinstance(event, call.TimePassed) and turn.now_ms < turn.at.give_up_at_ms:
        return "not-due"
    end_failed_call(turn)
    return None


REACTIONS: dict[Reaction, Callable[[Turn, Any], str | None]] = {
    Reaction.NOTE_CUSTOMER: customers.note_customer,
    Reaction.GO_ON_UNKNOWN: lambda turn, _: customers.go_on_unknown(turn),
    Reaction.PROMPT_ENDED: end_prompt,
    Reaction.WAIT_HEARD: waiting.hear_wait_end,
    Reaction.PLAY_OVER: _end_play,
    Reaction.RINGBACK_ENDED: ringing.hear_ringback_end,
    Reaction.APOLOGY_ENDED: _end_apology,
    Reaction.CONFIRM_RING: lambda turn, _: ringing.confirm_ring(turn),
    Reaction.DIALLED_RINGS: lambda turn, _: ringing.confirm_ring(turn),
    Reaction.ACCEPT: lambda turn, _: ringing.accept(turn),
    Reaction.BRIDGE: lambda turn, _: ringing.bridge(turn),
    Reaction.AWAIT_ANSWER: lambda turn, _: ringing.await_answer(turn),
    Reaction.RING_FAILED: lambda turn, event: ringing.fail_ring(turn, event.outcome),
    Reaction.DIAL_FAILED: lambda turn, _: ringing.fail_dial(turn),
    Reaction.BRIDGE_BROKEN: lambda turn, event: ringing.break_bridge(
        turn, leg_is_gone=isinstance(event, (call.LegEnded, call.LegFailed))
    ),
    Reaction.START_TALK: lambda turn, _: ringing.start_talk(turn),
    Reaction.END_CALL: end_for_caller,
    Reaction.END_TALK: ringing.end_talk,
    Reaction.TELL_HOLD: ringing.tell_hold,
    Reaction.HAND_ON: handing.hand_on,
    Reaction.TAKE_PLACE: waiting.take_place,
    Reaction.NOTE_PLACE: waiting.note_place,
    Reaction.RING: ringing.ring_agent,
    Reaction.REFUSE_SECOND: ringing.refuse_second,
    Reaction.RELEASE: ringing.release,
    Reaction.LEAVE: waiting.leave_queue,
    Reaction.LOSE_QUEUE: waiting.lose_queue,
    Reaction.TELL_DELAY: lambda turn, _: waiting.tell_delay(turn),
    Reaction.SAY_MESSAGE: _say_message,
    Reaction.GIVE_UP_RING: lambda turn, _: ringing.give_up_ring(turn),
}
