"""crm on one machine: a real socket, a real database, a real bus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from protos.crm.v1 import crm_pb2, crm_pb2_grpc
from services.chassis.database import DatabaseAddress
from services.chassis.lifecycle import Running
from services.chassis.world import World, local_world
from services.crm.main import build
from services.crm.store import TOPIC
from tests.unit.crm.test_face import CALLS, DEMO, MAIN, ROUTING, enqueued, event, fact, started

PATIENCE_S = 20.0


@pytest.fixture
async def world(tmp_path: Path, database_address: DatabaseAddress) -> AsyncIterator[World]:
    database_address.write(tmp_path / "database.json")
    made = local_world(var_dir=tmp_path)
    running = Running([build(made)], made)
    await running.start()
    yield made
    await running.drain(5)
    await running.stop()
    await made.close()


async def test_a_change_reaches_the_bus_and_events_become_history(world: World) -> None:
    crm: Any = crm_pb2_grpc.CrmStub(world.dial("crm"))
    customer = crm_pb2.Customer(customer_id="c1", name="Anna", numbers=[MAIN])
    await crm.PutCustomer(crm_pb2.PutCustomerRequest(customer=customer), metadata=DEMO)
    async with world.bus.consumer(group="test", topics=(TOPIC,)) as consumer:
        batch = await consumer.fetch(wait_s=PATIENCE_S)
    assert batch is not None
    assert [told.key for told in batch.events] == ["c1"]

    await world.bus.publish(CALLS, [fact(call_started=started())])
    await world.bus.publish(ROUTING, [event(enqueued())])
    asked = crm_pb2.LookUpRequest(number=MAIN)
    async with asyncio.timeout(PATIENCE_S):
        while True:
            card = await crm.LookUp(asked, metadata=DEMO)
            if card.latest and card.latest[0].queue_names and card.latest[0].to:
                break
    assert (card.customer.name, card.contacts) == ("Anna", 1)
    assert list(card.latest[0].queue_names) == ["support"]
