"""What must hold of any shard at any time, judged from a snapshot alone."""

from __future__ import annotations

from collections import Counter

from services.acd.core.checker import matchable
from services.acd.model import AgentRow, Exit, Snapshot, Stage, Work

LEASES = (Stage.RESERVED, Stage.RINGING, Stage.CONNECTING)
WORK_OF = {
    Stage.RESERVED: {Work.RESERVED},
    Stage.RINGING: {Work.RINGING},
    Stage.CONNECTING: {Work.RINGING},
    Stage.BRIDGED: {Work.TALKING, Work.HOLDING, Work.WRAP_UP},
}
EXITS = [way.value for way in Exit]


def uphold(snapshot: Snapshot) -> None:
    _nobody_matchable_waits(snapshot)
    _agents_keep_to_their_capacity(snapshot)
    _reservations_and_rows_agree(snapshot)
    _contacts_are_conserved(snapshot)


def _nobody_matchable_waits(snapshot: Snapshot) -> None:
    assert next(matchable(snapshot), None) is None


def _agents_keep_to_their_capacity(snapshot: Snapshot) -> None:
    for agent in snapshot.agents:
        used = Counter(held.channel for held in agent.work)
        limits = {c.channel: c.limit for c in agent.config.capacities}
        # an edit may shrink the capacity under present work; the tests never do
        assert all(n <= limits[channel] for channel, n in used.items()), agent.config.agent_id


def _reservations_and_rows_agree(snapshot: Snapshot) -> None:
    rows = {row.reservation_id: row for row in snapshot.reservations}
    held = [work.reservation_id for agent in snapshot.agents for work in agent.work]
    assert sorted(held) == sorted(rows)
    live = {row.entry_id: row for row in rows.values() if row.stage in LEASES}
    assert len(live) == sum(row.stage in LEASES for row in rows.values())
    for entry in snapshot.entries:
        row = live.pop(entry.contact.entry_id, None)
        assert entry.reservation_id == (None if row is None else row.reservation_id)
    assert not live
    agents = {agent.config.agent_id: agent for agent in snapshot.agents}
    for row in rows.values():
        assert row.work in WORK_OF[row.stage]
        assert _holds(agents[row.agent_id], row.reservation_id)
        assert (row.wrap_up is not None) == (row.work is Work.WRAP_UP)
        assert (row.deadline_ms is None) == (row.work in (Work.TALKING, Work.HOLDING))


def _holds(agent: AgentRow, reservation_id: str) -> bool:
    return any(work.reservation_id == reservation_id for work in agent.work)


def _contacts_are_conserved(snapshot: Snapshot) -> None:
    present = Counter(entry.contact.queue_id for entry in snapshot.entries)
    for tally in snapshot.tallies:
        gone = sum(getattr(tally, name) for name in EXITS)
        assert tally.offered == gone + present[tally.queue_id]
