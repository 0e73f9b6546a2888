"""What a flow is told about its call; the bodies of carillon.ivr.v1.CallEvent."""

from __future__ import annotations

from dataclasses import dataclass

from media_gateway.model import Invitation, LegEnd, LegRole, OperationEnd, RingOutcome, Transfer
from services.chassis.ids import LegId


@dataclass(frozen=True, slots=True)
class Invited:
    """A new call."""

    invitation: Invitation
    """What its INVITE says."""


@dataclass(frozen=True, slots=True)
class OperationEnded:
    """A play or gather came to its end."""

    operation: str
    """The flow's name for it."""
    reason: OperationEnd
    """How it ended."""
    digits: str = ""
    """What was keyed; secret unless the flow names it safe."""


@dataclass(frozen=True, slots=True)
class LegRinging:
    """The far end of a leg that was rung is ringing."""

    ring_id: str
    """What rang it."""
    leg_id: LegId
    """Which leg."""


@dataclass(frozen=True, slots=True)
class LegAnswered:
    """The far end answered; it hears nothing and is not heard until it is bridged."""

    ring_id: str
    """What rang it."""
    leg_id: LegId
    """Which leg."""


@dataclass(frozen=True, slots=True)
class LegFailed:
    """The far end will not answer this time."""

    ring_id: str
    """What rang it."""
    outcome: RingOutcome
    """Why not."""
    sip_status: int = 0
    """The final status; 0: none came."""


@dataclass(frozen=True, slots=True)
class Bridged:
    """Audio flows between the caller and the leg."""

    ring_id: str
    """What rang it."""
    leg_id: LegId
    """Which leg."""


@dataclass(frozen=True, slots=True)
class BridgeFailed:
    """The leg could not be bridged; the caller's leg is untouched."""

    ring_id: str
    """What was to be bridged."""
    reason: str
    """leg-gone, leg-not-answered or not-connected."""


@dataclass(frozen=True, slots=True)
class LegEnded:
    """An answered leg, or the caller's, is gone."""

    leg_id: LegId
    """Which leg."""
    role: LegRole
    """Whose."""
    ring_id: str
    """What rang it; empty for the caller."""
    reason: LegEnd
    """Why it ended."""


@dataclass(frozen=True, slots=True)
class HoldChanged:
    """A leg was put on hold or taken back."""

    leg_id: LegId
    """Which leg."""
    ring_id: str
    """What rang it; empty for the caller."""
    held: bool
    """As it is now."""


@dataclass(frozen=True, slots=True)
class MuteChanged:
    """A leg was muted or unmuted."""

    leg_id: LegId
    """Which leg."""
    ring_id: str
    """What rang it; empty for the caller."""
    muted: bool
    """As it is now."""


@dataclass(frozen=True, slots=True)
class TransferRequested:
    """The agent of a bridged leg wants the caller handed on."""

    ring_id: str
    """What rang the agent's leg."""
    transfer: Transfer
    """To whom, and why."""


Report = (
    Invited
    | OperationEnded
    | LegRinging
    | LegAnswered
    | LegFailed
    | Bridged
    | BridgeFailed
    | LegEnded
    | HoldChanged
    | MuteChanged
    | TransferRequested
)


@dataclass(frozen=True, slots=True)
class Reported:
    """A report with its place in the call's order."""

    seq: int
    """From 1 within the call."""
    at_ms: int
    """UTC milliseconds."""
    body: Report
    """What happened."""
