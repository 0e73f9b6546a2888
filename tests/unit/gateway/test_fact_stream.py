"""Who is told which facts."""

from __future__ import annotations

import asyncio

import pytest

from media_gateway.adapters.fact_stream import (
    MAX_BEHIND,
    MAX_WATCHERS,
    FactStream,
    TooManyWatchers,
    Watcher,
    WatcherTooSlow,
)
from protos.gateway.v1.events_pb2 import CallEnded, CallFact
from services.chassis.ids import TenantId
from services.chassis.request import PLATFORM

ACME, OTHER = TenantId("acme"), TenantId("other")


def _fact(seq: int, *, call: str = "c", tenant: str = "", ended: bool = False) -> CallFact:
    body = CallEnded() if ended else None
    return CallFact(call_id=call, tenant_id=tenant, seq=seq, call_ended=body)


async def _read(watcher: Watcher, count: int) -> list[tuple[str, int, str]]:
    reading = watcher.read()
    async with asyncio.timeout(1):
        facts = [await anext(reading) for _ in range(count)]
    await reading.aclose()
    return [(fact.call_id, fact.seq, fact.tenant_id) for fact in facts]


async def test_a_tenant_hears_from_the_beginning_once_the_call_is_known_to_be_its() -> None:
    stream = FactStream()
    with (
        stream.watching(ACME, "") as mine,
        stream.watching(OTHER, "") as theirs,
        stream.watching(PLATFORM, "") as all_,
    ):
        stream.publish(_fact(1))
        stream.publish(_fact(2))
        stream.publish(_fact(3, tenant="acme"))
        stream.publish(_fact(1, call="d", tenant="other"))
        named = [("c", 1, "acme"), ("c", 2, "acme"), ("c", 3, "acme")]
        assert await _read(mine, 3) == named
        assert await _read(theirs, 1) == [("d", 1, "other")]
        assert await _read(all_, 4) == [
            ("c", 1, ""), ("c", 2, ""), ("c", 3, "acme"), ("d", 1, "other")
        ]  # fmt: skip


async def test_only_one_call_when_asked_for_one() -> None:
    stream = FactStream()
    with stream.watching(ACME, "d") as watcher:
        stream.publish(_fact(1, call="c", tenant="acme"))
        stream.publish(_fact(1, call="d", tenant="acme"))
        assert await _read(watcher, 1) == [("d", 1, "acme")]


async def test_a_call_that_nobody_owned_leaves_nothing_behind() -> None:
    stream = FactStream()
    with stream.watching(ACME, "") as watcher:
        stream.publish(_fact(1))
        stream.publish(_fact(2, ended=True))
        stream.publish(_fact(9, tenant="acme"))
        assert await _read(watcher, 1) == [("c", 9, "acme")]


async def test_a_reader_that_falls_behind_is_cut_off() -> None:
    stream = FactStream()
    with stream.watching(PLATFORM, "") as watcher:
        for seq in range(MAX_BEHIND + 1):
            stream.publish(_fact(seq, tenant="acme"))
        with pytest.raises(WatcherTooSlow):
            await anext(watcher.read())


async def test_only_so_many_watch() -> None:
    stream = FactStream()
    watches = [stream.watching(PLATFORM, "") for _ in range(MAX_WATCHERS)]
    for watch in watches:
        watch.__enter__()
    with pytest.raises(TooManyWatchers), stream.watching(PLATFORM, ""):
        pass
    watches[0].__exit__(None, None, None)
    with stream.watching(PLATFORM, ""):
        pass
