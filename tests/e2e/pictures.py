"""The README's pictures, taken of a call centre at work by `make pictures`.

Its name is not a test's, so that only who asks for it runs it.
"""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.async_api import expect

from services.chassis.postgres.server import PostgresServer
from tests.agent.desk import Desk
from tests.browser import AgentPage, Person, browsing
from tests.e2e.journeys import CALLER_HZ, journeys, person
from tests.e2e.whole import Whole
from tests.softphone.audio import PCM, RATE_HZ
from tests.softphone.outgoing import OutgoingCall
from tests.stage.asking import eventually
from tests.stage.tenants import DAY_MS, FLOW, PASSWORD

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(500)]

PICTURES = Path(__file__).parents[2] / "docs/pictures"
MAX_BYTES = 250_000
PATIENCE_MS = 20_000
QUEUES = {"sales": "Sales", "support": "Support", "billing": "Billing"}
PEOPLE = {
    "anna": ("Anna Keller", "sales"),
    "ben": ("Ben Ortiz", "sales"),
    "clara": ("Clara Novak", "support"),
    "david": ("David Osei", "support"),
    "emma": ("Emma Laurent", "billing"),
    "farid": ("Farid Nazari", "billing"),
    "grace": ("Grace Lin", "billing"),
    "hugo": ("Hugo Brandt", "sales"),
}
CALLERS = {
    "+12025550147": ("Maria Ionescu", "Harbour Freight", "Gold"),
    "+12025550123": ("Daniel Weber", "", "Standard"),
    "+12025550171": ("Zhang Wei", "Eastgate Trading", "Gold"),
    "+12025550134": ("John Carter", "", "Standard"),
    "+12025550156": ("Sofia Rossi", "Rossi & Figli", "Gold"),
    "+12025550162": ("Fatima Haddad", "", "Standard"),
}
DISPOSITIONS = {
    "order": "Order placed",
    "offer": "Offer sent",
    "return": "Return requested",
    "question": "Question answered",
    "complaint": "Complaint",
}

PAST = ((3, "return"), (41, "order"))
"""How many days ago each of them called before, and what it was about."""


@pytest.fixture
async def stage(tmp_path: Path, postgres_server: PostgresServer) -> AsyncIterator[Whole]:
    async with journeys(tmp_path, postgres_server) as everyone:
        await furnish(everyone)
        yield everyone


async def furnish(stage: Whole) -> None:
    """Queues, people, customers and a menu as a small company has them."""
    admin = stage.tenant.admin
    wrap_up = {"mode": "optional", "max_ms": 300_000, "extensions": 1, "extension_ms": 30_000}
    for queue_id, name in QUEUES.items():
        await stage.tenant.put_queue(queue_id, name=name, wrap_up=wrap_up)
    for place, (code, label) in enumerate(DISPOSITIONS.items()):
        choice = {"code": code, "label": label, "position": place, "active": True}
        await admin.put(f"/v1/dispositions/{code}", choice)
    for username, (name, queue) in PEOPLE.items():
        await employ(stage, username, name, queue)
    roles = ["supervisor", "administrator"]
    user = {"username": "sara", "display_name": "Sara Lindholm", "roles": roles}
    await admin.post("/v1/users", {"user": user, "password": PASSWORD})
    for number, (name, company, segment) in CALLERS.items():
        customer = {"name": name, "numbers": [number], "company": company, "segment": segment}
        made = await admin.post("/v1/customers", customer)
        for days_ago, disposition in PAST:
            await was_here(stage, made["customer_id"], number, days_ago, disposition)
    await stage.tenant.put_flow(menu())


async def employ(stage: Whole, username: str, name: str, queue: str) -> None:
    """An agent with a name of their own."""
    user = {"username": username, "display_name": name, "roles": ["agent"]}
    made = await stage.tenant.admin.post("/v1/users", {"user": user, "password": PASSWORD})
    agent = {"name": name, "endpoint": "webrtc:", "queues": [{"queue_id": queue}]}
    await stage.tenant.admin.put(f"/v1/agents/{made['user_id']}", agent)


