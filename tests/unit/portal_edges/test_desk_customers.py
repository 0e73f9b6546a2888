"""What the card says of the past."""

from __future__ import annotations

from protos.crm.v1 import crm_pb2
from services.portal.desk_customers import before


def card(*contacts: str, total: int) -> crm_pb2.CustomerCard:
    latest = [crm_pb2.PastContact(contact_id=contact_id) for contact_id in contacts]
    return crm_pb2.CustomerCard(known=True, latest=latest, contacts=total)


def test_the_contact_that_rings_is_not_yet_of_the_past() -> None:
    told = before(card("now", "b", "a", total=12), "now")
    assert ([past.contact_id for past in told.latest], told.contacts) == (["b", "a"], 11)


def test_a_card_that_does_not_know_of_it_yet_stays_as_it_is() -> None:
    assert before(card("b", "a", total=2), "now") == card("b", "a", total=2)
