"""What portal shows of itself."""

from __future__ import annotations

from collections.abc import Iterator

from services.chassis.metrics import Reading
from services.chassis.outbox import OutboxPublisher
from services.portal.audit_trail import AuditTrail
from services.portal.figures import Figures

NAME = "portal"


def of(
    figures: Figures,
    *,
    pages: int,
    softphones: int,
    trail: AuditTrail,
    publisher: OutboxPublisher | None,
) -> Iterator[Reading]:
    """The values now; `pages` are open WebSockets, `softphones` agents whose heartbeat counts."""
    for name, text, value in (
        ("pages", "WebSockets that are open.", pages),
        ("softphones", "Agents whose heartbeat counts.", softphones),
        ("audit_waiting", "Entries that wait to be written to the audit trail.", len(trail)),
    ):
        yield Reading(f"carillon_portal_{name}", text, value)
    for status, count in sorted(figures.answered.items()):
        yield Reading(
            "carillon_portal_http_requests_total",
            "HTTP requests answered, by the class of the status.",
            count,
            (("status", status),),
            "counter",
        )
    for name, text, value in (
        ("replays", "Requests answered as before, by Idempotency-Key.", figures.replayed),
        ("busy", "Requests refused to who had too many at once.", figures.busy),
        ("sign_ins_refused", "Sign-ins that were refused.", trail.sign_ins_refused),
        ("audit_lost", "Audit entries that found no room.", trail.lost),
    ):
        yield Reading(f"carillon_portal_{name}_total", text, value, kind="counter")
    if publisher is not None:
        yield from publisher.readings(NAME)
