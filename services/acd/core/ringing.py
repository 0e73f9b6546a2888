"""Commands about reservations, from the ring to the answer or to one of the other outcomes."""

from __future__ import annotations

from services.acd.core.availability import RONA
from services.acd.core.draft import Draft
from services.acd.core.intervals import BY_RULE, change_presence, release
from services.acd.core.leaving import let_go
from services.acd.core.limits import CREDITS
from services.acd.core.stages import Trigger, already, next_stage
from services.acd.core.state import State
from services.acd.model import (
    DEFAULT_RING_RULES,
    AcceptReservation,
    AgentId,
    AgentRow,
    ConfirmBridged,
    ConfirmRing,
    ContactAnswered,
    ContactExited,
    EndReservation,
    EntryRow,
    Exit,
    Link,
    LinkChanged,
    NotYourReservationError,
    Outcome,
    Presence,
    ReservationAccepted,
    ReservationEnded,
    ReservationId,
    ReservationRow,
    RingConfirmed,
    RingRule,
)


def confirm_ring(draft: Draft, command: ConfirmRing) -> None:
    """The endpoint rings: the ring time-out begins."""
    row = _own(draft.state, command.reservation_id, command.agent_id)
    if already(row.stage, Trigger.RING_CONFIRMED):
        return
    next_stage(row.stage, Trigger.RING_CONFIRMED)
    config = draft.state.queues[row.queue_id].config
    event = RingConfirmed(
        reservation_id=row.reservation_id,
        agent_id=row.agent_id,
        deadline_ms=draft.now_ms + config.ring_timeout_ms,
        at_ms=draft.now_ms,
    )
    draft.emit(event)


def accept_reservation(draft: Draft, command: AcceptReservation) -> None:
    """The agent answers: media has a few seconds to connect."""
    row = _own(draft.state, command.reservation_id, command.agent_id)
    if already(row.stage, Trigger.ACCEPTED):
        return
    next_stage(row.stage, Trigger.ACCEPTED)
    event = ReservationAccepted(
        reservation_id=row.reservation_id,
        agent_id=row.agent_id,
        entry_id=row.entry_id,
        deadline_ms=draft.now_ms + draft.state.defaults.connect_ms,
        at_ms=draft.now_ms,
    )
    draft.emit(event)


def confirm_bridged(draft: Draft, command: ConfirmBridged) -> None:
    """Caller and agent hear each other: answered, stamped at the acceptance."""
    row = draft.state.reservation(command.reservation_id)
    if already(row.stage, Trigger.BRIDGED):
        return
    next_stage(row.stage, Trigger.BRIDGED)
    assert row.accepted_at_ms is not None
    contact = draft.state.entries[row.entry_id].contact
    answered = ContactAnswered(
        reservation_id=row.reservation_id,
        entry_id=row.entry_id,
        contact_id=row.contact_id,
        queue_id=row.queue_id,
        agent_id=row.agent_id,
        accepted_at_ms=row.accepted_at_ms,
        at_ms=draft.now_ms,
    )
    draft.emit(answered)
    exited = ContactExited(
        entry_id=row.entry_id,
        contact_id=row.contact_id,
        queue_id=row.queue_id,
        exit=Exit.ANSWERED,
        target=None,
        agent_id=row.agent_id,
        reservation_id=row.reservation_id,
        reason="",
        wait_ms=row.accepted_at_ms - contact.enqueued_at_ms,
        at_ms=row.accepted_at_ms,
    )
    draft.emit(exited)


def end_reservation(draft: Draft, command: EndReservation) -> None:
    """A reservation ends without an answer. Only a caller who is gone leaves the queue by it."""
    row = draft.state.reservation(command.reservation_id)
    if command.agent_id is not None:
        _own(draft.state, command.reservation_id, command.agent_id)
    next_stage(row.stage, Trigger(command.outcome.value))
    if command.outcome is Outcome.UNREACHABLE:
        _lose_link(draft, row.agent_id)
    fail(draft, row, command.outcome)
    if command.outcome is Outcome.CALLER_GONE:
        let_go(draft, draft.state.entries[row.entry_id], Exit.ABANDONED, reason="caller gone")


def fail(draft: Draft, row: ReservationRow, outcome: Outcome) -> None:
    """Ends a reservation; the contact is back in its place, the agent free or resting."""
    next_stage(row.stage, Trigger(outcome.value))
    state, now_ms = draft.state, draft.now_ms
    rule = ring_rule(state, row, outcome)
    agent = state.agents[row.agent_id]
    strikes = _strikes(state, agent, now_ms) if rule.strike else agent.strikes_at_ms
    event = ReservationEnded(
        reservation_id=row.reservation_id,
        entry_id=row.entry_id,
        contact_id=row.contact_id,
        queue_id=row.queue_id,
        agent_id=row.agent_id,
        outcome=outcome,
        credits=_credits(state, state.entries[row.entry_id], outcome),
        exclude_until_ms=now_ms + rule.exclude_ms if rule.exclude_ms else None,
        resting_until_ms=_rests_until(agent, now_ms + rule.rest_ms if rule.rest_ms else None),
        strikes_at_ms=strikes,
        at_ms=now_ms,
    )
    draft.emit(event)
    agent = state.agents[row.agent_id]
    if rule.strike and len(strikes) >= state.defaults.rona.limit and agent.pending is None:
        change_presence(draft, agent, Presence.BREAK, reason=RONA, by=BY_RULE)
    else:
        release(draft, row.agent_id)


def ring_rule(state: State, row: ReservationRow, outcome: Outcome) -> RingRule:
    """What follows an outcome: the queue's word, else the tenant's, else the platform's."""
    own = state.queues[row.queue_id].config.ring_rules
    rules = (*own, *state.defaults.ring_rules, *DEFAULT_RING_RULES)
    return next(rule for rule in rules if rule.outcome is outcome)


def _own(state: State, reservation_id: ReservationId, agent_id: AgentId) -> ReservationRow:
    row = state.reservation(reservation_id)
    if row.agent_id != agent_id:
        raise NotYourReservationError(reservation_id)
    return row


def _lose_link(draft: Draft, agent_id: AgentId) -> None:
    if draft.state.agents[agent_id].link is not Link.UNREACHABLE:
        event = LinkChanged(agent_id=agent_id, link=Link.UNREACHABLE, at_ms=draft.now_ms)
        draft.emit(event)


def _strikes(state: State, agent: AgentRow, now_ms: int) -> tuple[int, ...]:
    rona = state.defaults.rona
    recent = (at for at in agent.strikes_at_ms if at > now_ms - rona.window_ms)
    return (*recent, now_ms)[-rona.limit :]


def _credits(state: State, entry: EntryRow, outcome: Outcome) -> int:
    if outcome is Outcome.CALLER_GONE:
        return entry.credits
    gained = state.queues[entry.contact.queue_id].config.scoring.return_credit
    return min(entry.credits + gained, CREDITS)


def _rests_until(agent: AgentRow, until_ms: int | None) -> int | None:
    pauses = [at for at in (agent.resting_until_ms, until_ms) if at is not None]
    return max(pauses, default=None)
