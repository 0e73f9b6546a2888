"""Parts fail while calls arrive: every call is set up, and afterwards the ledger is whole."""

from __future__ import annotations

import os

import pytest

from tests.cluster.conftest import Everyone
from tests.cluster.ledger import Ledger
from tests.softphone.incoming import Answer

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(900),
]

FORMS_S = {"short": 8.0, "long": 60.0}


@pytest.fixture(scope="module")
def away_s() -> float:
    form = os.environ.get("CARILLON_FAULTS", "short")
    assert form in FORMS_S, f"CARILLON_FAULTS={form}: write short or long"
    return FORMS_S[form]


async def test_the_broker_is_away_while_calls_arrive(stage: Everyone, away_s: float) -> None:
    kafka = stage.carillon.cluster.kafka
    assert kafka is not None
    _, desk = await stage.phone_agent("anna", Answer(ring_s=0.1))
    ledger = Ledger(stage, desk)
    await ledger.serve()
    await kafka.kill()
    try:
        meanwhile = await ledger.serve(away_s)
    finally:
        await kafka.start()
    await ledger.serve()
    await ledger.is_whole()
    print(f"\n{meanwhile} calls while the broker was away for {away_s:.0f} s; none was refused")


async def test_the_database_is_started_again_under_calls(stage: Everyone) -> None:
    postgres = stage.carillon.cluster.postgres
    assert postgres is not None
    _, desk = await stage.phone_agent("anna", Answer(ring_s=0.1))
    ledger = Ledger(stage, desk)
    await ledger.serve()
    caller = await stage.in_queue()
    leg = await desk.incoming(30)
    await leg.answered(5)
    caller.play_tone(440)
    await leg.hears_tone(440, 5)
    await postgres.stop()
    try:
        leg.play_tone(660)
        await caller.hears_tone(660, 5)
        caller.play_tone(523)
        await leg.hears_tone(523, 5)
    finally:
        await postgres.start()
    caller.play_tone(784)
    await leg.hears_tone(784, 5)
    await caller.hangup()
    ledger.talked()
    await ledger.serve()
    await ledger.is_whole()
