from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from protos.common.v1 import dead_letter_pb2
from services.chassis import dead_letters, feed
from services.chassis.bus import Batch, Bus
from services.chassis.envelope import Envelope
from services.chassis.envelope_wire import event_of
from services.chassis.errors import CarillonError, Kind
from services.chassis.feed import Feed
from services.chassis.ids import TenantId

TOPIC = "acd.events.v1"


class Away(CarillonError):
    code = "away"
    kind = Kind.UNAVAILABLE


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "RETRY_FIRST_S", 0.01)
    monkeypatch.setattr(feed, "RETRY_LAST_S", 0.02)
    monkeypatch.setattr(dead_letters, "ALONE_AFTER", 2)
    monkeypatch.setattr(dead_letters, "BURIED_AFTER", 4)
    monkeypatch.setattr(dead_letters, "BURIED_IN_A_ROW", 3)


def event(number: int) -> Envelope:
    return Envelope(
        event_id=f"e{number}",
        tenant_id=TenantId("t1"),
        at_ms=1_000 + number,
        key="k",
        type="carillon.acd.v1.QueuePut",
        payload=str(number).encode(),
        seq=number,
        traceparent="00-11-22-01",
    )


class Reader:
    """Takes events, but for those that it cannot; remembers each try."""

    def __init__(self, *, cannot: set[int], enough: int) -> None:
        self.cannot = cannot
        self.tries: list[list[int]] = []
        self.taken: list[int] = []
        self.done = asyncio.Event()
        self._enough = enough

    async def handle(self, batch: Batch) -> None:
        numbers = [e.seq for e in batch.events]
        self.tries.append(numbers)
        bad = self.cannot.intersection(numbers)
        if bad:
            raise ValueError(f"cannot take {min(bad)}")
        self.taken += numbers
        if len(set(self.taken)) >= self._enough:
            self.done.set()


@asynccontextmanager
async def running(bus: Bus, handle: Callable[[Batch], Awaitable[None]]) -> AsyncIterator[Feed]:
    reading = Feed(bus=bus, group="g", topics=(TOPIC,), handle=handle)
    task = asyncio.ensure_future(reading.run())
    try:
        async with asyncio.timeout(100):
            yield reading
    finally:
        task.cancel()
        await asyncio.wait((task,))


async def until(true: Callable[[], bool]) -> None:
    while not true():  # noqa: ASYNC110 (a feed tells nobody of what goes wrong)
        await asyncio.sleep(0.005)


async def buried(bus: Bus, count: int) -> list[dead_letter_pb2.DeadLetter]:
    found: list[dead_letter_pb2.DeadLetter] = []
    async with bus.consumer(group="people", topics=(dead_letters.topic_of("g"),)) as consumer:
        while len(found) < count:
            batch = await consumer.fetch(wait_s=5)
            assert batch is not None, found
            found += [dead_letter_pb2.DeadLetter.FromString(e.payload) for e in batch.events]
            await consumer.commit(batch)
        assert await consumer.fetch(wait_s=0.1) is None
    return found


async def test_an_event_that_is_refused_again_and_again_is_put_aside(bus: Bus) -> None:
    await bus.publish(TOPIC, [event(n) for n in range(1, 6)])
    reader = Reader(cannot={3}, enough=4)
    async with running(bus, reader.handle) as reading:
        await reader.done.wait()
        (letter,) = await buried(bus, 1)
    # Each of the others was taken, in order; the last two only after it was put aside.
    assert list(dict.fromkeys(reader.taken)) == [1, 2, 4, 5]
    assert reading.buried == 1
    assert event_of(letter.event) == event(3)
    assert (letter.group, letter.topic, letter.offset) == ("g", TOPIC, 2)
    assert (letter.reason, letter.words) == ("ValueError", "cannot take 3")
    assert letter.tries == dead_letters.BURIED_AFTER
    assert reader.tries[:2] == [[1, 2, 3, 4, 5]] * 2


async def test_what_is_away_is_waited_for_and_nothing_is_put_aside(bus: Bus) -> None:
    await bus.publish(TOPIC, [event(1), event(2)])
    tries = 0
    done = asyncio.Event()

    async def handle(batch: Batch) -> None:
        nonlocal tries
        tries += 1
        if tries <= 3 * dead_letters.BURIED_AFTER:
            raise Away("the database")
        done.set()

    async with running(bus, handle) as reading:
        await done.wait()
    assert reading.buried == 0


async def test_when_everything_is_refused_it_is_not_the_events(bus: Bus) -> None:
    count = 8
    await bus.publish(TOPIC, [event(n) for n in range(count)])
    reader = Reader(cannot=set(range(count)), enough=count - 3)
    async with running(bus, reader.handle) as reading:
        await until(lambda: reading.buried >= dead_letters.BURIED_IN_A_ROW)
        seen = len(reader.tries)
        # Far more often than an event is tried before it is put aside.
        await until(lambda: len(reader.tries) >= seen + 2 * dead_letters.BURIED_AFTER)
        assert reading.buried == dead_letters.BURIED_IN_A_ROW
        reader.cannot.clear()
        await reader.done.wait()
        letters = await buried(bus, dead_letters.BURIED_IN_A_ROW)
    # A partition that moves meanwhile may bring one twice.
    aside = {letter.event.seq for letter in letters}
    assert len(aside) <= dead_letters.BURIED_IN_A_ROW
    assert aside | set(reader.taken) == set(range(count))


async def test_an_event_that_is_taken_in_the_end_is_not_put_aside(bus: Bus) -> None:
    await bus.publish(TOPIC, [event(n) for n in range(3)])
    reader = Reader(cannot={1}, enough=3)
    async with running(bus, reader.handle) as reading:
        await until(lambda: len(reader.tries) >= dead_letters.BURIED_AFTER - 2)
        reader.cannot.clear()
        await reader.done.wait()
    assert reading.buried == 0
    assert list(dict.fromkeys(reader.taken)) == [0, 1, 2]
