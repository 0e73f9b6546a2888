"""From nothing to a call that is answered: what administrators do at real browsers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from services.chassis.postgres.server import PostgresServer
from tests.agent.portal import Problem, signed_in
from tests.browser import AdministratorPage, AgentPage, Person, browsing
from tests.softphone import SoftPhone
from tests.softphone.outgoing import OutgoingCall
from tests.stage.installation import Installation
from tests.stage.tenants import PASSWORD, platform

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]

CALLER_HZ = 440.0
AGENT_HZ = 660.0
BEEP_HZ = 1_000.0
RINGBACK_HZ = 480.0
NUMBER = "+12025550170"
TYPED = "(202) 555-0170"
GREETING = "Harbour Freight, good day."


@dataclass(frozen=True, slots=True)
class Ground:
    """An installation on which nobody has made anything yet."""

    carillon: Installation
    folder: Path
    people: AsyncExitStack
    """Browsers and phones, closed at the end."""

    async def at_browser(self, tenant: str, username: str, password: str) -> Person:
        """Somebody who signs in for the first time, and would rather not be shown around."""
        person = await self.people.enter_async_context(
            browsing(self.carillon.portal, self.folder, tone_hz=AGENT_HZ)
        )
        await person.sign_in(tenant=tenant, username=username, password=password)
        await person.page.get_by_role("button", name="Not now").click()
        return person

    async def dial(self, caller: str) -> OutgoingCall:
        phone = await self.people.enter_async_context(SoftPhone(user=caller))
        return await phone.call(f"sip:{NUMBER}@127.0.0.1:{self.carillon.sip_port}")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def carillon(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> AsyncIterator[Installation]:
    var = tmp_path_factory.mktemp("admin")
    async with Installation(var=var, postgres=postgres_server) as installation:
        yield installation


@pytest_asyncio.fixture(loop_scope="module")
async def ground(carillon: Installation, tmp_path: Path) -> AsyncIterator[Ground]:
    async with AsyncExitStack() as people:
        yield Ground(carillon, tmp_path, people)


async def test_a_queue_an_agent_a_flow_and_a_number_make_a_call(ground: Ground) -> None:
    await new_tenant(ground, "harbour")
    admin = AdministratorPage(await ground.at_browser("harbour", "admin", PASSWORD))
    await admin.make_queue("Orders")
    password = await admin.make_agent("Nora", "nora", queue="Orders")
    await admin.make_flow("Front door", template="A single queue")
    flow = await written(ground, "front-door")
    await faults_are_shown_where_they_are(admin, flow)
    await the_greeting_is_changed_and_tried(admin, flow)
    await saved_and_published(admin, version=2)
    await admin.make_number(TYPED, flow="Front door")
    desk = AgentPage(await ground.at_browser("harbour", "nora", password))
    await desk.go_ready()
    await a_caller_is_greeted_and_talks(ground, desk)
    await desk.take_break()
    await newer_and_back_again(ground, admin, flow)
    admin.person.untroubled()
    desk.person.untroubled()


async def new_tenant(ground: Ground, name: str) -> None:
    """An organisation with an administrator, and nothing else."""
    async with platform(ground.carillon) as root:
        await root.post(
            "/v1/tenants",
            {
                "tenant": {"name": name, "display_name": name.title(), "region": "US"},
                "admin_username": "admin",
                "admin_password": PASSWORD,
            },
        )


async def written(ground: Ground, flow_id: str) -> dict[str, Any]:
    """A new flow as the page has made it."""
    async with signed_in(
        ground.carillon.portal, tenant="harbour", username="admin", password=PASSWORD
    ) as session:
        found = await session.get(f"/v1/flows/{flow_id}", version=1)
    flow: dict[str, Any] = json.loads(found["definition_json"])
    return flow


def text_of(flow: dict[str, Any], **nodes: dict[str, Any]) -> str:
    """The flow's text with some nodes changed."""
    changed = {name: flow["nodes"][name] | fields for name, fields in nodes.items()}
    return json.dumps(flow | {"nodes": flow["nodes"] | changed}, indent=2)


def greets(sound: str) -> dict[str, Any]:
    """A node that plays a sound before the words."""
    return {"kind": "play", "prompts": [{"system": sound}, GREETING], "next": "wait"}


async def faults_are_shown_where_they_are(admin: AdministratorPage, flow: dict[str, Any]) -> None:
    await admin.show("JSON")
    faulty = text_of(flow, wait={"on_leave": "godbye"})
    await admin.write(faulty)
    editor = admin.page.locator(".json-editor")
    await expect(editor.locator(".cm-lintRange-error")).to_have_text('"on_leave"')
    fault = admin.page.get_by_role("button", name="Leads to a node that is not there")
    await expect(fault).to_contain_text("goodbye")
    await expect(admin.button("Save as a new version")).to_be_disabled()
    await fault.click()
    line = 1 + faulty[: faulty.index('"on_leave"')].count("\n")
    await expect(editor.locator(".cm-lineNumbers .cm-activeLineGutter")).to_have_text(str(line))


