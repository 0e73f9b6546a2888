"""What a flow tells the gateway to do with a call; the commands of carillon.ivr.v1.Step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from media_gateway.core.gather import KEYS, MAX_DIGITS
from media_gateway.model import BadCommand, Prompt, StepTooLarge, Termination

MAX_CHECKPOINT_BYTES = 16 * 1024
MAX_COMMANDS = 32
MAX_PROMPTS = 16
MAX_NOTE_VALUES = 16
MAX_TEXT = 256
MAX_TIMEOUT_MS = 3_600_000
REFUSED = "refused"
BASES = frozenset({"announced", "agreed", "policy", REFUSED})
"""What a consent, or its withdrawal, rests on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Answers the caller's leg. Harmless when already answered."""


@dataclass(frozen=True, slots=True)
class Play:
    """Plays prompts one after another to the caller; before the answer as early media."""

    operation: str
    """The flow's name for it."""
    prompts: tuple[Prompt, ...]
    """1 to 16."""
    loop: bool = False
    """Begin again after the last, until stopped."""


@dataclass(frozen=True, slots=True)
class GatherKeys:
    """Plays prompts and collects keys."""

    operation: str
    """The flow's name for it."""
    prompts: tuple[Prompt, ...]
    """0 to 16."""
    max_digits: int
    """1 to 32."""
    loop: bool = False
    """Begin the prompts again after the last."""
    first_digit_timeout_ms: int = 0
    """From the end of the prompts (from the start when looping); 0: no limit."""
    next_digit_timeout_ms: int = 0
    """Between keys; 0: the default."""
    end_key: str = ""
    """A key that ends the input; empty: none."""
    barge_in: bool = False
    """Whether a key silences the prompts."""


@dataclass(frozen=True, slots=True)
class StopMedia:
    """Stops what plays or gathers on the caller's leg."""


@dataclass(frozen=True, slots=True)
class RingAgent:
    """Rings an agent's endpoint for a reservation."""

    reservation_id: str
    """Also the leg's `ring_id`."""
    agent_id: str
    """Whom."""
    endpoint: str
    """The SIP URI of the agent's phone, or `BROWSER`."""
    timeout_ms: int
    """From now to the final response."""
    caller_display: str = ""
    """What the phone shows."""


@dataclass(frozen=True, slots=True)
class Dial:
    """Dials a number outside."""

    ring_id: str
    """Names the leg in later reports."""
    target: str
    """A SIP URI or an E.164 number."""
    timeout_ms: int
    """From now to the final response."""
    caller_id: str = ""
    """The number shown; empty: the number that was called."""


@dataclass(frozen=True, slots=True)
class StopRinging:
    """Cancels a ring, or ends an answered leg that is not wanted any more."""

    ring_id: str
    """Which."""
    reason: str = ""
    """For the Reason header (RFC 3326), for example `answered-elsewhere`."""


@dataclass(frozen=True, slots=True)
class JoinLegs:
    """Joins the caller and an answered leg."""

    ring_id: str
    """Which leg."""


@dataclass(frozen=True, slots=True)
class SetConsent:
    """Says whether the call may be recorded."""

    granted: bool
    """Whether it may."""
    basis: str
    """announced, agreed or policy; refused when it may not."""


@dataclass(frozen=True, slots=True)
class Hangup:
    """Ends the whole call."""

    termination: Termination
    """How the call ended."""
    sip_status: int = 0
    """The final status for a caller who was not answered; 0: 480."""


@dataclass(frozen=True, slots=True)
class Note:
    """What the flow did, for the record of the call."""

    kind: str
    """What sort of note."""
    values: Mapping[str, str]
    """At most 16 values of at most 256 characters."""


StepCommand = (
    Answer
    | Play
    | GatherKeys
    | StopMedia
    | RingAgent
    | Dial
    | StopRinging
    | JoinLegs
    | Hangup
    | Note
    | SetConsent
)


@dataclass(frozen=True, slots=True)
class Step:
    """What to do next, with all that is needed to go on from here."""

    epoch: int
    """The stream it travelled on."""
    step: int
    """1 for the first of a call, then plus 1."""
    consumed_seq: int
    """Every report up to this one is accounted for in the checkpoint."""
    checkpoint: bytes
    """Opaque; handed back when the call goes on elsewhere."""
    commands: tuple[StepCommand, ...] = ()
    """Done in order."""
    tenant_id: str = ""
    """Whose call it is; empty until the number is resolved."""


def check(step: Step) -> None:
    """Refuses a step beyond the written limits, before any of it is done."""
    if len(step.checkpoint) > MAX_CHECKPOINT_BYTES:
        raise StepTooLarge(f"checkpoint of {len(step.checkpoint)} bytes")
    if len(step.commands) > MAX_COMMANDS:
        raise StepTooLarge(f"{len(step.commands)} commands in a step")
    for command in step.commands:
        _check_command(command)


def _check_command(command: StepCommand) -> None:
    match command:
        case Play(operation=operation, prompts=prompts):
            _check_prompts(operation, prompts, least=1)
        case GatherKeys():
            _check_prompts(command.operation, command.prompts, least=0)
            _check_gather(command)
        case RingAgent(reservation_id=ring_id, timeout_ms=timeout_ms):
            _check_ring(ring_id, timeout_ms)
        case Dial(ring_id=ring_id, timeout_ms=timeout_ms):
            _check_ring(ring_id, timeout_ms)
        case Hangup(sip_status=status):
            if status and not 400 <= status <= 699:
                raise BadCommand(f"hangup with status {status}")
        case Note(kind=kind, values=values):
            _check_note(kind, values)
        case SetConsent(granted=granted, basis=basis):
            if basis not in BASES or granted == (basis == REFUSED):
                raise BadCommand(f"consent {granted} by {basis[:MAX_TEXT]!r}")
        case Answer() | StopMedia() | StopRinging() | JoinLegs():
            pass


def _check_prompts(operation: str, prompts: tuple[Prompt, ...], *, least: int) -> None:
    if not 0 < len(operation) <= MAX_TEXT:
        raise BadCommand("an operation needs a name of at most 256 characters")
    if len(prompts) > MAX_PROMPTS:
        raise StepTooLarge(f"{len(prompts)} prompts in {operation}")
    if len(prompts) < least or not all(prompt.name for prompt in prompts):
        raise BadCommand(f"{operation} lacks something to play")


def _check_gather(gather: GatherKeys) -> None:
    if not 1 <= gather.max_digits <= MAX_DIGITS:
        raise BadCommand(f"{gather.operation} gathers {gather.max_digits} digits")
    if gather.end_key and gather.end_key not in KEYS:
        raise BadCommand(f"{gather.operation} ends on {gather.end_key!r}, which is no key")
    for limit in (gather.first_digit_timeout_ms, gather.next_digit_timeout_ms):
        if not 0 <= limit <= MAX_TIMEOUT_MS:
            raise BadCommand(f"{gather.operation} waits {limit} ms")


def _check_ring(ring_id: str, timeout_ms: int) -> None:
    if not 0 < len(ring_id) <= MAX_TEXT:
        raise BadCommand("a ring needs a name of at most 256 characters")
    if not 0 < timeout_ms <= MAX_TIMEOUT_MS:
        raise BadCommand(f"{ring_id} rings for {timeout_ms} ms")


def _check_note(kind: str, values: Mapping[str, str]) -> None:
    texts = [kind, *values, *values.values()]
    if len(values) > MAX_NOTE_VALUES or any(len(text) > MAX_TEXT for text in texts):
        raise StepTooLarge(f"note {kind[:MAX_TEXT]}")
