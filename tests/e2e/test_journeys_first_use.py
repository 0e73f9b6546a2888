"""The first five minutes: the tour's five steps, which end with a real call in the same browser."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect

from services.chassis.postgres.server import PostgresServer
from tests.browser import AgentPage
from tests.e2e.journeys import journeys, person
from tests.e2e.whole import Whole

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@pytest.fixture
async def stage(tmp_path: Path, postgres_server: PostgresServer) -> AsyncIterator[Whole]:
    async with journeys(tmp_path, postgres_server) as everyone:
        yield everyone


def tour(page: Page) -> Locator:
    return page.get_by_role("dialog", name="A look around")


async def tab_to(button: Locator) -> None:
    """Reaches a button of the card by the keyboard."""
    for _ in range(6):
        await button.page.keyboard.press("Tab")
        if await button.evaluate("button => button === document.activeElement"):
            return
    raise AssertionError("the button is not reached by Tab")


async def test_a_new_agent_is_shown_around_until_a_real_call_is_answered(
    stage: Whole, tmp_path: Path
) -> None:
    await stage.tenant.agent("anna")
    anna = await person(stage, "anna", tmp_path)
    desk, card, keys = AgentPage(anna), tour(anna.page), anna.page.keyboard
    await expect(card.get_by_text("Welcome, Anna")).to_be_visible()
    await expect(card.get_by_role("heading", name="Your desk")).to_be_visible()
    next_step = card.get_by_role("button", name="Next")
    for title in ("Ready or on a break", "In a call", "After the call"):
        await expect(card).to_be_focused()
        await tab_to(next_step)
        await keys.press("Enter")
        await expect(card.get_by_role("heading", name=title)).to_be_visible()
    await anna.page.reload()
    await expect(card.get_by_role("heading", name="After the call")).to_be_visible()
    await next_step.click()

    place = card.get_by_role("button", name="Call me now")
    await expect(place).to_be_disabled()
    await card.get_by_role("button", name="Try them").click()
    await desk.check_devices()
    await card.get_by_role("button", name="Become ready").click()
    await desk.is_ready()
    await expect(card.get_by_role("combobox", name="Number to call")).to_have_value(
        "+1 202 555 0100"
    )
    await place.click()
    await desk.rings()
    await expect(card.get_by_text("It rings")).to_be_visible()
    await desk.accept()
    await anna.hears_anything(15)
    await expect(card.get_by_text("You hear each other")).to_be_visible()
    await desk.button("End call").click()
    await desk.finish()
    await expect(card.get_by_text("It worked")).to_be_visible()
    await card.get_by_role("button", name="Done").click()
    await anna.page.reload()
    await desk.is_ready()
    await expect(card).to_be_hidden()
    anna.untroubled()
