"""What every store of customers must do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import asyncpg
import pytest

from services.chassis.bus import MemoryBus
from services.chassis.database import Database, DatabaseAddress, DatabaseUnavailable
from services.chassis.envelope import Envelope
from services.chassis.ids import TenantId
from services.chassis.outbox import OutboxPublisher
from services.chassis.postgres.server import PostgresServer
from services.crm.model import (
    AgentNamed,
    Answered,
    CallBegan,
    CallOver,
    Customer,
    Exited,
    Happening,
    NoSuchContact,
    NoSuchCustomer,
    Note,
    NumberTaken,
    PastContact,
    Queued,
    QueueNamed,
    TalkOver,
    TooManyNotes,
    WrappedUp,
)
from services.crm.store import TOPIC, CrmStore, CustomerSearch, HistorySearch, MemoryCrmStore
from services.crm.store_sql import SqlCrmStore
from services.crm.wire import announcement

ACME, OTHER = TenantId("acme"), TenantId("other")
MAIN, SECOND = "+493012345678", "+493087654321"
ANNA = Customer(
    "c1",
    name="Änne Müller",
    numbers=(MAIN, SECOND),
    email="anna@example.com",
    segment="vip",
    language="de",
    attributes=(("plan", "gold"),),
    external_ref="X-77",
    note="Likes tea.",
)


class Kept:
    """A store with what it told the bus."""

    def __init__(self, store: CrmStore, bus: MemoryBus, publisher: OutboxPublisher | None) -> None:
        self.store = store
        self.bus = bus
        self.publisher = publisher

    async def told(self) -> list[Envelope]:
        """Everything on the bus, in the order of the customers' partitions."""
        if self.publisher is not None:
            await self.publisher.publish_some()
        async with self.bus.consumer(group="test", topics=(TOPIC,)) as consumer:
            events: list[Envelope] = []
            while batch := await consumer.fetch(wait_s=0):
                events += batch.events
                await consumer.commit(batch)
            return events


@pytest.fixture(params=["memory", "sql"])
async def kept(
    request: pytest.FixtureRequest, database_address: DatabaseAddress
) -> AsyncIterator[Kept]:
    bus, numbers = MemoryBus(), iter(range(1_000))
    announce = announcement(lambda: f"e{next(numbers)}")
    if request.param == "memory":
        yield Kept(MemoryCrmStore(bus=bus, announcement=announce), bus, None)
        return
    database = Database(database_address, schema="crm")
    publisher = OutboxPublisher(database=database, bus=bus)
    yield Kept(SqlCrmStore(database=database, announcement=announce), bus, publisher)
    await database.close()


@pytest.fixture
def store(kept: Kept) -> CrmStore:
    return kept.store


def a_call(contact_id: str = "call1", number: str = MAIN, at_ms: int = 1_000) -> list[Happening]:
    """A whole call to an agent, as its sources tell it."""
    entry, talk = f"{contact_id}-e", f"{contact_id}-e.1"
    return [
        CallBegan(contact_id, number, "+4940111222", at_ms),
        Queued(contact_id, entry, "support", "voice", number, "+4940111222", at_ms + 100),
        Answered(contact_id, talk, "anna", at_ms + 900),
        Exited(contact_id, entry, "support", "answered", 800),
        TalkOver(contact_id, talk, "anna", 5_000, at_ms + 5_900),
        CallOver(contact_id, at_ms + 5_950),
        WrappedUp(contact_id, talk, "anna", "solved", at_ms + 9_000),
    ]


# ---- customers --------------------------------------------------------------------------------


async def test_a_customer_is_kept_whole_and_keeps_its_first_day(store: CrmStore) -> None:
    put = await store.put_customer(ACME, ANNA, 7)
    assert put == replace(ANNA, created_at_ms=7, changed_at_ms=7)
    assert await store.get_customer(ACME, "c1") == put
    again = await store.put_customer(ACME, replace(ANNA, name="Anna", numbers=(SECOND,)), 9)
    assert (again.created_at_ms, again.changed_at_ms) == (7, 9)
    assert (await store.look_up(ACME, MAIN)).known is False
    assert (await store.look_up(ACME, SECOND)).customer == again


