"""Waiting in a queue: the place, music and messages, leaving, and what a queue's end leads to."""

from __future__ import annotations

from dataclasses import replace

from services.ivr.core.attributes import attributes_of
from services.ivr.core.ending import fail
from services.ivr.core.hearing import (
    play_music,
    say_agent_lost,
    say_delay,
    say_farewell,
    say_next_message,
)
from services.ivr.core.identity import entry_id
from services.ivr.core.limits import (
    DELAY_AFTER_MS,
    FIRST_MESSAGE_AFTER_MS,
    MAX_FAILED_IN_A_ROW,
    MAX_FAREWELL_BYTES,
    MAX_STAYS_PER_CALL,
)
from services.ivr.core.templates import clip
from services.ivr.core.turn import Turn
from services.ivr.model.actions import JoinQueue, LeaveQueue, StopRinging
from services.ivr.model.call import (
    OperationEnded,
    OperationResult,
    PositionChanged,
    QueueLeft,
    QueueUnavailable,
    TransferKind,
)
from services.ivr.model.checkpoint import Checkpoint, Purpose, Stage, Stay
from services.ivr.model.flow import Enqueue, Flow

ACD_AWAY = "acd-away"
"""Why a contact could not be queued: nothing was heard of acd within the limit."""
_NOT_TAKEN = frozenset(
    {"overflowed", "timeout", "closed", "refused_full", "refused_no_agents", "failed"}
)
"""Exits from a queue by which a caller who was handed on comes back."""
_LEAVABLE = frozenset({Stage.JOINING, Stage.QUEUED, Stage.RINGING})
"""Once an agent has accepted, the two belong together and the key comes too late."""


def join_queue(
    turn: Turn,
    node: Enqueue,
    queue_id: str,
    waiting_since_ms: int = 0,
    *,
    agent_lost: bool = False,
    agent_id: str = "",
    else_queue_id: str = "",
) -> None:
    """Asks for a place and fills the wait from the first moment, with music or with a reason.

    With `agent_id` it is at first for that agent alone.
    """
    number = turn.at.stays + 1
    if number > MAX_STAYS_PER_CALL:
        fail(turn, "too-many-queues")
        return
    turn.answer()
    stay = Stay(
        entry_id(turn.at.call.call_id, number),
        queue_id,
        waiting_since_ms,
        waiting_since_ms,
        delay_at_ms=turn.now_ms + DELAY_AFTER_MS,
        agent_id=agent_id,
        else_queue_id=else_queue_id,
    )
    turn.change(stage=Stage.JOINING, stay=stay, ring=None, stays=number, failed_in_a_row=0)
    turn.note("queue-joined", queue=queue_id, entry=stay.entry_id)
    turn.effect(request_for(turn.flow, turn.at))
    if not (agent_lost and say_agent_lost(turn, node)):
        play_music(turn, node)


def request_for(flow: Flow, at: Checkpoint) -> JoinQueue:
    """What acd is asked for the present stay: the same whenever it is asked again."""
    node = flow.node(at.node)
    stay = at.stay
    assert isinstance(node, Enqueue), f"{at.node} is no queue"
    assert stay is not None, f"no stay in stage {at.stage}"
    return JoinQueue(
        entry_id=stay.entry_id,
        queue_id=stay.queue_id,
        call_id=at.call.call_id,
        caller=at.call.caller,
        priority=node.priority,
        waiting_since_ms=stay.asked_since_ms,
        skills=node.skills,
        attributes=attributes_of(node, at),
        gateway=at.call.gateway_address,
        agent_id=stay.agent_id,
        else_queue_id=stay.else_queue_id,
    )


def queue_node(turn: Turn) -> Enqueue:
    """The queue's node, in the stages that have one."""
    node = turn.node
    assert isinstance(node, Enqueue), f"{node.id} is no queue"
    return node


def come_back(turn: Turn, why: str) -> None:
    """Whom a caller was handed on to did not take them: back to where they were, as they stood."""
    handing = turn.at.handing
    assert handing is not None, "only who was handed on comes back"
    turn.note("transfer-failed", to=handing.kind, target=handing.target, reason=why)
    turn.change(handing=replace(handing, failed=True), stay=None, ring=None)
    join_queue(turn, queue_node(turn), handing.from_queue_id, handing.since_ms)


def take_place(turn: Turn, event: PositionChanged) -> str | None:
    """The place is there: the first message soon."""
    ignored = note_place(turn, event)
    if ignored is None:
        next_at_ms = turn.now_ms + FIRST_MESSAGE_AFTER_MS if queue_node(turn).messages else 0
        turn.change(stage=Stage.QUEUED, stay=replace(turn.stay, next_message_at_ms=next_at_ms))
    return ignored


def note_place(turn: Turn, event: PositionChanged) -> str | None:
    """Keeps what the next message will say."""
    stay = turn.at.stay
    if stay is None or event.entry_id != stay.entry_id:
        return "stale-entry"
    wait_ms = -1 if event.expected_wait_ms is None else event.expected_wait_ms
    turn.change(
        stay=replace(
            stay,
            position=event.position,
            expected_wait_ms=wait_ms,
            waiting_since_ms=stay.waiting_since_ms or event.enqueued_at_ms,
        )
    )
    return None


