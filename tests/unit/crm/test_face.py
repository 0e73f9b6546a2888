"""crm as portal, ivr and other services see it, in virtual time over its real face."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import grpc
import pytest

from protos.acd.v1 import config_pb2, state_pb2
from protos.acd.v1 import events_pb2 as acd
from protos.common.v1 import common_pb2
from protos.crm.v1 import crm_pb2, crm_pb2_grpc
from protos.crm.v1 import events_pb2 as crm_events
from protos.gateway.v1 import events_pb2 as gateway
from protos.recording.v1 import events_pb2 as recording
from services.chassis.envelope import Envelope, enveloped
from services.chassis.ids import TenantId
from services.chassis.request import metadata, on_behalf
from services.chassis.rpc import remote_error
from services.chassis.simulated import SimulatedWorld, simulate
from services.crm.main import build
from services.crm.store import TOPIC

DEMO = metadata(tenant_id="demo")
OTHER = metadata(tenant_id="other")
TOM = on_behalf(tenant_id="demo", user_id="tom", user_name="Tom Ünal", own_agent_id="tom")
MAIN, CALLED = "+493012345678", "+4940111222"
ROUTING, CALLS, RECORDINGS = "acd.events.v1", "gateway.events.v1", "recording.events.v1"
Story = Callable[["Desk"], Awaitable[None]]


class Desk:
    """Somebody who works with customers."""

    def __init__(self, world: SimulatedWorld) -> None:
        self.world = world
        self.crm: Any = crm_pb2_grpc.CrmStub(world.dial("crm"))

    async def put(self, customer_id: str = "c1", **more: Any) -> crm_pb2.Customer:
        customer = crm_pb2.Customer(
            customer_id=customer_id, **{"name": "Anna", "numbers": [MAIN], **more}
        )
        request = crm_pb2.PutCustomerRequest(customer=customer)
        put: crm_pb2.Customer = await self.crm.PutCustomer(request, metadata=DEMO)
        return put

    async def card(
        self, number: str = MAIN, region: str = "", whose: Any = DEMO
    ) -> crm_pb2.CustomerCard:
        request = crm_pb2.LookUpRequest(number=number, region=region)
        card: crm_pb2.CustomerCard = await self.crm.LookUp(request, metadata=whose)
        return card

    async def tell(self, topic: str, *events: Envelope) -> None:
        """Publishes; in virtual time, a second is enough for everybody who listens."""
        await self.world.bus.publish(topic, events)
        await asyncio.sleep(1)


def told(story: Story, tmp_path: Path) -> None:
    async def run(world: SimulatedWorld) -> None:
        service = build(world)
        await service.start()
        world.exchange.serve("crm", service.faces())
        await story(Desk(world))
        await service.drain()
        await service.stop()

    simulate(run, seed=1, folder=tmp_path)


async def refused(call: Awaitable[Any]) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return remote_error(caught.value).code


def event(message: Any, key: str = "s1", tenant: str = "demo", at_ms: int = 1_000) -> Envelope:
    return enveloped(
        message, event_id=f"{key}/{at_ms}", tenant_id=TenantId(tenant), at_ms=at_ms, key=key
    )


def fact(tenant: str = "demo", at_ms: int = 1_000, **body: Any) -> Envelope:
    message = gateway.CallFact(call_id="call1", tenant_id=tenant, at_ms=at_ms, **body)
    return event(message, key="call1", tenant=tenant, at_ms=at_ms)


def started() -> gateway.CallStarted:
    more: Any = {"from": "030 12345678"}  # a keyword, so it cannot be written as one
    return gateway.CallStarted(to=CALLED, trunk="local", **more)


def enqueued() -> acd.ContactEnqueued:
    attributes = [config_pb2.Attribute(name="caller", value=MAIN)]
    contact = state_pb2.Contact(
        entry_id="e1",
        contact_id="call1",
        queue_id="support",
        channel="voice",
        attributes=attributes,
    )
    return acd.ContactEnqueued(contact=contact, at_ms=2_000)


# ---- customers --------------------------------------------------------------------------------


def test_a_customer_is_created_found_listed_and_forgotten(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        customer = crm_pb2.Customer(name="Bob", numbers=["+49 40 111222"], attributes={"a": "b"})
        request = crm_pb2.CreateCustomerRequest(customer=customer)
        made = await desk.crm.CreateCustomer(request, metadata=DEMO)
        assert made.customer_id
        assert (made.numbers[0], made.created_at_ms > 0) == ("+4940111222", True)
        asked = crm_pb2.GetCustomerRequest(customer_id=made.customer_id)
        assert await desk.crm.GetCustomer(asked, metadata=DEMO) == made
        card = await desk.card("040 111222", "DE")
        assert (card.known, card.customer.name, card.number) == (True, "Bob", "+4940111222")
        assert await refused(desk.crm.GetCustomer(asked, metadata=OTHER)) == "no-such-customer"
        await desk.crm.RemoveCustomer(asked, metadata=DEMO)
        assert await refused(desk.crm.GetCustomer(asked, metadata=DEMO)) == "no-such-customer"

    told(story, tmp_path)


def test_whose_a_request_is_must_be_told(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        look_up = crm_pb2.LookUpRequest(number=MAIN)
        assert await refused(desk.crm.LookUp(look_up)) == "missing-tenant"

    told(story, tmp_path)


def test_a_look_up_never_fails_for_what_a_caller_may_send(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.put()
        for number, shown in (("anonymous", ""), ("", ""), ("anna", "anna"), ("110", "110")):
            card = await desk.card(number, "DE")
            assert (card.known, card.number, card.contacts) == (False, shown, 0)
            assert not card.HasField("customer")
        assert (await desk.card("030 1234 5678", "DE")).known
        assert not (await desk.card(whose=OTHER)).known

    told(story, tmp_path)


def test_a_taken_number_and_bad_words_are_refused_by_name(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.put()
        assert await refused(desk.put("c2")) == "number-taken"
        assert await refused(desk.put("a b", numbers=[])) == "invalid-customer"
        for search in (
            {"search": " ".join("abcdefghi")},
            {"segment": "\0"},
            {"page": common_pb2.PageRequest(token="t" * 1_001)},
        ):
            request = crm_pb2.ListCustomersRequest(**search)
            code = await refused(desk.crm.ListCustomers(request, metadata=DEMO))
            assert code == "invalid-search"
        page = crm_pb2.ListCustomersRequest(page=common_pb2.PageRequest(size=501))
        assert await refused(desk.crm.ListCustomers(page, metadata=DEMO)) == "bad-page"

    told(story, tmp_path)


def test_lists_come_in_pages_without_holes(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        for number in range(5):
            await desk.put(
                f"c{number}", name=f"Anna {4 - number}", numbers=[f"+4930123456{number}"]
            )
        seen, token = [], ""
        for _ in range(3):
            request = crm_pb2.ListCustomersRequest(
                search="anna", page=common_pb2.PageRequest(size=2, token=token)
            )
            answer = await desk.crm.ListCustomers(request, metadata=DEMO)
            seen += [customer.customer_id for customer in answer.customers]
            token = answer.page.next_token
        assert seen == ["c4", "c3", "c2", "c1", "c0"]
        assert token == ""

    told(story, tmp_path)


def test_every_change_is_told_to_others(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.put()
        asked = crm_pb2.GetCustomerRequest(customer_id="c1")
        await desk.crm.RemoveCustomer(asked, metadata=DEMO)
        async with desk.world.bus.consumer(group="test", topics=(TOPIC,)) as consumer:
            batch = await consumer.fetch(wait_s=1)
        assert batch is not None
        put, removed = batch.events
        assert crm_events.CustomerPut.FromString(put.payload).customer.name == "Anna"
        assert crm_events.CustomerRemoved.FromString(removed.payload).customer_id == "c1"

    told(story, tmp_path)


# ---- history ----------------------------------------------------------------------------------


def test_what_others_tell_becomes_history_in_any_order(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.put()
        support = config_pb2.QueueConfig(queue_id="support", name="Support")
        anna = config_pb2.AgentConfig(agent_id="anna", name="Anna B.")
        ids = {"contact_id": "call1", "queue_id": "support", "agent_id": "anna"}
        talk: Any = {**ids, "reservation_id": "e1.1", "entry_id": "e1"}
        await desk.tell(RECORDINGS, event(recording.RecordingBegun(recording_id="r1"), "call1"))
        await desk.tell(
            ROUTING,
            event(acd.QueuePut(queue=support)),
            event(acd.AgentPut(agent=anna)),
            event(enqueued()),
            event(acd.ContactAnswered(**talk, accepted_at_ms=3_000)),
            event(acd.ContactExited(**talk, exit="answered", wait_ms=1_000)),
            event(acd.ContactCompleted(**talk, talk_ms=4_000, at_ms=7_000)),
            event(acd.WrapUpEnded(**talk, code="solved", at_ms=9_000)),
            event(acd.ContactReserved(reservation_id="e1.1")),
        )
        noted = gateway.FlowNoted(kind="node-entered")
        await desk.tell(
            CALLS,
            fact(call_started=started()),
            fact(flow_noted=noted),
            fact(at_ms=8_000, call_ended=gateway.CallEnded()),
        )
        (contact,) = (await desk.card()).latest
        assert contact.customer_id == "c1"
        assert (contact.number, contact.to, contact.channel) == (MAIN, CALLED, "voice")
        assert (contact.started_at_ms, contact.ended_at_ms) == (1_000, 8_000)
        assert (contact.outcome, contact.wait_ms, contact.talk_ms) == ("answered", 1_000, 4_000)
        assert list(contact.queue_names) == ["Support"]
        assert list(contact.agent_names) == ["Anna B."]
        assert list(contact.dispositions) == ["solved"]
        assert contact.recording_id == "r1"

    told(story, tmp_path)


def test_what_is_nobodys_becomes_nobodys_history(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.tell(CALLS, fact(tenant="", call_started=started()))
        assert (await desk.card()).contacts == 0

    told(story, tmp_path)


def test_one_event_that_nobody_can_read_does_not_stop_the_rest(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        broken = Envelope("x", TenantId("demo"), 1, "k", "carillon.acd.v1.QueuePut", b"\xff\xff")
        await desk.tell(ROUTING, broken, event(enqueued()))
        assert (await desk.card()).contacts == 1

    told(story, tmp_path)


def test_past_contacts_and_notes_bear_names(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.put()
        contact = crm_pb2.PastContact(contact_id="old-1", number=MAIN, started_at_ms=5)
        put = crm_pb2.PutContactRequest(contact=contact)
        assert (await desk.crm.PutContact(put, metadata=DEMO)).customer_id == "c1"
        note = crm_pb2.AddNoteRequest(contact_id="old-1", text="Called back.")
        noted = await desk.crm.AddNote(note, metadata=TOM)
        assert (noted.notes[0].author_id, noted.notes[0].author_name) == ("tom", "Tom Ünal")
        assert await refused(desk.crm.AddNote(note, metadata=OTHER)) == "no-such-contact"
        asked = crm_pb2.GetContactRequest(contact_id="old-1")
        assert await desk.crm.GetContact(asked, metadata=DEMO) == noted
        assert await refused(desk.crm.GetContact(asked, metadata=OTHER)) == "no-such-contact"
        empty = crm_pb2.AddNoteRequest(contact_id="old-1", text=" ")
        assert await refused(desk.crm.AddNote(empty, metadata=TOM)) == "invalid-contact"
        nameless = crm_pb2.AddNoteRequest(text="To whom?")
        assert await refused(desk.crm.AddNote(nameless, metadata=TOM)) == "invalid-contact"

    told(story, tmp_path)


def test_history_is_listed_by_customer_or_number_in_pages(tmp_path: Path) -> None:
    async def story(desk: Desk) -> None:
        await desk.put()
        for number in range(3):
            contact = crm_pb2.PastContact(
                contact_id=f"old-{number}", number=MAIN, started_at_ms=5 + number
            )
            put = crm_pb2.PutContactRequest(contact=contact)
            await desk.crm.PutContact(put, metadata=DEMO)
        for whose in ({"customer_id": "c1"}, {"number": "+49 30 12345678"}):
            page = common_pb2.PageRequest(size=2)
            request = crm_pb2.ListHistoryRequest(**whose, page=page)
            first = await desk.crm.ListHistory(request, metadata=DEMO)
            assert [row.contact_id for row in first.contacts] == ["old-2", "old-1"]
            request.page.token = first.page.next_token
            rest = await desk.crm.ListHistory(request, metadata=DEMO)
            assert [row.contact_id for row in rest.contacts] == ["old-0"]
            assert rest.page.next_token == ""
        wrong = (
            crm_pb2.ListHistoryRequest(),
            crm_pb2.ListHistoryRequest(customer_id="c1", number=MAIN),
            crm_pb2.ListHistoryRequest(
                customer_id="c1", page=common_pb2.PageRequest(token="nonsense")
            ),
        )
        for request in wrong:
            assert await refused(desk.crm.ListHistory(request, metadata=DEMO)) == "invalid-search"

    told(story, tmp_path)


def test_contacts_with_many_notes_make_shorter_pages_and_a_shorter_card(tmp_path: Path) -> None:
    """All of them together would be more than one message carries."""

    async def story(desk: Desk) -> None:
        await desk.put()
        note = crm_pb2.Note(author_id="tom", text="ä" * 4_000, at_ms=1)
        for number in range(6):
            contact = crm_pb2.PastContact(
                contact_id=f"old-{number}",
                number=MAIN,
                started_at_ms=5 + number,
                notes=[note] * 100,
            )
            put = crm_pb2.PutContactRequest(contact=contact)
            await desk.crm.PutContact(put, metadata=DEMO)
        card = await desk.card()
        assert (card.known, card.contacts) == (True, 6)
        assert [row.contact_id for row in card.latest] == ["old-5", "old-4", "old-3"]
        request = crm_pb2.ListHistoryRequest(customer_id="c1")
        seen = []
        for _ in range(2):
            page = await desk.crm.ListHistory(request, metadata=DEMO)
            seen += [row.contact_id for row in page.contacts]
            request.page.token = page.page.next_token
        assert seen == [f"old-{number}" for number in range(5, -1, -1)]
        assert page.page.next_token == ""

    told(story, tmp_path)
