"""Who calls: the customer's card for a contact, within 300 ms or as unknown."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import grpc
from grpc import aio

from protos.acd.v1 import state_pb2
from protos.crm.v1 import crm_pb2, crm_pb2_grpc
from services.chassis.ids import TenantId
from services.chassis.request import TENANT_KEY

if TYPE_CHECKING:  # the stubs know this name, the generated module does not
    from protos.crm.v1.crm_pb2_grpc import CrmAsyncStub

LOOK_UP_LIMIT_S = 0.3
NUMBER_NAMES = ("from", "caller")
"""Where a contact's attributes say who called, the first that is there."""
CUSTOMER_NAME = "customer_id"
LATEST = 10


class Customers:
    """Looks customers up."""

    def __init__(self, *, dial: Callable[[str], aio.Channel]) -> None:
        self._dial = dial

    async def card(self, tenant_id: TenantId, contact: state_pb2.Contact) -> crm_pb2.CustomerCard:
        """The card; AioRpcError when the customers are away, TimeoutError after 300 ms."""
        attributes = {each.name: each.value for each in contact.attributes}
        number, customer_id = number_of(contact), attributes.get(CUSTOMER_NAME, "")
        stub: CrmAsyncStub = crm_pb2_grpc.CrmStub(self._dial("crm"))
        metadata = ((TENANT_KEY, str(tenant_id)),)
        card = unknown(contact)
        async with asyncio.timeout(LOOK_UP_LIMIT_S):
            if number:
                card = await stub.LookUp(crm_pb2.LookUpRequest(number=number), metadata=metadata)
            if customer_id and not card.known:
                # The flow asked the caller who they are: the number alone would not tell.
                card = await _by_id(stub, metadata, customer_id) or card
        return before(card, contact.contact_id)


def before(card: crm_pb2.CustomerCard, contact_id: str) -> crm_pb2.CustomerCard:
    """The card without the contact that rings now: whether it is there yet is chance."""
    earlier = [past for past in card.latest if past.contact_id != contact_id]
    if len(earlier) < len(card.latest):
        del card.latest[:]
        card.latest.extend(earlier)
        card.contacts -= 1
    return card


def number_of(contact: state_pb2.Contact) -> str:
    """The number that called, as far as the flow said it; empty: unknown."""
    known = {each.name: each.value for each in contact.attributes}
    return next((known[name] for name in NUMBER_NAMES if known.get(name)), "")


def unknown(contact: state_pb2.Contact) -> crm_pb2.CustomerCard:
    """What is shown of somebody nobody knows, or knows in time."""
    return crm_pb2.CustomerCard(known=False, number=number_of(contact))


async def _by_id(
    stub: CrmAsyncStub, metadata: tuple[tuple[str, str], ...], customer_id: str
) -> crm_pb2.CustomerCard | None:
    """The card of a customer whom the flow has found; None: there is no such customer."""
    request = crm_pb2.GetCustomerRequest(customer_id=customer_id)
    try:
        customer = await stub.GetCustomer(request, metadata=metadata)
    except aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return None
        raise
    asked = crm_pb2.ListHistoryRequest(customer_id=customer_id)
    asked.page.size = LATEST
    history = await stub.ListHistory(asked, metadata=metadata)
    return crm_pb2.CustomerCard(
        known=True, customer=customer, latest=history.contacts, contacts=len(history.contacts)
    )
