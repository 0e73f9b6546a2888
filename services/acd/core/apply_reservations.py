"""How events about reservations, conversations and wrap-ups change rows."""

from __future__ import annotations

from services.acd.core.comparators import takes_turns
from services.acd.core.evolve import evolve
from services.acd.core.limits import HANDLE_SAMPLE, PAIR_EXCLUSIONS
from services.acd.core.stages import Trigger, next_stage
from services.acd.core.state import State
from services.acd.core.work import WorkStep, next_work
from services.acd.model import (
    ActiveWork,
    ContactAnswered,
    ContactCompleted,
    ContactReserved,
    EntryRow,
    HandleSample,
    HoldChanged,
    PairExclusion,
    QueueTurn,
    ReservationAccepted,
    ReservationEnded,
    ReservationRow,
    RingConfirmed,
    Stage,
    Work,
    WrapUpCodeSet,
    WrapUpEnded,
    WrapUpExtended,
)


def contact_reserved(state: State, event: ContactReserved) -> None:
    """An agent is held for a contact."""
    queue = state.queues[event.queue_id]
    agent = state.agents[event.agent_id]
    turns = agent.turns
    if takes_turns(queue.config.strategies):
        others = (taken for taken in turns if taken.queue_id != event.queue_id)
        turns = (*others, QueueTurn(queue_id=event.queue_id, turn=event.turn))
        state.put_queue(event.queue_id, evolve(queue, turn=event.turn))
    row = ReservationRow(
        reservation_id=event.reservation_id,
        entry_id=event.entry_id,
        contact_id=event.contact_id,
        queue_id=event.queue_id,
        agent_id=event.agent_id,
        channel=event.channel,
        stage=Stage.RESERVED,
        work=next_work(Work.IDLE, WorkStep.RESERVE),
        since_ms=event.at_ms,
        reserved_at_ms=event.at_ms,
        deadline_ms=event.deadline_ms,
        contact=state.entries[event.entry_id].contact,
    )
    state.put_reservation(event.reservation_id, row)
    entry = evolve(
        state.entries[event.entry_id],
        reservation_id=event.reservation_id,
        attempts=event.attempt,
        last_agent=event.agent_id,
    )
    state.put_entry(event.entry_id, entry)
    held = ActiveWork(reservation_id=event.reservation_id, channel=event.channel)
    state.put_agent(event.agent_id, evolve(agent, work=(*agent.work, held), turns=turns))


def ring_confirmed(state: State, event: RingConfirmed) -> None:
    """The endpoint rings."""
    row = state.reservations[event.reservation_id]
    _advance(state, row, Trigger.RING_CONFIRMED, at_ms=event.at_ms, deadline_ms=event.deadline_ms)


def reservation_accepted(state: State, event: ReservationAccepted) -> None:
    """The agent answered."""
    row = evolve(state.reservations[event.reservation_id], accepted_at_ms=event.at_ms)
    _advance(state, row, Trigger.ACCEPTED, at_ms=event.at_ms, deadline_ms=event.deadline_ms)


def contact_answered(state: State, event: ContactAnswered) -> None:
    """Caller and agent talk; an answer clears strikes."""
    row = state.reservations[event.reservation_id]
    row = evolve(
        row,
        stage=next_stage(row.stage, Trigger.BRIDGED),
        work=next_work(row.work, WorkStep.BRIDGE),
        since_ms=event.at_ms,
        deadline_ms=None,
    )
    state.put_reservation(event.reservation_id, row)
    agent = state.agents[event.agent_id]
    state.put_agent(event.agent_id, evolve(agent, strikes_at_ms=(), contacts=agent.contacts + 1))


def reservation_ended(state: State, event: ReservationEnded) -> None:
    """The agent is released and the contact back in its place."""
    row = state.reservations[event.reservation_id]
    next_stage(row.stage, Trigger(event.outcome.value))
    next_work(row.work, WorkStep.RELEASE)
    state.put_reservation(event.reservation_id, None)
    agent = state.agents[event.agent_id]
    agent = evolve(
        agent,
        work=_without(agent.work, row),
        resting_until_ms=event.resting_until_ms,
        strikes_at_ms=event.strikes_at_ms,
    )
    state.put_agent(event.agent_id, agent)
    entry = evolve(
        state.entries[event.entry_id],
        reservation_id=None,
        credits=event.credits,
        exclusions=_excluding(state.entries[event.entry_id], event),
    )
    state.put_entry(event.entry_id, entry)


