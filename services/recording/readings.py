"""What recording shows of itself."""

from __future__ import annotations

from collections.abc import Iterator

from services.chassis.feed import Feed
from services.chassis.metrics import Reading
from services.chassis.outbox import OutboxPublisher
from services.recording.ingest import Ingest
from services.recording.reconciling import Reconciler

NAME = "recording"


def of(
    *, ingest: Ingest, reconciler: Reconciler, feed: Feed, publisher: OutboxPublisher | None
) -> Iterator[Reading]:
    """The values now; counts are of this process."""
    counts = ingest.counts
    for name, text, count in (
        ("segments", "Segments that were made durable.", counts.segments),
        ("segment_bytes", "Of those, as they are stored.", counts.stored_bytes),
        ("damaged_segments", "Stored segments that could not be opened.", counts.damaged),
        ("lost_gateway", "Recordings closed without a manifest.", counts.lost),
    ):
        yield Reading(f"carillon_recording_{name}_total", text, float(count), kind="counter")
    for state, count in sorted(counts.closed.items()):
        yield Reading(
            "carillon_recording_closed_total",
            "Recordings that were closed, by how.",
            float(count),
            (("state", state.value),),
            "counter",
        )
    yield Reading(
        "carillon_recording_closing",
        "Recordings whose hashes are being computed now.",
        float(ingest.closing),
    )
    yield Reading(
        "carillon_recording_differences",
        "Answered calls whose recording is not as it should be, at the last comparison.",
        float(reconciler.differences),
    )
    yield from feed.readings(NAME)
    if publisher is not None:
        yield from publisher.readings(NAME)
