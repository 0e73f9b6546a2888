"""When wrong passwords lock, and for how long."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Network, ip_address

from services.portal.model.sessions import Tally

WINDOW_MS = 15 * 60_000
"""Older wrong passwords are forgotten."""
LOCK_MS = 15 * 60_000
"""How long a lock holds."""
NAME_LIMIT = 5
"""Wrong passwords that lock one username of one tenant, whether they exist or not."""
ADDRESS_LIMIT = 50
"""Wrong passwords that lock one place; a whole site may share it."""


def counted(tally: Tally, limit: int, now_ms: int) -> Tally:
    """The tally with one more wrong password; it locks when there are too many."""
    recent = [at_ms for at_ms in tally.failed_at_ms if at_ms > now_ms - WINDOW_MS]
    failed = (*recent, now_ms)[-limit:]
    return Tally(
        failed_at_ms=failed,
        locked_until_ms=now_ms + LOCK_MS if len(failed) == limit else 0,
    )


def place_of(address: str) -> str:
    """What stands for an address: of IPv6 the /64, which is the least that one caller is given.

    Whoever has one has 2^64 addresses (RFC 6177), so counting each alone would count nothing.
    """
    try:
        known = ip_address(address)
    except ValueError:
        return address
    if isinstance(known, IPv4Address):
        return str(known)
    return str(known.ipv4_mapped or IPv6Network((int(known), 64), strict=False))


def uncounted(tally: Tally, at_ms: int) -> Tally:
    """The tally without one attempt of that moment, nor the lock that it brought."""
    if at_ms not in tally.failed_at_ms:
        return tally
    failed = list(tally.failed_at_ms)
    failed.remove(at_ms)
    return Tally(failed_at_ms=tuple(failed))


def opened(tally: Tally, now_ms: int) -> Tally:
    """The tally without a lock that has run out: whoever comes back starts from nothing."""
    if tally.locked_until_ms and tally.locked_until_ms <= now_ms:
        return Tally()
    return tally


def locked_for_ms(tally: Tally, now_ms: int) -> int:
    """Milliseconds until the lock opens; 0: it is open."""
    return max(0, tally.locked_until_ms - now_ms)


def forget_at_ms(tally: Tally) -> int:
    """From when on a tally says nothing any more, in UTC milliseconds."""
    last = tally.failed_at_ms[-1] if tally.failed_at_ms else 0
    return max(last + WINDOW_MS, tally.locked_until_ms)
