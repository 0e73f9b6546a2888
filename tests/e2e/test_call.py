"""Callers and agents over real sockets: every way in which a call can begin, go on and end."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.cast import Cast
from tests.softphone.call import Call
from tests.softphone.incoming import Answer, Ignore, Reject, Ring
from tests.stage.asking import eventually
from tests.stage.seed import set_presence

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def talk(caller: Call, agent: Call) -> None:
    """Both say a tone, and each hears the other's."""
    caller.play_tone(440)
    agent.play_tone(660)
    await agent.hears_tone(440, 3)
    await caller.hears_tone(660, 3)


async def test_a_call_through_menu_and_queue_to_an_agent_and_back_out(cast: Cast) -> None:
    desk = await cast.agent("abel", Answer(ring_s=0.3))
    call, ringing = await cast.put_through(desk)
    await talk(call, ringing)
    await cast.agents.becomes("abel", "talking", 2)
    await call.hangup()
    assert (await ringing.ended(3)).by == "peer"
    await cast.agents.becomes("abel", "ready", 10)
    assert cast.agents.words("abel")[-3:] == ["talking", "wrap_up", "ready"]
    ended = await cast.facts.ended(await cast.call_id())
    assert (ended.termination.termination_class, ended.termination.reason) == (
        1,
        "caller-hung-up",
    )
    stats = call.stats()
    assert (stats.ssrc_changes, stats.sequence_jumps, stats.malformed, stats.strangers) == (
        0,
        0,
        0,
        0,
    )


async def test_the_caller_hangs_up_in_the_menu(cast: Cast) -> None:
    call = await cast.in_menu()
    await call.hangup()
    ended = await cast.facts.ended(await cast.call_id())
    assert ended.termination.reason == "caller-hung-up"


async def test_the_caller_hangs_up_in_the_queue(cast: Cast) -> None:
    before = (await cast.queue()).tally
    call = await cast.in_queue()
    await call.hangup()
    await cast.until_quiet()
    after = (await cast.queue()).tally
    assert (after.offered - before.offered, after.abandoned - before.abandoned) == (1, 1)


async def test_the_caller_hangs_up_while_it_rings(cast: Cast) -> None:
    desk = await cast.agent("bruno", Ring())
    call = await cast.in_menu()
    await call.send_dtmf("1")
    ringing = await desk.incoming(5)
    await cast.agents.becomes("bruno", "ringing", 3)
    await call.hangup()
    await ringing.ended(3)
    view = await cast.agents.becomes("bruno", "ready", 3)
    assert view.routable, view.why


async def test_the_caller_hangs_up_in_the_very_moment_of_answering(cast: Cast) -> None:
    desk = await cast.agent("carla", Ring())
    for _ in range(3):
        call = await cast.in_menu()
        await call.send_dtmf("1")
        ringing = await desk.incoming(8)
        await cast.agents.becomes("carla", "ringing", 3)
        await asyncio.gather(ringing.answer(), call.hangup(), return_exceptions=True)
        await ringing.ended(5)
        await cast.facts.ended(await cast.call_id())
        await cast.until_quiet()
        await cast.agents.becomes("carla", "ready", 8)


async def test_an_agent_who_rejects_is_passed_over_and_the_caller_keeps_waiting(
    cast: Cast,
) -> None:
    declining = await cast.agent("dora", Reject(603, ring_s=0.2))
    call = await cast.in_menu()
    await call.send_dtmf("1")
    await (await declining.incoming(5)).ended(5)
    await cast.until_waiting(1)
    desk = await cast.agent("emil", Answer(ring_s=0.1))
    ringing = await desk.incoming(5)
    await ringing.answered(5)
    await talk(call, ringing)
    await call.hangup()


