"""What runs out around a shard, in virtual time: links that nobody measures, silent gateways."""

from __future__ import annotations

import asyncio

import pytest

from services.acd import model
from services.acd.model import EntryId, Link, Presence
from tests.unit.acd.house import (
    ANNA,
    DEMO,
    House,
    Q,
    enqueue,
    furnish,
    no_room,
    ready,
    stage,
    virtually,
)


def test_a_leased_link_runs_out_but_not_by_an_outage() -> None:
    async def story(house: House) -> None:
        shards = house.shards()
        shard = await shards.of(DEMO)
        await furnish(shard)
        await ready(shard, valid_ms=15_000)
        rows = len([row async for row in house.journal.read(DEMO)])
        for _ in range(4):
            await asyncio.sleep(10)
            await shard.care.link_said(model.ReportLink(ANNA, Link.REACHABLE, 15_000))
        assert len([row async for row in house.journal.read(DEMO)]) == rows, "nothing changed"
        house.journal.away = True
        await asyncio.sleep(60)
        house.journal.away = False
        await asyncio.sleep(5)
        assert (await shard.agent(ANNA)).link is Link.REACHABLE
        await asyncio.sleep(15)
        assert (await shard.agent(ANNA)).link is Link.UNREACHABLE
        # Said again, it is reachable again.
        await shard.care.link_said(model.ReportLink(ANNA, Link.REACHABLE, 15_000))
        assert (await shard.agent(ANNA)).routable
        await shard.submit(model.SetPresence(ANNA, Presence.SIGNED_OUT))
        await shard.submit(model.RemoveAgent(ANNA))
        await asyncio.sleep(20)
        await shards.close()

    virtually(story)


def test_a_link_that_is_said_again_in_time_does_not_run_out_while_a_commit_takes_its_time() -> None:
    async def story(house: House) -> None:
        shards = house.shards()
        shard = await shards.of(DEMO)
        await furnish(shard)
        await ready(shard, valid_ms=15_000)
        await asyncio.sleep(14.9)
        house.journal.slow_s = 0.2
        slow = asyncio.ensure_future(shard.submit(model.PutQueue(model.QueueConfig(Q, name="Q"))))
        await asyncio.sleep(0.01)
        await shard.care.link_said(model.ReportLink(ANNA, Link.REACHABLE, 15_000))
        await slow
        await asyncio.sleep(1)
        assert (await shard.agent(ANNA)).link is Link.REACHABLE
        await shards.close()

    virtually(story)


def test_an_agents_desk_is_told_that_a_wrap_up_ends_later() -> None:
    async def story(house: House) -> None:
        shards = house.shards()
        shard = await shards.of(DEMO)
        await furnish(shard)
        await ready(shard)
        await enqueue(shard, "e")
        held = model.ReservationId("e.1")
        await shard.submit(model.AcceptReservation(held, ANNA))
        await shard.submit(model.ConfirmBridged(held))
        await shard.submit(model.CompleteContact(held, model.BridgeEnder.CALLER))
        before = (await shard.agent(ANNA)).work[0].deadline_ms
        assert before is not None
        with shard.watch(frozenset({ANNA})) as reader:
            house.journal.away = True
            await asyncio.sleep(10)
            house.journal.away = False
            async with asyncio.timeout(5):
                view = await anext(aiter(reader.items()))
            after = view.work[0].deadline_ms
            assert after is not None
            assert after - before >= 9_000
        await shards.close()

    virtually(story)


def test_care_goes_on_after_a_time_without_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.chassis.shell.MAX_WAITING", 2)

    async def story(house: House) -> None:
        shards = house.shards()
        shard = await shards.of(DEMO)
        await furnish(shard)
        await ready(shard, valid_ms=15_000)
        full = await no_room(house, shard)
        await asyncio.sleep(20)
        house.journal.away = False
        await asyncio.gather(*full)
        assert (await shard.agent(ANNA)).link is Link.REACHABLE
        await asyncio.sleep(20)
        assert (await shard.agent(ANNA)).link is Link.UNREACHABLE
        await shards.close()

    virtually(story)


def test_a_dead_gateways_contacts_end_but_not_by_an_outage() -> None:
    async def story(house: House) -> None:
        shards = house.shards()
        shard = await shards.of(DEMO)
        await furnish(shard)
        with shard.follow(EntryId("e"), Q):
            await enqueue(shard, "e", gateway="g")
            calls = {model.ContactId("call-e"): frozenset[model.ReservationId]()}
            for _ in range(6):
                await asyncio.sleep(5)
                await shard.care.calls_said("g", "one", calls)
            house.journal.away = True
            await asyncio.sleep(60)
            house.journal.away = False
            await asyncio.sleep(10)
            assert await stage(shard, "e") is model.ContactStage.WAITING
            await shard.care.calls_said("g", "one", calls)
            await asyncio.sleep(11)
            assert await stage(shard, "e") is model.ContactStage.WAITING
            await asyncio.sleep(2)
            view = await shard.entry(EntryId("e"))
            assert (view.exit, view.reason) == (model.Exit.ABANDONED, "gateway-lost")
        await shards.close()

    virtually(story)