async def was_here(
    stage: Whole, customer_id: str, number: str, days_ago: int, disposition: str
) -> None:
    """A contact of some days ago."""
    began_ms = time.time_ns() // 1_000_000 - days_ago * DAY_MS - 5_000_000
    contact = {
        "customer_id": customer_id,
        "channel": "voice",
        "direction": "inbound",
        "number": number,
        "to": stage.tenant.number,
        "outcome": "answered",
        "queue_names": ["Sales"],
        "agent_names": ["Ben Ortiz"],
        "dispositions": [disposition],
        "started_at_ms": began_ms,
        "ended_at_ms": began_ms + 198_000,
        "wait_ms": 14_000,
        "talk_ms": 184_000,
    }
    await stage.tenant.admin.put(f"/v1/contacts/past-{customer_id}-{days_ago}", contact)


def menu() -> str:
    """The usual menu with a third queue behind key 3."""
    flow = json.loads(FLOW.read_text())
    nodes = flow["nodes"]
    nodes["menu"]["choices"]["3"] = "billing"
    nodes["menu"]["prompts"] = ["For sales, press 1. For support, press 2. For billing, press 3."]
    nodes["billing"] = nodes["support"] | {"queue": "billing"}
    for queue_id in QUEUES:
        del nodes[queue_id]["attributes"]
    return json.dumps(flow)