async def test_a_number_is_one_customers_of_a_tenant(store: CrmStore) -> None:
    await store.put_customer(ACME, ANNA, 7)
    with pytest.raises(NumberTaken, match="4930"):
        await store.put_customer(ACME, Customer("c2", name="Bob", numbers=(SECOND,)), 8)
    with pytest.raises(NoSuchCustomer):
        await store.get_customer(ACME, "c2")
    theirs = await store.put_customer(OTHER, Customer("c1", name="Else", numbers=(MAIN,)), 8)
    assert (await store.look_up(OTHER, MAIN)).customer == theirs
    assert (await store.look_up(ACME, MAIN)).customer == replace(
        ANNA, created_at_ms=7, changed_at_ms=7
    )


async def test_two_who_take_one_number_at_once_do_not_both_get_it(store: CrmStore) -> None:
    puts = [
        store.put_customer(ACME, Customer(f"c{number}", numbers=(MAIN, SECOND)), 7)
        for number in range(6)
    ]
    results = await asyncio.gather(*puts, return_exceptions=True)
    assert sum(isinstance(result, Customer) for result in results) == 1
    assert sum(isinstance(result, NumberTaken) for result in results) == 5


async def test_what_is_not_there_is_a_named_error(store: CrmStore) -> None:
    await store.put_customer(OTHER, ANNA, 7)
    await store.record(OTHER, a_call())
    with pytest.raises(NoSuchCustomer):
        await store.get_customer(ACME, "c1")
    with pytest.raises(NoSuchCustomer):
        await store.remove_customer(ACME, "c1", 8)
    with pytest.raises(NoSuchCustomer):
        await store.list_history(ACME, HistorySearch(customer_id="c1"))
    with pytest.raises(NoSuchCustomer):
        await store.put_contact(ACME, PastContact("x", customer_id="c1"))
    with pytest.raises(NoSuchContact):
        await store.add_note(ACME, "call1", Note("u", "U", "Hello.", 1))


async def test_customers_are_found_by_all_words_in_pages_by_name(store: CrmStore) -> None:
    names = ("Zoe Müller", "änne Müller", "Anna Schmidt", "Bob", "Anna Schmidt", "100% _ owner")
    for number, name in enumerate(names):
        customer = Customer(
            f"c{number}",
            name=name,
            numbers=(f"+4930000{number}",),
            segment="vip" if number % 2 else "",
            external_ref=f"REF-{number}",
        )
        await store.put_customer(ACME, customer, 7)
    await store.put_customer(OTHER, Customer("x", name="Anna Other"), 7)

    async def found(*words: str, segment: str = "") -> list[str]:
        rows = await store.list_customers(ACME, CustomerSearch(words=words, segment=segment))
        return [row.customer_id for row in rows]

    assert await found() == ["c5", "c2", "c4", "c3", "c0", "c1"]
    assert await found("müller") == ["c0", "c1"]
    assert await found("schmidt", "anna") == ["c2", "c4"]
    assert await found("anna", "ref-4") == ["c4"]
    assert await found("+49300003") == ["c3"]
    assert await found("%") == ["c5"]
    assert await found("anna", segment="vip") == []
    assert await found(segment="vip") == ["c5", "c3", "c1"]
    assert await found("nobody") == []
    page = await store.list_customers(ACME, CustomerSearch(after=("anna schmidt", "c2"), size=2))
    assert [row.customer_id for row in page] == ["c4", "c3"]


