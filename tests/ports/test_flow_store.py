"""What every store of flows must do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from services.chassis.database import Database, DatabaseAddress, DatabaseUnavailable
from services.chassis.ids import TenantId
from services.ivr import store as port
from services.ivr.store import (
    FlowInUse,
    FlowStore,
    MemoryFlowStore,
    NoSuchFlow,
    NoSuchNumber,
    NumberTaken,
    Route,
    StoredNumber,
    TooManyVersions,
)
from services.ivr.store_sql import SqlFlowStore

ACME, OTHER = TenantId("acme"), TenantId("../other")


@pytest.fixture(params=["memory", "sql"])
async def store(
    request: pytest.FixtureRequest, database_address: DatabaseAddress
) -> AsyncIterator[FlowStore]:
    if request.param == "memory":
        yield MemoryFlowStore()
        return
    database = Database(database_address, schema="ivr")
    yield SqlFlowStore(database)
    await database.close()


async def published(store: FlowStore, tenant_id: TenantId = ACME, flow_id: str = "main") -> None:
    await store.put_flow(tenant_id, flow_id, '{"a": 1}', 7)
    await store.publish_flow(tenant_id, flow_id, 0)


async def test_versions_count_from_one_and_never_change(store: FlowStore) -> None:
    first = await store.put_flow(ACME, "main", '{"a": "ü"}', 7)
    second = await store.put_flow(ACME, "main", '{"a": 2}', 8)
    assert (first.version, second.version, first.published) == (1, 2, False)
    again = await store.get_flow(ACME, "main", 1)
    assert (again.definition_json, again.created_at_ms) == ('{"a": "ü"}', 7)


async def test_the_same_text_again_makes_no_new_version(store: FlowStore) -> None:
    await store.put_flow(ACME, "main", "{}", 7)
    assert (await store.put_flow(ACME, "main", "{}", 9)).version == 1


async def test_new_calls_get_the_published_version_until_another_is(store: FlowStore) -> None:
    await published(store)
    await store.put_flow(ACME, "main", '{"a": 2}', 8)
    assert (await store.get_flow(ACME, "main", 0)).version == 1
    assert (await store.newest_flow(ACME, "main")).published is False
    assert await store.published_version(ACME, "main") == 1
    assert (await store.publish_flow(ACME, "main", 2)).published is True
    assert await store.published_version(ACME, "main") == 2
    assert (await store.get_flow(ACME, "main", 0)).version == 2
    assert (await store.publish_flow(ACME, "main", 1)).version == 1
    assert (await store.get_flow(ACME, "main", 1)).published is True


@pytest.mark.parametrize(
    "ask",
    [
        lambda store: store.get_flow(ACME, "main", 0),
        lambda store: store.get_flow(ACME, "main", 3),
        lambda store: store.get_flow(ACME, "main", (1 << 32) - 1),
        lambda store: store.get_flow(ACME, "none", 1),
        lambda store: store.newest_flow(ACME, "none"),
        lambda store: store.publish_flow(ACME, "none", 0),
        lambda store: store.publish_flow(ACME, "main", 9),
        lambda store: store.get_flow(OTHER, "main", 1),
        lambda store: store.published_version(ACME, "main"),
        lambda store: store.published_version(ACME, "none"),
        lambda store: store.put_number(ACME, StoredNumber("+491", "local", "main")),
    ],
)
async def test_what_is_not_there_is_a_named_error(
    store: FlowStore, ask: Callable[[FlowStore], Any]
) -> None:
    await store.put_flow(ACME, "main", "{}", 7)
    with pytest.raises(NoSuchFlow):
        await ask(store)


async def test_flows_are_listed_newest_in_pages_without_definitions(store: FlowStore) -> None:
    for flow_id in ("c", "a", "b"):
        await published(store, flow_id=flow_id)
    await store.put_flow(OTHER, "x", "{}", 7)
    await store.put_flow(ACME, "b", '{"a": 2}', 8)
    first = await store.list_flows(ACME, "", 2)
    assert [(flow.flow_id, flow.version, flow.published) for flow in first] == [
        ("a", 1, True),
        ("b", 2, False),
    ]
    assert [flow.definition_json for flow in first] == ["", ""]
    assert [flow.flow_id for flow in await store.list_flows(ACME, "b", 2)] == ["c"]
    assert await store.list_flows(TenantId("nobody"), "", 9) == []


async def test_a_listed_flow_is_called_what_calls_hear_and_tells_which_version_they_get(
    store: FlowStore,
) -> None:
    await store.put_flow(ACME, "main", "{}", 7, name="Begrüßung")
    (fresh,) = await store.list_flows(ACME, "", 9)
    assert (fresh.version, fresh.published_version, fresh.name) == (1, 0, "Begrüßung")
    await store.publish_flow(ACME, "main", 1)
    await store.put_flow(ACME, "main", "[]", 8, name="Draft")
    (listed,) = await store.list_flows(ACME, "", 9)
    assert (listed.version, listed.published_version, listed.name) == (2, 1, "Begrüßung")
    assert (await store.newest_flow(ACME, "main")).name == "Draft"
    assert [flow.name for flow in await store.list_versions(ACME, "main", 0, 9)] == [
        "Draft",
        "Begrüßung",
    ]


async def test_versions_are_listed_newest_first_and_in_pages(store: FlowStore) -> None:
    for number in range(5):
        await store.put_flow(ACME, "main", f"[{number}]", number)
    await store.publish_flow(ACME, "main", 3)
    await store.put_flow(OTHER, "main", "{}", 9)
    first = await store.list_versions(ACME, "main", 0, 3)
    assert [(flow.version, flow.published, flow.definition_json) for flow in first] == [
        (5, False, ""),
        (4, False, ""),
        (3, True, ""),
    ]
    rest = await store.list_versions(ACME, "main", 3, 3)
    assert [flow.version for flow in rest] == [2, 1]
    with pytest.raises(NoSuchFlow):
        await store.list_versions(TenantId("nobody"), "main", 0, 3)


async def test_a_removed_flow_is_gone_and_its_versions_never_come_again(store: FlowStore) -> None:
    await published(store)
    await store.put_number(ACME, StoredNumber("+491", "local", "main"))
    with pytest.raises(FlowInUse):
        await store.remove_flow(ACME, "main")
    await store.remove_number(ACME, "local", "+491")
    with pytest.raises(NoSuchFlow):
        await store.remove_flow(OTHER, "main")
    await store.remove_flow(ACME, "main")
    assert await store.list_flows(ACME, "", 9) == []
    for ask in (
        store.remove_flow(ACME, "main"),
        store.get_flow(ACME, "main", 1),
        store.published_version(ACME, "main"),
        store.put_number(ACME, StoredNumber("+491", "local", "main")),
    ):
        with pytest.raises(NoSuchFlow):
            await ask
    again = await store.put_flow(ACME, "main", '{"a": 1}', 8)
    assert (again.version, again.published) == (2, False)
    assert (await store.get_flow(ACME, "main", 2)).definition_json == '{"a": 1}'


async def test_a_flow_is_not_removed_while_a_number_is_pointed_at_it(store: FlowStore) -> None:
    await published(store)
    number = StoredNumber("+491", "local", "main")
    results = await asyncio.gather(
        store.put_number(ACME, number), store.remove_flow(ACME, "main"), return_exceptions=True
    )
    # One of the two came first; the other saw it.
    assert [isinstance(result, (NoSuchFlow, FlowInUse)) for result in results].count(True) == 1


async def test_a_number_leads_to_its_tenant_and_flow(store: FlowStore) -> None:
    await published(store)
    await published(store, OTHER, "theirs")
    await store.put_number(ACME, StoredNumber("+491", "local", "main"))
    await store.put_number(OTHER, StoredNumber("+491", "trunk/2", "theirs"))
    assert await store.resolve_number("local", "+491") == Route(ACME, "main")
    assert await store.resolve_number("trunk/2", "+491") == Route(OTHER, "theirs")
    for trunk, number in (("local", "+492"), ("other", "+491"), ("lo\0cal", "+491")):
        with pytest.raises(NoSuchNumber):
            await store.resolve_number(trunk, number)


async def test_a_number_of_another_tenant_is_not_taken_shown_or_removed(store: FlowStore) -> None:
    await published(store)
    await published(store, OTHER, "theirs")
    number = StoredNumber("+491", "local", "main")
    await store.put_number(ACME, number)
    with pytest.raises(NumberTaken):
        await store.put_number(OTHER, StoredNumber("+491", "local", "theirs"))
    with pytest.raises(NoSuchNumber):
        await store.remove_number(OTHER, "local", "+491")
    assert await store.list_numbers(OTHER, ("", ""), 9) == []
    assert await store.list_numbers(ACME, ("", ""), 9) == [number]


async def test_a_number_can_be_pointed_elsewhere_and_removed(store: FlowStore) -> None:
    await published(store)
    await published(store, flow_id="second")
    await store.put_number(ACME, StoredNumber("100", "local", "main"))
    await store.put_number(ACME, StoredNumber("100", "local", "second"))
    assert (await store.resolve_number("local", "100")).flow_id == "second"
    await store.remove_number(ACME, "local", "100")
    with pytest.raises(NoSuchNumber):
        await store.resolve_number("local", "100")
    with pytest.raises(NoSuchNumber):
        await store.remove_number(ACME, "local", "100")


async def test_numbers_are_listed_in_order_and_in_pages(store: FlowStore) -> None:
    await published(store)
    for number, trunk in (("2", "b"), ("1", "b"), ("2", "a")):
        await store.put_number(ACME, StoredNumber(number * 3, trunk, "main"))
    first = await store.list_numbers(ACME, ("", ""), 2)
    assert [(row.number, row.trunk) for row in first] == [("111", "b"), ("222", "a")]
    rest = await store.list_numbers(ACME, ("222", "a"), 2)
    assert [(row.number, row.trunk) for row in rest] == [("222", "b")]


async def test_prompts_are_remembered(store: FlowStore) -> None:
    assert await store.prompt("ab" * 32) == ""
    await store.keep_prompt("ab" * 32, "cd" * 32)
    assert await store.prompt("ab" * 32) == "cd" * 32


async def test_a_flow_cannot_grow_for_ever(
    store: FlowStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port, "MAX_VERSIONS", 2)
    monkeypatch.setattr("services.ivr.store_sql.MAX_VERSIONS", 2)
    for number in range(2):
        await store.put_flow(ACME, "main", f"[{number}]", 7)
    with pytest.raises(TooManyVersions):
        await store.put_flow(ACME, "main", "[9]", 7)


async def test_two_who_put_at_once_get_two_versions(store: FlowStore) -> None:
    puts = [store.put_flow(ACME, "main", f"[{number}]", 7) for number in range(6)]
    stored = await asyncio.gather(*puts)
    assert sorted(flow.version for flow in stored) == [1, 2, 3, 4, 5, 6]


async def test_two_tenants_who_take_one_number_at_once_do_not_both_get_it(
    store: FlowStore,
) -> None:
    tenants = [TenantId(f"t{number}") for number in range(5)]
    for tenant_id in tenants:
        await published(store, tenant_id)
    number = StoredNumber("+491", "local", "main")
    puts = [store.put_number(tenant_id, number) for tenant_id in tenants]
    results = await asyncio.gather(*puts, return_exceptions=True)
    assert results.count(number) == 1
    assert sum(isinstance(result, NumberTaken) for result in results) == 4


async def test_a_database_that_is_away_is_a_named_error() -> None:
    address = DatabaseAddress("127.0.0.1", 1, "none", {"carillon_ivr": "x"})
    with pytest.raises(DatabaseUnavailable):
        await SqlFlowStore(Database(address, schema="ivr")).resolve_number("local", "+491")


async def test_only_the_one_function_looks_across_tenants(
    database_address: DatabaseAddress,
) -> None:
    database = Database(database_address, schema="ivr")
    store = SqlFlowStore(database)
    await published(store)
    await store.put_number(ACME, StoredNumber("+491", "local", "main"))
    async with database.untenanted() as connection:
        for table in ("flow", "flow_version", "number"):
            assert await connection.fetchval(f"SELECT count(*) FROM {table}") == 0
        assert await connection.fetchval("SELECT count(*) FROM resolve_number('local', '+491')")
    await database.close()