def chatter(seconds: float, seed: int) -> PCM:
    """Sound with the rhythm of speech: syllables, and pauses between sentences."""
    dice = np.random.default_rng(seed)
    count = int(seconds * RATE_HZ)
    at = np.arange(count) / RATE_HZ
    voice = sum(np.sin(2 * np.pi * 140 * n * at) / n for n in range(1, 9))
    syllables = (
        np.abs(np.sin(np.pi * 3.3 * at + dice.random()))
        * np.repeat(dice.uniform(0.2, 1, count // 1_000 + 1), 1_000)[:count]
    )
    sentence = np.repeat(dice.random(count // 6_000 + 1) > 0.25, 6_000)[:count]
    return (voice * syllables * sentence * 4_500).astype(np.int16)


async def calls(stage: Whole, number: str, key: str, queue_id: str) -> OutgoingCall:
    """A caller who has chosen a queue."""
    call = await stage.dial(phone=await stage.phone(number))
    await call.answered(10)
    await call.hears_audio(10)

    async def offered() -> float:
        rows: list[dict[str, Any]] = (await stage.tenant.admin.get("/v1/queues"))["queues"]
        return sum(
            float(row.get("tally", {}).get("offered", 0))
            for row in rows
            if row["queue_id"] == queue_id
        )

    before = await offered()
    await call.send_dtmf(key)
    await eventually(offered, lambda now: now > before, 15, "the caller in the queue")
    return call


async def answer(desk: Desk, call: OutgoingCall) -> dict[str, Any]:
    """The only one who is free takes the call; the work."""
    await desk.presence("ready")
    work = await desk.rings(20)
    await desk.confirm(work)
    peer = await desk.connect(work)
    await desk.accept(work)
    peer.play_tone(660)
    call.play_tone(CALLER_HZ)
    return work


async def told_at_length(stage: Whole, desk: AgentPage) -> None:
    """Maria's call: a hold, a pause of the recording, a note and what it was about."""
    call = await calls(stage, "+12025550147", "1", "sales")
    await desk.accept()
    call.say(chatter(40, seed=1))
    page = desk.page
    await page.wait_for_timeout(6_000)
    await desk.button("Hold").click()
    await page.wait_for_timeout(3_000)
    await desk.button("Take back").click()
    await page.wait_for_timeout(3_000)
    await desk.button("Pause recording").click()
    await page.get_by_role("menuitem", name="Card data is told").click()
    await page.wait_for_timeout(2_500)
    await desk.button("Resume recording").click()
    await page.wait_for_timeout(4_000)
    await call.hangup()
    await desk.until_state("Wrap-up")
    await page.get_by_placeholder("What was agreed").fill("Two crates, delivery on Thursday.")
    await desk.button("Save note").click()
    await page.get_by_role("radio", name="Order placed").click()
    await desk.finish()
    await desk.is_ready()
    await desk.take_break()


async def at_work(stage: Whole) -> None:
    """The others: two talk, one wraps up, one has lunch, one is free; and callers wait."""
    desks = {
        name: await stage.tenant.desk(name) for name in PEOPLE if name not in {"anna", "grace"}
    }
    for name, reason in (("emma", "lunch"), ("hugo", "training")):
        await desks[name].presence("break", reason)
    await answer(desks["ben"], await calls(stage, "+12025550123", "1", "sales"))
    held = await answer(desks["clara"], await calls(stage, "+12025550171", "2", "support"))
    await desks["clara"].hold(held)
    ended = await calls(stage, "+12025550134", "2", "support")
    await answer(desks["david"], ended)
    await ended.hangup()
    await desks["david"].becomes("wrap_up", 10)
    await desks["farid"].ready()
    for number in ("+12025550162", "+12025550119", "+12025550181"):
        await calls(stage, number, "2", "support")


async def take(someone: Person, name: str, *, below: str = "") -> None:
    """Writes what the page shows, once all of it is there; `below`: from this heading on."""
    page = someone.page
    # What tabs hold that are not open begins to load when they are.
    loading = page.locator("#main [role=status][aria-label]").filter(visible=True)
    await expect(loading).to_have_count(0, timeout=PATIENCE_MS)
    await page.wait_for_load_state("networkidle")
    if below:
        heading = page.get_by_role("heading", name=below, exact=True)
        await heading.evaluate("h => scrollTo(0, h.getBoundingClientRect().top + scrollY - 110)")
    await page.mouse.move(700, 5)
    await page.wait_for_timeout(1_500)
    PICTURES.mkdir(parents=True, exist_ok=True)
    picture = PICTURES / f"{name}.png"
    await page.screenshot(path=picture, animations="disabled")
    assert picture.stat().st_size < MAX_BYTES, f"{name} is too large"


async def without_tour(someone: Person) -> Person:
    """Somebody who has been shown around before."""
    await someone.page.get_by_role("button", name="Close the tour").click()
    return someone


async def test_pictures(stage: Whole, tmp_path: Path) -> None:
    anna = await without_tour(await person(stage, "anna", tmp_path))
    desk = AgentPage(anna)
    await desk.go_ready()
    await told_at_length(stage, desk)
    await at_work(stage)

    await calls(stage, "+12025550147", "1", "sales")
    await anna.page.keyboard.press("r")
    await desk.accept()
    note = anna.page.get_by_placeholder("What was agreed")
    await note.fill("Asks whether the second crate can come on Friday.")
    await anna.page.get_by_role("radio", name="Question answered").click()
    await anna.page.wait_for_timeout(6_000)
    await take(anna, "desk")

    await calls(stage, "+12025550156", "1", "sales")
    sara = await without_tour(await person(stage, "sara", tmp_path))
    await looked_at(stage, sara)
    async with browsing(
        stage.tenant.portal, tmp_path, width=390, height=844, language="zh-CN"
    ) as small:
        await small.page.goto(f"{small.address}/?tenant={stage.tenant.name}")
        await small.page.locator("input[autocomplete=username]").fill("sara")
        await small.page.locator("input[type=password]").fill(PASSWORD)
        await small.page.locator("button[type=submit]").click()
        await small.page.get_by_role("button", name="关闭导览").click()
        await small.open("/floor")
        await take(small, "floor-zh")


async def looked_at(stage: Whole, sara: Person) -> None:
    """The floor in the dark, then what was, and what is decided."""
    found = (await stage.tenant.admin.get("/v1/recordings"))["recordings"]
    oldest = min(found, key=lambda row: int(row["started_at_ms"]))["recording_id"]
    await sara.page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    await sara.open("/floor")
    await sara.page.wait_for_timeout(3_000)
    await take(sara, "floor")
    await sara.page.emulate_media(color_scheme="light", reduced_motion="reduce")
    for path, name, below in (
        (f"/contacts/{oldest}", "story", "What happened"),
        (f"/recordings/{oldest}", "recording", ""),
        ("/admin/flows/main-menu", "flow", ""),
    ):
        await sara.open(path)
        await take(sara, name, below=below)
