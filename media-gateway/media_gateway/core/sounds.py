"""What each leg hears besides its peer: always what follows from the state, never a leftover.

Nobody starts or stops a sound by hand. After every decision the sound that each leg ought to hear
is derived, and what plays is brought in line with it: the apology before everything else, then
what the flow plays, then music while the peer is away or nobody attends to the caller.
"""

from __future__ import annotations

from dataclasses import dataclass

from media_gateway.core import facts, gather
from media_gateway.core.events import StartSound, StopSound
from media_gateway.core.leg import HEARING
from media_gateway.core.turn import Turn
from media_gateway.model import BridgeState, Leg, LegRole, Operation, Prompt

FLOW_SOUND = "flow:"
"""Before the operation's name in the key of what a flow plays."""


@dataclass(frozen=True, slots=True)
class Sound:
    """Something to hear, by its key."""

    key: str
    """What its end is told by."""
    prompts: tuple[Prompt, ...]
    """One after another."""
    loop: bool
    """Begin again after the last."""


MUSIC = Sound("own:music", (Prompt(system="music"),), loop=True)
APOLOGY = Sound("own:apology", (Prompt(system="apology"),), loop=False)


def settle_sounds(turn: Turn) -> None:
    """Brings what plays in line with what ought to."""
    for leg in turn.call.legs:
        wanted = _wanted(turn, leg)
        if (wanted.key if wanted else "") == leg.sound:
            continue
        turn.change_leg(leg.leg_id, sound=wanted.key if wanted else "")
        if not wanted:
            turn.emit(StopSound(leg.leg_id))
            continue
        turn.emit(StartSound(leg.leg_id, wanted.key, wanted.prompts, wanted.loop))
        names = tuple(prompt.name for prompt in wanted.prompts)
        turn.publish(facts.PlayStarted(leg.leg_id, names, wanted.loop))


def of_operation(operation: Operation) -> Sound:
    """What an operation lets the caller hear."""
    return Sound(FLOW_SOUND + operation.name, operation.prompts, operation.loop)


def is_lonely(turn: Turn) -> bool:
    """Whether the caller has been without interpreter and company for long enough for music."""
    since = turn.call.unattended_since_ms
    return since is not None and turn.now_ms >= since + turn.rules.limits.music_after_ms


def _wanted(turn: Turn, leg: Leg) -> Sound | None:
    if leg.state not in HEARING:
        return None
    if leg.role is not LegRole.CALLER:
        return _music_for_peer(turn, leg)
    call = turn.call
    if call.apology_deadline_ms is not None:
        return APOLOGY
    operation = call.operation
    if operation and operation.prompts and _is_heard(operation):
        return of_operation(operation)
    if is_lonely(turn) and not operation:
        return MUSIC
    return _music_for_peer(turn, leg)


def _is_heard(operation: Operation) -> bool:
    return operation.gather is None or gather.plays(operation.gather)


def _music_for_peer(turn: Turn, leg: Leg) -> Sound | None:
    bridge, caller, peer = turn.call.bridge, turn.call.caller, turn.call.peer
    if not bridge or bridge.state is not BridgeState.JOINED or not caller or not peer:
        return None
    if leg.leg_id == caller.leg_id:
        return MUSIC if peer.away else None
    return MUSIC if leg.leg_id == peer.leg_id and caller.held else None
