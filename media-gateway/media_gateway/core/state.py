"""The life of a call, and all that is known of one.

    invited ──first step──▶ active ──released──▶ ending ──last leg and last word──▶ ended
       └────────────────released─────────────────▲

A call is `invited` until an interpreter has said what to do with it, and `ending` from the first
cause of its end, which alone becomes its termination, until every leg's signalling is over and
the flow has said its last word or kept silent too long.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from media_gateway.core.reports import Reported
from media_gateway.core.transitions import Transitions
from media_gateway.model import (
    CALLER_LEG,
    Bridge,
    CallState,
    Invitation,
    Leg,
    NoSuchLeg,
    Operation,
    Recording,
    Termination,
)
from services.chassis.ids import CallId, LegId


class CallHappening(StrEnum):
    """What moves a call."""

    STEP_KEPT = "step-kept"
    RELEASED = "released"
    FINISHED = "finished"


_H, _S = CallHappening, CallState

CALL: Transitions[CallState, CallHappening] = Transitions(
    "call",
    {
        _S.INVITED: {_H.STEP_KEPT: _S.ACTIVE, _H.RELEASED: _S.ENDING},
        _S.ACTIVE: {_H.STEP_KEPT: _S.ACTIVE, _H.RELEASED: _S.ENDING},
        # The flow's last words arrive while the call is ending.
        _S.ENDING: {_H.STEP_KEPT: _S.ENDING, _H.FINISHED: _S.ENDED},
        _S.ENDED: {},
    },
)


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a call waits for what; milliseconds."""

    no_flow_ms: int = 2_000
    """For an interpreter to be reached by a new call."""
    silent_flow_ms: int = 5_000
    """For the first step on a stream that lives."""
    idle_flow_ms: int = 10_000
    """For an answer to what was reported while the caller hears nothing."""
    invited_ms: int = 10_000
    """For the first step at all, however many streams were tried."""
    music_after_ms: int = 1_500
    """Silence of a caller without an interpreter before music plays."""
    unattended_ms: int = 10_000
    """A caller who speaks with nobody and has no interpreter before the apology."""
    apology_ms: int = 15_000
    """For the apology to be played."""
    farewell_ms: int = 5_000
    """For the flow's last word once the call is ending."""
    agent_response_ms: int = 3_000
    """For an agent's endpoint to ring or refuse."""
    external_response_ms: int = 10_000
    """For an outside endpoint or its network to respond at all."""
    connect_ms: int = 3_000
    """For an agent's browser to be connected once its agent has accepted."""
    rejoin_ms: int = 30_000
    """For an agent's browser to come back into a conversation."""
    browser_ring_ms: int = 5_000
    """Beyond the ring time-out, for routing to end by itself the ring of a browser, which began
    when the browser showed it."""
    release_ms: int = 4_000
    """For a far end to confirm its release; the signalling goes on without the call."""


@dataclass(frozen=True, slots=True)
class Flow:
    """Where the call's flow and the stream to its interpreter are."""

    epoch: int = 0
    """Streams opened so far."""
    attached: bool = False
    """Whether the present stream has proved itself."""
    since_ms: int = 0
    """When it was attached, or since when it is not."""
    step: int = 0
    """The last step kept; 0: none."""
    checkpoint: bytes = b""
    """That step's checkpoint."""
    tenant_id: str = ""
    """Whose call it is; empty until a step named it."""
    next_seq: int = 1
    """The next report's place."""
    unconsumed: tuple[Reported, ...] = ()
    """Reports that no checkpoint accounts for yet."""
    closed: bool = False
    """Whether the flow has said its last word, or is asked no more."""


@dataclass(frozen=True, slots=True)
class Call:
    """All that is known of one call."""

    call_id: CallId
    """UUIDv7."""
    invitation: Invitation
    """What its INVITE says."""
    invited_at_ms: int
    """UTC milliseconds of the first INVITE."""
    state: CallState = CallState.INVITED
    """Where it is."""
    legs: tuple[Leg, ...] = ()
    """Its legs that are not gone, oldest first; the caller's is the first."""
    legs_ever: int = 0
    """How many there have been."""
    operation: Operation | None = None
    """What the flow lets the caller hear and key."""
    typed_ahead: str = ""
    """Keys that the caller pressed before anything asked for them, at most 32."""
    bridge: Bridge | None = None
    """Whom the caller speaks with."""
    flow: Flow = field(default_factory=Flow)
    """Where its flow is."""
    recording: Recording = field(default_factory=Recording)
    """Whether it may be recorded, and is."""
    termination: Termination | None = None
    """Its first cause of ending."""
    unattended_since_ms: int | None = None
    """Since when the caller has neither interpreter nor anybody to speak with."""
    apology_deadline_ms: int | None = None
    """Set while the apology is played."""
    farewell_deadline_ms: int | None = None
    """By when the flow must have said its last word."""
    quiet_at_ms: int | None = None
    """When the last leg was gone."""
    facts: int = 0
    """Facts published so far."""

    def leg(self, leg_id: LegId) -> Leg:
        """One of its legs; NoSuchLeg."""
        for leg in self.legs:
            if leg.leg_id == leg_id:
                return leg
        raise NoSuchLeg(f"leg {leg_id} of call {self.call_id}")

    def rung_by(self, ring_id: str) -> Leg | None:
        """The leg that a command rang."""
        return next((leg for leg in self.legs if leg.ring_id == ring_id and ring_id), None)

    @property
    def caller(self) -> Leg | None:
        """The caller's leg; None when it is gone."""
        return self.legs[0] if self.legs and self.legs[0].leg_id == CALLER_LEG else None

    @property
    def peer(self) -> Leg | None:
        """The leg that the caller is bridged with."""
        return self.leg(self.bridge.leg_id) if self.bridge else None
