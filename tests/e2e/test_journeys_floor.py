"""What a supervisor does at a real browser while people call: the floor, and what is left of it."""

from __future__ import annotations

import asyncio
import csv
import io
import re
import zipfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from string import ascii_uppercase
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import pytest_asyncio
from playwright.async_api import Locator, Page, expect

from services.chassis.postgres.server import PostgresServer
from tests.browser import Person
from tests.e2e.journeys import journeys, person
from tests.e2e.whole import Whole
from tests.stage.asking import eventually
from tests.stage.tenants import today

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(240),
    pytest.mark.asyncio(loop_scope="module"),
]

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
COUNT_RINGS = """
  window.rings = 0;
  const start = AudioScheduledSourceNode.prototype.start;
  AudioScheduledSourceNode.prototype.start = function (...at) {
    window.rings += 1;
    return start.apply(this, at);
  };
"""
TALK_S = 3
"""Long enough for a recording whose player can be seen to move."""
DRAWN = """(canvas) => {
  const { width, height } = canvas;
  const drawn = (top) => canvas.getContext("2d")
    .getImageData(0, top, width, height / 2).data.some((value) => value > 0);
  return [drawn(0), drawn(height / 2)];
}"""
"""Whether anything is drawn in the upper lane of a waveform, and in the lower one."""


@dataclass(frozen=True, slots=True)
class Floor:
    """A tenant with a call that was answered, one given up, and a supervisor at a browser."""

    stage: Whole
    sara: Person
    ben: str
    """An agent of queue support, signed out."""

    @property
    def page(self) -> Page:
        return self.sara.page

    def dialog(self, name: str) -> Locator:
        return self.page.get_by_role("dialog", name=name)

    async def ask(self, path: str, **query: Any) -> dict[str, Any]:
        """What the API says to the administrator."""
        return await self.stage.tenant.admin.get(path, **query)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def floor(
    tmp_path_factory: pytest.TempPathFactory, postgres_server: PostgresServer
) -> AsyncIterator[Floor]:
    folder = tmp_path_factory.mktemp("floor")
    async with journeys(folder, postgres_server) as stage:
        await stage.tenant.agent("anna")
        ben = await stage.tenant.agent("ben", queues=("support",))
        desk = await stage.tenant.desk("anna")
        await desk.ready()
        call, work = await stage.talk(desk)
        await asyncio.sleep(TALK_S)
        await call.hangup()
        await desk.becomes("wrap_up")
        await desk.finish(work)
        await desk.becomes("ready")
        await desk.presence("break", "lunch")
        given_up = await stage.in_queue()
        await given_up.hangup()
        await stage.until_quiet()
        await stage.tenant.person("sara", "supervisor")
        sara = await person(stage, "sara", folder)
        await sara.page.add_init_script(COUNT_RINGS)
        await sara.page.get_by_role("button", name="Not now").click()
        yield Floor(stage, sara, ben)
        sara.untroubled()


async def test_who_waits_and_why_and_moves_somebody_and_takes_it_back(floor: Floor) -> None:
    page = floor.page
    before = await floor.ask(f"/v1/agents/{floor.ben}/config")
    call = await floor.stage.in_queue()
    await floor.sara.open("/floor")
    await page.get_by_role("button", name=re.compile(r"^Why is .* still waiting\?$")).click()
    why = floor.dialog("Why is this caller still waiting?")
    await expect(why).to_contain_text("none of them is free right now")
    await expect(why).to_contain_text("Any agent of the queue")
    await expect(why.get_by_role("listitem").filter(has_text="On a break")).to_contain_text("Anna")
    await page.keyboard.press("Escape")
    await page.get_by_role("checkbox", name="Select Ben").click()
    await page.get_by_role("button", name="Move between queues").click()
    move = floor.dialog("Move 1 agent")
    await move.get_by_role("combobox", name="Join these queues").click()
    await page.get_by_role("option", name="Sales").click()
    await move.get_by_role("button", name="Move", exact=True).click()
    await expect(page.get_by_text("1 agent was moved.")).to_be_visible()
    moved = await floor.ask(f"/v1/agents/{floor.ben}/config")
    assert {each["queue_id"] for each in moved["queues"]} == {"sales", "support"}
    await page.get_by_role("button", name="Undo").click()
    await expect(page.get_by_text("Everybody is back in the queues they had.")).to_be_visible()
    assert await floor.ask(f"/v1/agents/{floor.ben}/config") == before
    await call.hangup()
    await floor.stage.until_quiet()
    await expect(page.get_by_text("Nobody waits").first).to_be_visible()


