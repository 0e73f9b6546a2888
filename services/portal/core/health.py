"""Whether a tenant asks for the platform's attention, and why."""

from __future__ import annotations

from collections.abc import Iterator

from services.portal.model.health import Vitals
from services.portal.model.people import PLATFORM_TENANT

LONG_WAIT_MS = 120_000
"""Somebody who waits longer is not served well anywhere."""
NEAR_PERCENT = 90
"""Of a cap: who is there soon has none left."""
WELL, ATTENTION, UNKNOWN = "well", "attention", "unknown"


def judged(vitals: Vitals) -> tuple[str, tuple[str, ...]]:
    """The state, and stable words for what asks for attention.

    What could not be found out makes an `unknown` of what would be `well`, and of nothing else.
    """
    reasons = tuple(_reasons(vitals))
    if reasons:
        return ATTENTION, reasons
    known = (vitals.waiting, vitals.floor, vitals.calls, vitals.has_number)
    return (UNKNOWN if None in known else WELL), ()


def _reasons(vitals: Vitals) -> Iterator[str]:
    caps, waiting, floor = vitals.tenant.caps, vitals.waiting, vitals.floor
    if caps.suspended:
        yield "suspended"
    if waiting is not None and waiting.callers and floor is not None and not floor.ready:
        yield "nobody-ready"
    if waiting is not None and waiting.longest_ms > LONG_WAIT_MS:
        yield "long-wait"
    if caps.max_calls and vitals.calls is not None:
        if vitals.calls >= caps.max_calls:
            yield "at-call-cap"
        elif _is_near(vitals.calls, caps.max_calls):
            yield "near-call-cap"
    if caps.max_users and _is_near(vitals.people.users, caps.max_users):
        yield "near-user-cap"
    if vitals.has_number is False and vitals.tenant.tenant_id != PLATFORM_TENANT:
        yield "no-number"
    if not vitals.people.administrators:
        yield "no-administrator"


def _is_near(used: int, cap: int) -> bool:
    return used * 100 >= cap * NEAR_PERCENT
