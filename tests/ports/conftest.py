"""Ports in each of their worlds."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from services.chassis.bus import Bus, MemoryBus
from services.chassis.bus_postgres import PostgresBus
from services.chassis.database import Database
from services.chassis.postgres.server import PostgresServer
from tests.stage.kafka import RunningKafka, kafka_bus
from tests.stage.postgres import fresh_database


@pytest.fixture(params=["memory", "postgres", "kafka"])
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    if request.param == "memory":
        yield MemoryBus()
    elif request.param == "postgres":
        server: PostgresServer = request.getfixturevalue("postgres_server")
        async with fresh_database(server) as address:
            database = Database(address, schema="bus")
            made = PostgresBus(lambda: database, name="here")
            yield made
            await made.close()
            await database.close()
    else:
        kafka: RunningKafka = request.getfixturevalue("kafka_server")
        async with kafka_bus(kafka) as made_of_kafka:
            yield made_of_kafka
