"""What administrators keep in lists, made at a real browser and true at the API afterwards."""

from __future__ import annotations

import re
import struct
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import FilePayload, Locator, Page, expect

from services.chassis.postgres.server import PostgresServer
from tests.agent.portal import Session, signed_in
from tests.browser import AdministratorPage, browsing
from tests.browser.person import PATIENCE_MS
from tests.stage.installation import Installation
from tests.stage.tenants import PASSWORD, Tenant, tenant_of

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]

PEOPLE = """User name;Full name;Role;Skills;Queues
maria;Maria Pop;agent;english:9, returns:6;sales
olga;Olga Ivanova;agent, supervisor;;sales, support
ana;Ana Marin;agent;;
ana;Ana once more;agent;;
bad name!;Somebody;agent;;
ion;Ion Pop;agent;english:11;
petra;Petra Novak;manager;;
"""
"""Two people who can be made, and five rows with an error each."""
RATE = 8_000


@dataclass(frozen=True, slots=True)
class Office:
    """An administrator at a browser, and the same at the API."""

    tenant: Tenant
    at: AdministratorPage

    @property
    def page(self) -> Page:
        return self.at.page

    @property
    def api(self) -> Session:
        return self.tenant.admin


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def office(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> AsyncIterator[Office]:
    folder = tmp_path_factory.mktemp("lists")
    async with AsyncExitStack() as stack:
        carillon = await stack.enter_async_context(
            Installation(var=folder / "var", postgres=postgres_server)
        )
        tenant = await stack.enter_async_context(
            tenant_of(carillon, "ledger", number="+12025550180")
        )
        someone = await stack.enter_async_context(browsing(tenant.portal, folder))
        await someone.sign_in(tenant="ledger", username="admin", password=PASSWORD)
        await someone.page.get_by_role("button", name="Not now").click()
        yield Office(tenant, AdministratorPage(someone))


async def test_people_come_from_a_file_whose_errors_are_shown_first(office: Office) -> None:
    await office.at.person.open("/admin/users")
    await office.at.button("Import").click()
    panel = office.page.get_by_role("dialog", name="Import users")
    await bring(panel, "people.csv", PEOPLE.encode())
    await expect(panel.get_by_text("2 can be imported, 5 can not")).to_be_visible(
        timeout=PATIENCE_MS
    )
    for name, why in (
        ("Ana once more", "another row"),
        ("Somebody", "Letters, digits"),
        ("Ion Pop", "levels from 1 to 10"),
        ("Petra Novak", "agent, supervisor or administrator"),
    ):
        await expect(panel.get_by_role("row").filter(has_text=name)).to_contain_text(why)
    assert await usernames(office) == ["admin"], "looking at a file makes nobody"
    await panel.get_by_role("button", name="Import 2 rows").click()
    await expect(panel.get_by_text("2 imported, 0 not")).to_be_visible(timeout=PATIENCE_MS)
    async with office.page.expect_download() as told:
        await panel.get_by_role("button", name="Download the result").click()
    result = (await (await told.value).path()).read_text(encoding="utf-8-sig")
    password = re.search(r"^olga,.*,imported,(\S+)", result, re.MULTILINE)
    assert password, result
    assert await usernames(office) == ["admin", "maria", "olga"]
    configs = (await office.api.get("/v1/agent-configs"))["agents"]
    skills = {config["name"]: config["skills"] for config in configs}
    assert levels(skills["Maria Pop"]) == {"english": 9, "returns": 6}
    async with signed_in(
        office.tenant.portal, tenant="ledger", username="olga", password=password[1]
    ) as olga:
        assert sorted(olga.me["roles"]) == ["agent", "supervisor"]
    office.at.person.untroubled()


async def test_skills_are_pasted_from_a_spreadsheet_and_kept(office: Office) -> None:
    for username in ("anna", "ben"):
        await office.tenant.agent(username)
    await office.at.person.open("/admin/users")
    await office.page.get_by_role("link", name="Skills").click()
    for skill in ("german", "french"):
        await office.at.button("Add a skill").click()
        naming = office.page.get_by_role("dialog", name="Add a skill")
        await naming.get_by_role("textbox").fill(skill)
        await naming.get_by_role("textbox").press("Enter")
        await expect(naming).to_be_hidden()
    await office.page.get_by_role("gridcell", name="Anna, german").click()
    await paste(office.page, "7\t3\n10\t\n")
    await expect(office.page.get_by_role("gridcell", name="Ben, german: 10")).to_be_visible()
    await office.page.keyboard.press("Control+z")
    await expect(office.page.get_by_role("gridcell", name="Ben, german: 10")).to_be_hidden()
    await office.page.keyboard.press("Control+y")
    await stays_unless_told(office.page, "Skills")
    await office.at.button("Save 2 agents").click()
    await expect(office.at.button("Save")).to_be_disabled()
    await office.page.reload()
    await expect(office.page.get_by_role("gridcell", name="Anna, french: 3")).to_be_visible()
    configs = (await office.api.get("/v1/agent-configs"))["agents"]
    saved = {config["name"]: levels(config["skills"]) for config in configs}
    assert saved["Anna"] == {"german": 7, "french": 3}
    assert saved["Ben"] == {"german": 10}
    office.at.person.untroubled()


async def stays_unless_told(page: Page, title: str) -> None:
    """A link and the way back both ask before changes are lost; who cancels has lost nothing."""
    question = page.get_by_role("dialog", name="Are you sure?")
    heading = page.get_by_role("heading", level=1)
    for leave in (page.get_by_role("link", name="Queues").click, page.go_back):
        await leave()
        await question.get_by_role("button", name="Cancel").click()
        await expect(question).to_be_hidden()
        await expect(heading).to_have_text(title)


async def test_a_prompt_is_spoken_replaced_and_heard(office: Office) -> None:
    form = await office.at.open_form("/admin/prompts", "New prompt")
    await form.get_by_role("textbox", name="Name", exact=True).fill("Closed for today")
    await form.get_by_role("textbox", name="What is said").fill("We are closed for today.")
    await form.get_by_role("button", name="Save and have it spoken").click()
    await heard(form)
    spoken = await office.api.get("/v1/prompts/closed-for-today")
    assert spoken["source"] == "spoken"
    assert int(spoken["duration_ms"]) > 500
    await bring(form, "notes.wav", b"this is no sound at all")
    await expect(form.get_by_role("alert")).to_contain_text("This is no WAV file")
    await bring(form, "beep.wav", wav(seconds=2))
    await expect(form.get_by_text("The new sound.")).to_be_visible()
    await form.get_by_role("button", name="Save", exact=True).click()
    await expect(form).to_be_hidden()
    await office.page.reload()
    await office.page.get_by_role("button", name="Closed for today").click()
    form = office.page.get_by_role("dialog", name="Closed for today")
    await expect(form.get_by_text("Recorded · 0:02")).to_be_visible()
    await heard(form)
    uploaded = await office.api.get("/v1/prompts/closed-for-today")
    assert (uploaded["source"], int(uploaded["duration_ms"])) == ("recorded", 2_000)
    office.at.person.untroubled()


async def heard(form: Locator) -> None:
    """The prompt's sound is fetched and plays in the page."""
    await form.get_by_role("button", name="Listen").click()
    player = form.locator("audio").first
    await expect(player).to_have_js_property("paused", value=False)
    await expect(player).not_to_have_js_property("currentTime", 0)


async def test_a_key_works_from_the_moment_it_is_shown_until_it_is_revoked(
    office: Office,
) -> None:
    form = await office.at.open_form("/admin/api-keys", "New API key")
    await form.get_by_role("button", name="Create").click()
    await expect(form.get_by_role("textbox", name="Name")).to_be_focused()
    await form.get_by_role("textbox", name="Name").fill("Wall board")
    await form.get_by_label("Supervisor").check()
    await form.get_by_role("button", name="Create").click()
    shown = office.page.get_by_role("dialog", name="The key is ready")
    secret = (await shown.locator("pre").inner_text()).strip()
    await shown.get_by_role("button", name="I have kept it").click()
    await expect(office.page.get_by_text(secret)).to_have_count(0)
    assert await asks(office, secret, "/v1/live") == 200
    assert await asks(office, secret, "/v1/api-keys") == 403
    await office.at.button("Revoke Wall board").click()
    await office.at.confirm("Are you sure?", "Revoke")
    row = office.page.get_by_role("row").filter(has_text="Wall board")
    await expect(row).to_contain_text("Revoked")
    assert await asks(office, secret, "/v1/live") == 401
    await office.at.person.open("/admin/audit")
    await expect(
        office.page.get_by_role("row").filter(has_text="Revoked an API key")
    ).to_contain_text("Wall board")
    office.at.person.untroubled()


async def test_hours_and_dispositions_are_the_same_after_a_reload(office: Office) -> None:
    form = await office.at.open_form("/admin/hours", "New calendar")
    await form.get_by_role("textbox", name="Name", exact=True).fill("Office hours")
    await form.get_by_label("Monday, to", exact=True).fill("08:00")
    await form.get_by_role("button", name="Save").click()
    await expect(form.get_by_text("Ends before it begins")).to_be_visible()
    await form.get_by_label("Monday, to", exact=True).fill("18:30")
    await form.get_by_role("button", name="Add a day").click()
    await form.get_by_label("Date").fill("2027-05-01")
    await form.get_by_label("Name of the day").fill("Labour Day")
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_be_hidden()
    await office.page.reload()
    await office.page.get_by_role("button", name="Office hours").click()
    form = office.page.get_by_role("dialog", name="Office hours")
    await expect(form.get_by_label("Monday, to", exact=True)).to_have_value("18:30")
    await expect(form.get_by_label("Name of the day")).to_have_value("Labour Day")

    form = await office.at.open_form("/admin/dispositions", "New disposition")
    await form.get_by_role("textbox", name="Label").fill("Order changed")
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_be_hidden()
    await office.at.button("Order changed").click()
    form = office.page.get_by_role("dialog", name="Disposition")
    await form.get_by_role("textbox", name="Label").fill("Order changed or cancelled")
    await form.get_by_role("button", name="Save").click()
    await expect(form).to_be_hidden()
    await office.page.reload()
    await expect(office.at.button("Order changed or cancelled")).to_be_visible()
    office.at.person.untroubled()


async def bring(panel: Locator, name: str, content: bytes) -> None:
    """Chooses a file, as the person's own dialogue would."""
    async with panel.page.expect_file_chooser() as asked:
        await panel.get_by_role("button", name="Choose a file").click()
    await (await asked.value).set_files(FilePayload(name=name, mimeType="", buffer=content))


async def paste(page: Page, text: str) -> None:
    """What a spreadsheet has put into the clipboard comes where the cursor is."""
    await page.evaluate(
        """text => {
          const clipboardData = new DataTransfer();
          clipboardData.setData("text/plain", text);
          document.activeElement.dispatchEvent(
            new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true }),
          );
        }""",
        text,
    )


def levels(skills: list[dict[str, str]]) -> dict[str, int]:
    """Skills as the API tells them, by name."""
    return {skill["name"]: int(skill["level"]) for skill in skills}


async def usernames(office: Office) -> list[str]:
    users = (await office.api.get("/v1/users"))["users"]
    return sorted(user["username"] for user in users)


async def asks(office: Office, secret: str, path: str) -> int:
    """The status of a program's request with a key."""
    async with httpx.AsyncClient(base_url=office.tenant.portal, timeout=10) as http:
        answer = await http.get(path, headers={"Authorization": f"Bearer {secret}"})
        return answer.status_code


def wav(*, seconds: int) -> bytes:
    """A quiet buzz: 16 bits, one channel."""
    samples = struct.pack("<2h", 2_000, -2_000) * (RATE * seconds // 2)
    head = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, RATE, RATE * 2, 2, 16)
    data = struct.pack("<4sI", b"data", len(samples)) + samples
    return b"RIFF" + struct.pack("<I", 4 + len(head) + len(data)) + b"WAVE" + head + data
