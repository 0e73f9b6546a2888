"""SIPp, the outside judge, as caller and as agent's phone."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.cast import Cast
from tests.e2e.listening import has_heard
from tests.e2e.sipp_runner import demand_flawless, run_callers, sipp_agent
from tests.softphone import Answer
from tests.stage.seed import NUMBER, SeedAgent, seed_agent, set_presence

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="module")]


async def test_a_caller_who_presses_a_key_by_info_reaches_an_agent(cast: Cast) -> None:
    desk = await cast.agent("abel", Answer(ring_s=0.1))
    calling = asyncio.ensure_future(
        run_callers("caller", number=NUMBER, port=cast.carillon.sip_port, pause_ms=3_000, key="1")
    )
    leg = await desk.incoming(10)
    demand_flawless(await calling, 1)
    await leg.ended(5)
    assert has_heard(leg, 440)
    how = [f.digits_received.how for f in cast.facts.seen if f.HasField("digits_received")]
    assert how == ["sip-info"]


async def test_twenty_callers_in_a_second_are_all_served_a_menu(cast: Cast) -> None:
    verdict = await run_callers(
        "caller", number=NUMBER, port=cast.carillon.sip_port, calls=20, rate=20, pause_ms=1_000
    )
    demand_flawless(verdict, 20)
    # They press their key while the greeting is still spoken, and give up before anybody answers.
    ends = await cast.facts.some(20, lambda f: f.HasField("call_ended"), 5, "call_ended")
    assert {f.call_ended.termination.reason for f in ends} == {"caller-hung-up"}


async def test_callers_who_give_up_at_once_leave_nothing(cast: Cast) -> None:
    verdict = await run_callers("cancel", number=NUMBER, port=cast.carillon.sip_port, calls=5)
    demand_flawless(verdict, 5)


async def test_what_must_be_refused_is_refused_as_sipp_reads_the_rfc(cast: Cast) -> None:
    verdict = await run_callers("refusals", number=NUMBER, port=cast.carillon.sip_port)
    demand_flawless(verdict, 1)


async def test_an_agents_phone_of_another_make_is_rung_and_heard(cast: Cast) -> None:
    async with sipp_agent(calls=1, ring_ms=200) as desk:
        await seed_agent(cast.carillon, SeedAgent("zoe", "Zoe", desk.uri))
        cast.hired.append("zoe")
        await set_presence(cast.carillon, "zoe", "ready")
        call = await cast.in_menu()
        await call.send_dtmf("1")
        await cast.agents.becomes("zoe", "talking", 10)
        # It echoes what it hears.
        call.play_tone(520)
        await call.hears_tone(520, 5)
        await call.hangup()
        demand_flawless(await desk.verdict(), 1)
