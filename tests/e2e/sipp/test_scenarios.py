"""SIPp against the tests' own phone: two strangers to the product agree on what a call is."""

from __future__ import annotations

import asyncio
import os

import pytest

from tests.e2e.sipp_runner import SippMissing, demand_flawless, run_callers, sipp_agent
from tests.softphone import Answer, Reject, Ring, SoftPhone

pytestmark = pytest.mark.e2e


async def test_a_caller_speaks_presses_a_key_and_hangs_up() -> None:
    async with SoftPhone(user="agent", auto=Answer(ring_s=0.05)) as phone:
        calling = asyncio.create_task(
            run_callers("caller", number="agent", port=phone.address[1], pause_ms=700, key="7")
        )
        call = await phone.incoming()
        await call.answered()
        await call.hears_tone(440.0)
        await call.hears_digits("7", how="info")
        assert (await call.ended()).how == "bye"
        demand_flawless(await calling, 1)
        stats = call.stats()
        assert (stats.lost, stats.sequence_jumps, stats.timestamp_jumps) == (0, 0, 0)
        assert phone.faults == []


@pytest.mark.skipif(
    os.geteuid() != 0 and not os.environ.get("CI"), reason="play_dtmf needs a raw socket"
)
async def test_a_caller_presses_keys_as_telephone_events() -> None:
    async with SoftPhone(user="agent", auto=Answer()) as phone:
        calling = asyncio.create_task(
            run_callers("caller_keys", number="agent", port=phone.address[1], key="5")
        )
        call = await phone.incoming()
        await call.hears_digits("5", 6.0)
        demand_flawless(await calling, 1)


async def test_twenty_callers_at_once() -> None:
    async with SoftPhone(user="agent", auto=Answer(ring_s=0.05)) as phone:
        verdict = await run_callers(
            "caller", number="agent", port=phone.address[1], calls=20, rate=40, pause_ms=300
        )
        demand_flawless(verdict, 20)
        assert phone.faults == []


async def test_a_caller_gives_up() -> None:
    async with SoftPhone(user="agent", auto=Ring()) as phone:
        port = phone.address[1]
        demand_flawless(await run_callers("cancel", number="agent", port=port, calls=3), 3)
        for _ in range(3):
            call = await phone.incoming()
            assert (await call.ended()).how == "cancel"


async def test_a_caller_gives_up_in_the_moment_of_the_answer() -> None:
    async with SoftPhone(user="agent") as phone:
        phone.lose(inbound=lambda line: line.startswith("CANCEL"))
        port = phone.address[1]
        calling = asyncio.create_task(run_callers("cancel", number="agent", port=port))
        call = await phone.incoming()
        await call.ring()
        await call.answer()
        assert (await call.ended()).how == "bye"
        phone.lose()
        demand_flawless(await calling, 1)


async def test_a_call_that_fails_is_reported_as_failed() -> None:
    async with SoftPhone(user="agent", auto=Reject(486)) as phone:
        verdict = await run_callers("caller", number="agent", port=phone.address[1])
        assert not verdict.flawless
        assert (verdict.failed, verdict.unexpected, verdict.exit_code) == (1, 1, 1)
        assert "486 Busy Here" in verdict.errors


async def test_an_agent_echoes_answers_keys_and_a_reinvite() -> None:
    async with sipp_agent() as agent, SoftPhone(user="caller") as phone:
        call = await phone.call(agent.uri)
        await call.ringing()
        await call.answered()
        call.play_tone(500.0)
        await call.hears_tone(500.0)
        await call.send_dtmf("5", how="info")
        await call.unhold()
        await call.hangup()
        demand_flawless(await agent.verdict(), 1)
        # SIPp copies the Via as it is: RFC 3581 is the one thing it does not do.
        assert [fault for fault in phone.faults if "rport" not in fault] == []


async def test_an_agent_serves_several_calls() -> None:
    async with sipp_agent(calls=3, ring_ms=50) as agent, SoftPhone(user="caller") as phone:
        calls = [await phone.call(agent.uri) for _ in range(3)]
        await asyncio.gather(*(call.answered() for call in calls))
        await asyncio.gather(*(call.hangup() for call in calls))
        demand_flawless(await agent.verdict(), 3)


async def test_bare_calls_are_as_short_as_calls_can_be() -> None:
    async with SoftPhone(user="agent", auto=Answer()) as phone:
        port = phone.address[1]
        verdict = await run_callers("bare", number="agent", port=port, calls=20, at_once=5)
        demand_flawless(verdict, 20)
        assert verdict.calls_per_s > 0
        assert phone.calls_received == 20
        assert phone.faults == []


async def test_whoever_answers_them_says_also_that_it_is_there() -> None:
    async with sipp_agent("bare_agent", calls=3) as agent, SoftPhone(user="caller") as phone:
        assert (await phone.options(agent.uri)).status == 200
        for _ in range(2):
            call = await phone.call(agent.uri)
            await call.answered()
            await call.hangup()
        demand_flawless(await agent.verdict(), 3)


async def test_without_sipp_the_reader_is_told_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SippMissing, match="sip-tester"):
        await run_callers("caller", number="agent", port=5060)