async def test_an_alarm_is_heard_and_acknowledged(floor: Floor) -> None:
    page = floor.page
    await floor.sara.open("/floor")
    await page.get_by_role("button", name=re.compile("^Alarms")).click()
    panel = floor.dialog("Alarms")
    await panel.get_by_text("Thresholds", exact=True).click()
    await panel.get_by_role("button", name="New threshold").click()
    await panel.get_by_label("Name").fill("Somebody waits")
    await panel.get_by_label("Alarm above").fill("0")
    await panel.get_by_label("Over again at or below").fill("3")
    await panel.get_by_label("For at least").fill("0")
    await panel.get_by_role("button", name="Save").click()
    await expect(panel.get_by_text("Must not be above")).to_be_visible()
    await panel.get_by_label("Over again at or below").fill("0")
    await panel.get_by_role("button", name="Save").click()
    await expect(panel.get_by_role("button", name="Edit Somebody waits")).to_be_visible()
    await page.keyboard.press("Escape")
    call = await floor.stage.in_queue()
    banner = page.get_by_role("region", name="Alarms that nobody has seen yet")
    await expect(banner).to_contain_text("Somebody waits")
    assert await page.evaluate("window.rings") > 0
    await banner.get_by_role("button", name="Acknowledge").click()
    await banner.get_by_label("Note").fill("Anna comes back")
    await banner.get_by_role("button", name="Acknowledge").click()
    await expect(banner).to_be_hidden()
    (alarm,) = (await floor.ask("/v1/alarms"))["alarms"]
    assert (alarm["acknowledged_by_name"], alarm["note"]) == ("Sara", "Anna comes back")
    await call.hangup()
    await floor.stage.until_quiet()


async def test_a_figure_opens_the_contacts_that_it_was_made_of(floor: Floor) -> None:
    page = floor.page

    async def answered() -> int:
        (tenant,) = [r for r in (await floor.ask("/v1/live"))["rows"] if not r["queue_id"]]
        (speed,) = [each for each in tenant["today"] if each["kpi"] == "asa"]
        return int(speed["denominator"])

    many = await eventually(answered, lambda count: count > 0, 10, "the speed of answer")
    await floor.sara.open("/floor")
    tile = page.locator(".panel").filter(has=page.get_by_text("Average answer", exact=True))
    await tile.get_by_title("Today's contacts behind this figure").click()
    await expect(page.get_by_role("heading", name="Contacts", level=1)).to_be_visible()
    await expect(page.get_by_text("Average speed of answer").first).to_be_visible()
    rows = page.locator("tbody tr")
    await rows.first.wait_for()
    await expect(rows).to_have_count(many)
    await expect(rows.filter(has_text="Anna").filter(has_text="Answered")).to_have_count(many)


