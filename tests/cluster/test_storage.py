"""The bucket is away while people talk and others call: nobody is turned away, all is kept."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from protos.acd.v1 import acd_pb2
from services.chassis.rpc import metadata
from tests.cluster.conftest import Everyone
from tests.softphone.incoming import Answer
from tests.stage.asking import eventually

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(300),
]

KEPT_WITHIN_S = 60.0
KEYED_EACH_S = 1.0


async def offered(stage: Everyone) -> int:
    """Callers who came to a queue: to the one that they chose, or to a flow's last resort."""
    found = 0
    for queue_id in ("sales", "support"):
        queue = await stage.carillon.acd.GetQueue(
            acd_pb2.QueueRequest(queue_id=queue_id),
            metadata=metadata(tenant_id=stage.tenant.tenant_id),
        )
        found += queue.tally.offered
    return found


async def recording(stage: Everyone, call_id: str) -> dict[str, Any]:
    """What is known of a call's recording; nothing while none of it is stored."""
    found = await stage.tenant.admin.get("/v1/recordings")
    return next((each for each in found["recordings"] if each["recording_id"] == call_id), {})


async def test_calls_come_and_go_while_storage_is_away_and_are_kept(stage: Everyone) -> None:
    storage = stage.carillon.cluster.storage
    assert storage is not None
    _, phone = await stage.phone_agent("anna", Answer(ring_s=0.1))
    caller = await stage.in_queue()
    leg = await phone.incoming(15)
    await leg.answered(5)
    (call,) = await stage.live_calls()
    caller.play_tone(440)
    await leg.hears_tone(440, 10)
    await eventually(
        lambda: recording(stage, call.call_id), bool, KEPT_WITHIN_S, "the recording's beginning"
    )
    await storage.kill()
    try:
        caller.play_tone(523)
        leg.play_tone(784)
        await leg.hears_tone(523, 10)
        await caller.hears_tone(784, 10)
        # A prompt that was never had before cannot be had now; who hears nothing keys again, and
        # comes to somebody in any case.
        before = await offered(stage)
        newcomer = await stage.dial()
        await newcomer.answered(10)

        async def has_come() -> bool:
            await newcomer.send_dtmf("1")
            await asyncio.sleep(KEYED_EACH_S)
            return await offered(stage) > before

        await eventually(has_come, bool, 40, "the newcomer in a queue")
        await caller.hangup()
        assert (await recording(stage, call.call_id))["state"] == "recording"
    finally:
        await storage.start()
    await eventually(
        lambda: recording(stage, call.call_id),
        lambda told: told["state"] != "recording",
        KEPT_WITHIN_S,
        "the recording",
    )
    told = await recording(stage, call.call_id)
    assert (told["state"], told.get("gaps", [])) == ("complete", [])
    verified = await stage.tenant.admin.get(f"/v1/recordings/{call.call_id}:verify")
    assert verified["intact"], verified
    await newcomer.hangup()
    await stage.until_quiet(30)
