"""What recording shows of itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

from services.chassis.bus import MemoryBus
from services.chassis.database import Database, DatabaseAddress
from services.chassis.outbox import OutboxPublisher
from services.recording.main import build
from tests.unit.telemetry.local import started
from tests.unit.telemetry.shown import read, shown, until


async def test_an_idle_process_shows_that_nothing_waits(tmp_path: Path) -> None:
    async with started(build, tmp_path) as running:
        values = shown(running.metrics)
    assert values["carillon_recording_segments_total"] == 0
    assert values["carillon_recording_closing"] == 0
    assert values["carillon_recording_differences"] == 0
    assert values["carillon_recording_feed_waiting"] == 0


async def test_an_outbox_that_cannot_be_emptied_says_so() -> None:
    nowhere = Database(DatabaseAddress("127.0.0.1", 1, "none", {"carillon_bus": ""}), schema="bus")
    publisher = OutboxPublisher(database=nowhere, bus=MemoryBus())
    assert read(publisher.readings("recording"))["carillon_recording_outbox_waiting"] == 0
    running = asyncio.ensure_future(publisher.run())
    waiting = "carillon_recording_outbox_waiting"
    await until(lambda: bool(read(publisher.readings("recording"))[waiting]))
    running.cancel()
    await asyncio.wait((running,))
    assert read(publisher.readings("recording"))["carillon_recording_outbox_published_total"] == 0
    await nowhere.close()
