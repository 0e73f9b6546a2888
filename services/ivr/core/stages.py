"""What fits which stage of a call: one table, total by test.

Events come late and twice by nature: a gateway reports the end of music that was replaced, acd
releases a reservation whose phone has just failed. What does not fit a stage is ignored for the
reason that stands in the table; what fits is still compared with the operation, ring or stay that
it names before it is believed.
"""

from __future__ import annotations

from enum import StrEnum

from services.ivr.model import call
from services.ivr.model.call import Event, LegRole
from services.ivr.model.checkpoint import Stage


class Kind(StrEnum):
    """The events as the table knows them; the end of a leg depends on whose it was."""

    INVITED = "invited"
    OPERATION_ENDED = "operation_ended"
    LEG_RINGING = "leg_ringing"
    LEG_ANSWERED = "leg_answered"
    LEG_FAILED = "leg_failed"
    BRIDGED = "bridged"
    BRIDGE_FAILED = "bridge_failed"
    CALLER_GONE = "caller_gone"
    FAR_END_GONE = "far_end_gone"
    HOLD_CHANGED = "hold_changed"
    MUTE_CHANGED = "mute_changed"
    TRANSFER_REQUESTED = "transfer_requested"
    POSITION_CHANGED = "position_changed"
    AGENT_RESERVED = "agent_reserved"
    RESERVATION_RELEASED = "reservation_released"
    RESERVATION_ACCEPTED = "reservation_accepted"
    QUEUE_LEFT = "queue_left"
    QUEUE_UNAVAILABLE = "queue_unavailable"
    ACCEPT_REFUSED = "accept_refused"
    CUSTOMER_FOUND = "customer_found"
    CUSTOMER_UNKNOWN = "customer_unknown"
    TIME_PASSED = "time_passed"


class Reaction(StrEnum):
    """What is done about an event that fits."""

    NOTE_CUSTOMER = "note_customer"
    GO_ON_UNKNOWN = "go_on_unknown"
    PROMPT_ENDED = "prompt_ended"
    WAIT_HEARD = "wait_heard"
    PLAY_OVER = "play_over"
    RINGBACK_ENDED = "ringback_ended"
    APOLOGY_ENDED = "apology_ended"
    CONFIRM_RING = "confirm_ring"
    DIALLED_RINGS = "dialled_rings"
    ACCEPT = "accept"
    BRIDGE = "bridge"
    AWAIT_ANSWER = "await_answer"
    RING_FAILED = "ring_failed"
    DIAL_FAILED = "dial_failed"
    BRIDGE_BROKEN = "bridge_broken"
    START_TALK = "start_talk"
    END_CALL = "end_call"
    END_TALK = "end_talk"
    TELL_HOLD = "tell_hold"
    HAND_ON = "hand_on"
    TAKE_PLACE = "take_place"
    NOTE_PLACE = "note_place"
    RING = "ring"
    REFUSE_SECOND = "refuse_second"
    RELEASE = "release"
    LEAVE = "leave"
    LOSE_QUEUE = "lose_queue"
    TELL_DELAY = "tell_delay"
    SAY_MESSAGE = "say_message"
    GIVE_UP_RING = "give_up_ring"


class Ignored(StrEnum):
    """Why an event that does not fit is let go."""

    CALL_HAS_BEGUN = "call-has-begun"
    CALL_IS_OVER = "call-is-over"
    NOT_IN_A_QUEUE = "not-in-a-queue"
    NOBODY_RINGS = "nobody-rings"
    NOT_BRIDGING = "not-bridging"
    NOT_RINGING_ANY_MORE = "not-ringing-any-more"
    NOT_TALKING = "not-talking"
    BRIDGING = "bridging"
    TALKING = "talking"
    NO_MATTER = "no-matter"
    NOT_ASKED = "not-asked"


_R = Reaction
_K = Kind
_S = Stage