async def test_an_agent_whose_phone_is_busy_is_not_struck(cast: Cast) -> None:
    await cast.agent("fritz", Reject(486))
    call = await cast.in_queue()
    # Ready, but given no calls until the phone is free again.
    view = await cast.until_agent("fritz", lambda a: a.state == "ready" and not a.routable)
    assert view.why
    await call.hangup()


async def test_an_agent_who_does_not_answer_is_taken_out_and_comes_back(cast: Cast) -> None:
    desk = await cast.agent("greta", Ring())
    call = await cast.in_menu()
    await call.send_dtmf("1")
    # Two rings of 3 seconds, a rest of 5 between them: then a break that says why.
    for _ in range(2):
        await (await desk.incoming(12)).ended(8)
    view = await cast.agents.becomes("greta", "break", 3)
    assert view.reason == "rona"
    assert call.is_up
    await set_presence(cast.carillon, "greta", "ready")
    ringing = await desk.incoming(8)
    await ringing.answer()
    await talk(call, ringing)
    await call.hangup()


async def test_a_phone_that_is_switched_off_makes_the_agent_unreachable(cast: Cast) -> None:
    await cast.agent("heidi", Ignore())
    call = await cast.in_queue()
    view = await cast.agents.becomes("heidi", "unreachable", 8)
    assert not view.routable
    await cast.until_waiting(1)
    await call.hangup()


async def test_the_agent_hangs_up_and_the_call_ends(cast: Cast) -> None:
    desk = await cast.agent("ivo", Answer(ring_s=0.1))
    call, ringing = await cast.put_through(desk)
    await talk(call, ringing)
    await ringing.hangup()
    await call.ended(3)
    ended = await cast.facts.ended(await cast.call_id())
    assert ended.termination.reason == "agent-left"


async def test_hold_by_the_agents_phone_gives_the_caller_music(cast: Cast) -> None:
    desk = await cast.agent("jana", Answer(ring_s=0.1))
    call, ringing = await cast.put_through(desk)
    await talk(call, ringing)
    await ringing.hold()
    await cast.agents.becomes("jana", "holding", 3)
    await call.hears_no_tone(660, 3)
    await call.hears_audio(3)
    await ringing.unhold()
    await cast.agents.becomes("jana", "talking", 3)
    await talk(call, ringing)
    await call.hangup()


async def test_a_caller_leaves_the_queue_by_key(cast: Cast) -> None:
    before = (await cast.queue()).tally
    call = await cast.in_queue()
    await call.send_dtmf("*")
    await cast.until_waiting(0)
    assert call.is_up
    await call.hangup()
    await cast.until_quiet()
    assert (await cast.queue()).tally.offered == before.offered + 1


async def test_twenty_calls_at_once_wait_in_order_and_are_all_answered(cast: Cast) -> None:
    phones = [await cast.phone(f"+120255502{index:02}") for index in range(20)]
    calls = await asyncio.gather(*(cast.in_menu(phone) for phone in phones))
    await asyncio.gather(*(call.send_dtmf("1") for call in calls))
    await cast.until_waiting(20, 10)
    desks = [await cast.agent(f"agent-{index}", Answer(ring_s=0.05)) for index in range(20)]

    legs = await asyncio.gather(*(desk.incoming(15) for desk in desks))
    await asyncio.gather(*(leg.answered(10) for leg in legs))
    # A tone of its own for each: nobody hears a stranger.
    for index, call in enumerate(calls):
        call.play_tone(400 + 40 * index)
    heard: dict[int, int] = {}

    async def whom_they_hear() -> int:
        for index, leg in enumerate(legs):
            tone = None if index in heard else leg.dominant_tone()
            if tone is not None:
                heard[index] = round((tone - 400) / 40)
        return len(heard)

    await eventually(whom_they_hear, lambda so_many: so_many == 20, 20, "a tone to all 20")
    assert sorted(heard.values()) == list(range(20))
    await asyncio.gather(*(call.hangup() for call in calls))
    for index in range(20):
        await cast.agents.becomes(f"agent-{index}", "ready", 10)
