"""Every page of the portal: it opens, nobody is kept out, nothing overflows, nothing fails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import expect

from services.chassis.postgres.server import PostgresServer
from tests.browser import AgentPage, Person, browsing
from tests.browser.loading import DESK_LIMIT, load
from tests.browser.looking import barriers, overflow
from tests.e2e.journeys import agent, journeys
from tests.e2e.whole import Whole
from tests.stage.tenants import PASSWORD

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(400),
    pytest.mark.asyncio(loop_scope="module"),
]

PAGES = (
    "/desk",
    "/floor",
    "/contacts",
    "/customers",
    "/recordings",
    "/reports",
    "/admin/users",
    "/admin/queues",
    "/admin/skills",
    "/admin/flows",
    "/admin/numbers",
    "/admin/hours",
    "/admin/prompts",
    "/admin/dispositions",
    "/admin/recording-policy",
    "/admin/api-keys",
    "/admin/audit",
    "/admin/settings",
)
LOOKS = (
    ("light", "en", 1440),
    ("dark", "zh-CN", 1440),
    ("light", "zh-CN", 390),
    ("dark", "en", 390),
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> AsyncIterator[Whole]:
    """A tenant in which something has happened: a call that was answered, and one given up."""
    folder = tmp_path_factory.mktemp("pages")
    async with journeys(folder, postgres_server) as everyone:
        desk = await agent(everyone, "anna", folder)
        call = await everyone.in_queue()
        await desk.accept()
        call.play_tone(440)
        await desk.person.hears_tone(440, 8)
        await call.hangup()
        await desk.finish()
        await desk.take_break()
        given_up = await everyone.in_queue()
        await given_up.hangup()
        await everyone.until_quiet()
        olga = await everyone.tenant.person("olga", "agent", "supervisor", "administrator")
        await everyone.tenant.admin.put(
            f"/v1/agents/{olga}",
            {"name": "Olga", "endpoint": "webrtc:", "queues": [{"queue_id": "support"}]},
        )
        yield everyone


async def at(stage: Whole, folder: Path, look: tuple[str, str, int]) -> AsyncIterator[Person]:
    theme, language, width = look
    async with browsing(
        stage.tenant.portal, folder, theme=theme, language=language, width=width
    ) as someone:
        page = someone.page
        await page.goto(f"{someone.address}/?tenant={stage.tenant.name}")
        await page.locator("input[autocomplete=username]").fill("olga")
        await page.locator("input[autocomplete=current-password]").fill(PASSWORD)
        await page.locator("button[type=submit]").click()
        await page.locator("header").wait_for()
        # Whoever comes for the first time is shown around.
        await page.keyboard.press("Escape")
        yield someone


async def faults_of(someone: Person, path: str) -> list[str]:
    """What is wrong with a page once all of it is there."""
    page = someone.page
    await someone.open(path)
    await expect(page.locator("#main [role=status][aria-label]")).to_have_count(0)
    await page.wait_for_load_state("networkidle")
    found = [f"{path}: {each}" for each in await barriers(page)]
    if wider := await overflow(page):
        found.append(f"{path}: {wider} pixels wider than the window")
    if await page.get_by_role("alert").count():
        found.append(f"{path}: {await page.get_by_role('alert').first.inner_text()}")
    return found


@pytest.mark.parametrize("look", LOOKS, ids=lambda look: "-".join(map(str, look)))
async def test_nobody_is_kept_out_of_any_page(
    stage: Whole, tmp_path: Path, look: tuple[str, str, int]
) -> None:
    async for someone in at(stage, tmp_path, look):
        found = [fault for path in PAGES for fault in await faults_of(someone, path)]
        assert not found, "\n".join(found)
        someone.untroubled()


async def test_the_way_in_is_open_to_everybody(stage: Whole, tmp_path: Path) -> None:
    for theme in ("light", "dark"):
        async with browsing(stage.tenant.portal, tmp_path, theme=theme, width=390) as someone:
            await someone.page.goto(someone.address)
            await someone.page.get_by_label("User name").wait_for()
            assert await barriers(someone.page) == []
            assert await overflow(someone.page) == 0


async def test_a_wrong_password_is_said_and_the_rest_is_kept(stage: Whole, tmp_path: Path) -> None:
    async with browsing(stage.tenant.portal, tmp_path) as someone:
        page = someone.page
        await page.goto(someone.address)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_text("Please fill this in")).to_have_count(3)
        await page.get_by_label("Organisation").fill(stage.tenant.name)
        await page.get_by_label("User name").fill("olga")
        await page.get_by_label("Password", exact=True).fill("not the one")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("alert")).to_contain_text("is not right")
        await expect(page.get_by_label("User name")).to_have_value("olga")


async def test_who_is_no_agent_in_routing_yet_is_told_so(stage: Whole, tmp_path: Path) -> None:
    await stage.tenant.person("nora", "agent")
    async with browsing(stage.tenant.portal, tmp_path) as someone:
        await someone.sign_in(tenant=stage.tenant.name, username="nora", password=PASSWORD)
        await someone.open("/desk")
        await expect(someone.page.get_by_text("You have no desk yet")).to_be_visible()
        someone.untroubled()


async def test_a_page_for_others_says_so(stage: Whole, tmp_path: Path) -> None:
    await stage.tenant.agent("ben")
    async with browsing(stage.tenant.portal, tmp_path) as someone:
        await someone.sign_in(tenant=stage.tenant.name, username="ben", password=PASSWORD)
        desk = AgentPage(someone)
        await someone.open("/admin/users")
        await expect(someone.page.get_by_role("heading", level=1)).to_have_text(
            "This page is not for your role"
        )
        await desk.page.get_by_role("link", name="Go to my first page").click()
        await expect(someone.page.get_by_role("heading", level=1)).to_have_text("My desk")
        await someone.open("/nothing/here")
        await expect(someone.page.get_by_role("heading", level=1)).to_have_text(
            "There is no such page"
        )


async def test_the_desk_begins_with_few_bytes(stage: Whole, tmp_path: Path) -> None:
    await stage.tenant.agent("carl")
    async with browsing(stage.tenant.portal, tmp_path) as someone:
        await someone.sign_in(tenant=stage.tenant.name, username="carl", password=PASSWORD)
        found = await load(someone.context, f"{someone.address}/desk", "Go ready")
    assert found.first["scripts"] > 0
    assert found.first_bytes < DESK_LIMIT, found.first