async def the_greeting_is_changed_and_tried(admin: AdministratorPage, flow: dict[str, Any]) -> None:
    await admin.write(text_of(flow | {"nodes": flow["nodes"] | {"welcome": greets("beep")}}))
    await expect(admin.page.get_by_text("No faults")).to_be_visible()
    await admin.show("Simulate")
    await admin.button("Begin the call").click()
    heard = admin.page.get_by_role("log")
    await expect(heard).to_contain_text(GREETING)
    await expect(heard).to_contain_text("Waits in the queue Orders")
    await admin.button("An agent answers").click()
    await expect(heard).to_contain_text("Talks with an agent")
    await admin.button("The caller hangs up").click()
    await expect(heard).to_contain_text("The call ends well")


async def saved_and_published(admin: AdministratorPage, *, version: int) -> None:
    await admin.button("Save as a new version").click()
    await admin.button(f"Publish version {version}").click()
    await admin.confirm(f"Publish version {version}?", "Publish")
    await is_published(admin, version)


async def is_published(admin: AdministratorPage, version: int) -> None:
    """The head of the flow's page says which version calls get."""
    said = admin.page.get_by_text(f"Version {version} is published", exact=True)
    await expect(said).to_be_visible()


async def a_caller_is_greeted_and_talks(ground: Ground, desk: AgentPage) -> None:
    call = await ground.dial("+12025550181")
    await call.answered(10)
    await call.hears_tone(BEEP_HZ, 10)
    await desk.accept()
    call.play_tone(CALLER_HZ)
    await desk.person.hears_tone(CALLER_HZ, 8)
    await call.hears_tone(AGENT_HZ, 8)
    await call.hangup()
    await desk.finish()
    await desk.is_ready()


async def newer_and_back_again(
    ground: Ground, admin: AdministratorPage, flow: dict[str, Any]
) -> None:
    await admin.person.open("/admin/flows")
    await admin.page.get_by_role("row").filter(has_text="Front door").click()
    await admin.show("JSON")
    await admin.write(text_of(flow | {"nodes": flow["nodes"] | {"welcome": greets("ringback")}}))
    await saved_and_published(admin, version=3)
    await hears(ground, "+12025550182", RINGBACK_HZ)
    await admin.show("Versions")
    older = admin.page.get_by_role("row").filter(has_text="Version 2")
    await older.get_by_role("button", name="Go back to it").click()
    await admin.confirm("Publish version 2?", "Publish")
    await is_published(admin, 2)
    await hears(ground, "+12025550183", BEEP_HZ)


async def hears(ground: Ground, caller: str, hz: float) -> None:
    """A new caller is greeted by this sound."""
    call = await ground.dial(caller)
    await call.answered(10)
    await call.hears_tone(hz, 10)
    await call.hangup()


async def test_the_platform_makes_a_tenant_limits_it_and_lets_it_rest(ground: Ground) -> None:
    root = json.loads((ground.carillon.var / "bootstrap.json").read_text())
    boss = await ground.at_browser(root["tenant"], root["username"], root["password"])
    page = boss.page
    # Whoever rules the platform begins with its tenants.
    await expect(page.get_by_role("heading", level=1)).to_have_text("Tenants")
    await page.get_by_role("button", name="New tenant").first.click()
    form = page.get_by_role("dialog", name="New tenant")
    await form.get_by_role("textbox", name="Name", exact=True).fill("Quiet Hotel")
    await form.get_by_label("Users who may sign in").fill("1")
    await form.get_by_role("button", name="Create tenant").click()
    shown = page.get_by_role("dialog", name="Quiet Hotel is created")
    password = await shown.locator("pre").inner_text()
    await shown.get_by_role("button", name="I have kept it").click()
    row = page.get_by_role("row").filter(has_text="Quiet Hotel")
    await expect(row).to_contain_text("1 of 1")
    await row.click()
    await rests(boss, "Suspend")
    assert await refused(ground, password) == "tenant-suspended"
    await rests(boss, "Resume")
    assert await refused(ground, password) == "too-many-users"
    boss.untroubled()


async def rests(boss: Person, what: str) -> None:
    """Suspends or resumes the tenant whose panel is open."""
    await boss.page.get_by_role("button", name=what, exact=True).click()
    asked = boss.page.get_by_role("dialog", name=f"{what} Quiet Hotel?")
    await asked.get_by_role("button", name=what, exact=True).click()
    await expect(asked).to_be_hidden()


async def refused(ground: Ground, password: str) -> str:
    """Why the new tenant's administrator cannot sign in and make somebody else."""
    person = {"username": "pia", "display_name": "Pia", "roles": ["agent"]}
    with pytest.raises(Problem) as problem:
        async with signed_in(
            ground.carillon.portal, tenant="quiet-hotel", username="admin", password=password
        ) as session:
            await session.post("/v1/users", {"user": person, "password": PASSWORD})
    return problem.value.code
