"""Ringing, answering, bridging, talking: an agent by reservation, or a number outside.

Before the answer nothing on the far end's leg ends the caller's: each way out of these stages but
the caller's own leads back to the queue, or on in the flow.
"""

from __future__ import annotations

from dataclasses import replace

from services.ivr.core.ending import complete, fail, hang_up
from services.ivr.core.hearing import play_music, play_ringback
from services.ivr.core.limits import (
    ACCEPT_LIMIT_MS,
    BRIDGE_LIMIT_MS,
    MAX_FAILED_IN_A_ROW,
    RING_GRACE_MS,
)
from services.ivr.core.turn import Turn
from services.ivr.core.waiting import back_to_queue, come_back, join_queue, queue_node
from services.ivr.model.actions import (
    AcceptReservation,
    BridgeLegs,
    ConfirmBridged,
    ConfirmRing,
    EndReservation,
    LeaveQueue,
    RingAgent,
    StopRinging,
    TellHold,
    TerminationClass,
)
from services.ivr.model.call import (
    AgentReserved,
    HoldChanged,
    LegEnded,
    OperationEnded,
    OperationResult,
    ReservationReleased,
    RingOutcome,
)
from services.ivr.model.checkpoint import Purpose, Ring, Stage
from services.ivr.model.flow import Enqueue, Transfer

MIN_RING_MS = 1_000
MAX_RING_MS = 180_000
CONNECT_FAILED = "connect_failed"

_CONNECTION_LOST = "connection-lost"
_LOST = frozenset({"media-timeout", "signalling-lost", _CONNECTION_LOST})
_BROWSER = "webrtc:"
_OUTCOMES = {
    RingOutcome.NO_ANSWER: "no_answer",
    RingOutcome.REJECT: "reject",
    RingOutcome.BUSY: "busy",
    RingOutcome.UNREACHABLE: "unreachable",
    # Nobody at the agent's end chose these, so nobody is struck for them.
    RingOutcome.CANCELLED: "undelivered",
    RingOutcome.REFUSED: "unreachable",
}


def ring_agent(turn: Turn, event: AgentReserved) -> str | None:
    """Rings the agent that acd holds; whoever rang before for this contact does so no more."""
    stay = turn.at.stay
    if stay is None or event.entry_id != stay.entry_id:
        return "stale-entry"
    if event.reservation_id == stay.ended_ring:
        turn.effect(EndReservation(event.reservation_id, stay.ended_outcome))
        return None
    if turn.at.ring is not None:
        if turn.at.ring.ring_id == event.reservation_id:
            return "rings-already"
        turn.command(StopRinging(turn.at.ring.ring_id, "superseded"))
    timeout_ms = min(max(event.ring_timeout_ms, MIN_RING_MS), MAX_RING_MS)
    turn.command(
        RingAgent(
            reservation_id=event.reservation_id,
            agent_id=event.agent_id,
            endpoint=event.endpoint,
            timeout_ms=timeout_ms,
            caller_display=turn.at.call.caller,
        )
    )
    give_up_at_ms = turn.now_ms + timeout_ms + RING_GRACE_MS
    turn.change(
        stage=Stage.RINGING,
        stay=replace(stay, waiting_since_ms=stay.waiting_since_ms or event.waiting_since_ms),
        ring=Ring(
            event.reservation_id,
            agent_id=event.agent_id,
            give_up_at_ms=give_up_at_ms,
            browser=event.endpoint.startswith(_BROWSER),
        ),
        failed_in_a_row=0,
    )
    if turn.at.purpose is Purpose.NONE:
        play_music(turn, queue_node(turn))
    return None


def confirm_ring(turn: Turn) -> str | None:
    """The far end is heard ringing; for a browser, that is said to acd by who shows the ring."""
    ring = turn.ring
    if ring.browser:
        return "connects-by-itself"
    if ring.agent and not ring.rang:
        turn.effect(ConfirmRing(ring.ring_id, ring.agent_id))
    turn.change(ring=replace(ring, rang=True))
    return None


def accept(turn: Turn) -> str | None:
    """The agent's phone answered, which is the agent's acceptance; a browser's answer is not."""
    ignored = confirm_ring(turn)
    if ignored:
        return ignored
    turn.effect(AcceptReservation(turn.ring.ring_id, turn.ring.agent_id))
    _go_on(turn, Stage.ANSWERED, ACCEPT_LIMIT_MS)
    return None


def await_answer(turn: Turn) -> None:
    """The agent accepted elsewhere than on the phone, whose answer is still to come.

    A browser's agent accepts there and nowhere else: it is bridged as soon as it is connected.
    """
    if turn.ring.browser:
        bridge(turn)
        return
    _go_on(turn, Stage.ACCEPTED, ACCEPT_LIMIT_MS)


def bridge(turn: Turn) -> None:
    """Both have agreed: let them hear each other."""
    turn.answer()
    turn.command(BridgeLegs(turn.ring.ring_id))
    _go_on(turn, Stage.BRIDGING, BRIDGE_LIMIT_MS)


