"""How an agent hands a caller on at a real browser, and what the desk does around it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, expect

from services.chassis.postgres.server import PostgresServer
from tests.agent.portal import Problem
from tests.browser import AgentPage
from tests.e2e.journeys import AGENT_HZ, CALLER_HZ, OTHER_HZ, agent, both_hear, journeys, talk
from tests.e2e.whole import Whole
from tests.softphone import SoftPhone
from tests.stage.asking import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

NUMBER_OUTSIDE = "+12025550188"


@pytest.fixture
async def outside() -> AsyncIterator[SoftPhone]:
    """Whoever answers numbers outside."""
    async with SoftPhone(user=NUMBER_OUTSIDE) as phone:
        yield phone


@pytest.fixture
async def stage(
    tmp_path: Path, postgres_server: PostgresServer, outside: SoftPhone
) -> AsyncIterator[Whole]:
    host, port = outside.address
    env = {
        "CARILLON_GATEWAY_DIAL_ALLOW": '["+1202555*"]',
        "CARILLON_GATEWAY_OUTBOUND_PROXY": f"{host}:{port}",
    }
    async with journeys(tmp_path, postgres_server, gateway_env=env) as everyone:
        for code, label in (("sold", "Sold"), ("advice", "Advice given")):
            choice = {"code": code, "label": label, "queue_ids": ["sales"], "active": True}
            await everyone.tenant.admin.put(f"/v1/dispositions/{code}", choice)
        yield everyone
    assert outside.faults == []


async def hand_on(desk: AgentPage, reason: str) -> Locator:
    """Opens the panel and says why; whom to is the test's to choose."""
    await desk.button("Transfer").click()
    panel = desk.page.get_by_role("dialog", name="Transfer the caller")
    await panel.get_by_label("Reason").fill(reason)
    return panel


async def test_from_the_ring_by_hold_and_transfer_to_what_the_next_agent_reads(
    stage: Whole, tmp_path: Path
) -> None:
    desk = await agent(stage, "anna", tmp_path)
    other = await agent(stage, "ben", tmp_path, tone_hz=OTHER_HZ, queue="support")
    phone = await stage.phone("+12025550147")
    call = await talk(stage, desk, phone=phone)

    await desk.button("Hold").click()
    await call.hears_no_tone(AGENT_HZ, 8)
    await call.hears_audio(5)
    await desk.person.hears_nothing(8)
    await desk.button("Take back").click()
    await both_hear(call, desk, AGENT_HZ)

    panel = await hand_on(desk, "needs an engineer")
    await panel.get_by_role("radio", name="Support").check()
    await panel.get_by_role("button", name="Transfer").click()
    await desk.until_state("Wrap-up")
    await call.hears_no_tone(AGENT_HZ, 8)
    await expect(other.page.get_by_text("needs an engineer")).to_be_visible(timeout=20_000)
    await other.accept()
    await both_hear(call, other, OTHER_HZ)

    await more_time(desk)
    await desk.page.get_by_role("radio", name="Sold").click()
    await desk.finish()
    await desk.is_ready()
    await call.hangup()
    await other.finish()
    await stage.until_quiet()
    await is_in_the_timeline(stage, desk, phone)
    desk.person.untroubled()
    other.person.untroubled()


async def more_time(desk: AgentPage) -> None:
    """Wrap-up is prolonged by the one extension that there is."""
    more = desk.page.get_by_role("button", name="(1 left)")
    await more.click()
    await expect(more).to_be_hidden()


async def is_in_the_timeline(stage: Whole, desk: AgentPage, phone: SoftPhone) -> None:
    """When the same caller comes again, the agent sees what it was about, and opens it."""
    call = await stage.in_queue(phone=phone)
    await desk.rings()
    await desk.page.get_by_role("button", name="Sold").click()
    panel = desk.page.get_by_role("dialog", name="Contact of")
    await expect(panel.get_by_text("Anna, Ben")).to_be_visible()
    await expect(panel.get_by_text("Sold")).to_be_visible()
    await panel.get_by_role("button", name="Close").click()
    await desk.accept()
    await call.hangup()
    await desk.finish()
    await stage.until_quiet()


async def test_to_a_number_outside(stage: Whole, tmp_path: Path, outside: SoftPhone) -> None:
    desk = await agent(stage, "anna", tmp_path)
    call = await talk(stage, desk)
    panel = await hand_on(desk, "asked for the mayor")
    await panel.get_by_role("textbox", name="To").fill("+1 (202) 555-0188")
    await expect(panel.get_by_role("radio")).to_be_checked()
    await panel.get_by_role("button", name="Transfer").click()
    far = await outside.incoming(15)
    await far.ring()
    await far.answer()
    far.play_tone(OTHER_HZ)
    await call.hears_tone(OTHER_HZ, 8)
    await far.hears_tone(CALLER_HZ, 8)
    await desk.until_state("Wrap-up")
    await desk.finish()
    await desk.is_ready()
    await far.hangup()
    await call.ended(8)
    await stage.until_quiet()
    desk.person.untroubled()


async def test_keys_for_the_other_side_and_a_recording_that_rests(
    stage: Whole, tmp_path: Path
) -> None:
    desk = await agent(stage, "anna", tmp_path)
    call = await talk(stage, desk)
    await desk.button("Keypad").click()
    await desk.page.get_by_role("dialog", name="Keypad").get_by_role("button", name="4").click()
    await desk.page.keyboard.type("2#", delay=60)
    await call.hears_digits("42#", 8)
    await desk.page.keyboard.press("Escape")

    await desk.button("Pause recording").click()
    await desk.page.get_by_role("menuitem", name="Card data is told").click()
    await expect(desk.page.get_by_text("The recording is paused.")).to_be_visible()
    await desk.button("Resume recording").click()
    await expect(desk.page.get_by_text("The recording is paused.")).to_be_hidden()
    await call.hangup()
    await desk.finish()
    await stage.until_quiet()
    kept = await eventually(
        lambda: recording(stage), lambda now: now.get("state") == "complete", 30, "the recording"
    )
    (pause,) = kept["pauses"]
    assert pause["reason"] == "Card data is told"
    assert int(pause["from_ms"]) < int(pause["to_ms"])
    desk.person.untroubled()


async def recording(stage: Whole) -> dict[str, Any]:
    """The only one there is, as far as it is kept."""
    found = (await stage.tenant.admin.get("/v1/recordings"))["recordings"]
    if not found:
        return {}
    try:
        shown: dict[str, Any] = await stage.tenant.admin.get(
            f"/v1/recordings/{found[0]['recording_id']}"
        )
    except Problem:
        return {}
    return shown