async def test_every_change_is_told_once_and_a_refused_one_is_not(kept: Kept) -> None:
    await kept.store.put_customer(ACME, ANNA, 7)
    with pytest.raises(NumberTaken):
        await kept.store.put_customer(ACME, Customer("c2", numbers=(MAIN,)), 8)
    await kept.store.remove_customer(ACME, "c1", 9)
    told = await kept.told()
    assert [(event.type.rpartition(".")[2], event.key, event.at_ms) for event in told] == [
        ("CustomerPut", "c1", 7),
        ("CustomerRemoved", "c1", 9),
    ]
    assert {event.tenant_id for event in told} == {ACME}
    assert await kept.told() == []


# ---- history ----------------------------------------------------------------------------------


async def test_a_whole_call_becomes_one_line_of_history(store: CrmStore) -> None:
    await store.put_customer(ACME, ANNA, 7)
    named: list[Happening] = [QueueNamed("support", "Support"), AgentNamed("anna", "Anna B.")]
    await store.record(ACME, [*named, *a_call()])
    card = await store.look_up(ACME, SECOND)
    assert (card.known, card.contacts, card.number) == (True, 1, SECOND)
    assert card.latest == (
        PastContact(
            "call1",
            customer_id="c1",
            channel="voice",
            direction="inbound",
            number=MAIN,
            to="+4940111222",
            started_at_ms=1_000,
            ended_at_ms=6_950,
            outcome="answered",
            queue_names=("Support",),
            agent_names=("Anna B.",),
            agent_ids=("anna",),
            dispositions=("solved",),
            talk_ms=5_000,
            wait_ms=800,
        ),
    )


async def test_names_stay_as_they_were_then(store: CrmStore) -> None:
    await store.record(ACME, [QueueNamed("support", "Support"), *a_call("call1")])
    await store.record(ACME, [QueueNamed("support", "Help"), *a_call("call2", at_ms=9_000)])
    await store.record(ACME, a_call("call1"))
    contacts = await store.list_history(ACME, HistorySearch(number=MAIN))
    assert [contact.queue_names for contact in contacts] == [("Help",), ("Support",)]


async def test_a_card_has_the_latest_ten_and_counts_all(store: CrmStore) -> None:
    for number in range(12):
        await store.record(ACME, [CallBegan(f"call{number:02}", MAIN, "", 1_000 + number)])
    await store.record(OTHER, [CallBegan("call99", MAIN, "", 9_999)])
    card = await store.look_up(ACME, MAIN)
    assert (card.known, card.customer, card.contacts) == (False, None, 12)
    assert [contact.contact_id for contact in card.latest] == [
        f"call{number:02}" for number in range(11, 1, -1)
    ]


async def test_a_withheld_number_is_nobodys_and_has_no_history(store: CrmStore) -> None:
    await store.record(ACME, [CallBegan("call1", "anonymous", "+4940111222", 1_000)])
    card = await store.look_up(ACME, "")
    assert (card.known, card.contacts, card.latest) == (False, 0, ())
    assert await store.list_history(ACME, HistorySearch(number="")) == []


async def test_history_comes_in_pages_newest_first(store: CrmStore) -> None:
    await store.put_customer(ACME, ANNA, 7)
    for name, at_ms in (("a", 5), ("b", 5), ("c", 6), ("d", 4)):
        await store.record(ACME, [CallBegan(name, MAIN, "", at_ms)])
    for search in (HistorySearch(customer_id="c1", size=2), HistorySearch(number=MAIN, size=2)):
        first = await store.list_history(ACME, search)
        assert [contact.contact_id for contact in first] == ["c", "b"]
        rest = await store.list_history(ACME, replace(search, before=(5, "b")))
        assert [contact.contact_id for contact in rest] == ["a", "d"]