def _go_on(turn: Turn, stage: Stage, limit_ms: int) -> None:
    turn.change(stage=stage, ring=replace(turn.ring, give_up_at_ms=turn.now_ms + limit_ms))


def start_talk(turn: Turn) -> None:
    """They hear each other."""
    if turn.ring.agent:
        turn.effect(ConfirmBridged(turn.ring.ring_id))
    turn.change(stage=Stage.TALKING, operation="", purpose=Purpose.NONE)


# ---- ways back ---------------------------------------------------------------------------------


def fail_ring(turn: Turn, outcome: RingOutcome) -> None:
    """The endpoint will not answer: the agent is let go, the caller waits on."""
    reached = turn.at.stage is Stage.RINGING
    _end_reservation(turn, _OUTCOMES[outcome] if reached else CONNECT_FAILED)


def break_bridge(turn: Turn, *, leg_is_gone: bool) -> None:
    """What was answered could not be joined."""
    ring = turn.ring
    if not leg_is_gone:
        turn.command(StopRinging(ring.ring_id, "bridge-failed"))
    if ring.agent:
        rang_only = turn.at.stage is Stage.RINGING
        _end_reservation(turn, "unreachable" if rang_only else CONNECT_FAILED)
    else:
        fail_dial(turn)


def give_up_ring(turn: Turn) -> str | None:
    """Nothing was heard of the far end for longer than anything takes."""
    ring = turn.ring
    if turn.now_ms < ring.give_up_at_ms:
        return "not-due"
    turn.command(StopRinging(ring.ring_id, "no-answer"))
    if not ring.agent:
        fail_dial(turn)
    elif turn.at.stage is not Stage.RINGING:
        _end_reservation(turn, CONNECT_FAILED)
    else:
        _end_reservation(turn, "no_answer" if ring.rang else "undelivered")
    return None


def release(turn: Turn, event: ReservationReleased) -> None:
    """Acd holds the agent no longer."""
    turn.command(StopRinging(turn.ring.ring_id, event.outcome or "released"))
    back_to_queue(turn)


def _end_reservation(turn: Turn, outcome: str) -> None:
    ring_id = turn.ring.ring_id
    turn.effect(EndReservation(ring_id, outcome))
    turn.change(stay=replace(turn.stay, ended_ring=ring_id, ended_outcome=outcome))
    back_to_queue(turn)


def fail_dial(turn: Turn) -> None:
    """The number outside did not answer: on in the flow, or back to whence one was handed on."""
    node = turn.node
    if turn.at.handing is not None:
        come_back(turn, "not-reached")
        return
    assert isinstance(node, Transfer), f"{node.id} is no transfer"
    turn.change(ring=None)
    if node.on_failed:
        turn.target = node.on_failed
    else:
        fail(turn, "transfer-failed")


def hear_ringback_end(turn: Turn, event: OperationEnded) -> None:
    """Ringback ended though somebody still rings."""
    went_well = event.result is OperationResult.COMPLETE
    failed = 0 if went_well else turn.at.failed_in_a_row + 1
    turn.change(failed_in_a_row=failed)
    if failed > MAX_FAILED_IN_A_ROW:
        fail(turn, "ringback-failed")
    else:
        play_ringback(turn)


# ---- talking -----------------------------------------------------------------------------------


def end_talk(turn: Turn, event: LegEnded) -> None:
    """The far end is gone after a conversation."""
    if not turn.ring.agent:
        _go_on_after(turn, "far-end-left")
        return
    node = queue_node(turn)
    if event.reason in _LOST:
        # Nobody hung up: the caller goes back to where the wait began, rather than being cut off.
        before = turn.stay
        why = _CONNECTION_LOST if event.reason == _CONNECTION_LOST else "agent-lost"
        complete(turn, ended_by="system", reason=why)
        turn.change(stay=None, ring=None)
        join_queue(turn, node, before.queue_id, before.waiting_since_ms, agent_lost=True)
        return
    complete(turn, ended_by="agent", reason="agent-left")
    _go_on_after(turn, "agent-left")


def _go_on_after(turn: Turn, reason: str) -> None:
    """As the flow says after a conversation: on to a node, or the end."""
    after = turn.node.after_agent if isinstance(turn.node, Enqueue) else ""
    if after:
        turn.target = after
    else:
        hang_up(turn, TerminationClass.SUCCESS, reason)


def tell_hold(turn: Turn, event: HoldChanged) -> str | None:
    """An agent's hold counts as such in routing; another's does not."""
    if not turn.ring.agent or event.ring_id != turn.ring.ring_id:
        return "no-matter"
    turn.effect(TellHold(event.ring_id, event.held))
    return None


def refuse_second(turn: Turn, event: AgentReserved) -> str | None:
    """Acd would give another agent to a caller who is talking: it missed the answer."""
    if turn.at.stay is None or event.entry_id != turn.at.stay.entry_id:
        return "stale-entry"
    if event.reservation_id == turn.ring.ring_id:
        turn.effect(ConfirmBridged(event.reservation_id))
    else:
        turn.effect(LeaveQueue(event.entry_id, "failed", "talks-already"))
    return None
