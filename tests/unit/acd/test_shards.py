"""Shards in one process, in virtual time: taken over, replaced, and what runs beside them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from protos.acd.v1 import acd_pb2
from services.acd import model
from services.acd.core.shard import ShardCore
from services.acd.following import Leaving
from services.acd.model import EntryId, Link, Outcome, Presence
from services.acd.rpc import Acd
from services.acd.shards import ASK_AGAIN_MS
from services.chassis.bus import MAX_PUBLISHED
from services.chassis.journal import JournalRow, OwnedElsewhere
from services.chassis.request import enter, metadata
from services.chassis.trace import trace_id
from tests.unit.acd.house import (
    ANNA,
    CODEC,
    DEMO,
    House,
    Nobody,
    Q,
    enqueue,
    furnish,
    no_room,
    ready,
    stage,
    virtually,
)


def test_another_owner_is_believed_for_a_moment() -> None:
    async def story(house: House) -> None:
        here, there = house.shards(), house.shards("there")
        await furnish(await there.of(DEMO))
        for _ in range(5):
            with pytest.raises(OwnedElsewhere) as caught:
                await here.of(DEMO)
            assert caught.value.address == "there"
        assert house.journal.opened == 2
        here.doubt(DEMO)
        await asyncio.sleep(ASK_AGAIN_MS / 1_000)
        for shards, opened in ((here, 3), (here, 3)):
            with pytest.raises(OwnedElsewhere):
                await shards.of(DEMO)
            assert house.journal.opened == opened
        await there.close()
        here.doubt(DEMO)
        assert set((await here.of(DEMO)).core.queue_ids()) == {Q}
        await here.close()
        with pytest.raises(Leaving):
            await here.of(DEMO)

    virtually(story)


def test_a_shard_that_was_taken_away_is_built_anew() -> None:
    async def story(house: House) -> None:
        shards = house.shards()
        shard = await shards.of(DEMO)
        await furnish(shard)
        await enqueue(shard, "e")
        with shard.follow(EntryId("e"), Q) as reader, shard.watch(frozenset()) as watcher:
            await house.journal.open(DEMO, "here")  # an earlier life of this very address
            await asyncio.sleep(1.5)
            assert shard.closed
            for items in (reader.items(), watcher.items()):
                with pytest.raises(Leaving):
                    async for _ in items:
                        pass
        again = await shards.of(DEMO)
        assert again is not shard
        assert await stage(again, "e") is model.ContactStage.DETACHED
        await shards.close()

    virtually(story)


def test_contacts_without_their_flow_keep_their_place_and_bother_nobody() -> None:
    async def story(house: House) -> None:
        first = house.shards()
        shard = await first.of(DEMO)
        await furnish(shard)
        for name in ("e1", "e2"):
            await enqueue(shard, name)
        await first.close()
        await asyncio.sleep(500)
        second = house.shards("there")
        heir = await second.of(DEMO)
        await ready(heir)
        assert await stage(heir, "e1") is model.ContactStage.DETACHED
        with heir.follow(EntryId("e2"), Q):
            await heir.submit(model.AttachEntry(EntryId("e2")))
            assert await stage(heir, "e2") is model.ContactStage.RESERVED
            await asyncio.sleep(29)
            assert await stage(heir, "e1") is model.ContactStage.DETACHED
            await asyncio.sleep(2)
            view = await heir.entry(EntryId("e1"))
            assert (view.exit, view.reason) == (model.Exit.FAILED, "flow lost")
        await second.close()

    virtually(story)


def test_a_flow_that_is_back_before_the_loss_was_noticed_is_not_detached() -> None:
    async def story(house: House) -> None:
        shards = house.shards()
        shard = await shards.of(DEMO)
        await furnish(shard)
        await enqueue(shard, "e")
        with shard.follow(EntryId("e"), Q):
            pass
        shard.unfollowed(EntryId("e"))
        with shard.follow(EntryId("e"), Q):
            await asyncio.sleep(1)
            assert await stage(shard, "e") is model.ContactStage.WAITING
        await shards.close()

    virtually(story)


def test_a_flow_that_is_back_while_an_agent_rings_carries_its_contact_again() -> None:
    async def story(house: House) -> None:
        shards = house.shards()
        shard = await shards.of(DEMO)
        await furnish(shard)
        await ready(shard)
        acd: Any = Acd(shards=shards, codec=CODEC)
        context = Nobody()
        asked = acd_pb2.EnqueueRequest(entry_id="e", queue_id=Q, call_id="c")
        enter(metadata(tenant_id=DEMO))
        first = acd.Enqueue(asked, context)
        held = (await anext(first)).reserved.reservation_id
        await first.aclose()
        await asyncio.sleep(1)  # that it is lost is noticed
        second = acd.Enqueue(asked, context)
        assert (await anext(second)).reserved.reservation_id == held
        await shard.submit(model.EndReservation(model.ReservationId(held), Outcome.REJECT))
        assert await stage(shard, "e") is model.ContactStage.WAITING
        async with asyncio.timeout(60):
            while not (update := await anext(second)).HasField("reserved"):
                pass
        assert update.reserved.reservation_id != held
        await second.aclose()
        await shards.close()

    virtually(story)


def test_a_detachment_without_room_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.chassis.shell.MAX_WAITING", 2)

    async def story(house: House) -> None:
        shards = house.shards()
        shard = await shards.of(DEMO)
        await furnish(shard)
        await enqueue(shard, "e")
        full = await no_room(house, shard)
        shard.unfollowed(EntryId("e"))
        await asyncio.sleep(1)
        house.journal.away = False
        await asyncio.gather(*full)
        await asyncio.sleep(2)
        assert await stage(shard, "e") is model.ContactStage.DETACHED
        await shards.close()

    virtually(story)


def test_shards_of_the_dead_are_taken_over_and_their_time_goes_on() -> None:
    async def story(house: House) -> None:
        dead = house.shards("dead")
        shard = await dead.of(DEMO)
        await furnish(shard)
        await enqueue(shard, "e")
        await house.journal.open(DEMO, "dead")  # nobody renews this ownership
        alive = house.shards("alive")
        looking = asyncio.ensure_future(alive.look_after())
        house.journal.away = True
        await asyncio.sleep(2)
        house.journal.away = False
        await asyncio.sleep(40)
        with pytest.raises(OwnedElsewhere) as caught:
            await house.shards("third").of(DEMO)
        assert caught.value.address == "alive"
        heir = await alive.of(DEMO)
        assert (await heir.entry(EntryId("e"))).exit is model.Exit.FAILED
        looking.cancel()
        await alive.close()

    virtually(story)


def test_a_shard_that_cannot_be_read_keeps_no_other_from_being_taken_over() -> None:
    async def story(house: House) -> None:
        opened = await house.journal.open("broken", "dead")
        row = JournalRow("broken", 1, opened.epoch, 1, b"", (b"nonsense",))
        await house.journal.append([row])
        await asyncio.sleep(1)
        await furnish(await house.shards("dead").of(DEMO))
        await house.journal.open(DEMO, "dead")  # nobody renews this ownership
        alive = house.shards("alive")
        looking = asyncio.ensure_future(alive.look_after())
        await asyncio.sleep(10)
        with pytest.raises(OwnedElsewhere) as caught:
            await house.shards("third").of(DEMO)
        assert caught.value.address == "alive"
        looking.cancel()
        await alive.close()

    virtually(story)


def test_every_event_reaches_the_bus_in_order_with_its_calls_trace() -> None:
    async def story(house: House) -> None:
        house.bus.away = True
        shards = house.shards()
        shard = await shards.of(DEMO)
        await furnish(shard)
        await enqueue(shard, "e")
        await ready(shard)
        await asyncio.sleep(30)
        assert house.events() == []
        house.bus.away = False
        await asyncio.sleep(10)
        rows = [row async for row in house.journal.read(DEMO)]
        written = [
            (f"demo:{row.seq}:{i}", row.at_ms, row.seq)
            for row in rows
            for i in range(len(row.events))
        ]
        assert [(e.event_id, e.at_ms, e.seq) for e in house.events()] == written
        assert {(e.tenant_id, e.key) for e in house.events()} == {(DEMO, DEMO)}
        types = [e.type.removeprefix("carillon.acd.v1.") for e in house.events()]
        assert types[:3] == ["QueuePut", "AgentPut", "AgentStateChanged"]
        assert "ContactReserved" in types
        traces = {e.traceparent for e in house.events() if e.type.endswith("ContactEnqueued")}
        trace = trace_id("call-e")
        assert traces == {f"00-{trace}-{trace[:16]}-01"}
        await shards.close()
        # A successor does not tell it all again.
        heir = house.shards("there")
        await heir.of(DEMO)
        await asyncio.sleep(1)
        ids = [e.event_id for e in house.events()]
        assert len(ids) == len(set(ids))
        await heir.close()

    virtually(story)


def test_a_failure_that_nobody_thought_of_does_not_end_the_publishing() -> None:
    async def story(house: House) -> None:
        shards = house.shards()
        house.bus.broken = True
        await furnish(await shards.of(DEMO))
        await asyncio.sleep(30)
        assert house.events() == []
        house.bus.broken = False
        await asyncio.sleep(10)
        assert house.events()[0].event_id == "demo:1:0"
        await shards.close()

    virtually(story)


def test_one_decision_with_thousands_of_events_is_published_too() -> None:
    async def story(house: House) -> None:
        shards = house.shards()
        shard = await shards.of(DEMO)
        await shard.submit(model.PutQueue(model.QueueConfig(Q)))
        count = MAX_PUBLISHED + 50
        await asyncio.gather(*(enqueue(shard, f"e{i:04}") for i in range(count)))
        fire = model.SetEmergency(Q, active=True, message="fire", release_waiting=True)
        await shard.submit(fire)
        await asyncio.sleep(5)
        exits = [e for e in house.events() if e.type.endswith("ContactExited")]
        assert len({e.event_id for e in exits}) == len(exits) == count
        await shards.close()

    virtually(story)


def test_what_was_decided_can_be_decided_again() -> None:
    """The journal's inputs, at their times, give the journal's events to the byte."""

    async def story(house: House) -> None:
        shards = house.shards()
        shard = await shards.of(DEMO)
        await furnish(shard)
        await shard.submit(model.PutQueue(model.QueueConfig(Q, max_wait_ms=45_000)))
        await ready(shard, valid_ms=20_000)
        for i in range(40):
            await enqueue(shard, f"e{i}", gateway="g" if i % 5 == 0 else "")
            await asyncio.sleep(1.7)
            if i == 20:
                house.journal.away = True
                await asyncio.sleep(30)
                house.journal.away = False
                await asyncio.sleep(2)
                await shard.care.link_said(model.ReportLink(ANNA, Link.REACHABLE, 20_000))
                await shard.submit(model.SetPresence(ANNA, Presence.READY))
        await asyncio.sleep(100)
        core, kinds = ShardCore(), set()
        async for row in house.journal.read(DEMO):
            if row.input:
                events = core.handle(CODEC.decode(row.input), row.at_ms)
            else:
                events = core.tick(row.at_ms)
            assert tuple(CODEC.encode(event) for event in events) == row.events
            for event in events:
                core.apply(event)
                kinds.add(type(event))
        assert core.snapshot() == shard.core.snapshot()
        assert kinds >= {model.ClockStopped, model.ReservationEnded, model.ContactExited}
        await shards.close()

    virtually(story)


def test_a_shard_counts_itself() -> None:
    async def story(house: House) -> None:
        shards = house.shards()
        assert shards.live() == []
        shard = await shards.of(DEMO)
        await furnish(shard)
        for name in ("e1", "e2"):
            await enqueue(shard, name)
        await asyncio.sleep(1)
        (figures,) = [each.figures() for each in shards.live()]
        assert (figures.contacts, figures.rows, figures.behind) == (2, 4, 0)
        assert figures.published == len(house.events())
        assert (figures.away, figures.stopped_ms, figures.oldest_matchable_ms) == (False, 0, 0)
        house.journal.away = True
        await asyncio.sleep(10)
        assert shard.figures().away
        house.journal.away = False
        await asyncio.sleep(3)
        assert not shard.figures().away
        assert shard.figures().stopped_ms >= 10_000
        await shards.close()

    virtually(story)


def test_receipts_and_rings_outlive_their_owner() -> None:
    async def story(house: House) -> None:
        first = house.shards()
        shard = await first.of(DEMO)
        await furnish(shard)
        await ready(shard)
        with shard.follow(EntryId("e"), Q):
            await enqueue(shard, "e")
            place = await shard.place(EntryId("e"))
            assert place.ring is not None
            row = place.view.reservation
            assert row is not None
            await first.close()
        second = house.shards("there")
        heir = await second.of(DEMO)
        assert (await heir.place(EntryId("e"))).ring == place.ring
        await heir.submit(
            model.EndReservation(row.reservation_id, Outcome.CALLER_GONE, agent_id=ANNA)
        )
        receipt = await heir.explain(EntryId("e"))
        assert receipt.winner == ANNA
        await second.close()

    virtually(story)