async def test_contacts_that_were_nobodys_become_the_customers_and_nobodys_again(
    store: CrmStore,
) -> None:
    await store.record(ACME, a_call())
    await store.put_customer(ACME, ANNA, 7)
    own = await store.list_history(ACME, HistorySearch(customer_id="c1"))
    assert [(contact.contact_id, contact.customer_id) for contact in own] == [("call1", "c1")]
    await store.remove_customer(ACME, "c1", 8)
    left = await store.list_history(ACME, HistorySearch(number=MAIN))
    assert [(contact.contact_id, contact.customer_id) for contact in left] == [("call1", "")]
    assert (await store.look_up(ACME, MAIN)).known is False


async def test_past_contacts_are_put_replaced_and_given_to_whom_their_number_is(
    store: CrmStore,
) -> None:
    await store.put_customer(ACME, ANNA, 7)
    old = PastContact(
        "old-1",
        channel="voice",
        number=MAIN,
        started_at_ms=3,
        agent_names=("Tom",),
        notes=(Note("t", "Tom", "Called back.", 4),),
    )
    assert await store.put_contact(ACME, old) == replace(old, customer_id="c1")
    await store.put_contact(ACME, replace(old, outcome="answered"))
    (contact,) = await store.list_history(ACME, HistorySearch(customer_id="c1"))
    assert (contact.outcome, contact.notes[0].author_name) == ("answered", "Tom")


async def test_notes_are_added_at_the_end_and_bounded(store: CrmStore) -> None:
    await store.record(ACME, a_call())
    notes = [Note("u1", "Änne", f"Note {number}.", number) for number in range(100)]
    for note in notes:
        contact = await store.add_note(ACME, "call1", note)
    assert contact.notes == tuple(notes)
    assert await store.get_contact(ACME, "call1") == contact
    with pytest.raises(TooManyNotes):
        await store.add_note(ACME, "call1", notes[0])
    await store.record(ACME, a_call())
    assert (await store.look_up(ACME, MAIN)).latest[0].notes == tuple(notes)


async def test_a_contact_that_there_is_not_or_is_anothers_is_refused(store: CrmStore) -> None:
    await store.record(ACME, a_call())
    for tenant, contact_id in ((ACME, "call2"), (OTHER, "call1")):
        with pytest.raises(NoSuchContact):
            await store.get_contact(tenant, contact_id)


async def test_two_feeds_of_one_contact_lose_nothing(store: CrmStore) -> None:
    happenings = a_call()
    await asyncio.gather(*(store.record(ACME, [happening]) for happening in happenings))
    (contact,) = await store.list_history(ACME, HistorySearch(number=MAIN))
    await store.record(OTHER, happenings)
    (expected,) = await store.list_history(OTHER, HistorySearch(number=MAIN))
    assert contact == expected


# ---- only in PostgreSQL -----------------------------------------------------------------------


async def test_row_security_is_what_keeps_tenants_apart(
    postgres_server: PostgresServer, database_address: DatabaseAddress
) -> None:
    database = Database(database_address, schema="crm")
    store = SqlCrmStore(database=database, announcement=announcement(lambda: "e"))
    await store.put_customer(ACME, ANNA, 7)
    await store.record(ACME, a_call())
    everything = CustomerSearch()
    assert await store.list_customers(OTHER, everything) == []
    assert (await store.look_up(OTHER, MAIN)).contacts == 0
    administrator = await asyncpg.connect(postgres_server.admin_dsn(database_address.name))
    await administrator.execute("ALTER TABLE crm.customer DISABLE ROW LEVEL SECURITY")
    await administrator.close()
    assert len(await store.list_customers(OTHER, everything)) == 1
    await database.close()


async def test_a_database_that_is_away_is_a_named_error() -> None:
    address = DatabaseAddress("127.0.0.1", 1, "none", {"carillon_crm": "x"})
    store = SqlCrmStore(
        database=Database(address, schema="crm"), announcement=announcement(lambda: "e")
    )
    with pytest.raises(DatabaseUnavailable):
        await store.look_up(ACME, MAIN)
    withheld = await store.look_up(ACME, "")
    assert (withheld.known, withheld.contacts) == (False, 0), "that nobody calls needs no database"
