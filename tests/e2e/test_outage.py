"""PostgreSQL is away for ten seconds: nobody who talks or waits is told, nobody is struck."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.whole import Whole, whole
from tests.softphone.errors import PhoneError
from tests.softphone.incoming import Answer

# Each test starts a whole installation, which takes a busy machine its time.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

AWAY_S = 10.0


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Whole]:
    # A server of its own: this one is stopped.
    async with whole(tmp_path) as everyone:
        await everyone.tenant.put_queue("sales", ring_timeout_ms=60_000)
        yield everyone


async def test_calls_go_on_and_nothing_acknowledged_is_lost(stage: Whole) -> None:
    _, talker = await stage.phone_agent("abel", Answer(ring_s=0.1))
    talking = await stage.in_queue()
    talked = await talker.incoming(10)
    await talked.answered(5)
    beth, slow = await stage.phone_agent("beth")
    ringing_caller = await stage.in_queue()
    ringing = await slow.incoming(10)
    await ringing.ring()
    await stage.agents.becomes(beth, "ringing", 5)
    waiting = await stage.in_queue()

    postgres = stage.carillon.postgres
    await asyncio.to_thread(postgres.stop)
    newcomer = asyncio.ensure_future(_told_the_truth(stage))
    talking.play_tone(440)
    talked.play_tone(660)
    for second in range(int(AWAY_S)):
        if second == 3:
            # Nobody can write down that this agent has it: the acceptance waits, and is kept.
            await ringing.answer()
        await talked.hears_tone(440, 3)
        await talking.hears_tone(660, 3)
        await waiting.hears_audio(3)
        await asyncio.sleep(1)
    await asyncio.to_thread(postgres.start)
    assert await newcomer

    # The three seconds for connecting did not run out meanwhile: nobody is struck for it.
    ringing_caller.play_tone(880)
    await ringing.hears_tone(880, 20)
    assert slow.calls_received == 1
    await talking.hangup()
    served = await talker.incoming(20)
    await served.answered(5)
    waiting.play_tone(523)
    await served.hears_tone(523, 5)
    for call in (ringing_caller, waiting):
        await call.hangup()
    await stage.until_quiet(30)
    assert "break" not in stage.agents.words(beth)
    await stage.figures_agree(offered=3, answered=3)


async def _told_the_truth(stage: Whole) -> bool:
    """Somebody who calls meanwhile hears an announcement, or is refused with 503; never silence."""
    call = await stage.dial()
    try:
        await call.answered(8)
    except PhoneError as error:
        return "503" in str(error)
    await call.hears_audio(8)
    await call.hangup()
    return True
