"""Storage away, slow, dead without a word, full, or refusing: nothing that was said is lost.

Each test ends with its ledger (`Floor.settle`): what was sent, what was acknowledged, and what is
in the bucket and in the database agree to the last segment.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from media_gateway.recording.spool import Room
from protos.recording.v1 import recording_pb2
from services.chassis.database import DatabaseAddress
from services.launcher.parts import minio
from services.launcher.parts.minio import MinioServer
from tests.faults.archive import GATEWAY, MINE, PLENTY, REPLICAS, Floor, Speaker, floor_on
from tests.faults.conftest import Scale
from tests.stage.narrow import Narrow, narrow_way
from tests.stage.s3 import fresh_bucket, running_minio, write_key

pytestmark = pytest.mark.timeout(1_200)

TALK_S = 1.0
"""Between two seconds of what is said."""
STORAGE_LIMIT_S = 1.5
SLOW_PAUSE_S = 0.02


@dataclass
class Storage:
    """A bucket that holds what it is given, on a server of this test's own."""

    server: MinioServer
    way: Narrow
    floor: Floor


@pytest.fixture
def storage_room() -> Room:
    return PLENTY


@pytest.fixture
async def storage(
    storage_room: Room,
    database_address: DatabaseAddress,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Storage]:
    monkeypatch.setenv("CARILLON_RECORDING_KEY_FILE", str(write_key(tmp_path / "keys")))
    async with running_minio() as server, narrow_way(server.port) as way:
        address = await fresh_bucket(server, worm=True, retention_days=1, timeout_s=STORAGE_LIMIT_S)
        async with floor_on(
            address,
            endpoint=way.url,
            database=database_address,
            folder=tmp_path,
            room=storage_room,
        ) as floor:
            yield Storage(server, way, floor)


async def talk(floor: Floor) -> None:
    """All calls that go on say one second."""
    await asyncio.gather(*(each.say() for each in floor.speakers if not each.writer.finished))


@asynccontextmanager
async def talking(floor: Floor) -> AsyncIterator[None]:
    """All calls talk while something else happens, one second in each."""
    enough = asyncio.Event()

    async def on_and_on() -> None:
        while not enough.is_set():
            await talk(floor)
            with suppress(TimeoutError):
                await asyncio.wait_for(enough.wait(), TALK_S)

    task = asyncio.ensure_future(on_and_on())
    try:
        yield
    finally:
        enough.set()
        await task


async def hang_up(*speakers: Speaker) -> None:
    await asyncio.gather(*(each.hang_up() for each in speakers))


async def test_storage_is_away_for_long_and_slow_afterwards(storage: Storage, scale: Scale) -> None:
    floor, server, way = storage.floor, storage.server, storage.way
    over, long, late = (floor.calls(scale.calls) for _ in range(3))
    await talk(floor)
    await hang_up(*over)
    await floor.until_acknowledged()
    kept = len(floor.ledger.acknowledged)

    await server.kill()
    async with talking(floor):
        during = floor.calls(scale.calls)
        await asyncio.sleep(scale.outage_s)
        await floor.until(lambda: floor.failures)
    await hang_up(*late)
    # Nothing was taken for stored, and nothing that anybody said is missing.
    assert len(floor.ledger.acknowledged) == kept
    assert not [each for each in floor.speakers if each.writer.trouble]

    way.pause_s = SLOW_PAUSE_S
    await server.start()
    assert await floor.check_acknowledged() >= kept
    async with talking(floor):
        await asyncio.sleep(scale.slow_s)
    way.pause_s = 0
    await hang_up(*long, *during)
    await floor.settle()


async def test_storage_that_lets_in_and_says_nothing_holds_up_nothing_else(
    storage: Storage, scale: Scale
) -> None:
    floor, way = storage.floor, storage.way
    floor.calls(scale.calls)
    await talk(floor)
    await floor.until_acknowledged()
    kept = len(floor.ledger.acknowledged)
    way.passable.clear()
    async with talking(floor):
        await floor.until(lambda: floor.failures > 1)
        for replica in range(REPLICAS):
            # New calls are sealed and known meanwhile, and the gateway is not taken for lost.
            stub = floor.stub(replica)
            await stub.GetSealingKey(recording_pb2.GetSealingKeyRequest())
            await stub.ReportGateway(recording_pb2.ReportGatewayRequest(incarnation=GATEWAY))
            found = await stub.ListRecordings(recording_pb2.ListRecordingsRequest(), metadata=MINE)
            assert len(found.recordings) == scale.calls
    assert len(floor.ledger.acknowledged) == kept
    way.passable.set()
    await hang_up(*floor.speakers)
    await floor.settle()


async def test_storage_dies_again_and_again_in_the_midst_of_uploads(
    storage: Storage, scale: Scale
) -> None:
    floor, server = storage.floor, storage.server
    storage.way.pause_s = SLOW_PAUSE_S
    under_way = 0
    for _ in range(scale.kills):
        calls = floor.calls(scale.calls)
        await talk(floor)
        going = len(floor.ledger.acknowledged)
        for _ in range(5):
            await asyncio.gather(*(each.say() for each in calls))
        # In the midst: some of it has been taken, most has not.
        await floor.until(lambda going=going: len(floor.ledger.acknowledged) > going)  # type: ignore[misc]  # a lambda has no types
        await server.kill()
        under_way += len(floor.ledger.sent) - len(floor.ledger.acknowledged)
        await hang_up(*calls[::2])
        await server.start()
        await floor.check_acknowledged()
    assert under_way
    await hang_up(*(each for each in floor.speakers if not each.writer.finished))
    await floor.settle()


@pytest.mark.parametrize("storage_room", [Room(max_bytes=100_000, min_free_bytes=0)])
async def test_what_a_full_spool_has_no_room_for_is_a_gap_and_told(storage: Storage) -> None:
    floor, server = storage.floor, storage.server
    one, other = floor.calls(2)
    await talk(floor)
    await floor.until_acknowledged()
    await server.kill()
    while not (one.writer.trouble and other.writer.trouble):
        await talk(floor)
    for _ in range(3):
        await talk(floor)
    # A call that comes when nothing more has room is a gap from its first word on.
    late = floor.call()
    await late.say(3)
    await server.start()
    await floor.until_acknowledged()
    await talk(floor)
    await hang_up(one, other, late)
    await floor.settle(states=Counter({"incomplete": 3}))
    for each in (one, other, late):
        by_id = recording_pb2.GetRecordingRequest(recording_id=each.key.call_id)
        view = await floor.stub().GetRecording(by_id, metadata=MINE)
        (gap,) = view.gaps
        stored = len([sent for sent in floor.ledger.sent if sent[0] == each.key.call_id])
        assert gap.reason == "disk-full"
        assert stored * 1_000 + gap.to_ms - gap.from_ms == each.seconds * 1_000


async def test_what_storage_refuses_waits_until_its_key_is_mended(storage: Storage) -> None:
    floor, server = storage.floor, storage.server
    calls = floor.calls(2)
    await talk(floor)
    await floor.until_acknowledged()
    kept = len(floor.ledger.acknowledged)
    await server.stop()
    program = await asyncio.to_thread(minio.ready)
    stranger = MinioServer(server.folder, program=program, user=server.user, port=server.port)
    with capture_logs() as lines:
        async with stranger:
            await talk(floor)
            await hang_up(calls[0])
            await floor.until(lambda: [each for each in lines if "reason" in each])
    assert "the secret key is wrong" in next(each["reason"] for each in lines if "reason" in each)
    assert len(floor.ledger.acknowledged) == kept
    await server.start()
    await hang_up(calls[1])
    await floor.settle()
