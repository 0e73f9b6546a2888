"""The interpreter dies and comes back while callers are everywhere: nobody notices."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.cast import Cast, playing, staged
from tests.softphone.incoming import Answer, Ring
from tests.stage.seed import occupy, release

# Each test starts a whole installation, which takes a busy machine its time.
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]


@pytest.fixture
async def cast(tmp_path: Path) -> AsyncIterator[Cast]:
    # A ring lasts longer than a restart.
    stage = staged(tmp_path, together=False, ring_timeout_ms=20_000)
    async with stage as carillon, playing(carillon) as everyone:
        yield everyone


async def restart_ivr(cast: Cast, *, away_s: float = 0.0) -> None:
    """Ends the interpreter as a failing machine would, and starts it again."""
    attached = sum(fact.HasField("flow_attached") for fact in cast.facts.seen)
    calls = len(await cast.live_calls())
    await cast.carillon.kill("ivr")
    await cast.facts.first(lambda f: f.HasField("flow_detached"), 5, "flow_detached")
    await asyncio.sleep(away_s)
    await cast.carillon.start("ivr")
    await cast.facts.some(
        attached + calls, lambda f: f.HasField("flow_attached"), 10, "flow_attached"
    )


async def test_nobody_is_dropped_in_the_menu_in_the_queue_and_talking(cast: Cast) -> None:
    desk = await cast.agent("abel", Answer(ring_s=0.1))
    talking = await cast.in_menu(await cast.phone("+12025550201"))
    await talking.send_dtmf("1")
    leg = await desk.incoming(5)
    await leg.answered(5)
    talking.play_tone(440)
    await leg.hears_tone(440, 3)
    first = await cast.in_queue(await cast.phone("+12025550202"))
    second = await cast.in_queue(await cast.phone("+12025550203"))
    in_menu = await cast.in_menu(await cast.phone("+12025550204"))
    waiting = (await cast.queue()).waiting
    await restart_ivr(cast, away_s=0.5)
    # Talking: the conversation was never interrupted.
    talking.play_tone(520)
    await leg.hears_tone(520, 3)
    # In the queue: still there, still with music.
    assert (await cast.queue()).waiting == waiting == 2
    assert first.is_up
    assert second.is_up
    await first.hears_audio(3)
    # In the menu: it goes on where it was, and takes the key.
    assert in_menu.is_up
    await in_menu.send_dtmf("1")
    await cast.until_waiting(3)
    # The flow of the conversation goes on, too: wrap-up, and the next in order.
    await talking.hangup()
    next_leg = await desk.incoming(10)
    first.play_tone(600)
    await next_leg.answered(5)
    await next_leg.hears_tone(600, 5)
    for call in (first, second, in_menu):
        await call.hangup()


async def test_keys_pressed_while_it_is_away_are_not_lost(cast: Cast) -> None:
    call = await cast.in_menu()
    await cast.carillon.kill("ivr")
    await cast.facts.first(lambda f: f.HasField("flow_detached"), 5, "flow_detached")
    await call.send_dtmf("1")
    await cast.carillon.start("ivr")
    await cast.until_waiting(1, 10)
    assert call.is_up
    await call.hangup()


async def test_a_ring_that_is_under_way_is_answered_after_the_restart(cast: Cast) -> None:
    desk = await cast.agent("bea", Ring())
    await occupy(cast.carillon, "bea")
    call = await cast.in_queue()
    await release(cast.carillon, "bea")
    ringing = await desk.incoming(5)
    await cast.agents.becomes("bea", "ringing", 3)
    await restart_ivr(cast)
    await ringing.answer()
    call.play_tone(440)
    await ringing.hears_tone(440, 5)
    await cast.agents.becomes("bea", "talking", 3)
    await call.hangup()


async def test_who_hangs_up_while_it_is_away_is_gone_when_it_is_back(cast: Cast) -> None:
    stays = await cast.in_queue(await cast.phone("+12025550211"))
    leaves = await cast.in_queue(await cast.phone("+12025550212"))
    await cast.carillon.kill("ivr")
    await leaves.hangup()
    await cast.carillon.start("ivr")
    await cast.until_waiting(1, 10)
    assert (await cast.queue()).tally.abandoned == 1
    assert stays.is_up
    await stays.hangup()


async def test_a_new_call_without_an_interpreter_is_told_to_try_elsewhere(cast: Cast) -> None:
    await cast.carillon.kill("ivr")
    call = await cast.dial()
    ended = await call.ended(8)
    assert ended.status == 503
    await cast.carillon.start("ivr")
    again = await cast.in_menu(await cast.phone("+12025550221"))
    await again.hangup()


async def test_a_caller_is_not_left_in_silence_for_ever(cast: Cast) -> None:
    call = await cast.in_menu()
    await cast.carillon.kill("ivr")
    ended = await call.ended(40)
    assert ended.by == "peer"
    # The flow would have 5 s for its last word, were there one.
    fact = await cast.facts.first(lambda f: f.HasField("call_ended"), 15, "call_ended")
    termination = fact.call_ended.termination
    assert (termination.termination_class, termination.reason) == (3, "no-flow")
    await cast.carillon.start("ivr")