_NO_QUEUE: dict[Kind, Reaction | Ignored] = {
    _K.POSITION_CHANGED: Ignored.NOT_IN_A_QUEUE,
    _K.AGENT_RESERVED: Ignored.NOT_IN_A_QUEUE,
    _K.RESERVATION_RELEASED: Ignored.NOT_IN_A_QUEUE,
    _K.RESERVATION_ACCEPTED: Ignored.NOT_IN_A_QUEUE,
    _K.QUEUE_LEFT: Ignored.NOT_IN_A_QUEUE,
    _K.QUEUE_UNAVAILABLE: Ignored.NOT_IN_A_QUEUE,
    _K.ACCEPT_REFUSED: Ignored.NOT_ASKED,
}
_NO_RING: dict[Kind, Reaction | Ignored] = {
    _K.LEG_RINGING: Ignored.NOBODY_RINGS,
    _K.LEG_ANSWERED: Ignored.NOBODY_RINGS,
    _K.LEG_FAILED: Ignored.NOBODY_RINGS,
    _K.FAR_END_GONE: Ignored.NOBODY_RINGS,
    _K.BRIDGED: Ignored.NOT_BRIDGING,
    _K.BRIDGE_FAILED: Ignored.NOT_BRIDGING,
}
_ANY: dict[Kind, Reaction | Ignored] = {
    _K.INVITED: Ignored.CALL_HAS_BEGUN,
    _K.CALLER_GONE: _R.END_CALL,
    _K.HOLD_CHANGED: Ignored.NOT_TALKING,
    _K.MUTE_CHANGED: Ignored.NO_MATTER,
    _K.TRANSFER_REQUESTED: Ignored.NOT_TALKING,
    _K.CUSTOMER_FOUND: _R.NOTE_CUSTOMER,
    _K.CUSTOMER_UNKNOWN: _R.NOTE_CUSTOMER,
    _K.TIME_PASSED: Ignored.NO_MATTER,
}
_WAITING: dict[Kind, Reaction | Ignored] = {
    **_ANY,
    **_NO_RING,
    _K.OPERATION_ENDED: _R.WAIT_HEARD,
    _K.POSITION_CHANGED: _R.NOTE_PLACE,
    _K.AGENT_RESERVED: _R.RING,
    _K.RESERVATION_RELEASED: Ignored.NOBODY_RINGS,
    _K.RESERVATION_ACCEPTED: Ignored.NOBODY_RINGS,
    _K.QUEUE_LEFT: _R.LEAVE,
    _K.QUEUE_UNAVAILABLE: _R.LOSE_QUEUE,
    _K.ACCEPT_REFUSED: Ignored.NOT_ASKED,
}
_RING: dict[Kind, Reaction | Ignored] = {
    **_WAITING,
    _K.LEG_RINGING: Ignored.NOT_RINGING_ANY_MORE,
    _K.LEG_ANSWERED: Ignored.NOT_RINGING_ANY_MORE,
    _K.LEG_FAILED: _R.RING_FAILED,
    _K.FAR_END_GONE: _R.BRIDGE_BROKEN,
    _K.RESERVATION_RELEASED: _R.RELEASE,
    _K.RESERVATION_ACCEPTED: Ignored.NOT_RINGING_ANY_MORE,
    _K.TIME_PASSED: _R.GIVE_UP_RING,
}