def say_message(turn: Turn) -> str | None:
    """A message when it is due and nothing but music would be cut by it."""
    stay = turn.stay
    due = message_due_ms(turn.at)
    if due is None or turn.now_ms < due:
        return "not-due"
    node = queue_node(turn)
    next_at_ms = due + node.message_every_ms
    if next_at_ms <= turn.now_ms:
        next_at_ms = turn.now_ms + node.message_every_ms
    turn.change(stay=replace(stay, next_message_at_ms=next_at_ms))
    say_next_message(turn, node)
    return None


def tell_delay(turn: Turn) -> str | None:
    """Once, to a caller for whom no place can be had yet."""
    due = message_due_ms(turn.at)
    if due is None or turn.now_ms < due:
        return "not-due"
    turn.change(stay=replace(turn.stay, delay_at_ms=0))
    say_delay(turn, queue_node(turn))
    return None


def message_due_ms(at: Checkpoint) -> int | None:
    """When the next words are to be said, UTC milliseconds; None while there are none to say."""
    if at.stage is Stage.JOINING and at.purpose is Purpose.MUSIC and at.stay is not None:
        return at.stay.delay_at_ms or None
    if at.stage is not Stage.QUEUED or at.purpose is not Purpose.MUSIC or at.stay is None:
        return None
    return at.stay.next_message_at_ms or None


def hear_wait_end(turn: Turn, event: OperationEnded) -> None:
    """Music or a message ended: by the leave key, by itself, or by a fault."""
    node = queue_node(turn)
    if node.leave_key and event.digits == node.leave_key and turn.at.stage in _LEAVABLE:
        _leave_by_key(turn, node)
        return
    went_well = event.result in {OperationResult.COMPLETE, OperationResult.TIMEOUT}
    failed = 0 if went_well else turn.at.failed_in_a_row + 1
    turn.change(failed_in_a_row=failed, operation="", purpose=Purpose.NONE)
    if failed > MAX_FAILED_IN_A_ROW:
        fail(turn, "music-failed")
    else:
        play_music(turn, node)


def _leave_by_key(turn: Turn, node: Enqueue) -> None:
    stay = turn.stay
    if turn.at.ring is not None:
        turn.command(StopRinging(turn.at.ring.ring_id, "caller-left-queue"))
    turn.note("queue-left", queue=stay.queue_id, exit=node.leave_exit, key=node.leave_key)
    turn.effect(LeaveQueue(stay.entry_id, node.leave_exit, "leave-key"))
    turn.target = node.on_leave


def back_to_queue(turn: Turn) -> None:
    """Nobody is rung any more: the caller waits on, and hears it."""
    stay = turn.stay
    next_at_ms = stay.next_message_at_ms
    if next_at_ms:
        next_at_ms = max(next_at_ms, turn.now_ms + FIRST_MESSAGE_AFTER_MS)
    elif queue_node(turn).messages:
        next_at_ms = turn.now_ms + FIRST_MESSAGE_AFTER_MS
    turn.change(
        stage=Stage.QUEUED,
        ring=None,
        stay=replace(stay, next_message_at_ms=next_at_ms),
        failed_in_a_row=0,
    )
    if turn.at.purpose is Purpose.NONE:
        play_music(turn, queue_node(turn))


def leave_queue(turn: Turn, event: QueueLeft) -> str | None:
    """Acd took the contact out: on to where that leads, after what there is to say."""
    stay = turn.at.stay
    if stay is None or event.entry_id != stay.entry_id:
        return "stale-entry"
    if turn.at.ring is not None:
        turn.command(StopRinging(turn.at.ring.ring_id, event.exit))
    turn.note("queue-left", queue=stay.queue_id, exit=event.exit)
    turn.change(stage=Stage.IN_NODE, ring=None, stay=replace(stay, exit=event.exit))
    node = queue_node(turn)
    if _is_turned_away(turn.at, event):
        come_back(turn, event.exit)
    elif event.exit == "overflowed" and event.overflow_queue_id and not _way_out(node, event.exit):
        join_queue(turn, node, event.overflow_queue_id, stay.waiting_since_ms)
    elif message := clip(event.message.strip(), MAX_FAREWELL_BYTES):
        turn.change(stay=replace(turn.stay, message=message))
        say_farewell(turn, message)
    else:
        take_exit(turn)
    return None


def take_exit(turn: Turn) -> None:
    """The way that the flow gives for the exit; without one it is a failure."""
    stay = turn.stay
    target = _way_out(queue_node(turn), stay.exit)
    if target:
        turn.target = target
    else:
        fail(turn, f"queue-{stay.exit}".replace("_", "-"), leave_queue=False)


def _is_turned_away(at: Checkpoint, event: QueueLeft) -> bool:
    """Whether the queue or the colleague that a caller was handed on to did not take them."""
    if at.handing is None or at.handing.failed or event.exit not in _NOT_TAKEN:
        return False
    goes_elsewhere = event.exit == "overflowed" and bool(event.overflow_queue_id)
    return not (goes_elsewhere and at.handing.kind is TransferKind.QUEUE)


def _way_out(node: Enqueue, exit_name: str) -> str:
    return dict(node.on_exit).get(exit_name, "")


def lose_queue(turn: Turn, event: QueueUnavailable) -> str | None:
    """The contact could not be queued: the default treatment.

    An acd that refused it knows nothing of it; one that was away may, and is told.
    """
    if turn.at.stay is None or event.entry_id != turn.at.stay.entry_id:
        return "stale-entry"
    handing = turn.at.handing
    if handing is not None and not handing.failed and event.reason != ACD_AWAY:
        come_back(turn, event.reason)
        return None
    fail(turn, event.reason, leave_queue=event.reason == ACD_AWAY)
    return None
