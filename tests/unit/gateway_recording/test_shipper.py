"""The way to the recording service: nothing is forgotten before it is durable there."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from media_gateway.recording.model import CallKey
from media_gateway.recording.sealing_key import SealingKeys
from media_gateway.recording.shipper import Shipper
from media_gateway.recording.spool import Spool, Waiting
from services.chassis.errors import CarillonError
from services.chassis.rpc import open_channel
from services.chassis.world import World, local_world
from tests.unit.gateway_recording.archive import Archive, Full, Refused, until
from tests.unit.gateway_recording.test_spool import (
    CALL,
    PAIR,
    PLENTY,
    START_MS,
    Desk,
    ended,
    manifest,
)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = local_world(var_dir=tmp_path / "var", run_dir=tmp_path / "r")
    yield made
    await made.close()


@asynccontextmanager
async def shipping(desk: Desk, world: World) -> AsyncIterator[Shipper]:
    gone: list[object] = []
    disk = ThreadPoolExecutor(max_workers=1)
    shipper = Shipper(spool=desk.spool, disk=disk, dial=world.dial, on_gone=gone.append)
    running = asyncio.ensure_future(shipper.run())
    try:
        yield shipper
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        disk.shutdown()


@asynccontextmanager
async def archive_at(
    world: World, trouble: Callable[[Any], CarillonError | None] = lambda _: None
) -> AsyncIterator[Archive]:
    archive = Archive()
    archive.pair = PAIR
    archive.trouble = trouble
    await archive.open(world.run_dir)
    try:
        yield archive
    finally:
        await archive.close()


def spoken(desk: Desk, *, over: bool = True) -> None:
    desk.write(known=manifest())
    desk.say(0)
    desk.say(1)
    if over:
        desk.write(known=ended(), over=True)


async def test_segments_go_first_and_the_manifest_last(tmp_path: Path, world: World) -> None:
    desk = Desk(tmp_path)
    spoken(desk)
    async with archive_at(world) as archive, shipping(desk, world) as shipper:
        shipper.offer(CALL)
        async with asyncio.timeout(5):
            await shipper.emptied()
        assert len(archive.segments) == 2
        assert archive.tenants == {CALL.tenant_id}
        assert CALL.call_id in archive.manifests
        assert shipper.shipped == 2
    assert desk.spool.open() == []


async def test_a_call_that_goes_on_keeps_its_place(tmp_path: Path, world: World) -> None:
    desk = Desk(tmp_path)
    spoken(desk, over=False)
    async with archive_at(world) as archive, shipping(desk, world) as shipper:
        shipper.offer(CALL)
        async with asyncio.timeout(5):
            await shipper.emptied()
        assert len(archive.segments) == 2
        assert archive.manifests == {}
        desk.write(known=ended(), over=True)
        shipper.offer(CALL)
        await archive.manifest()


async def test_who_is_away_gets_everything_later(tmp_path: Path, world: World) -> None:
    desk = Desk(tmp_path)
    spoken(desk)
    async with shipping(desk, world) as shipper:
        shipper.offer(CALL)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await shipper.emptied()
        assert len(desk.spool.waiting(CALL, limit=9)) == 2
        async with archive_at(world) as archive:
            await archive.manifest()


async def test_who_is_let_go_while_the_service_is_away_still_has_everything(
    tmp_path: Path, world: World
) -> None:
    desk = Desk(tmp_path)
    spoken(desk)
    disk = ThreadPoolExecutor(max_workers=1)
    shipper = Shipper(spool=desk.spool, disk=disk, dial=world.dial, on_gone=lambda _: None)
    shipper.offer(CALL)
    with capture_logs() as lines:
        first = asyncio.ensure_future(shipper.run())
        await until(lambda: lines)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
    assert lines[0]["event"] == "segments wait for recording"
    assert shipper.waiting == 1
    async with archive_at(world) as archive:
        second = asyncio.ensure_future(shipper.run())
        await archive.manifest()
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
    disk.shutdown()


class Cursed(Spool):
    """One call in it can never be read."""

    def waiting(self, call: CallKey, *, limit: int) -> list[Waiting]:
        if call != CALL:
            raise ValueError("nobody thought of this")
        return super().waiting(call, limit=limit)


async def test_a_call_that_cannot_be_read_does_not_stop_the_others(
    tmp_path: Path, world: World
) -> None:
    desk = Desk(tmp_path)
    spoken(desk)
    desk.spool = Cursed(tmp_path / "spool", room=PLENTY)
    desk.spool.open()
    async with archive_at(world) as archive, shipping(desk, world) as shipper:
        for number in range(3):
            shipper.offer(CallKey("acme", f"cursed-{number}"))
        with capture_logs() as lines:
            await until(lambda: lines)
        shipper.offer(CALL)
        await archive.manifest()
    assert lines[0]["event"] == "the spool cannot be read"


async def test_what_is_not_taken_now_is_offered_again(tmp_path: Path, world: World) -> None:
    desk = Desk(tmp_path)
    spoken(desk)
    troubles: list[CarillonError] = [Full("not now"), Full("nor now")]

    def trouble(_: object) -> CarillonError | None:
        return troubles.pop() if troubles else None

    async with archive_at(world, trouble) as archive, shipping(desk, world) as shipper:
        shipper.offer(CALL)
        await archive.manifest()
        assert archive.asked == 2 + 3
        assert shipper.refused == 0


async def test_what_is_never_taken_is_a_gap(tmp_path: Path, world: World) -> None:
    desk = Desk(tmp_path)
    spoken(desk)

    def trouble(request: Any) -> CarillonError | None:
        return Refused("no") if getattr(request, "number", 0) == 1 else None

    async with archive_at(world, trouble) as archive, shipping(desk, world) as shipper:
        shipper.offer(CALL)
        found = await archive.manifest()
        assert [gap.reason for gap in found.gaps] == ["segment-lost"]
        assert found.tracks[0].segment_sha256[0] == ""
        assert shipper.refused == 1


async def test_a_manifest_that_is_never_taken_is_set_aside(tmp_path: Path, world: World) -> None:
    desk = Desk(tmp_path)
    spoken(desk)

    def trouble(request: Any) -> CarillonError | None:
        return None if hasattr(request, "number") else Refused("no")

    async with archive_at(world, trouble), shipping(desk, world) as shipper:
        shipper.offer(CALL)
        async with asyncio.timeout(5):
            await shipper.emptied()
    assert desk.spool.open() == []
    assert (tmp_path / "spool" / "refused" / "call-1.manifest").is_file()


async def test_a_manifest_that_no_message_holds_is_set_aside(tmp_path: Path, world: World) -> None:
    desk = Desk(tmp_path)
    desk.write(known=manifest(to="5" * (5 << 20), ended_at_ms=START_MS), over=True)
    async with archive_at(world) as archive, shipping(desk, world) as shipper:
        shipper.offer(CALL)
        async with asyncio.timeout(5):
            await shipper.emptied()
        assert shipper.refused == 1
        assert archive.asked == 0
    assert (tmp_path / "spool" / "refused" / "call-1.manifest").is_file()


async def test_the_key_is_had_once_and_kept(tmp_path: Path, world: World) -> None:
    file = tmp_path / "key.json"
    keys = SealingKeys(file, world.dial)
    keys.recall()
    assert keys.public_key is None
    asking = asyncio.ensure_future(keys.run())
    async with archive_at(world) as archive, asyncio.timeout(8):
        await keys.had.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert keys.public_key == archive.pair.public_key
    again = SealingKeys(file, lambda _: open_channel(tmp_path / "nobody"))
    again.recall()
    assert again.public_key == archive.pair.public_key
    await asyncio.to_thread(file.write_text, '{"public_key": "AAAA"}')
    damaged = SealingKeys(file, world.dial)
    damaged.recall()
    assert damaged.public_key is None