TABLE: dict[Stage, dict[Kind, Reaction | Ignored]] = {
    _S.LOOKING_UP: {
        **_ANY,
        **_NO_RING,
        **_NO_QUEUE,
        _K.OPERATION_ENDED: Ignored.NO_MATTER,
        _K.TIME_PASSED: _R.GO_ON_UNKNOWN,
    },
    _S.IN_NODE: {**_ANY, **_NO_RING, **_NO_QUEUE, _K.OPERATION_ENDED: _R.PROMPT_ENDED},
    _S.DIALLING: {
        **_ANY,
        **_NO_QUEUE,
        _K.OPERATION_ENDED: _R.RINGBACK_ENDED,
        _K.LEG_RINGING: _R.DIALLED_RINGS,
        _K.LEG_ANSWERED: _R.BRIDGE,
        _K.LEG_FAILED: _R.DIAL_FAILED,
        _K.FAR_END_GONE: _R.DIAL_FAILED,
        _K.BRIDGED: Ignored.NOT_BRIDGING,
        _K.BRIDGE_FAILED: Ignored.NOT_BRIDGING,
        _K.TIME_PASSED: _R.GIVE_UP_RING,
    },
    _S.JOINING: {
        **_WAITING,
        _K.POSITION_CHANGED: _R.TAKE_PLACE,
        _K.TIME_PASSED: _R.TELL_DELAY,
    },
    _S.QUEUED: {**_WAITING, _K.TIME_PASSED: _R.SAY_MESSAGE},
    _S.RINGING: {
        **_RING,
        _K.LEG_RINGING: _R.CONFIRM_RING,
        _K.LEG_ANSWERED: _R.ACCEPT,
        _K.RESERVATION_ACCEPTED: _R.AWAIT_ANSWER,
    },
    _S.ANSWERED: {
        **_RING,
        _K.RESERVATION_ACCEPTED: _R.BRIDGE,
        _K.ACCEPT_REFUSED: _R.BRIDGE_BROKEN,
    },
    _S.ACCEPTED: {
        **_RING,
        _K.LEG_ANSWERED: _R.BRIDGE,
    },
    _S.BRIDGING: {
        **_RING,
        _K.OPERATION_ENDED: _R.PLAY_OVER,
        _K.LEG_FAILED: _R.BRIDGE_BROKEN,
        _K.BRIDGED: _R.START_TALK,
        _K.BRIDGE_FAILED: _R.BRIDGE_BROKEN,
        _K.QUEUE_UNAVAILABLE: Ignored.BRIDGING,
    },
    _S.TALKING: {
        **_ANY,
        **_NO_QUEUE,
        **_NO_RING,
        _K.OPERATION_ENDED: _R.PLAY_OVER,
        _K.FAR_END_GONE: _R.END_TALK,
        _K.HOLD_CHANGED: _R.TELL_HOLD,
        _K.TRANSFER_REQUESTED: _R.HAND_ON,
        _K.AGENT_RESERVED: _R.REFUSE_SECOND,
        _K.RESERVATION_RELEASED: Ignored.TALKING,
        _K.RESERVATION_ACCEPTED: Ignored.TALKING,
        _K.QUEUE_LEFT: Ignored.TALKING,
        _K.QUEUE_UNAVAILABLE: Ignored.TALKING,
    },
    _S.APOLOGISING: {
        **_ANY,
        **_NO_RING,
        **_NO_QUEUE,
        _K.OPERATION_ENDED: _R.APOLOGY_ENDED,
        _K.TIME_PASSED: _R.APOLOGY_ENDED,
    },
    _S.ENDED: dict.fromkeys(Kind, Ignored.CALL_IS_OVER),
}


_KINDS: dict[type[Event], Kind] = {
    call.CallInvited: Kind.INVITED,
    call.OperationEnded: Kind.OPERATION_ENDED,
    call.LegRinging: Kind.LEG_RINGING,
    call.LegAnswered: Kind.LEG_ANSWERED,
    call.LegFailed: Kind.LEG_FAILED,
    call.Bridged: Kind.BRIDGED,
    call.BridgeFailed: Kind.BRIDGE_FAILED,
    call.HoldChanged: Kind.HOLD_CHANGED,
    call.MuteChanged: Kind.MUTE_CHANGED,
    call.TransferRequested: Kind.TRANSFER_REQUESTED,
    call.PositionChanged: Kind.POSITION_CHANGED,
    call.AgentReserved: Kind.AGENT_RESERVED,
    call.ReservationReleased: Kind.RESERVATION_RELEASED,
    call.ReservationAccepted: Kind.RESERVATION_ACCEPTED,
    call.QueueLeft: Kind.QUEUE_LEFT,
    call.QueueUnavailable: Kind.QUEUE_UNAVAILABLE,
    call.AcceptRefused: Kind.ACCEPT_REFUSED,
    call.CustomerFound: Kind.CUSTOMER_FOUND,
    call.CustomerUnknown: Kind.CUSTOMER_UNKNOWN,
    call.TimePassed: Kind.TIME_PASSED,
}


def kind_of(event: Event) -> Kind:
    """The event as the table knows it."""
    if isinstance(event, call.LegEnded):
        return Kind.CALLER_GONE if event.role is LegRole.CALLER else Kind.FAR_END_GONE
    return _KINDS[type(event)]
