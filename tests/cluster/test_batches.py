"""Those who read the bus are killed in mid-batch: no fact is lost, and none is counted twice.

Their tables are held by a lock while events pile up, so that it is certain where each of them was:
before its transaction was done, or after it and before the bus was told.
"""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from tests.cluster.conftest import Everyone
from tests.cluster.held import held
from tests.cluster.ledger import Ledger
from tests.softphone.incoming import Answer

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(600),
]

WRITES = {
    "analytics": ("analytics.progress", "analytics.call"),
    "crm": ("crm.contact",),
}
"""By reader: the tables that each of its transactions writes one of."""
READERS = [f"{service}-{number}" for service in WRITES for number in (1, 2)]
PILED_UP = 3
"""Calls whose events wait to be read."""


async def pile_up(stage: Everyone, ledger: Ledger) -> None:
    """Calls while all readers stand still; their set-up does not wait for figures or for crm."""
    send_all(stage, signal.SIGSTOP)
    try:
        for _ in range(PILED_UP):
            await ledger.serve()
    finally:
        send_all(stage, signal.SIGCONT)


def send_all(stage: Everyone, number: signal.Signals) -> None:
    """A signal to each reader."""
    for name in READERS:
        os.kill(stage.carillon.cluster.programs[name].pid, number)


async def kill_all(stage: Everyone) -> None:
    """Ends every reader at once."""
    await asyncio.gather(*(stage.carillon.kill(name) for name in READERS))


async def start_all(stage: Everyone) -> None:
    """Starts every reader again."""
    await asyncio.gather(*(stage.carillon.start(name) for name in READERS))


async def test_killed_before_the_transaction_is_done(stage: Everyone) -> None:
    postgres = stage.carillon.cluster.postgres
    assert postgres is not None
    _, desk = await stage.phone_agent("anna", Answer(ring_s=0.1))
    ledger = Ledger(stage, desk)
    await ledger.serve()
    async with held(postgres, WRITES) as tables:
        await pile_up(stage, ledger)
        await tables.until_waiting()
        await kill_all(stage)
    await start_all(stage)
    await ledger.serve()
    await ledger.is_whole()


async def test_killed_between_the_transaction_and_the_commit(stage: Everyone) -> None:
    postgres, kafka = stage.carillon.cluster.postgres, stage.carillon.cluster.kafka
    assert postgres is not None
    assert kafka is not None
    _, desk = await stage.phone_agent("anna", Answer(ring_s=0.1))
    ledger = Ledger(stage, desk)
    await ledger.serve()
    async with held(postgres, WRITES) as tables:
        await pile_up(stage, ledger)
        await tables.until_waiting()
        # A broker that is killed takes what was on its way with it: nothing can be committed.
        await kafka.kill()
        try:
            await tables.release()
            await kill_all(stage)
        finally:
            await kafka.start()
    await start_all(stage)
    await ledger.serve()
    await ledger.is_whole()
