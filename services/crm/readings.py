"""What crm shows of itself."""

from __future__ import annotations

from collections.abc import Iterator

from services.chassis.feed import Feed
from services.chassis.metrics import Reading
from services.chassis.outbox import OutboxPublisher
from services.crm.figures import Figures

NAME = "crm"


def of(figures: Figures, *, feed: Feed, publisher: OutboxPublisher | None) -> Iterator[Reading]:
    """The values now."""
    for name, text, value in (
        ("look_ups", "Numbers asked for, those without an answer included.", figures.look_ups),
        ("look_ups_known", "Of those, somebody's.", figures.known),
        ("look_up_seconds", "What they took together.", figures.look_up_ms / 1_000),
    ):
        yield Reading(f"carillon_crm_{name}_total", text, value, kind="counter")
    yield from feed.readings(NAME)
    if publisher is not None:
        yield from publisher.readings(NAME)
