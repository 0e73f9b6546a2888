"""What reaches a call: what its endpoints, its media, its flow and its operators did."""

from __future__ import annotations

from dataclasses import dataclass

from media_gateway.core.steps import Step
from media_gateway.core.termination import EndCause
from media_gateway.model import LegEnd, Transfer
from services.chassis.ids import LegId


@dataclass(frozen=True, slots=True)
class OpenCall:
    """Begins the call: its caller's media is to be opened."""

    codec: str = ""
    """What the caller's offer and the gateway agree on; empty: a late offer."""


@dataclass(frozen=True, slots=True)
class RefuseCall:
    """Begins a call only to refuse it: it is on the record like any other."""

    cause: EndCause
    """Why."""


@dataclass(frozen=True, slots=True)
class EndCall:
    """Ends the call for a reason of the gateway's own; an unanswered caller is refused."""

    cause: EndCause
    """Why."""


# ---- signalling ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class LegResponds:
    """The far end of a leg that is rung showed a sign of life, and no more."""

    leg_id: LegId
    """Which leg."""


@dataclass(frozen=True, slots=True)
class LegRings:
    """The far end rings (180), or sends media before its answer (183 with SDP)."""

    leg_id: LegId
    """Which leg."""


@dataclass(frozen=True, slots=True)
class LegAnswers:
    """The far end answered with media that fits."""

    leg_id: LegId
    """Which leg."""
    codec: str
    """PCMU or PCMA."""


@dataclass(frozen=True, slots=True)
class LegAnswersUnusably:
    """The far end answered with media that nobody here can use."""

    leg_id: LegId
    """Which leg."""


@dataclass(frozen=True, slots=True)
class LegRefuses:
    """The far end will not answer, or cannot be reached."""

    leg_id: LegId
    """Which leg."""
    sip_status: int
    """The final status; 0: nothing came, or nothing could be sent."""


@dataclass(frozen=True, slots=True)
class LegLeaves:
    """The far end hung up or cancelled, or its signalling was lost."""

    leg_id: LegId
    """Which leg."""
    end: LegEnd
    """HUNG_UP, CANCELLED or SIGNALLING_LOST."""
    unacknowledged: bool = False
    """Whether it was lost because the answer was never acknowledged."""


@dataclass(frozen=True, slots=True)
class LegReleased:
    """The signalling of a leg that the gateway released is over."""

    leg_id: LegId
    """Which leg."""


@dataclass(frozen=True, slots=True)
class LegHolds:
    """The far end put us on hold, or took us back."""

    leg_id: LegId
    """Which leg."""
    held: bool
    """As it is now."""


@dataclass(frozen=True, slots=True)
class LegConnects:
    """An agent's browser is connected, for the first time or again."""

    leg_id: LegId
    """Which leg."""
    codec: str
    """PCMU or PCMA."""
    took_ms: float
    """From its offer to audio that can flow."""


@dataclass(frozen=True, slots=True)
class LegDisconnects:
    """The connection of an agent's browser was lost or closed."""

    leg_id: LegId
    """Which leg."""


# ---- media --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MediaOpened:
    """A leg has its media port."""

    leg_id: LegId
    """Which leg."""


@dataclass(frozen=True, slots=True)
class MediaRefused:
    """No media port could be had for a leg."""

    leg_id: LegId
    """Which leg."""


@dataclass(frozen=True, slots=True)
class MediaNegotiated:
    """The caller's codec became known after its answer (late offer)."""

    leg_id: LegId
    """Which leg."""
    codec: str
    """PCMU or PCMA."""


@dataclass(frozen=True, slots=True)
class MediaHeard:
    """The first packet since the media was negotiated."""

    leg_id: LegId
    """From which leg."""


@dataclass(frozen=True, slots=True)
class MediaLost:
    """Neither audio nor a report came for longer than is believable."""

    leg_id: LegId
    """From which leg."""


@dataclass(frozen=True, slots=True)
class KeyPressed:
    """A key of a telephone."""

    leg_id: LegId
    """Whose."""
    key: str
    """One of 0-9 * # A-D."""
    how: str
    """rfc4733 or sip-info."""


@dataclass(frozen=True, slots=True)
class SoundEnded:
    """What played to a leg came to its end, or could not be played."""

    leg_id: LegId
    """Which leg."""
    sound: str
    """The key that it was started with."""
    failed: bool = False
    """Whether it could not be had or played."""


# ---- flow ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BeginEpoch:
    """A stream to an interpreter is being opened."""


@dataclass(frozen=True, slots=True)
class AttachFlow:
    """The stream has proved itself."""

    epoch: int
    """Which stream."""


@dataclass(frozen=True, slots=True)
class DetachFlow:
    """The stream broke."""

    epoch: int
    """Which stream."""
    reason: str
    """In words."""


@dataclass(frozen=True, slots=True)
class KeepStep:
    """A step arrived."""

    step: Step
    """Kept whole before any of it is done."""


@dataclass(frozen=True, slots=True)
class CloseFlow:
    """No interpreter will be asked any more: the flow has its last word, or none came in time."""


# ---- operators ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HoldLeg:
    """Puts a leg on hold or takes it back. Idempotent."""

    leg_id: LegId
    """Which leg."""
    held: bool
    """As it shall be."""


@dataclass(frozen=True, slots=True)
class MuteLeg:
    """Discards what a leg says, or lets it be heard again. Idempotent."""

    leg_id: LegId
    """Which leg."""
    muted: bool
    """As it shall be."""


@dataclass(frozen=True, slots=True)
class HangUpLeg:
    """Releases one leg as if its own endpoint had hung up."""

    leg_id: LegId
    """Which leg."""


@dataclass(frozen=True, slots=True)
class KeysSent:
    """Keys are on their way to whom a leg is bridged with."""

    leg_id: LegId
    """Whose keypad it is."""
    count: int
    """How many."""


@dataclass(frozen=True, slots=True)
class AskTransfer:
    """The agent of a leg wants the caller handed on."""

    leg_id: LegId
    """Which leg."""
    transfer: Transfer
    """To whom, and why."""


@dataclass(frozen=True, slots=True)
class PauseRecording:
    """Stops recording the call until it is taken up again. Idempotent."""

    reason: str
    """As the one who asks says; at most 100 characters."""
    by: str
    """The user who asks."""


@dataclass(frozen=True, slots=True)
class ResumeRecording:
    """Takes recording up again. Idempotent."""

    by: str
    """The user who asks."""


# ---- recording ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RecordingFails:
    """What is said cannot be kept."""

    reason: str
    """A stable word, for example `disk-full`."""


@dataclass(frozen=True, slots=True)
class RecordingRecovers:
    """What is said can be kept again."""


Happening = (
    OpenCall
    | RefuseCall
    | EndCall
    | LegResponds
    | LegRings
    | LegAnswers
    | LegAnswersUnusably
    | LegRefuses
    | LegLeaves
    | LegReleased
    | LegHolds
    | LegConnects
    | LegDisconnects
    | MediaOpened
    | MediaRefused
    | MediaNegotiated
    | MediaHeard
    | MediaLost
    | KeyPressed
    | SoundEnded
    | BeginEpoch
    | AttachFlow
    | DetachFlow
    | KeepStep
    | CloseFlow
    | HoldLeg
    | MuteLeg
    | HangUpLeg
    | KeysSent
    | AskTransfer
    | PauseRecording
    | ResumeRecording
    | RecordingFails
    | RecordingRecovers
)
