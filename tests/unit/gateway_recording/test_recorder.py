"""One call's recording from its decisions to the recording service, and what trouble does to it."""

from __future__ import annotations

import asyncio
import os
import threading
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from media_gateway.core import happenings as h
from media_gateway.core.events import Event, StartSound, TapLeg
from media_gateway.core.steps import Hangup, JoinLegs, Play, RingAgent, SetConsent
from media_gateway.model import CALLER_LEG, LegEnd, Prompt, Termination, TerminationClass
from media_gateway.recording.call_recording import MAX_PLAYED, MAX_TRACKS, CallRecording
from media_gateway.recording.recorder import LiveRecording, Recorder
from media_gateway.recording.spool import Room, Spool
from services.chassis.ids import LegId
from services.chassis.world import World, local_world
from tests.unit.gateway.driver import AGENT_LEG, START_MS, Driver, only
from tests.unit.gateway_recording.archive import Archive, until
from tests.unit.gateway_recording.test_cutter import FRAME

ANNOUNCED = SetConsent(granted=True, basis="announced")
DONE = Hangup(Termination(TerminationClass.SUCCESS, "done"))


class Clock:
    """The driver's time."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    def now_ms(self) -> int:
        return self._driver.now_ms

    def monotonic_ms(self) -> float:
        return float(self._driver.now_ms)


class Scene:
    """One call, decided by hand, and its recorder."""

    def __init__(self, world: World, folder: Path, *, room: Room | None = None) -> None:
        self.driver = Driver()
        self.troubles: list[str | None] = []
        self.recorder = Recorder(
            folder=folder,
            room=room or Room(max_bytes=1 << 30, min_free_bytes=0),
            dial=world.dial,
            clock=Clock(self.driver),
            incarnation="inc-1",
        )
        self.live: LiveRecording = self.recorder.follow(self.troubles.append)
        self._seen = 0

    def shown(self) -> Scene:
        """Shows the recording what was decided since the last time."""
        for event in self.driver.events[self._seen :]:
            self.live.observe(event, self.driver.call)
            if isinstance(event, TapLeg):
                self.say(event.leg_id)
        self._seen = len(self.driver.events)
        return self

    def say(self, leg_id: LegId) -> None:
        tap = self.live.tap(leg_id)
        if tap is None:
            return
        for number in range(10):
            tap((7, 160 * number, "PCMU", FRAME, self.driver.now_ms + 20.0 * number))

    def written(self) -> None:
        """Writes what was heard since the last time, now."""
        assert self.live.writer is not None
        batch = self.live.take_batch()
        self.live.writer.write(batch)
        self.live.settle(batch, trouble=self.live.writer.trouble)

    def hang_up(self) -> None:
        self.driver.do(h.LegLeaves(CALLER_LEG, LegEnd.HUNG_UP))
        self.driver.do(h.LegReleased(AGENT_LEG))
        self.driver.step(DONE)
        self.shown()


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = local_world(var_dir=tmp_path / "var", run_dir=tmp_path / "r")
    yield made
    await made.close()


@asynccontextmanager
async def running(scene: Scene) -> AsyncIterator[None]:
    await scene.recorder.start(died_at_ms=0)
    work = asyncio.ensure_future(scene.recorder.run())
    try:
        yield
    finally:
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await scene.recorder.close()


@asynccontextmanager
async def archive_at(world: World) -> AsyncIterator[Archive]:
    archive = Archive()
    await archive.open(world.run_dir)
    try:
        yield archive
    finally:
        await archive.close()


def reading(recorder: Recorder, name: str) -> float:
    return next(each.value for each in recorder.readings() if each.name.endswith(name))


async def test_a_call_is_followed_from_consent_to_its_manifest(
    tmp_path: Path, world: World
) -> None:
    scene = Scene(world, tmp_path / "g")
    async with archive_at(world) as archive, running(scene):
        await scene.recorder.told.wait()
        driver = scene.driver.talking()
        driver.now_ms = START_MS + 5_000
        driver.step(ANNOUNCED)
        scene.shown()
        driver.now_ms += 1_000
        driver.do(h.PauseRecording("card", "ann"))
        driver.now_ms += 1_000
        driver.do(h.ResumeRecording("ann"))
        scene.shown()
        assert reading(scene.recorder, "gateway_recordings") == 1
        driver.now_ms += 5_000
        scene.hang_up()
        manifest = await archive.manifest()
        await archive.until(lambda: archive.alive == {"inc-1"})
    assert manifest.started_at_ms == START_MS + 5_000
    assert manifest.ended_at_ms == START_MS + 12_000
    assert (getattr(manifest, "from"), manifest.to) == ("+12025550123", "+12025550100")
    assert [(t.role, t.agent_id, t.ended_at_ms) for t in manifest.tracks] == [
        ("caller", "", START_MS + 12_000),
        ("agent", "agent-1", START_MS + 12_000),
    ]
    (pause,) = manifest.pauses
    assert (pause.from_ms, pause.to_ms) == (START_MS + 6_000, START_MS + 7_000)
    assert manifest.answered
    assert archive.tenants == {"acme"}
    assert reading(scene.recorder, "gateway_recordings") == 0
    assert reading(scene.recorder, "spool_bytes") == 0
    assert reading(scene.recorder, "segments_shipped_total") == 4
    assert scene.troubles == []


async def test_without_a_key_nothing_is_kept_and_it_is_said(tmp_path: Path, world: World) -> None:
    scene = Scene(world, tmp_path / "g")
    async with running(scene):
        scene.driver.talking().step(ANNOUNCED)
        scene.shown()
        scene.written()
        scene.written()
        assert scene.troubles == ["no-sealing-key"]
        assert reading(scene.recorder, "without_key_total") == 1
        assert reading(scene.recorder, "spool_bytes") == 0


async def test_a_key_that_comes_late_begins_the_recording(tmp_path: Path, world: World) -> None:
    scene = Scene(world, tmp_path / "g")
    driver = scene.driver
    async with running(scene):
        driver.talking().step(ANNOUNCED)
        scene.shown()
        scene.written()
        async with archive_at(world) as archive:
            await scene.recorder.told.wait()
            driver.now_ms += 1_000
            for leg_id in (CALLER_LEG, AGENT_LEG):
                scene.say(leg_id)
            scene.written()
            assert scene.troubles == ["no-sealing-key", None]
            scene.hang_up()
            driver.now_ms += 5_000
            manifest = await archive.manifest()
    told = [(gap.track_id, gap.reason, gap.from_ms, gap.to_ms) for gap in manifest.gaps]
    assert told == [
        (track.track_id, "no-sealing-key", START_MS, START_MS + 200) for track in manifest.tracks
    ]
    assert [len(track.segment_sha256) for track in manifest.tracks] == [1, 1]
    assert archive.track(AGENT_LEG)[0].at_samples[0] == 8_000


async def test_what_was_taken_from_the_taps_is_written_though_the_gateway_ends(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = Scene(world, tmp_path / "g")
    driver, look = scene.driver, os.scandir
    looking, free = threading.Event(), threading.Event()

    def slow(path: Any) -> Any:
        looking.set()
        assert free.wait(8)
        return look(path)

    async with archive_at(world) as archive:
        await scene.recorder.start(died_at_ms=0)
        work = asyncio.ensure_future(scene.recorder.run())
        await scene.recorder.told.wait()
        driver.talking().step(ANNOUNCED)
        scene.shown()
        monkeypatch.setattr(os, "scandir", slow)
        driver.now_ms += 2_000
        # The disk is busy with what was written when more is taken, and the gateway ends.
        assert await asyncio.to_thread(looking.wait, 8)
        scene.say(CALLER_LEG)
        tap: Any = scene.live.tap(CALLER_LEG)
        frames: deque[object] = tap.__self__
        scene.hang_up()
        driver.now_ms += 5_000
        await until(lambda: not frames)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        free.set()
        await scene.recorder.close()
        manifest = await archive.manifest()
    assert manifest.ended_at_ms == START_MS + 2_000
    assert [len(track.segment_sha256) for track in manifest.tracks] == [2, 1]
    assert list(manifest.gaps) == []


async def test_a_fault_of_a_call_does_not_end_its_recording(tmp_path: Path, world: World) -> None:
    scene = Scene(world, tmp_path / "g", room=Room(max_bytes=0, min_free_bytes=0))
    told: list[str | None] = []

    def fault(reason: str | None) -> None:
        told.append(reason)
        raise ValueError("nobody thought of this")

    scene.live = scene.recorder.follow(fault)
    async with archive_at(world) as archive, running(scene):
        await scene.recorder.told.wait()
        scene.driver.talking().step(ANNOUNCED)
        scene.shown()
        scene.driver.now_ms += 2_000
        await until(lambda: told)
        scene.hang_up()
        scene.driver.now_ms += 2_000
        manifest = await archive.manifest()
    assert told == ["disk-full"]
    assert {gap.reason for gap in manifest.gaps} == {"disk-full"}


async def test_segments_whose_log_is_lost_are_handed_over(tmp_path: Path, world: World) -> None:
    folder = tmp_path / "g"
    scene = Scene(world, folder)
    async with archive_at(world) as archive:
        async with running(scene):
            await scene.recorder.told.wait()
            scene.driver.talking().step(ANNOUNCED)
            scene.shown()
            await archive.close()
        log = next((folder / "spool").rglob("log"))
        await asyncio.to_thread(log.write_bytes, b"")
        successor = Scene(world, folder)
        await archive.open(world.run_dir)
        async with running(successor):
            await archive.until(lambda: len(archive.segments) == 2)
    assert archive.manifests == {}
    assert "" not in archive.alive


async def test_what_could_not_be_closed_at_the_start_is_closed_later(
    tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "g"
    scene = Scene(world, folder)

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    async with archive_at(world) as archive:
        async with running(scene):
            await scene.recorder.told.wait()
            scene.driver.talking().step(ANNOUNCED)
            scene.shown()
            await archive.close()
        successor = Scene(world, folder)
        await archive.open(world.run_dir)
        with monkeypatch.context() as short:
            short.setattr(Spool, "add_record", full)
            await successor.recorder.start(died_at_ms=START_MS + 3_000)
        work = asyncio.ensure_future(successor.recorder.run())
        manifest = await archive.manifest()
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)
        await successor.recorder.close()
    assert {gap.reason for gap in manifest.gaps} == {"gateway-lost"}
    assert manifest.ended_at_ms == START_MS + 3_000


async def test_a_disk_that_is_full_is_said_once_and_its_recovery_too(
    tmp_path: Path, world: World
) -> None:
    folder = tmp_path / "g"
    scene = Scene(world, folder, room=Room(max_bytes=0, min_free_bytes=0))
    async with archive_at(world), running(scene):
        await scene.recorder.told.wait()
        scene.driver.talking().step(ANNOUNCED)
        scene.shown()
        for _ in range(2):
            scene.say(CALLER_LEG)
            scene.written()
        assert scene.troubles == ["disk-full"]
        scene.say(CALLER_LEG)
        batch = scene.live.take_batch()
        scene.live.settle(batch, trouble="")
        assert scene.troubles == ["disk-full", None]


async def test_what_a_dead_process_left_is_closed_and_handed_over(
    tmp_path: Path, world: World
) -> None:
    folder = tmp_path / "g"
    scene = Scene(world, folder)
    async with archive_at(world) as archive:
        async with running(scene):
            await scene.recorder.told.wait()
            scene.driver.talking().step(ANNOUNCED)
            scene.shown()
            await archive.close()
        # It ended without the call's end being seen: as after a kill, nothing says that it is over.
        empty = folder / "spool" / "t-acme" / "c-nothing"
        await asyncio.to_thread(empty.mkdir)
        successor = Scene(world, folder)
        await archive.open(world.run_dir)
        async with running(successor):
            manifest = await archive.manifest()
            await archive.until(lambda: archive.alive == {"inc-1"})
    assert {gap.reason for gap in manifest.gaps} == {"gateway-lost"}
    assert manifest.ended_at_ms >= manifest.started_at_ms
    assert len(archive.segments) == 2
    assert not await asyncio.to_thread(empty.exists)


def observed(driver: Driver, *events: Event) -> CallRecording:
    about = CallRecording()
    for event in events or driver.events:
        about.observe(event, now_ms=driver.now_ms)
    return about


def test_what_is_played_ends_when_something_else_does_not_begin() -> None:
    driver = Driver().answered()
    about = observed(driver)
    driver.now_ms += 3_000
    driver.step(RingAgent("r.1", "agent-1", "sip:100@127.0.0.1:5070", 20_000, "Ann"))
    driver.do(h.MediaOpened(AGENT_LEG))
    driver.do(h.LegRings(AGENT_LEG))
    driver.do(h.LegAnswers(AGENT_LEG, "PCMU"))
    for event in driver.step(JoinLegs("r.1")):
        about.observe(event, now_ms=driver.now_ms)
    (music,) = about.known().played
    assert (list(music.prompts), music.loop) == (["music"], True)
    assert (music.from_ms, music.to_ms) == (START_MS, START_MS + 3_000)


def test_the_log_of_what_was_played_and_the_tracks_are_bounded() -> None:
    driver = Driver().answered()
    about = observed(driver)
    start = only(driver.step(Play("p", (Prompt(system="beep"),))), StartSound)
    for _ in range(MAX_PLAYED + 5):
        about.observe(start, now_ms=driver.now_ms)
    assert len(about.known().played) == MAX_PLAYED
    for number in range(MAX_TRACKS):
        assert about.tap(LegId(str(number)), now_ms=1) is not None
    assert about.tap(LegId("one too many"), now_ms=1) is None
