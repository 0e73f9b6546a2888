"""The leg of an agent whose browser connects by itself, and may lose its connection and come back.

    invited ──bridge asked, connected───────────────────────────▶ answered ⇄ bridged
       │  ╲                                      ▲                   │ lost: music for its peer
       │   bridge asked, not connected: waits ───┘ connects          │ connects: goes on
       └────────── no connection in time ──▶ ended ◀── not back ─────┘

Nothing is rung here: portal shows the ring, and routing knows when it was accepted. So the flow
hears neither ringing nor an answer of such a leg. Its own deadline only backs routing's up.
"""

from __future__ import annotations

from media_gateway.core import facts, reports
from media_gateway.core.ending import leg_ends
from media_gateway.core.leg import GONE, TALKING, LegHappening
from media_gateway.core.media import begin_bridge
from media_gateway.core.turn import Turn
from media_gateway.model import Leg, LegEnd, LegState
from services.chassis.ids import LegId


def connect(turn: Turn, leg_id: LegId, codec: str, took_ms: float) -> None:
    """Audio can flow to and from the browser: what waited for it, or was interrupted, goes on."""
    leg = turn.call.leg(leg_id)
    if leg.state in GONE or not leg.webrtc:
        return
    leg = turn.change_leg(leg_id, connected=True, codec=codec, rejoin_deadline_ms=None)
    turn.publish(facts.LegConnectionChanged(leg_id, connected=True, took_ms=took_ms))
    if leg.join_deadline_ms is not None:
        _answer_and_bridge(turn, leg_id)


def disconnect(turn: Turn, leg_id: LegId) -> None:
    """The connection is lost: before the answer another is awaited, in a conversation not long."""
    leg = turn.call.leg(leg_id)
    if leg.state in GONE or not leg.connected:
        return
    talking = leg.state in TALKING
    turn.change_leg(
        leg_id,
        connected=False,
        rejoin_deadline_ms=turn.now_ms + turn.rules.limits.rejoin_ms if talking else None,
    )
    turn.publish(facts.LegConnectionChanged(leg_id, connected=False, took_ms=0.0))


def join(turn: Turn, leg: Leg) -> None:
    """The agent accepted: the two hear each other now, or as soon as the browser is connected."""
    if leg.connected:
        _answer_and_bridge(turn, leg.leg_id)
    elif leg.join_deadline_ms is None:
        turn.change_leg(
            leg.leg_id,
            ring_deadline_ms=None,
            join_deadline_ms=turn.now_ms + turn.rules.limits.connect_ms,
        )


def give_up_join(turn: Turn, leg: Leg) -> None:
    """The agent accepted, and no browser came: the caller's leg is untouched."""
    turn.report(reports.BridgeFailed(leg.ring_id, "not-connected"))
    leg_ends(turn, leg.leg_id, LegEnd.CONNECTION_LOST)


def give_up_rejoin(turn: Turn, leg: Leg) -> None:
    """The browser did not come back: the flow decides what becomes of the caller."""
    leg_ends(turn, leg.leg_id, LegEnd.CONNECTION_LOST)


def _answer_and_bridge(turn: Turn, leg_id: LegId) -> None:
    leg = turn.move_leg(
        leg_id,
        LegHappening.ANSWERS,
        answered=True,
        ring_deadline_ms=None,
        join_deadline_ms=None,
    )
    turn.publish(facts.LegStateChanged(leg_id, LegState.ANSWERED, leg.codec))
    begin_bridge(turn, leg_id)
