"""What every store of prompts, calendars and tenants' terms must do."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from services.chassis.database import Database, DatabaseAddress
from services.chassis.ids import TenantId
from services.ivr import store_library as port
from services.ivr.model.calendars import Calendar, Opening, SpecialDay
from services.ivr.model.library import LibraryPrompt, Sound, Source, Uses
from services.ivr.store import FlowStore, MemoryFlowStore
from services.ivr.store_library import (
    CalendarInUse,
    LibraryFull,
    LibraryStore,
    NoSuchCalendar,
    NoSuchPrompt,
    PromptInUse,
)
from services.ivr.store_library_sql import SqlLibraryStore
from services.ivr.store_sql import SqlFlowStore
from services.ivr.store_tenants import MemoryTenantStore, TenantStore, Terms
from services.ivr.store_tenants_sql import SqlTenantStore

ACME, OTHER = TenantId("acme"), TenantId("../other")
SOUND = Sound(Source.SPOKEN, "ab" * 32, 1_500)
CALENDAR = Calendar(
    "office",
    "Büro",
    "Europe/Berlin",
    (Opening(0, 540, 1_020), Opening(6, 0, 1_440)),
    (SpecialDay("2026-12-24", "Heiligabend", ((540, 720),)), SpecialDay("2026-12-25", "Off")),
)


@dataclass
class Stores:
    flows: FlowStore
    library: LibraryStore
    tenants: TenantStore


@pytest.fixture(params=["memory", "sql"])
async def stores(
    request: pytest.FixtureRequest, database_address: DatabaseAddress
) -> AsyncIterator[Stores]:
    if request.param == "memory":
        flows = MemoryFlowStore()
        yield Stores(flows, flows.library, MemoryTenantStore())
        return
    database = Database(database_address, schema="ivr")
    yield Stores(SqlFlowStore(database), SqlLibraryStore(database), SqlTenantStore(database))
    await database.close()


def prompt(prompt_id: str = "welcome", **more: Any) -> LibraryPrompt:
    return LibraryPrompt(prompt_id, more.get("name", "Welcome"), more.get("text", "Hi."), "en")


async def test_a_prompt_keeps_its_sound_when_its_words_change(stores: Stores) -> None:
    first = await stores.library.put_prompt(ACME, prompt(), 7)
    assert (first.sound.source, first.sound.sha256, first.used_by) == (Source.NONE, "", ())
    sounding = await stores.library.put_sound(ACME, "welcome", SOUND, 8)
    assert (sounding.sound, sounding.changed_at_ms) == (SOUND, 8)
    again = await stores.library.put_prompt(ACME, prompt(text="Grüezi."), 9)
    assert (again.text, again.sound, again.changed_at_ms) == ("Grüezi.", SOUND, 9)
    assert await stores.library.get_prompt(ACME, "welcome") == again
    assert await stores.library.sounds(ACME, ["welcome", "none"]) == {"welcome": SOUND}
    assert await stores.library.sounds(OTHER, ["welcome"]) == {}


async def test_prompts_are_found_by_part_of_what_they_say_in_pages(stores: Stores) -> None:
    for prompt_id, text in (("a", "100% sure"), ("b", "1000 sure"), ("c", "none_of it")):
        await stores.library.put_prompt(ACME, prompt(prompt_id, text=text), 7)
    await stores.library.put_prompt(OTHER, prompt("theirs"), 7)

    async def found(search: str, after: str = "", size: int = 9) -> list[str]:
        rows = await stores.library.list_prompts(ACME, search, after, size)
        return [row.prompt_id for row in rows]

    assert await found("") == ["a", "b", "c"]
    assert await found("", size=2) == ["a", "b"]
    assert await found("", "b") == ["c"]
    assert await found("SURE") == ["a", "b"]
    assert await found("0%") == ["a"]
    assert await found("e_o") == ["c"]
    assert await found("welc") == ["a", "b", "c"]
    assert await found("\\") == []


async def test_calendars_come_back_as_they_were_put(stores: Stores) -> None:
    assert await stores.library.put_calendar(ACME, CALENDAR, 7) == CALENDAR
    changed = replace(CALENDAR, name="Office", special_days=())
    assert await stores.library.put_calendar(ACME, changed, 8) == changed
    await stores.library.put_calendar(ACME, replace(CALENDAR, calendar_id="shop"), 8)
    listed = await stores.library.list_calendars(ACME, "", 1)
    assert listed == [changed]
    rest = await stores.library.list_calendars(ACME, "office", 9)
    assert [calendar.calendar_id for calendar in rest] == ["shop"]
    assert await stores.library.calendars(ACME, ["office", "none"]) == {"office": changed}
    assert await stores.library.list_calendars(OTHER, "", 9) == []
    assert await stores.library.calendars(OTHER, ["office"]) == {}


async def test_what_a_published_flow_names_is_not_removed(stores: Stores) -> None:
    await stores.library.put_prompt(ACME, prompt(), 7)
    await stores.library.put_calendar(ACME, CALENDAR, 7)
    for flow_id in ("main", "aux"):
        await stores.flows.put_flow(ACME, flow_id, "{}", 7)
        uses = Uses(frozenset({"welcome"}), frozenset({"office"}))
        await stores.flows.publish_flow(ACME, flow_id, 1, uses)
    assert (await stores.library.get_prompt(ACME, "welcome")).used_by == ("aux", "main")
    assert (await stores.library.list_calendars(ACME, "", 9))[0].used_by == ("aux", "main")
    with pytest.raises(PromptInUse, match="aux, main"):
        await stores.library.remove_prompt(ACME, "welcome")
    with pytest.raises(CalendarInUse, match="aux, main"):
        await stores.library.remove_calendar(ACME, "office")
    # Another version names nothing; a flow that is gone names nothing either.
    await stores.flows.publish_flow(ACME, "main", 1)
    await stores.flows.remove_flow(ACME, "aux")
    await stores.library.remove_prompt(ACME, "welcome")
    await stores.library.remove_calendar(ACME, "office")
    assert await stores.library.list_prompts(ACME, "", "", 9) == []


@pytest.mark.parametrize(
    ("uses", "error"),
    [
        (Uses(prompts=frozenset({"none"})), NoSuchPrompt),
        (Uses(calendars=frozenset({"none"})), NoSuchCalendar),
    ],
)
async def test_a_flow_that_names_what_is_not_there_stays_as_it_was(
    stores: Stores, uses: Uses, error: type[Exception]
) -> None:
    await stores.library.put_prompt(OTHER, prompt("none"), 7)
    await stores.flows.put_flow(ACME, "main", "{}", 7)
    with pytest.raises(error):
        await stores.flows.publish_flow(ACME, "main", 1, uses)
    assert (await stores.flows.newest_flow(ACME, "main")).published is False


@pytest.mark.parametrize(
    ("ask", "error"),
    [
        (lambda library, who: library.get_prompt(who, "welcome"), NoSuchPrompt),
        (lambda library, who: library.put_sound(who, "welcome", SOUND, 7), NoSuchPrompt),
        (lambda library, who: library.remove_prompt(who, "welcome"), NoSuchPrompt),
        (lambda library, who: library.remove_calendar(who, "office"), NoSuchCalendar),
    ],
)
async def test_what_is_another_tenants_is_not_there(
    stores: Stores,
    ask: Callable[[LibraryStore, TenantId], Awaitable[object]],
    error: type[Exception],
) -> None:
    await stores.library.put_prompt(ACME, prompt(), 7)
    await stores.library.put_calendar(ACME, CALENDAR, 7)
    with pytest.raises(error):
        await ask(stores.library, OTHER)
    await ask(stores.library, ACME)


async def test_a_library_cannot_grow_for_ever(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (port.__name__, "services.ivr.store_library_sql"):
        monkeypatch.setattr(f"{module}.MAX_PROMPTS_PER_TENANT", 1)
        monkeypatch.setattr(f"{module}.MAX_CALENDARS_PER_TENANT", 1)
    await stores.library.put_prompt(ACME, prompt("a"), 7)
    await stores.library.put_prompt(ACME, prompt("a"), 8)
    await stores.library.put_calendar(ACME, CALENDAR, 7)
    await stores.library.put_calendar(ACME, CALENDAR, 8)
    with pytest.raises(LibraryFull):
        await stores.library.put_prompt(ACME, prompt("b"), 9)
    with pytest.raises(LibraryFull):
        await stores.library.put_calendar(ACME, replace(CALENDAR, calendar_id="b"), 9)


async def test_the_newest_word_about_a_tenant_counts(stores: Stores) -> None:
    assert await stores.tenants.terms(ACME) == Terms()
    told = Terms("Europe/Bucharest", 3, suspended=True, told_at_ms=8)
    await stores.tenants.put_terms(ACME, told)
    await stores.tenants.put_terms(ACME, replace(told, suspended=False, told_at_ms=7))
    assert await stores.tenants.terms(ACME) == told
    await stores.tenants.put_terms(ACME, replace(told, suspended=False, told_at_ms=8))
    assert (await stores.tenants.terms(ACME)).suspended is False
    assert await stores.tenants.terms(OTHER) == Terms()
