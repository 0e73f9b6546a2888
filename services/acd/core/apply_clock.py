"""How time in which nothing could be decided changes rows.

Every instant at which time alone would do something moves; instants at which something happened,
and what is counted from them, stay true.
"""

from __future__ import annotations

from services.acd.core.evolve import evolve
from services.acd.core.state import State
from services.acd.model import ClockStopped, EntryRow, ReservationRow


def clock_stopped(state: State, event: ClockStopped) -> None:
    """Every running deadline is later."""
    gap_ms = event.gap_ms
    for reservation_id, reservation in list(state.reservations.items()):
        if reservation.deadline_ms is not None:
            state.put_reservation(reservation_id, _longer(reservation, gap_ms))
    for entry_id, entry in list(state.entries.items()):
        later = _later(entry, gap_ms)
        if later != entry:
            state.put_entry(entry_id, later)
    for agent_id, agent in list(state.agents.items()):
        if agent.resting_until_ms is not None:
            rests_until_ms = agent.resting_until_ms + gap_ms
            state.put_agent(agent_id, evolve(agent, resting_until_ms=rests_until_ms))


def _longer(row: ReservationRow, gap_ms: int) -> ReservationRow:
    wrap_up = row.wrap_up
    if wrap_up is not None:
        wrap_up = evolve(wrap_up, stopped_ms=wrap_up.stopped_ms + gap_ms)
    assert row.deadline_ms is not None, "only what has a deadline is made longer"
    return evolve(row, deadline_ms=row.deadline_ms + gap_ms, wrap_up=wrap_up)


def _later(row: EntryRow, gap_ms: int) -> EntryRow:
    return evolve(
        row,
        step_until_ms=_moved(row.step_until_ms, gap_ms),
        timeout_at_ms=_moved(row.timeout_at_ms, gap_ms),
        detached_until_ms=_moved(row.detached_until_ms, gap_ms),
        exclusions=tuple(evolve(p, until_ms=p.until_ms + gap_ms) for p in row.exclusions),
    )


def _moved(at_ms: int | None, gap_ms: int) -> int | None:
    return None if at_ms is None else at_ms + gap_ms
