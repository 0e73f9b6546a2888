"""The journal and its publisher: nothing is lost by a bus that is away, nor by a death."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from media_gateway.facts.files import Kept, Position
from media_gateway.facts.journal import FactJournal
from media_gateway.facts.naming import MAX_FACTS, MAX_HELD, Naming
from media_gateway.facts.publisher import TOPIC, FactPublisher
from media_gateway.records import framed
from protos.gateway.v1.events_pb2 import CallFact
from services.chassis.bus import Bus, BusUnavailable, MemoryBus
from services.chassis.envelope import Envelope
from tests.unit.gateway_facts.calls import counted, ended, noted, started


class FlakyBus(MemoryBus):
    """Away for the first few times."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures
        self.refused = asyncio.Event()

    async def publish(self, topic: str, events: Sequence[Envelope]) -> None:
        if self.failures:
            self.failures -= 1
            self.refused.set()
            raise BusUnavailable("away")
        await super().publish(topic, events)


async def delivered(bus: Bus, count: int) -> list[Envelope]:
    """So many events, as a consumer reads them, and no more."""
    found: list[Envelope] = []
    async with bus.consumer(group="test", topics=[TOPIC]) as consumer, asyncio.timeout(5):
        while len(found) < count:
            batch = await consumer.fetch(wait_s=1)
            found += batch.events if batch else ()
        assert await consumer.fetch(wait_s=0.1) is None
    return found


@asynccontextmanager
async def running(
    folder: Path, bus: Bus, *, incarnation: str = "a", tidy: bool = True
) -> AsyncIterator[tuple[FactJournal, FactPublisher]]:
    """A journal at work; untidy, it ends as by a kill."""
    journal = FactJournal(folder, incarnation=incarnation, new_id=counted(incarnation))
    await journal.start()
    publisher = FactPublisher(journal, bus)
    work = [asyncio.ensure_future(part.run()) for part in (journal, publisher)]
    try:
        yield journal, publisher
    finally:
        work[0].cancel()
        await asyncio.gather(work[0], return_exceptions=True)
        if tidy:
            await journal.close()
            await publisher.catch_up(2)
        work[1].cancel()
        await asyncio.gather(work[1], return_exceptions=True)


def tear(folder: Path) -> None:
    (path,) = folder.glob("*.facts")
    path.write_bytes(path.read_bytes() + framed(b"Fcut off")[:-2])


def told(events: list[Envelope]) -> list[tuple[str, int]]:
    return sorted((event.key, event.seq) for event in events)


async def test_facts_reach_the_bus_in_their_envelopes(tmp_path: Path) -> None:
    bus = MemoryBus()
    async with running(tmp_path, bus) as (journal, _):
        for fact in (started("c", tenant="acme"), noted("c", 2), ended("c", 3)):
            journal.publish(fact)
        events = await delivered(bus, 3)
    assert [event.seq for event in events] == [1, 2, 3]
    first = events[0]
    assert (first.event_id, first.tenant_id, first.key) == ("c-1", "acme", "c")
    assert first.type == "carillon.gateway.v1.CallFact"
    assert CallFact.FromString(first.payload) == started("c", tenant="acme")
    assert first.traceparent


async def test_a_call_is_published_once_it_is_known_whose_it_is(tmp_path: Path) -> None:
    bus = MemoryBus()
    async with running(tmp_path, bus) as (journal, _):
        journal.publish(started("nobodys"))
        journal.publish(started("c"))
        journal.publish(ended("nobodys", 2, tenant=""))
        journal.publish(noted("c", 2))
        events = await delivered(bus, 2)
    assert [(event.seq, event.tenant_id) for event in events] == [(1, "acme"), (2, "acme")]
    assert CallFact.FromString(events[0].payload).tenant_id == "acme"


async def test_a_bus_that_is_away_gets_everything_later(tmp_path: Path) -> None:
    bus = FlakyBus(failures=1)
    async with running(tmp_path, bus) as (journal, publisher):
        journal.publish(started("c", tenant="acme"))
        await bus.refused.wait()
        assert publisher.waiting
        journal.publish(noted("c", 2))
        assert told(await delivered(bus, 2)) == [("c", 1), ("c", 2)]
        assert not publisher.waiting


