"""How long a contact will probably wait, and what its caller may be told.

The place in the queue times the mean handle time, over the agents there, each counted by the share
that this queue has of them. The spread between the median and the ninth decile of handle times
grows with the square root of the place, as the spread of a sum does.
"""

from __future__ import annotations

from math import isqrt
from typing import Final, NamedTuple

from services.acd.core.scoring import contact_order
from services.acd.core.state import State
from services.acd.model import (
    EntryRow,
    ExpectedWait,
    HandleSample,
    QueueConfig,
    QueueId,
    WaitAnnounced,
    WaitBasis,
)

STEP_S: Final = 30
"""Waits are rounded up to this."""


class _Handling(NamedTuple):
    basis: WaitBasis
    mean_ms: int
    spread_ms: int


def position(state: State, entry: EntryRow, now_ms: int) -> int:
    """A contact's place among those of its queue that could be reserved, from 1."""
    queue_id = entry.contact.queue_id
    order = contact_order(entry, state.queues[queue_id].config.scoring, now_ms)
    return 1 + sum(lane.ahead_of(order, now_ms) for lane in state.lanes.of_queue(queue_id))


def expected_wait(state: State, queue_id: QueueId, place: int) -> ExpectedWait:
    """The wait of whoever has this place in the queue, from 1."""
    tally = state.tallies[queue_id]
    handling = _handling(state.queues[queue_id].config, tally.handle)
    agents_permille = state.staffing.effective_permille(queue_id)
    known = handling is not None and agents_permille > 0
    p50_ms = p90_ms = 0
    if handling is not None and known:
        p50_ms = 1_000 * place * handling.mean_ms // agents_permille
        p90_ms = p50_ms + handling.spread_ms * isqrt(1_000_000 * place) // agents_permille
    return ExpectedWait(
        basis=handling.basis if handling is not None and known else WaitBasis.NONE,
        sample=tally.handle.count,
        p50_s=_rounded_s(p50_ms) if known else None,
        p90_s=_rounded_s(p90_ms) if known else None,
        forecasts=tally.announced,
        covered=tally.covered,
    )


def announcement(state: State, entry: EntryRow, now_ms: int) -> WaitAnnounced | None:
    """What the caller hears: the wait that nine in ten do not exceed.

    It only falls, unless it has risen by more than the queue's `announce_rise_s`. None when
    nothing honest can be said, or the contact has no place (reserved, detached).
    """
    if entry.reservation_id is not None or entry.detached_until_ms is not None:
        return None
    queue_id = entry.contact.queue_id
    expected = expected_wait(state, queue_id, position(state, entry, now_ms))
    if expected.p90_s is None:
        return None
    wait_s, told_s = expected.p90_s, entry.announced_s
    rise_s = state.queues[queue_id].config.announce_rise_s
    if told_s is not None and told_s < wait_s <= told_s + rise_s:
        wait_s = told_s
    return WaitAnnounced(
        entry_id=entry.contact.entry_id,
        wait_s=wait_s,
        basis=expected.basis,
        sample=expected.sample,
        at_ms=now_ms,
    )


def _handling(config: QueueConfig, handle: HandleSample) -> _Handling | None:
    if handle.count >= config.min_sample:
        recent_ms = sorted(handle.recent_ms)
        median_ms = recent_ms[len(recent_ms) // 2]
        decile_ms = recent_ms[9 * len(recent_ms) // 10]
        return _Handling(WaitBasis.MEASURED, handle.ewma_ms, decile_ms - median_ms)
    if config.assumed_handle_s is not None:
        mean_ms = 1_000 * config.assumed_handle_s
        return _Handling(WaitBasis.ASSUMED, mean_ms, mean_ms)
    return None


def _rounded_s(wait_ms: int) -> int:
    return -(-wait_ms // (1_000 * STEP_S)) * STEP_S
