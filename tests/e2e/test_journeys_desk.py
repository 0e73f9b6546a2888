"""What an agent does at a real browser, with a caller on a real phone."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from services.chassis.postgres.server import PostgresServer
from tests.browser import AgentPage
from tests.e2e.journeys import AGENT_HZ, CALLER_HZ, OTHER_HZ, agent, journeys, person, talk
from tests.e2e.whole import Whole
from tests.stage.asking import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

MOVED = "Calls have moved to another tab or device."


@pytest.fixture
async def stage(tmp_path: Path, postgres_server: PostgresServer) -> AsyncIterator[Whole]:
    async with journeys(tmp_path, postgres_server) as everyone:
        yield everyone


async def test_a_call_from_the_ring_to_the_end_of_wrap_up(stage: Whole, tmp_path: Path) -> None:
    desk = await agent(stage, "anna", tmp_path)
    call = await talk(stage, desk)
    # Why the caller is here: what the menu asked, and how long it took.
    await expect(desk.page.get_by_text("Chosen in the menu")).to_be_visible()
    # On hold the caller hears music and not the agent, and the agent hears nothing.
    await desk.button("Hold").click()
    await call.hears_no_tone(AGENT_HZ, 8)
    await call.hears_audio(5)
    await desk.person.hears_nothing(8)
    await desk.button("Take back").click()
    await call.hears_tone(AGENT_HZ, 8)
    await desk.button("Mute").click()
    await call.hears_no_tone(AGENT_HZ, 8)
    await desk.button("Unmute").click()
    await call.hears_tone(AGENT_HZ, 8)
    await call.hangup()
    await desk.until_state("Wrap-up")
    await expect(desk.button("Finish")).to_be_visible()
    await desk.finish()
    await desk.is_ready()
    await stage.until_quiet()
    desk.person.untroubled()


async def test_a_caller_is_handed_on_to_a_colleague(stage: Whole, tmp_path: Path) -> None:
    desk = await agent(stage, "anna", tmp_path)
    call = await talk(stage, desk)
    other = await agent(stage, "ben", tmp_path, tone_hz=OTHER_HZ)
    await desk.button("Transfer").click()
    panel = desk.page.get_by_role("dialog", name="Transfer the caller")
    await panel.get_by_label("Reason").fill("asks for an offer")
    await panel.get_by_role("radio", name="Ben").check()
    await panel.get_by_role("button", name="Transfer").click()
    await desk.until_state("Wrap-up")
    await other.rings()
    await expect(other.page.get_by_text("asks for an offer")).to_be_visible()
    await other.accept()
    await call.hears_tone(OTHER_HZ, 10)
    await other.person.hears_tone(CALLER_HZ, 8)
    await desk.finish()
    await desk.is_ready()
    await other.button("End call").click()
    await other.until_state("Wrap-up")
    await stage.until_quiet()
    desk.person.untroubled()
    other.person.untroubled()


async def test_who_declines_lets_somebody_else_answer(stage: Whole, tmp_path: Path) -> None:
    desk = await agent(stage, "anna", tmp_path)
    other = await agent(stage, "ben", tmp_path, tone_hz=OTHER_HZ)
    await other.take_break()
    call = await stage.in_queue()
    await desk.rings()
    await other.page.keyboard.press("r")
    await other.until_state("Ready")
    await desk.button("Decline").click()
    await other.accept()
    await call.hears_tone(OTHER_HZ, 10)
    await expect(desk.button("Accept")).to_be_hidden()
    await call.hangup()
    await stage.until_quiet()
    desk.person.untroubled()


async def test_who_does_not_answer_is_out_and_comes_back_with_one_click(
    stage: Whole, tmp_path: Path
) -> None:
    await stage.tenant.put_queue("sales", ring_timeout_ms=3_000)
    await stage.tenant.admin.put("/v1/tenant-defaults", {"rona": {"limit": 1}})
    desk = await agent(stage, "anna", tmp_path)
    call = await stage.in_queue()
    await desk.rings()
    await desk.until_state("Break", within_ms=20_000)
    await expect(desk.page.get_by_text("Are you there?")).to_be_visible()
    await desk.button("Go ready").last.click()
    await desk.accept()
    await call.hears_tone(AGENT_HZ, 10)
    await call.hangup()
    await stage.until_quiet()
    desk.person.untroubled()


async def test_a_reload_in_mid_call_is_back_in_its_audio(stage: Whole, tmp_path: Path) -> None:
    desk = await agent(stage, "anna", tmp_path)
    call = await talk(stage, desk)
    await desk.page.reload(wait_until="commit")
    began = time.monotonic()
    await desk.person.hears_tone(CALLER_HZ, 8)
    took = time.monotonic() - began
    await call.hears_tone(AGENT_HZ, 8)
    await expect(desk.button("Hold")).to_be_enabled()
    print(f"\nreload in mid-call: audio again after {took:.2f} s")
    await call.hangup()
    await stage.until_quiet()


async def test_a_second_tab_takes_over_the_softphone(stage: Whole, tmp_path: Path) -> None:
    desk = await agent(stage, "anna", tmp_path)
    second = AgentPage(await desk.person.tab())
    await second.open_desk()
    await second.state_menu.click()
    await second.page.get_by_role("menuitem", name="Take calls in this tab").click()
    await second.check_devices()
    await expect(
        desk.page.get_by_text("Calls have moved to another tab or device.")
    ).to_be_visible()
    call = await stage.in_queue()
    await second.accept()
    call.play_tone(CALLER_HZ)
    await second.person.hears_tone(CALLER_HZ, 8)
    await call.hears_tone(AGENT_HZ, 8)
    await call.hangup()
    await second.finish()
    # Back to the first tab by one click.
    await desk.page.get_by_role("button", name="Take calls here").click()
    await expect(second.page.get_by_text(MOVED)).to_be_visible()
    again = await stage.in_queue()
    await desk.accept()
    await again.hears_tone(AGENT_HZ, 8)
    await again.hangup()
    await stage.until_quiet()


async def test_a_whole_call_by_keyboard_alone(stage: Whole, tmp_path: Path) -> None:
    desk = await agent(stage, "anna", tmp_path)
    keys = desk.page.keyboard
    await keys.press("?")
    await expect(desk.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await keys.press("Escape")
    await expect(desk.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_hidden()
    call = await stage.in_queue()
    await desk.rings()
    await keys.press("a")
    await expect(desk.button("Hold")).to_be_enabled()
    await call.hears_tone(AGENT_HZ, 8)
    await keys.press("m")
    await expect(desk.button("Unmute")).to_be_visible()
    await keys.press("m")
    await keys.press("h")
    await expect(desk.button("Take back")).to_be_visible()
    await keys.press("h")
    await call.hears_tone(AGENT_HZ, 8)
    await keys.press("e")
    await keys.press("e")
    await desk.until_state("Wrap-up")
    await keys.press("w")
    await desk.is_ready()
    await stage.until_quiet()


async def test_two_agents_and_a_supervisor_at_once(stage: Whole, tmp_path: Path) -> None:
    await stage.tenant.person("sara", "supervisor")
    anna, ben, sara = await asyncio.gather(
        agent(stage, "anna", tmp_path),
        agent(stage, "ben", tmp_path, tone_hz=OTHER_HZ),
        person(stage, "sara", tmp_path),
    )
    await sara.open("/floor")
    calls = [await stage.in_queue(), await stage.in_queue()]
    await asyncio.gather(anna.accept(), ben.accept())
    heard = await asyncio.gather(
        *(call.hears_tone(hz, 10) for call in calls for hz in (AGENT_HZ, OTHER_HZ)),
        return_exceptions=True,
    )
    # Each caller hears one of the two agents, and not the other.
    assert [isinstance(each, Exception) for each in heard].count(False) == len(calls)
    talking = sara.page.get_by_text("Talking", exact=True)
    await expect(talking.first).to_be_visible()

    async def seen() -> int:
        return await talking.count()

    await eventually(seen, lambda many: many >= len(calls), 10, "both agents talking on the floor")
    for call in calls:
        await call.hangup()
    await stage.until_quiet()
    for each in (anna.person, ben.person, sara):
        each.untroubled()
