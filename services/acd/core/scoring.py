"""Which contact is next: integers only."""

from __future__ import annotations

from services.acd.model import EntryId, EntryRow, Scoring

ContactOrder = tuple[int, int, EntryId]
"""Minus the score, the time of enqueueing, the id: the smallest is next."""


def base_points(entry: EntryRow, rule: Scoring) -> int:
    """The points that waiting does not change."""
    return rule.priority_weight * entry.priority + entry.credits


def score(entry: EntryRow, rule: Scoring, now_ms: int) -> int:
    """`priority_weight·priority + accel·min(wait, cap) + credits`."""
    wait_ms = min(now_ms - entry.contact.waiting_since_ms, rule.wait_cap_ms)
    return base_points(entry, rule) + rule.accel * wait_ms


def contact_order(entry: EntryRow, rule: Scoring, now_ms: int) -> ContactOrder:
    """The place of a contact among those of its queue."""
    return (-score(entry, rule, now_ms), entry.contact.enqueued_at_ms, entry.contact.entry_id)


def cap_at_ms(entry: EntryRow, rule: Scoring) -> int:
    """UTC ms from which waiting gains a contact no more points."""
    return entry.contact.waiting_since_ms + rule.wait_cap_ms
