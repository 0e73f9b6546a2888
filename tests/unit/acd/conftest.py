"""acd behind a real unix socket, with a queue and an agent."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest_asyncio

from protos.acd.v1 import acd_pb2, config_pb2
from protos.acd.v1.acd_pb2_grpc import AcdStub
from services.acd.main import build
from services.chassis.bus import MemoryBus
from services.chassis.lifecycle import Running
from services.chassis.rpc import metadata
from services.chassis.world import local_world

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.acd.v1.acd_pb2_grpc import AcdAsyncStub

DEMO = metadata(tenant_id="demo")


@pytest_asyncio.fixture
async def acd(tmp_path: Path) -> AsyncIterator[AcdAsyncStub]:
    # Real sockets; the journal and the bus of a world without a database.
    real = local_world(var_dir=tmp_path)
    world = replace(real, database=lambda _schema: None, bus=MemoryBus())
    running = Running([build(world)], world)
    await running.start()
    stub = AcdStub(world.dial("acd"))
    queue = config_pb2.QueueConfig(queue_id="sales", assumed_handle_s=60)
    await stub.PutQueue(acd_pb2.PutQueueRequest(queue=queue), metadata=DEMO)
    agent = config_pb2.AgentConfig(
        agent_id="anna",
        name="Anna",
        endpoint="sip:anna@127.0.0.1:5070",
        queues=[config_pb2.QueueMembership(queue_id="sales")],
    )
    await stub.PutAgent(acd_pb2.PutAgentRequest(agent=agent), metadata=DEMO)
    yield stub
    await running.drain(5)
    await running.stop()
