"""Commands about an agent's presence, link and legs outside the ACD."""

from __future__ import annotations

from services.acd.core.admission import check_text
from services.acd.core.availability import RONA
from services.acd.core.draft import Draft
from services.acd.core.intervals import change_presence
from services.acd.core.limits import DURATION_MS, OUTSIDE_LEGS, TEXT
from services.acd.core.ringing import fail
from services.acd.model import (
    AgentLegEnded,
    AgentLegStarted,
    EndAgentLeg,
    InvalidTextError,
    Link,
    LinkChanged,
    Outcome,
    Presence,
    PresencePended,
    ReportLink,
    SetPresence,
    Stage,
    StartAgentLeg,
    TooManyLegsError,
)


def set_presence(draft: Draft, command: SetPresence) -> None:
    """An agent's intent: at once without a contact, else when the last one ends."""
    check_text("a reason", command.reason)
    check_text("a name", command.by)
    row = draft.state.agent(command.agent_id)
    reason = command.reason if command.presence is Presence.BREAK else ""
    if reason == RONA:
        raise InvalidTextError("only the ACD sends an agent on this break")
    same = (row.presence, row.presence_reason) == (command.presence, reason)
    if not row.work:
        if not same:
            change_presence(draft, row, command.presence, reason=reason, by=command.by)
        return
    wanted = None if same else command.presence
    if (row.pending, row.pending_reason) != (wanted, "" if same else reason):
        event = PresencePended(
            agent_id=command.agent_id,
            presence=wanted,
            reason="" if same else reason,
            by="" if same else command.by,
            at_ms=draft.now_ms,
        )
        draft.emit(event)


def report_link(draft: Draft, command: ReportLink) -> None:
    """An endpoint's link. One that is lost ends what rings there; talking is media's affair."""
    if not 0 <= command.valid_ms <= DURATION_MS:
        raise InvalidTextError(f"a link holds for 0 to {DURATION_MS} ms")
    row = draft.state.agent(command.agent_id)
    # What is unreachable stays so until it is measured again: there is nothing to run out.
    valid_ms = 0 if command.link is Link.UNREACHABLE else command.valid_ms
    if (row.link, row.link_valid_ms) == (command.link, valid_ms):
        return
    event = LinkChanged(
        agent_id=command.agent_id, link=command.link, valid_ms=valid_ms, at_ms=draft.now_ms
    )
    draft.emit(event)
    if command.link is not Link.UNREACHABLE:
        return
    for held in row.work:
        reservation = draft.state.reservations[held.reservation_id]
        if reservation.stage in (Stage.RESERVED, Stage.RINGING):
            fail(draft, reservation, Outcome.UNREACHABLE)


def start_agent_leg(draft: Draft, command: StartAgentLeg) -> None:
    """A leg outside the ACD begins."""
    check_text("a leg's id", command.leg_id, TEXT)
    row = draft.state.agent(command.agent_id)
    if command.leg_id in row.legs:
        return
    if len(row.legs) == OUTSIDE_LEGS:
        raise TooManyLegsError(command.agent_id)
    event = AgentLegStarted(agent_id=command.agent_id, leg_id=command.leg_id, at_ms=draft.now_ms)
    draft.emit(event)


def end_agent_leg(draft: Draft, command: EndAgentLeg) -> None:
    """Such a leg ends."""
    row = draft.state.agent(command.agent_id)
    if command.leg_id not in row.legs:
        return
    draft.emit(AgentLegEnded(agent_id=command.agent_id, leg_id=command.leg_id, at_ms=draft.now_ms))