async def test_what_a_dead_gateway_left_is_published_and_its_calls_are_ended(
    tmp_path: Path,
) -> None:
    away = FlakyBus(failures=1_000)
    async with running(tmp_path, away, tidy=False) as (journal, _):
        journal.publish(started("open"))
        journal.publish(noted("open", 2))
        journal.publish(started("over", tenant="acme"))
        journal.publish(ended("over", 2))
        await away.refused.wait()
    # Killed in the middle of a write.
    tear(tmp_path)
    bus = MemoryBus()
    async with running(tmp_path, bus, incarnation="b") as (journal, _):
        events = await delivered(bus, 5)
    assert told(events) == [("open", 1), ("open", 2), ("open", 3), ("over", 1), ("over", 2)]
    (end,) = [event for event in events if (event.key, event.seq) == ("open", 3)]
    fact = CallFact.FromString(end.payload)
    assert fact.call_ended.termination.reason == "gateway-lost"
    assert fact.tenant_id == "acme"
    # The next one finds nothing left to say.
    async with running(tmp_path, bus, incarnation="c") as (journal, _):
        pass
    assert len(journal.reader.files()) <= 2
    assert told(await delivered(bus, 5)) == told(events)


async def test_what_was_published_is_not_published_again_after_a_tidy_end(tmp_path: Path) -> None:
    bus = MemoryBus()
    async with running(tmp_path, bus) as (journal, _):
        journal.publish(started("c", tenant="acme"))
        await delivered(bus, 1)
    async with running(tmp_path, bus, incarnation="b") as (journal, _):
        journal.publish(noted("d", 1))
        events = await delivered(bus, 3)
    assert told(events) == [("c", 1), ("c", 2), ("d", 1)]


async def test_a_disk_that_takes_nothing_delays_and_loses_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "facts"
    bus = MemoryBus()
    async with running(folder, bus) as (journal, _):
        away = tmp_path / "away"
        folder.rename(away)
        journal.publish(started("c", tenant="acme"))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(0.2):
                await journal.grown.wait()
        away.rename(folder)
        journal.publish(noted("c", 2))
        assert told(await delivered(bus, 2)) == [("c", 1), ("c", 2)]


def test_what_waits_for_a_name_is_bounded() -> None:
    naming = Naming()

    def kept(fact: CallFact) -> Kept:
        return Kept(fact, Position("f", fact.seq), Position("f", fact.seq + 1))

    assert naming.let_through(kept(started("c", seq)) for seq in range(1, MAX_FACTS + 9)) == []
    assert naming.held_from == Position("f", 1)
    assert len(naming.let_through([kept(noted("c", 99))])) == MAX_FACTS + 1
    assert naming.held_from is None
    for number in range(MAX_HELD + 1):
        naming.let_through([kept(started(f"c{number}", number + 1))])
    assert naming.held_from == Position("f", 2)


class BrokenBus(FlakyBus):
    """Fails as nobody foresaw."""

    async def publish(self, topic: str, events: Sequence[Envelope]) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("read-only transaction")
        await super().publish(topic, events)


async def test_a_bus_that_fails_as_nobody_foresaw_gets_everything_later(tmp_path: Path) -> None:
    bus = BrokenBus(failures=1)
    async with running(tmp_path, bus) as (journal, _):
        journal.publish(started("c"))
        journal.publish(noted("c", 2))
        assert told(await delivered(bus, 2)) == [("c", 1), ("c", 2)]


async def test_a_disk_that_keeps_no_position_does_not_end_the_publishing(tmp_path: Path) -> None:
    bus = MemoryBus()
    in_the_way = tmp_path / "position.tmp"
    in_the_way.mkdir()
    async with running(tmp_path, bus) as (journal, _):
        journal.publish(started("c", tenant="acme"))
        await delivered(bus, 1)
        in_the_way.rmdir()
        journal.publish(noted("c", 2))
        assert told(await delivered(bus, 2)) == [("c", 1), ("c", 2)]


async def written(journal: FactJournal) -> list[int]:
    end = journal.end
    return [kept.fact.seq for kept in journal.reader.read(Position(), end, limit=1_000)]


async def test_facts_are_written_once_however_many_ask_for_it(tmp_path: Path) -> None:
    journal = FactJournal(tmp_path, incarnation="a", new_id=counted())
    await journal.start()
    for seq in range(1, 6):
        journal.publish(started("c", seq))
    given_up = asyncio.ensure_future(journal.write_rest())
    others = [asyncio.ensure_future(journal.write_rest()) for _ in range(2)]
    await asyncio.sleep(0)
    given_up.cancel()
    journal.publish(started("c", 6))
    await asyncio.gather(*others)
    await journal.close()
    assert await written(journal) == [1, 2, 3, 4, 5, 6]


async def test_a_clock_that_was_set_back_hides_no_facts(tmp_path: Path) -> None:
    bus = MemoryBus()
    for incarnation, call in (("b", "first"), ("a", "second"), ("a", "third")):
        async with running(tmp_path, bus, incarnation=incarnation) as (journal, _):
            journal.publish(started(call, tenant="acme"))
            journal.publish(ended(call, 2))
            await journal.write_rest()
    calls = ("first", "second", "third")
    assert told(await delivered(bus, 6)) == [(call, seq) for call in calls for seq in (1, 2)]
