"""What is published about a call; the bodies of carillon.gateway.v1.CallFact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from media_gateway.model import (
    LegEnd,
    LegRole,
    LegState,
    RecordingState,
    Termination,
    Transfer,
)
from services.chassis.ids import LegId


@dataclass(frozen=True, slots=True)
class CallStarted:
    """The first INVITE of a call arrived."""

    caller: str
    """The caller's number."""
    called: str
    """The number called."""
    trunk: str
    """The trunk it arrived on."""


@dataclass(frozen=True, slots=True)
class LegStarted:
    """A leg was added to the call."""

    leg_id: LegId
    """Which leg."""
    role: LegRole
    """Whose."""
    agent_id: str
    """Set for agents' legs."""
    ring_id: str
    """What rings it."""


@dataclass(frozen=True, slots=True)
class LegStateChanged:
    """A leg went to another state."""

    leg_id: LegId
    """Which leg."""
    state: LegState
    """As it is now."""
    codec: str
    """Set from the answer on."""


@dataclass(frozen=True, slots=True)
class FlowNoted:
    """What the flow said that it did."""

    kind: str
    """What sort of note."""
    values: Mapping[str, str]
    """Its values."""


@dataclass(frozen=True, slots=True)
class DigitsReceived:
    """Keys were received; which ones is nobody's business but the flow's."""

    leg_id: LegId
    """Whose keys."""
    count: int
    """How many."""
    how: str
    """rfc4733 or sip-info."""


@dataclass(frozen=True, slots=True)
class PlayStarted:
    """Something began to play to a leg."""

    leg_id: LegId
    """Which leg."""
    prompts: tuple[str, ...]
    """Keys of blobs, or names of system sounds."""
    loop: bool
    """Whether it begins again."""


@dataclass(frozen=True, slots=True)
class LegsBridged:
    """Two legs hear each other."""

    leg_id: LegId
    """The caller's."""
    peer_leg_id: LegId
    """The other."""
    took_ms: int
    """From the command to media seen from both sides, or to the end of patience."""
    silent_leg_ids: tuple[LegId, ...]
    """Legs from which no packet came yet."""


@dataclass(frozen=True, slots=True)
class LegHoldChanged:
    """A leg was put on hold or taken back."""

    leg_id: LegId
    """Which leg."""
    held: bool
    """As it is now."""


@dataclass(frozen=True, slots=True)
class LegMuteChanged:
    """A leg was muted or unmuted."""

    leg_id: LegId
    """Which leg."""
    muted: bool
    """As it is now."""


@dataclass(frozen=True, slots=True)
class LegEnded:
    """A leg is gone. Its media's figures are added by who publishes."""

    leg_id: LegId
    """Which leg."""
    role: LegRole
    """Whose."""
    reason: LegEnd
    """Why it ended."""
    sip_status: int
    """The final status; 0: none."""


@dataclass(frozen=True, slots=True)
class FlowDetached:
    """The interpreter's stream broke; the call goes on."""

    reason: str
    """In words."""


@dataclass(frozen=True, slots=True)
class FlowAttached:
    """An interpreter is attached."""

    epoch: int
    """Which stream it is."""


@dataclass(frozen=True, slots=True)
class LegConnectionChanged:
    """An agent's browser was connected, lost or came back."""

    leg_id: LegId
    """Which leg."""
    connected: bool
    """As it is now."""
    took_ms: float
    """From its offer to audio that can flow; 0 when lost."""


@dataclass(frozen=True, slots=True)
class RecordingChanged:
    """Recording began, paused, went on or failed."""

    state: RecordingState
    """As it is now."""
    reason: str
    """Why: what allowed it, what the one who paused it said, or what failed."""
    by: str
    """The user who asked; empty: the flow, or nobody."""


@dataclass(frozen=True, slots=True)
class TransferRequested:
    """An agent asked that the caller be handed on."""

    leg_id: LegId
    """The agent's."""
    transfer: Transfer
    """To whom, and why."""


@dataclass(frozen=True, slots=True)
class DigitsSent:
    """An agent pressed keys for the other side; which ones is nobody's business."""

    leg_id: LegId
    """The agent's."""
    count: int
    """How many."""


@dataclass(frozen=True, slots=True)
class LadderNoted:
    """Who said what in SIP. The messages are added by who publishes."""


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call is over: its one termination and its last fact."""

    termination: Termination
    """How it ended."""
    duration_ms: int
    """From the first INVITE until the last leg was gone."""


FactBody = (
    CallStarted
    | LegStarted
    | LegStateChanged
    | FlowNoted
    | DigitsReceived
    | PlayStarted
    | LegsBridged
    | LegHoldChanged
    | LegMuteChanged
    | LegEnded
    | FlowDetached
    | FlowAttached
    | LegConnectionChanged
    | RecordingChanged
    | TransferRequested
    | DigitsSent
    | LadderNoted
    | CallEnded
)
