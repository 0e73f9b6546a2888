"""What analytics shows of itself."""

from __future__ import annotations

from collections.abc import Iterator

from services.analytics.alarms import Alarms
from services.analytics.feed import Intake
from services.analytics.floors import Floors
from services.chassis.feed import Feed
from services.chassis.metrics import Reading


def of(*, floors: Floors, alarms: Alarms, intake: Intake, feed: Feed) -> Iterator[Reading]:
    """The values now."""
    for name, text, value in (
        (
            "event_age_seconds",
            "How old routing's newest event was when it was taken in last: the figures' freshness.",
            floors.lag_ms / 1_000,
        ),
        ("tenants_in_memory", "Tenants whose live figures are held.", len(floors)),
        (
            "records_unfinished",
            "Entries and agents' intervals that go on, of the tenants in memory.",
            floors.unfinished,
        ),
        ("alarms_standing", "Alarms that stand, of the tenants in memory.", alarms.standing),
        ("alarms_judging", "Whether this replica judges thresholds.", alarms.leads),
    ):
        yield Reading(f"carillon_analytics_{name}", text, float(value))
    yield Reading(
        "carillon_analytics_events_passed_over_total",
        "Events that could not be read.",
        float(intake.not_understood),
        kind="counter",
    )
    yield from feed.readings("analytics")
