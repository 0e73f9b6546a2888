"""A supervisor closes a queue and gives many agents a state, and takes that back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from services.chassis.postgres.server import PostgresServer
from tests.browser import Person
from tests.e2e.journeys import journeys, person
from tests.e2e.whole import Whole
from tests.stage.asking import eventually

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@pytest.fixture
async def stage(tmp_path: Path, postgres_server: PostgresServer) -> AsyncIterator[Whole]:
    async with journeys(tmp_path, postgres_server) as everyone:
        for name in ("anna", "ben"):
            await everyone.tenant.agent(name)
        await everyone.tenant.person("sara", "supervisor")
        yield everyone


@pytest.fixture
async def sara(stage: Whole, tmp_path: Path) -> Person:
    found = await person(stage, "sara", tmp_path)
    await found.page.get_by_role("button", name="Not now").click()
    return found


async def test_what_is_done_to_many_at_once_is_seen_and_can_be_taken_back(
    stage: Whole, sara: Person
) -> None:
    page = sara.page
    admin = stage.tenant.admin

    async def presences() -> list[tuple[str, str]]:
        agents = (await admin.get("/v1/agents"))["agents"]
        return [(agent["presence"], agent["reason"]) for agent in agents]

    await sara.open("/floor")
    sales = page.get_by_role("region", name="Queues").locator("tr").filter(has_text="Sales")
    await expect(sales).to_be_visible()
    await admin.post("/v1/queues/sales:set-emergency", {"active": True, "message": "Fire drill"})
    await expect(sales.get_by_text("Emergency: closed")).to_be_visible()
    await admin.post("/v1/queues/sales:set-emergency", {"active": False})
    await expect(sales.get_by_text("Emergency: closed")).to_be_hidden()

    await page.get_by_role("checkbox", name="Select all").check()
    await page.get_by_role("button", name="Set state").click()
    panel = page.get_by_role("dialog", name="Set the state of 2 agents")
    await panel.get_by_role("radio", name="Break").check()
    await panel.get_by_role("button", name="Set state").click()
    undo = page.get_by_role("button", name="Undo")
    await expect(undo).to_be_visible()
    assert await presences() == [("break", "lunch")] * 2
    await undo.click()
    await expect(page.get_by_text("Taken back for 2 agents.")).to_be_visible()
    await eventually(
        presences, lambda now: now == [("signed_out", "")] * 2, 5, "everybody as before"
    )
    sara.untroubled()


async def test_calls_are_looked_through_by_what_became_of_them(stage: Whole, sara: Person) -> None:
    page = sara.page
    call = await stage.in_queue()
    await call.hangup()
    await stage.until_quiet()
    await sara.open("/contacts?tab=calls")
    rows = page.locator("tbody tr")
    await expect(rows.filter(has_text="Caller gave up")).to_have_count(1)
    await page.get_by_role("combobox", name="Outcome").click()
    await page.get_by_role("option", name="Never queued").click()
    await expect(page.get_by_text("No call in this time")).to_be_visible()
    await sara.open("/contacts?tab=calls&outcomes=abandoned,waiting")
    await rows.first.click()
    await expect(page.get_by_text("The caller left the queue Sales")).to_be_visible()
    await expect(page.get_by_text("Menu: 1")).to_be_visible()
    sara.untroubled()
