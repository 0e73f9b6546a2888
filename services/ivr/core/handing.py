"""Handing a caller on: the agent's part ends, music plays, and the target is tried.

The agent is free for wrap-up at once, so the transfer is blind: nobody waits for the target but the
caller. Whom the target does not take goes back to the queue that they came from, with the place
that they had there, and the next agent sees that a transfer failed.
"""

from __future__ import annotations

from services.ivr.core.ending import complete
from services.ivr.core.hearing import play_ringback
from services.ivr.core.limits import (
    MAX_FACT_BYTES,
    MAX_REASON_BYTES,
    RING_GRACE_MS,
    TRANSFER_RING_MS,
)
from services.ivr.core.templates import clip
from services.ivr.core.turn import Turn
from services.ivr.core.waiting import join_queue, queue_node
from services.ivr.model.actions import DialNumber, StopRinging
from services.ivr.model.call import TransferKind, TransferRequested
from services.ivr.model.checkpoint import Handing, Ring, Stage, Stay


def hand_on(turn: Turn, event: TransferRequested) -> str | None:
    """The agent who talks with the caller wants them handed on."""
    ring, stay = turn.ring, turn.at.stay
    if not ring.agent or stay is None:
        return "no-agent-talks"
    complete(turn, ended_by="agent", reason="transfer")
    turn.note("transfer-begun", to=event.kind, target=event.target, reason=event.reason)
    turn.command(StopRinging(ring.ring_id, "transferred"))
    turn.change(
        handing=Handing(
            kind=event.kind,
            target=clip(event.target, MAX_FACT_BYTES),
            from_queue_id=stay.queue_id,
            since_ms=stay.waiting_since_ms,
            reason=clip(event.reason, MAX_REASON_BYTES),
            by_name=clip(event.by_name, MAX_FACT_BYTES),
        ),
        stay=None,
        ring=None,
        failed_in_a_row=0,
    )
    _try_target(turn, event, stay)
    return None


def _try_target(turn: Turn, event: TransferRequested, stay: Stay) -> None:
    node = queue_node(turn)
    match event.kind:
        case TransferKind.QUEUE:
            # Who is handed on begins to wait anew: the old place was for another queue.
            join_queue(turn, node, event.target)
        case TransferKind.AGENT if event.via_queue_id and event.via_queue_id != stay.queue_id:
            join_queue(
                turn,
                node,
                event.via_queue_id,
                agent_id=event.target,
                else_queue_id=stay.queue_id,
            )
        case TransferKind.AGENT:
            join_queue(turn, node, stay.queue_id, stay.waiting_since_ms, agent_id=event.target)
        case TransferKind.NUMBER:
            _dial(turn, event.target)


def _dial(turn: Turn, target: str) -> None:
    number = turn.at.dials + 1
    ring_id = f"d{number}"
    play_ringback(turn)
    turn.command(DialNumber(ring_id, target, TRANSFER_RING_MS, ""))
    give_up_at_ms = turn.now_ms + TRANSFER_RING_MS + RING_GRACE_MS
    turn.change(
        stage=Stage.DIALLING,
        dials=number,
        ring=Ring(ring_id, agent_id="", give_up_at_ms=give_up_at_ms),
    )
