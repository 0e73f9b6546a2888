"""Where numbers lead, with a store that goes away and comes back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from services.chassis.blobs import MemoryBlobs
from services.chassis.database import DatabaseUnavailable
from services.chassis.ids import TenantId
from services.chassis.simulated import MemoryExchange
from services.ivr.destinations import ASK_LIMIT_S, BELIEVED_MS, Destinations
from services.ivr.flows import Flows
from services.ivr.humming import Humming
from services.ivr.model.errors import BadFlow
from services.ivr.policies import Policies
from services.ivr.prompts import Prompts
from services.ivr.shelves import Shelves
from services.ivr.store import (
    MemoryFlowStore,
    NoSuchFlow,
    NoSuchNumber,
    Route,
    StoredFlow,
    StoredNumber,
)
from services.ivr.store_tenants import MemoryTenantStore
from services.ivr.tenants import Tenants
from services.ivr.voice import Voice
from tests.unit.ivr.test_face import SMALL

ACME = TenantId("acme")


class Clock:
    def __init__(self) -> None:
        self.at_ms = 0.0

    def now_ms(self) -> int:
        return int(self.at_ms)

    def monotonic_ms(self) -> float:
        return self.at_ms


class Wavering(MemoryFlowStore):
    """A store that answers, refuses, or says nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.mood = "well"
        self.asked = 0

    async def _answer(self) -> None:
        self.asked += 1
        if self.mood == "away":
            raise DatabaseUnavailable("stopped")
        if self.mood == "stalled":
            await asyncio.Event().wait()

    async def resolve_number(self, trunk: str, number: str) -> Route:
        await self._answer()
        return await super().resolve_number(trunk, number)

    async def get_flow(self, tenant_id: TenantId, flow_id: str, version: int) -> StoredFlow:
        await self._answer()
        return await super().get_flow(tenant_id, flow_id, version)

    async def prompt(self, key: str) -> str:
        await self._answer()
        return await super().prompt(key)

    async def keep_prompt(self, key: str, sha256: str) -> None:
        await self._answer()
        await super().keep_prompt(key, sha256)


class Office:
    def __init__(self) -> None:
        self.clock, self.store = Clock(), Wavering()
        self.prompts = Prompts(voice=Voice(Humming()), blobs=MemoryBlobs(), store=self.store)
        self.recording = MemoryExchange(coin=lambda: True)
        self.tenants = Tenants(store=MemoryTenantStore(), clock=self.clock)
        self.flows = Flows(store=self.store, prompts=self.prompts, shelves=self.shelves())
        self.destinations = self.replica()

    def shelves(self) -> Shelves:
        policies = Policies(dial=self.recording.channel, clock=self.clock)
        return Shelves(library=self.store.library, tenants=self.tenants, policies=policies)

    def replica(self) -> Destinations:
        return Destinations(store=self.store, flows=self.flows, clock=self.clock)

    async def publish(self, flow_id: str = "main", text: str = SMALL) -> None:
        await self.store.put_flow(ACME, flow_id, text, 1)
        await self.store.publish_flow(ACME, flow_id, 0)

    async def point(self, number: str = "100", flow_id: str = "main") -> None:
        await self.store.put_number(ACME, StoredNumber(number, "local", flow_id))


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    made = Office()
    await made.publish()
    await made.point()
    yield made
    await made.prompts.close()


async def test_a_number_is_asked_for_once_a_second(office: Office) -> None:
    found = await office.destinations.find("local", "100")
    assert (found.route, found.version, found.flow.name) == (Route(ACME, "main"), 1, "Small")
    asked = office.store.asked
    assert await office.destinations.find("local", "100") == found
    assert office.store.asked == asked
    office.clock.at_ms += BELIEVED_MS
    assert await office.destinations.find("local", "100") == found
    assert office.store.asked > asked


async def test_another_replicas_changes_are_seen_within_a_second(office: Office) -> None:
    await office.destinations.find("local", "100")
    await office.publish(text=SMALL.replace("Small", "Other"))
    office.clock.at_ms += BELIEVED_MS
    assert (await office.destinations.find("local", "100")).flow.name == "Other"
    await office.store.remove_number(ACME, "local", "100")
    office.clock.at_ms += BELIEVED_MS
    with pytest.raises(NoSuchNumber):
        await office.destinations.find("local", "100")
    office.store.mood = "away"
    with pytest.raises(DatabaseUnavailable):
        await office.destinations.find("local", "100")


async def test_changes_made_here_are_seen_at_once(office: Office) -> None:
    await office.destinations.find("local", "100")
    await office.publish(text=SMALL.replace("Small", "Other"))
    office.destinations.flow_changed(ACME, "other")
    assert (await office.destinations.find("local", "100")).version == 1
    office.destinations.flow_changed(ACME, "main")
    assert (await office.destinations.find("local", "100")).version == 2
    await office.store.remove_number(ACME, "local", "100")
    office.destinations.number_changed("local", "100")
    with pytest.raises(NoSuchNumber):
        await office.destinations.find("local", "100")


@pytest.mark.parametrize("mood", ["away", "stalled"])
async def test_a_known_number_is_served_while_the_database_is_away(
    office: Office, mood: str
) -> None:
    found = await office.destinations.find("local", "100")
    office.clock.at_ms += BELIEVED_MS
    office.store.mood = mood
    for _ in range(3):
        assert await office.destinations.find("local", "100") == found
    asked = office.store.asked
    office.clock.at_ms += BELIEVED_MS
    assert await office.destinations.find("local", "100") == found
    assert office.store.asked == asked + 1
    office.store.mood = "well"
    await office.publish(text=SMALL.replace("Small", "Other"))
    office.clock.at_ms += BELIEVED_MS
    assert (await office.destinations.find("local", "100")).flow.name == "Other"


@pytest.mark.parametrize("mood", ["away", "stalled"])
async def test_a_number_known_by_another_spelling_is_served_while_the_database_is_away(
    office: Office, mood: str
) -> None:
    found = await office.destinations.find("local", "4900100", "100")
    office.clock.at_ms += BELIEVED_MS
    office.store.mood = mood
    began_s = asyncio.get_running_loop().time()
    assert await office.destinations.find("local", "4900100", "100") == found
    assert asyncio.get_running_loop().time() - began_s < ASK_LIMIT_S
    with pytest.raises((DatabaseUnavailable, TimeoutError)):
        await office.destinations.find("local", "4900100", "101")


async def test_an_unknown_number_cannot_be_told_while_the_database_is_away(
    office: Office,
) -> None:
    office.store.mood = "away"
    with pytest.raises(DatabaseUnavailable):
        await office.destinations.find("local", "100")
    office.store.mood = "stalled"
    with pytest.raises(TimeoutError):
        await office.destinations.find("local", "100")


async def test_a_number_without_a_good_flow_leads_nowhere_even_if_it_once_did(
    office: Office,
) -> None:
    await office.destinations.find("local", "100")
    await office.publish("broken", "{}")
    await office.point(flow_id="broken")
    office.destinations.number_changed("local", "100")
    with pytest.raises(BadFlow):
        await office.destinations.find("local", "100")
    with pytest.raises(NoSuchFlow):
        await office.flows.pinned(ACME, "none", 1)


async def test_words_are_spoken_while_the_index_of_prompts_is_away(office: Office) -> None:
    for mood in ("away", "stalled"):
        office.store.mood = mood
        assert await office.prompts.blob(f"We are {mood}.", "en-us")
