"""What a call decides: what becomes of its parts, and what the shell must do."""

from __future__ import annotations

from dataclasses import dataclass

from media_gateway.core.facts import FactBody
from media_gateway.core.reports import Reported
from media_gateway.core.state import Call, Flow
from media_gateway.model import Bridge, Leg, Operation, Prompt
from services.chassis.ids import LegId

# ---- what becomes of the call's parts -------------------------------------------------------


@dataclass(frozen=True, slots=True)
class CallBecame:
    """The call's own fields are now these; its parts have events of their own."""

    call: Call
    """The call as it is now."""


@dataclass(frozen=True, slots=True)
class LegBecame:
    """A leg was added or changed."""

    leg: Leg
    """As it is now."""


@dataclass(frozen=True, slots=True)
class LegGone:
    """A leg is gone and forgotten."""

    leg_id: LegId
    """Which leg."""


@dataclass(frozen=True, slots=True)
class OperationBecame:
    """What the flow lets the caller hear and key."""

    operation: Operation | None
    """None: nothing."""


@dataclass(frozen=True, slots=True)
class BridgeBecame:
    """Who the caller speaks with."""

    bridge: Bridge | None
    """None: nobody."""


@dataclass(frozen=True, slots=True)
class FlowBecame:
    """Where the flow and its stream are."""

    flow: Flow
    """As it is now."""


# ---- signalling -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SendProgress:
    """183 with SDP to the caller."""


@dataclass(frozen=True, slots=True)
class SendAnswer:
    """200 with SDP to the caller."""


@dataclass(frozen=True, slots=True)
class SendRefusal:
    """A final refusal to the caller."""

    sip_status: int
    """400 to 699; a 503 carries Retry-After."""
    reason: str
    """Why, as a stable word."""


@dataclass(frozen=True, slots=True)
class SendInvite:
    """INVITE to the endpoint of a leg whose media is open."""

    leg: Leg
    """Whom, and what is shown there."""
    codec: str
    """What to ask for first: what the caller speaks; empty: not known."""


@dataclass(frozen=True, slots=True)
class SendCancel:
    """CANCEL of an INVITE of ours."""

    leg_id: LegId
    """Which leg."""
    reason: str
    """Why, as a stable word; empty: nobody needs to know."""


@dataclass(frozen=True, slots=True)
class SendBye:
    """BYE to an answered leg."""

    leg_id: LegId
    """Which leg."""
    reason: str
    """Why, as a stable word; empty: the ordinary end."""


@dataclass(frozen=True, slots=True)
class SendHold:
    """re-INVITE that puts a leg's endpoint on hold or takes it back."""

    leg_id: LegId
    """Which leg."""
    held: bool
    """As it shall be."""


# ---- media ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenMedia:
    """A media port for a leg."""

    leg_id: LegId
    """Which leg."""


@dataclass(frozen=True, slots=True)
class CloseMedia:
    """The leg's media is over; nothing of it may go on."""

    leg_id: LegId
    """Which leg."""


@dataclass(frozen=True, slots=True)
class ConnectMedia:
    """Two legs' audio reaches each other."""

    leg_id: LegId
    """The caller's."""
    peer_leg_id: LegId
    """The other."""


@dataclass(frozen=True, slots=True)
class DisconnectMedia:
    """They hear each other no more."""

    leg_id: LegId
    """The caller's."""
    peer_leg_id: LegId
    """The other."""


@dataclass(frozen=True, slots=True)
class StartSound:
    """Plays something to a leg in place of whatever played."""

    leg_id: LegId
    """Which leg."""
    sound: str
    """Key that its end is told by."""
    prompts: tuple[Prompt, ...]
    """What, one after another."""
    loop: bool
    """Begin again after the last, from where it was interrupted before."""


@dataclass(frozen=True, slots=True)
class StopSound:
    """Nothing plays to the leg any more."""

    leg_id: LegId
    """Which leg."""


@dataclass(frozen=True, slots=True)
class SetHold:
    """Whether a leg's media is on hold."""

    leg_id: LegId
    """Which leg."""
    held: bool
    """As it shall be."""


@dataclass(frozen=True, slots=True)
class SetMute:
    """Whether what a leg says is discarded."""

    leg_id: LegId
    """Which leg."""
    muted: bool
    """As it shall be."""


# ---- recording ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BeginRecording:
    """The call may be recorded from now on."""

    basis: str
    """Why: announced, agreed or policy."""


@dataclass(frozen=True, slots=True)
class TapLeg:
    """What a leg says is kept from now on."""

    leg_id: LegId
    """Which leg."""


@dataclass(frozen=True, slots=True)
class UntapLeg:
    """What a leg says is kept no more."""

    leg_id: LegId
    """Which leg."""


# ---- flow and record ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OpenFlow:
    """An interpreter is to be found for the call."""


@dataclass(frozen=True, slots=True)
class BreakFlow:
    """The stream lives and says nothing: another is to be opened."""

    epoch: int
    """Which stream is given up."""


@dataclass(frozen=True, slots=True)
class ReportToFlow:
    """The flow is to be told, now or when it is attached again."""

    report: Reported
    """What."""


@dataclass(frozen=True, slots=True)
class PublishFact:
    """Something for the record."""

    seq: int
    """From 1 within the call."""
    at_ms: int
    """UTC milliseconds."""
    body: FactBody
    """What."""


Event = (
    CallBecame
    | LegBecame
    | LegGone
    | OperationBecame
    | BridgeBecame
    | FlowBecame
    | SendProgress
    | SendAnswer
    | SendRefusal
    | SendInvite
    | SendCancel
    | SendBye
    | SendHold
    | OpenMedia
    | CloseMedia
    | ConnectMedia
    | DisconnectMedia
    | StartSound
    | StopSound
    | SetHold
    | SetMute
    | BeginRecording
    | TapLeg
    | UntapLeg
    | OpenFlow
    | BreakFlow
    | ReportToFlow
    | PublishFact
)
