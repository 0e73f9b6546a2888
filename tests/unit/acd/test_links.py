"""Links that hold for a while, who may end a reservation, and what a new owner must know."""

from __future__ import annotations

import pytest

from services.acd import model
from services.acd.core.link_leases import LinkLeases
from services.acd.core.shard import Ring
from services.acd.model import AgentId, Link, LinkChanged, Outcome, ReservationId
from tests.unit.acd.desk import T0, A, B, Desk, one


def test_a_lease_is_said_again_without_an_event() -> None:
    desk = Desk()
    desk.agent(ready=False)
    event = one(desk.do(model.ReportLink(A, Link.REACHABLE, valid_ms=15_000)), LinkChanged)
    assert (event.link, event.valid_ms) == (Link.REACHABLE, 15_000)
    assert desk.do(model.ReportLink(A, Link.REACHABLE, valid_ms=15_000)) == []
    assert desk.core.leased_links() == [(A, 15_000)]


def test_another_period_is_news_and_none_at_all_too() -> None:
    desk = Desk()
    desk.agent(ready=False)
    desk.do(model.ReportLink(A, Link.REACHABLE, valid_ms=15_000))
    assert one(desk.do(model.ReportLink(A, Link.REACHABLE)), LinkChanged).valid_ms == 0
    assert desk.core.leased_links() == []


def test_what_is_unreachable_has_nothing_to_run_out() -> None:
    desk = Desk()
    desk.agent(ready=False)
    desk.do(model.ReportLink(A, Link.REACHABLE, valid_ms=15_000))
    event = one(desk.do(model.ReportLink(A, Link.UNREACHABLE, valid_ms=15_000)), LinkChanged)
    assert event.valid_ms == 0
    assert desk.do(model.ReportLink(A, Link.UNREACHABLE)) == []


@pytest.mark.parametrize("valid_ms", [-1, 86_400_001])
def test_a_period_has_limits(valid_ms: int) -> None:
    desk = Desk()
    desk.agent(ready=False)
    with pytest.raises(model.InvalidTextError):
        desk.do(model.ReportLink(A, Link.REACHABLE, valid_ms=valid_ms))


def test_a_lease_runs_out_unless_it_is_said_again() -> None:
    leases = LinkLeases()
    assert leases.next_ms() is None
    leases.said(A, 1_000, T0)
    leases.said(B, 5_000, T0)
    assert leases.next_ms() == T0 + 1_000
    assert leases.over(T0 + 999) == []
    leases.said(A, 1_000, T0 + 900)
    assert leases.over(T0 + 1_500) == []
    assert leases.over(T0 + 1_900) == [A]
    assert leases.over(T0 + 9_000) == [A, B]
    leases.forget(A)
    leases.said(B, 0, T0)
    assert leases.next_ms() is None
    assert not leases.is_over(AgentId("x"), T0)


def test_a_lease_that_is_being_said_again_does_not_run_out_meanwhile() -> None:
    leases = LinkLeases()
    leases.heard(A, T0)
    assert leases.next_ms() is None, "a link that holds for good has no lease"
    leases.said(A, 1_000, T0)
    leases.heard(A, T0 + 900)
    assert leases.next_ms() == T0 + 1_900


def test_after_a_gap_every_leased_link_has_a_whole_period() -> None:
    leases = LinkLeases()
    leases.said(A, 1_000, T0)
    leases.fresh([(A, 1_000), (B, 2_000)], T0 + 60_000)
    assert leases.over(T0 + 60_999) == []
    assert leases.over(T0 + 61_000) == [A]
    assert leases.over(T0 + 62_000) == [A, B]


def test_another_agent_cannot_end_a_reservation() -> None:
    desk = Desk()
    desk.queue()
    desk.agent()
    desk.enqueue()
    row_id = desk.ring()
    with pytest.raises(model.NotYourReservationError) as caught:
        desk.do(model.EndReservation(row_id, Outcome.REJECT, agent_id=B))
    assert caught.value.code == "answered-elsewhere"
    event = one(
        desk.do(model.EndReservation(row_id, Outcome.REJECT, agent_id=A)), model.ReservationEnded
    )
    assert event.outcome is Outcome.REJECT


def test_a_gateways_address_has_a_limit() -> None:
    desk = Desk()
    desk.queue()
    desk.enqueue("short", gateway="g" * 256)
    with pytest.raises(model.InvalidContactError):
        desk.enqueue("long", gateway="g" * 257)


def test_who_rings_is_known_from_the_state_alone() -> None:
    desk = Desk()
    desk.queue(ring_timeout_ms=9_000)
    desk.agent(name="Anna", endpoint="sip:anna@phones")
    desk.enqueue()
    row_id = desk.ring()
    assert desk.core.ring(row_id) == Ring(A, "Anna", "sip:anna@phones", 9_000)
    assert desk.core.ring(ReservationId("e.7")) is None
    assert desk.core.without_flow() == ["e"]
    desk.do(model.DetachEntry(model.EntryId("e")))
    assert desk.core.without_flow() == []