def hold_changed(state: State, event: HoldChanged) -> None:
    """The caller's hold."""
    row = state.reservations[event.reservation_id]
    step = WorkStep.HOLD if event.holding else WorkStep.RESUME
    talk_ms, hold_ms = spent(row, event.at_ms)
    row = evolve(
        row,
        work=next_work(row.work, step),
        since_ms=event.at_ms,
        talk_ms=talk_ms,
        hold_ms=hold_ms,
    )
    state.put_reservation(event.reservation_id, row)


def contact_completed(state: State, event: ContactCompleted) -> None:
    """The conversation is over and wrap-up begins."""
    row = state.reservations[event.reservation_id]
    row = evolve(
        row,
        work=next_work(row.work, WorkStep.COMPLETE),
        since_ms=event.at_ms,
        deadline_ms=event.deadline_ms,
        talk_ms=event.talk_ms,
        hold_ms=event.hold_ms,
        ended_by=event.ended_by,
        wrap_up=event.wrap_up,
    )
    state.put_reservation(event.reservation_id, row)
    agent = state.agents[event.agent_id]
    state.put_agent(event.agent_id, evolve(agent, talk_ms=agent.talk_ms + event.talk_ms))


def wrap_up_code_set(state: State, event: WrapUpCodeSet) -> None:
    """What the contact was about."""
    row = state.reservations[event.reservation_id]
    row = evolve(row, code=event.code, deadline_ms=event.deadline_ms)
    state.put_reservation(event.reservation_id, row)


def wrap_up_extended(state: State, event: WrapUpExtended) -> None:
    """More time."""
    row = state.reservations[event.reservation_id]
    assert row.wrap_up is not None
    wrap_up = evolve(row.wrap_up, extensions_used=event.extensions_used)
    row = evolve(row, wrap_up=wrap_up, deadline_ms=event.deadline_ms)
    state.put_reservation(event.reservation_id, row)


def wrap_up_ended(state: State, event: WrapUpEnded) -> None:
    """The agent is free of the contact, and its handle time is known."""
    row = state.reservations[event.reservation_id]
    next_work(row.work, WorkStep.FINISH)
    state.put_reservation(event.reservation_id, None)
    agent = state.agents[event.agent_id]
    state.put_agent(
        event.agent_id,
        evolve(agent, work=_without(agent.work, row), idle_since_ms=event.at_ms),
    )
    tally = state.tallies.get(event.queue_id)
    if tally is not None:  # the queue may have been removed since the contact left it
        handle = _sampled(tally.handle, event.handle_ms)
        state.put_tally(event.queue_id, evolve(tally, handle=handle))


def spent(row: ReservationRow, now_ms: int) -> tuple[int, int]:
    """Talk and hold so far, in ms, the running part included."""
    running_ms = now_ms - row.since_ms
    if row.work is Work.TALKING:
        return row.talk_ms + running_ms, row.hold_ms
    return row.talk_ms, row.hold_ms + running_ms


def _advance(
    state: State, row: ReservationRow, trigger: Trigger, *, at_ms: int, deadline_ms: int
) -> None:
    work = next_work(row.work, WorkStep.RING)
    row = evolve(
        row,
        stage=next_stage(row.stage, trigger),
        work=work,
        since_ms=row.since_ms if work is row.work else at_ms,
        deadline_ms=deadline_ms,
    )
    state.put_reservation(row.reservation_id, row)


def _without(work: tuple[ActiveWork, ...], row: ReservationRow) -> tuple[ActiveWork, ...]:
    return tuple(held for held in work if held.reservation_id != row.reservation_id)


def _excluding(entry: EntryRow, event: ReservationEnded) -> tuple[PairExclusion, ...]:
    if event.exclude_until_ms is None:
        return entry.exclusions
    others = [pair for pair in entry.exclusions if pair.agent_id != event.agent_id]
    if len(others) == PAIR_EXCLUSIONS:
        others.remove(min(others, key=lambda pair: (pair.until_ms, pair.agent_id)))
    return (*others, PairExclusion(agent_id=event.agent_id, until_ms=event.exclude_until_ms))


def _sampled(known: HandleSample, handle_ms: int) -> HandleSample:
    ewma_ms = known.ewma_ms + (handle_ms - known.ewma_ms) // 8 if known.count else handle_ms
    recent_ms = (*known.recent_ms, handle_ms)[-HANDLE_SAMPLE:]
    return HandleSample(count=known.count + 1, ewma_ms=ewma_ms, recent_ms=recent_ms)
