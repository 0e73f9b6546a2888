"""crm is slow, fails, talks nonsense or is gone: every call is set up, by the flow's own default.

The look-up's real server is a stand-in on crm's socket; everything else is the whole installation.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import pytest_asyncio

from protos.acd.v1 import acd_pb2
from services.chassis.postgres.server import PostgresServer
from services.chassis.rpc import metadata
from services.ivr.customers import LIMITS
from tests.e2e.whole import Whole, whole
from tests.softphone.outgoing import OutgoingCall
from tests.stage.asking import eventually
from tests.stage.greeting import FLOW, KNOWN_QUEUE, UNKNOWN_QUEUE, Ledger, first_word_ms
from tests.stage.ill_crm import ILL, IllCrm, Illness

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.asyncio(loop_scope="module"),
]

CALLS = 12


@dataclass(slots=True)
class Stage:
    """An installation with a crm that can be made ill."""

    everyone: Whole
    crm: IllCrm

    async def call(self, ledger: Ledger) -> OutgoingCall:
        """Somebody calls and hears something."""
        ledger.placed += 1
        call = await self.everyone.dial()
        ledger.set_up_ms.append(await first_word_ms(call))
        return call

    async def calls(self, count: int) -> Ledger:
        """So many at once, each until it is in the queue that its flow leads it to."""
        ledger, before = Ledger(), await self.offered()
        calls = await asyncio.gather(*(self.call(ledger) for _ in range(count)))
        await eventually(
            self.offered, lambda now: sum(now) >= sum(before) + count, 30, "all in their queues"
        )
        await asyncio.gather(*(call.hangup() for call in calls))
        await eventually(self.everyone.live_calls, lambda left: not left, 30, "the end of all")
        return ledger

    async def offered(self) -> tuple[int, int]:
        """Those who were known, and those who were not, so far."""
        tenant = metadata(tenant_id=self.everyone.tenant.tenant_id)
        known, unknown = [
            await self.everyone.carillon.acd.GetQueue(
                acd_pb2.QueueRequest(queue_id=queue), metadata=tenant
            )
            for queue in (KNOWN_QUEUE, UNKNOWN_QUEUE)
        ]
        return known.tally.offered, unknown.tally.offered

    async def healthy(self) -> None:
        """An ivr that has just started, and a crm that is well."""
        await self.crm.becomes(Illness.NOTHING)
        await self.everyone.carillon.kill("ivr")
        await self.everyone.carillon.start("ivr")
        await self.known_again()

    async def known_again(self) -> None:
        """Until a caller is known."""

        async def one_more() -> bool:
            known, _ = await self.offered()
            await self.calls(1)
            return (await self.offered())[0] > known

        await eventually(one_more, bool, 60, "a caller who is known")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> AsyncIterator[Stage]:
    async with whole(tmp_path_factory.mktemp("carillon"), postgres_server) as everyone:
        await everyone.tenant.put_flow(FLOW, flow_id="greeting")
        machine = everyone.carillon.machine
        await everyone.carillon.kill("crm")
        crm = IllCrm(machine.run_dir / "crm.sock")
        try:
            yield Stage(everyone, crm)
        finally:
            await crm.stop()


@pytest.mark.parametrize("illness", ILL)
async def test_every_call_is_set_up_and_crm_is_left_in_peace(
    stage: Stage, illness: Illness
) -> None:
    await stage.healthy()
    requests, (known, unknown) = stage.crm.requests, await stage.offered()
    usual = await stage.calls(CALLS)
    assert stage.crm.requests - requests == CALLS
    assert await stage.offered() == (known + CALLS, unknown)

    await stage.crm.becomes(illness)
    first = await stage.calls(LIMITS.failures)
    requests, answers = stage.crm.requests, stage.crm.answers
    later = await stage.calls(CALLS)
    # All of it within the few seconds in which two probes fall due at most.
    assert stage.crm.requests - requests <= 2
    if illness is Illness.SLOW:
        # Everybody heard something, and not one look-up was ever answered.
        assert stage.crm.answers == answers
    for ledger in (usual, first, later):
        assert ledger.heard == ledger.placed
    assert await stage.offered() == (known + CALLS, unknown + LIMITS.failures + CALLS)
    print(
        f"{illness}: {later.placed} calls set up, {later.median_ms / usual.median_ms:.2f} of the"
        f" usual {usual.median_ms:.0f} ms; the first {first.placed}: {first.median_ms:.0f} ms"
    )


async def test_callers_are_known_again_once_crm_is_well(stage: Stage) -> None:
    await stage.healthy()
    await stage.crm.becomes(Illness.AWAY)
    await stage.calls(LIMITS.failures)
    known, _ = await stage.offered()
    await stage.crm.becomes(Illness.NOTHING)
    await stage.known_again()
    ledger = await stage.calls(CALLS)
    assert ledger.heard == CALLS
    # One more was known before these: the one that was waited for.
    assert (await stage.offered())[0] == known + 1 + CALLS