async def test_a_recording_is_heard_and_proven_whole(floor: Floor) -> None:
    page = floor.page

    async def complete() -> list[dict[str, Any]]:
        return list((await floor.ask("/v1/recordings", state="complete"))["recordings"])

    await eventually(
        complete, lambda all_: any("Anna" in r["agent_names"] for r in all_), 20, "the recording"
    )
    await floor.sara.open("/recordings")
    await page.locator("tbody tr").filter(has_text="Anna").click()
    position = page.get_by_role("slider", name="Position")
    await expect(position).to_be_visible()
    lanes = page.locator("canvas").first
    await eventually(
        lambda: lanes.evaluate(DRAWN), lambda drawn: drawn == [True, True], 10, "the waveform"
    )
    await page.get_by_role("button", name="Play", exact=True).click()
    await expect(page.get_by_role("button", name="Pause", exact=True)).to_be_visible()
    await expect(position).not_to_have_attribute("aria-valuenow", "0")
    await page.keyboard.press("Escape")
    await position.focus()
    await page.keyboard.press(" ")
    await expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    await page.keyboard.press("]")
    await expect(page.get_by_role("radio", name=re.compile(r"^1\.25"))).to_be_checked()
    await page.keyboard.press("Home")
    await expect(position).to_have_attribute("aria-valuenow", "0")
    await page.get_by_role("tab", name="Evidence").click()
    await page.get_by_role("button", name="Verify now").click()
    await expect(page.get_by_text("Nothing was changed")).to_be_visible()
    evidence = page.get_by_role("tabpanel", name="Evidence")
    await expect(evidence.get_by_text("Sara", exact=True)).to_be_visible()


async def test_exported_reports_hold_the_figures_of_the_api(floor: Floor) -> None:
    page = floor.page
    from_ms, to_ms = today()
    answer = await floor.ask("/v1/reports", from_ms=from_ms, to_ms=to_ms, by="queue")
    expected = [figures(row) for row in answer["rows"]]
    await floor.sara.open("/reports?by=queue")
    await page.locator("tbody tr").first.wait_for()
    await expect(page.locator("tbody tr")).to_have_count(len(expected))
    sheet = list(csv.reader(io.StringIO((await exported(page, "CSV")).decode("utf-8-sig"))))
    head, *rows = sheet
    columns = [column_of(head, name) for name in ("Queue", "Offered", "Answered", "Average speed")]
    assert [[row[column] for column in columns] for row in rows] == expected
    assert cells_of(await exported(page, "Excel (XLSX)")) == sheet


def figures(row: dict[str, Any]) -> list[str]:
    """What a report's row of the API is in a sheet: name, offered, answered, speed in seconds."""
    found: dict[str, float] = {}
    for figure in row["figures"]:
        if "value" in figure:
            found.setdefault(figure["kpi"], figure["value"])
    speed = found.get("asa")
    return [
        row["name"],
        *(f"{found[kpi]:g}" for kpi in ("offered", "answered")),
        "" if speed is None else f"{round(speed / 1000, 2):g}",
    ]


def column_of(head: list[str], beginning: str) -> int:
    (column,) = [place for place, title in enumerate(head) if title.startswith(beginning)]
    return column


async def exported(page: Page, kind: str) -> bytes:
    """The file that the page gives."""
    await page.get_by_role("button", name="Export").click()
    async with page.expect_download() as download:
        await page.get_by_role("menuitem", name=kind).click()
    path = await (await download.value).path()
    return await asyncio.to_thread(Path(path).read_bytes)


def cells_of(xlsx: bytes) -> list[list[str]]:
    """The cells of the first sheet as text; those of its at most 26 columns that it leaves out
    are empty.
    """
    with zipfile.ZipFile(io.BytesIO(xlsx)) as parts:
        texts = [
            "".join(part.itertext()) for part in ET.fromstring(parts.read("xl/sharedStrings.xml"))
        ]
        sheet = ET.fromstring(parts.read("xl/worksheets/sheet1.xml"))
    rows = [
        {cell.get("r", "")[0]: value_of(cell, texts) for cell in row.iter(f"{SHEET}c")}
        for row in sheet.iter(f"{SHEET}row")
    ]
    return [[row.get(letter, "") for letter in ascii_uppercase[: len(rows[0])]] for row in rows]


def value_of(cell: ET.Element, texts: list[str]) -> str:
    value = cell.findtext(f"{SHEET}v", "")
    if cell.get("t") == "s":
        return texts[int(value)]
    return f"{float(value):g}" if value else ""
