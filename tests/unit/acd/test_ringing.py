"""Reservations: three leases, and what follows each outcome."""

from __future__ import annotations

import pytest

from services.acd import model
from services.acd.model import Link, Outcome, Presence, ReservationId, RingRule, Stage
from tests.unit.acd.desk import A, B, Desk, none, one


def desk_with(*agents: model.AgentId, **rules: object) -> Desk:
    desk = Desk()
    desk.queue(**rules)  # type: ignore[arg-type]  # any rule
    for agent_id in agents:
        desk.agent(agent_id)
    desk.enqueue("e")
    return desk


def test_from_the_reservation_to_the_answer() -> None:
    desk = desk_with(A)
    assert desk.state() is model.AgentState.RESERVED
    assert desk.reservation().deadline_ms == desk.now_ms + 3_000
    desk.now_ms += 500
    reservation_id = desk.ring()
    assert (reservation_id, desk.state()) == ("e.1", model.AgentState.RINGING)
    assert desk.reservation().deadline_ms == desk.now_ms + 20_000
    desk.now_ms += 4_000
    desk.do(model.AcceptReservation(reservation_id, A))
    assert desk.reservation().deadline_ms == desk.now_ms + 3_000
    desk.now_ms += 700
    events = desk.do(model.ConfirmBridged(reservation_id))
    gone = one(events, model.ContactExited)
    assert (gone.exit, gone.agent_id, gone.wait_ms) == (model.Exit.ANSWERED, A, 4_500)
    assert gone.at_ms == desk.now_ms - 700
    assert desk.state() is model.AgentState.TALKING
    view = desk.core.entry(model.EntryId("e"), desk.now_ms)
    assert (view.exit, view.reservation_id, view.agent_id) == (model.Exit.ANSWERED, "e.1", A)


def test_saying_it_again_changes_nothing() -> None:
    desk = desk_with(A)
    ring = model.ConfirmRing(desk.ring(), A)
    accept = model.AcceptReservation(ring.reservation_id, A)
    bridged = model.ConfirmBridged(ring.reservation_id)
    assert desk.do(ring) == []
    desk.do(accept)
    assert desk.do(accept) == desk.do(ring) == []
    desk.do(bridged)
    assert desk.do(bridged) == desk.do(accept) == desk.do(ring) == []


def test_the_acceptance_may_overtake_the_ring() -> None:
    desk = desk_with(A)
    desk.do(model.AcceptReservation(desk.reservation().reservation_id, A))
    assert desk.reservation().stage is Stage.CONNECTING


def test_a_reservation_obeys_its_own_agent_alone() -> None:
    desk = desk_with(A, B)
    reservation_id = desk.reservation().reservation_id
    with pytest.raises(model.NotYourReservationError):
        desk.do(model.ConfirmRing(reservation_id, B))
    with pytest.raises(model.NotYourReservationError):
        desk.do(model.AcceptReservation(reservation_id, B))
    with pytest.raises(model.NoSuchReservationError):
        desk.do(model.ConfirmBridged(ReservationId("e.9")))


def test_bridging_before_the_acceptance_is_refused() -> None:
    desk = desk_with(A)
    with pytest.raises(model.IllegalTransitionError):
        desk.do(model.ConfirmBridged(desk.reservation().reservation_id))


@pytest.mark.parametrize(
    ("stage", "lease_ms", "outcome"),
    [
        (Stage.RESERVED, 3_000, Outcome.UNDELIVERED),
        (Stage.RINGING, 20_000, Outcome.NO_ANSWER),
        (Stage.CONNECTING, 3_000, Outcome.CONNECT_FAILED),
    ],
)
def test_a_lease_frees_the_agent_by_itself(stage: Stage, lease_ms: int, outcome: Outcome) -> None:
    desk = desk_with(A)
    reservation_id = desk.reservation().reservation_id
    if stage is not Stage.RESERVED:
        desk.do(model.ConfirmRing(reservation_id, A))
    if stage is Stage.CONNECTING:
        desk.do(model.AcceptReservation(reservation_id, A))
    assert none(desk.wait(lease_ms - 1), model.ReservationEnded)
    assert one(desk.wait(1), model.ReservationEnded).outcome is outcome
    assert desk.exit() is None


@pytest.mark.parametrize(
    ("outcome", "rest_ms", "strikes"),
    [
        (Outcome.UNDELIVERED, 2_000, 0),
        (Outcome.NO_ANSWER, 5_000, 1),
        (Outcome.REJECT, 10_000, 0),
        (Outcome.BUSY, 60_000, 0),
    ],
)
def test_what_an_outcome_costs_the_agent(outcome: Outcome, rest_ms: int, strikes: int) -> None:
    desk = desk_with(A)
    desk.fail(outcome)
    (row,) = desk.core.snapshot().agents
    assert (row.resting_until_ms, len(row.strikes_at_ms)) == (desk.now_ms + rest_ms, strikes)
    view = desk.core.agent(A, desk.now_ms)
    assert (view.why_not, view.routable_at_ms) == (model.Exclusion.RESTING, desk.now_ms + rest_ms)
    assert "pauses" in view.why
    desk.wait(rest_ms - 1)
    assert desk.rung() is None
    desk.wait(1)
    assert (desk.rung(), desk.reservation().reservation_id) == (A, "e.2")


def test_ready_again_ends_the_pause() -> None:
    desk = desk_with(A)
    desk.fail(Outcome.BUSY)
    desk.do(model.SetPresence(A, Presence.BREAK))
    desk.do(model.SetPresence(A, Presence.READY))
    assert desk.rung() == A


def test_unreachable_takes_the_link_away() -> None:
    desk = desk_with(A)
    events = desk.fail(Outcome.UNREACHABLE)
    assert one(events, model.LinkChanged).link is Link.UNREACHABLE
    assert desk.state() is model.AgentState.UNREACHABLE
    desk.do(model.ReportLink(A, Link.REACHABLE))
    assert desk.rung() == A


def test_unreachable_says_so_once() -> None:
    desk = desk_with(A)
    desk.do(model.AcceptReservation(desk.reservation().reservation_id, A))
    desk.do(model.ReportLink(A, Link.UNREACHABLE))
    assert desk.reservation().stage is Stage.CONNECTING, "media decides once accepted"
    assert none(desk.fail(Outcome.UNREACHABLE), model.LinkChanged)


def test_a_caller_who_is_gone_blames_nobody() -> None:
    desk = desk_with(A, scoring=model.Scoring(return_credit=7))
    desk.ring()
    events = desk.fail(Outcome.CALLER_GONE)
    assert one(events, model.ContactExited).exit is model.Exit.ABANDONED
    assert one(events, model.ReservationEnded).credits == 0
    assert desk.core.agent(A, desk.now_ms).routable


def test_a_contact_keeps_its_place_and_gains_its_credit() -> None:
    desk = desk_with(A, scoring=model.Scoring(return_credit=7))
    came_ms = desk.now_ms
    desk.now_ms += 2_000
    desk.fail(Outcome.REJECT)
    (row,) = desk.core.snapshot().entries
    assert (row.contact.enqueued_at_ms, row.credits, row.attempts) == (came_ms, 7, 1)


def test_nobody_is_rung_twice_in_a_row_while_another_is_free() -> None:
    rules = (RingRule(Outcome.REJECT),)
    desk = desk_with(A, B, ring_rules=rules, strategies=("top_down",))
    assert desk.rung() == A
    events = desk.fail(Outcome.REJECT)
    receipt = one(events, model.ContactReserved).receipt
    assert desk.rung() == B
    assert receipt.exclusions == (model.ExcludedAgent(A, model.Exclusion.LAST_RUNG),)
    desk.fail(Outcome.REJECT)
    assert desk.rung() == A


def test_the_only_agent_is_rung_again() -> None:
    desk = desk_with(A, ring_rules=(RingRule(Outcome.REJECT),))
    desk.fail(Outcome.REJECT)
    assert desk.reservation().reservation_id == "e.2"


def test_an_excluded_pair_does_not_meet_until_its_time_is_over() -> None:
    desk = desk_with(A, ring_rules=(RingRule(Outcome.REJECT, exclude_ms=30_000),))
    desk.fail(Outcome.REJECT)
    assert desk.rung() is None
    explained = desk.core.explain(model.EntryId("e"), desk.now_ms)
    assert explained.exclusions == (model.ExcludedAgent(A, model.Exclusion.PAIR_EXCLUDED),)
    desk.enqueue("2")
    assert desk.rung("2") == A, "another contact is welcome"
    desk.do(model.LeaveQueue(model.EntryId("2"), model.Exit.ABANDONED))
    desk.wait(29_999)
    assert desk.rung() is None
    assert one(desk.wait(1), model.ExclusionEnded).agent_id == A
    assert desk.rung() == A


def test_an_excluded_contact_lets_the_next_one_pass() -> None:
    desk = desk_with(
        A,
        ring_rules=(RingRule(Outcome.REJECT, rest_ms=100, exclude_ms=30_000),),
        scoring=model.Scoring(wait_cap_ms=1),
    )
    desk.fail(Outcome.REJECT)
    for entry_id in ("2", "3"):
        desk.enqueue(entry_id)
    desk.wait(100)
    assert desk.rung("2") == A
    assert desk.rung("e") is None


def test_everybody_can_be_excluded_in_turn_within_a_limit() -> None:
    desk = Desk()
    desk.queue(ring_rules=(RingRule(Outcome.REJECT, exclude_ms=60_000),))
    agents = [model.AgentId(f"a{i:02}") for i in range(18)]
    for agent_id in agents:
        desk.agent(agent_id)
    desk.enqueue("e")
    for _ in agents:
        desk.fail(Outcome.REJECT)
        desk.now_ms += 1
    (row,) = desk.core.snapshot().entries
    assert len(row.exclusions) == 16
    assert row.reservation_id is not None, "the first agents' exclusions were dropped"


def test_strikes_take_an_agent_out_of_service_and_one_click_brings_back() -> None:
    desk = desk_with(A)
    for _ in range(2):
        desk.ring()
        desk.wait(20_000)
        desk.wait(5_000)
    view = desk.core.agent(A, desk.now_ms)
    assert (view.state, view.reason) == (model.AgentState.BREAK, "rona")
    assert view.why_not is model.Exclusion.RONA
    assert "not answering" in view.why
    rona = [e for e in desk.log if isinstance(e, model.PresenceChanged)][-1]
    assert (rona.reason, rona.by) == ("rona", "acd")
    desk.do(model.SetPresence(A, Presence.READY))
    assert desk.rung() == A
    assert desk.core.snapshot().agents[0].strikes_at_ms == ()


def test_an_answer_clears_strikes() -> None:
    desk = desk_with(A)
    desk.fail(Outcome.NO_ANSWER)
    desk.wait(5_000)
    desk.answer()
    assert desk.core.snapshot().agents[0].strikes_at_ms == ()


def test_old_strikes_do_not_count() -> None:
    desk = desk_with(A)
    desk.fail(Outcome.NO_ANSWER)
    desk.do(model.SetPresence(A, Presence.BREAK))
    desk.wait(1_800_000)
    desk.agent(B, ready=False)
    (row, _) = desk.core.snapshot().agents
    assert len(row.strikes_at_ms) == 1
    desk.do(model.DetachEntry(model.EntryId("e")))
    desk.do(model.SetPresence(A, Presence.READY))
    desk.do(model.AttachEntry(model.EntryId("e")))
    desk.fail(Outcome.NO_ANSWER)
    assert desk.core.agent(A, desk.now_ms).presence is Presence.READY


def test_a_pending_sign_out_goes_before_being_taken_out_of_service() -> None:
    desk = desk_with(A)
    desk.do(model.SetTenantDefaults(model.TenantDefaults(rona=model.RonaRule(limit=1))))
    desk.do(model.SetPresence(A, Presence.SIGNED_OUT))
    desk.fail(Outcome.NO_ANSWER)
    assert desk.state() is model.AgentState.SIGNED_OUT


def test_the_tenant_says_what_a_queue_leaves_open() -> None:
    desk = Desk()
    tenants = (RingRule(Outcome.REJECT, rest_ms=77), RingRule(Outcome.BUSY, rest_ms=88))
    desk.do(model.SetTenantDefaults(model.TenantDefaults(ring_rules=tenants, delivery_ms=9)))
    desk.queue(ring_rules=(RingRule(Outcome.BUSY, rest_ms=99),))
    desk.agent(A)
    desk.enqueue("e")
    assert desk.reservation().deadline_ms == desk.now_ms + 9
    for outcome, rest_ms in ((Outcome.REJECT, 77), (Outcome.BUSY, 99)):
        ended = one(desk.fail(outcome), model.ReservationEnded)
        assert ended.resting_until_ms == desk.now_ms + rest_ms
        desk.wait(rest_ms)


def test_ending_what_has_been_answered_is_refused() -> None:
    desk = desk_with(A)
    desk.answer()
    with pytest.raises(model.IllegalTransitionError):
        desk.fail(Outcome.REJECT)


def test_an_excluded_contact_that_is_first_lets_the_next_one_pass() -> None:
    desk = desk_with(A, ring_rules=(RingRule(Outcome.REJECT, rest_ms=100, exclude_ms=30_000),))
    desk.fail(Outcome.REJECT)
    desk.enqueue("2")
    desk.wait(100)
    assert (desk.rung("e"), desk.rung("2")) == (None, A)


def test_all_past_their_cap_may_be_excluded() -> None:
    desk = desk_with(
        A,
        ring_rules=(RingRule(Outcome.REJECT, rest_ms=100, exclude_ms=30_000),),
        scoring=model.Scoring(wait_cap_ms=1),
    )
    desk.fail(Outcome.REJECT)
    desk.wait(100)
    assert desk.rung() is None


def test_agents_who_stay_free_keep_their_place_in_line() -> None:
    desk = Desk()
    desk.queue()
    for agent_id in (A, B):
        desk.agent(agent_id, capacities=(model.Capacity(model.Channel.CHAT, 2),))
    desk.enqueue(channel=model.Channel.CHAT)
    desk.answer()
    desk.enqueue("2", channel=model.Channel.CHAT)
    assert desk.rung("2") == A, "still the longest idle: the contact has not ended"


def test_agents_who_stay_free_move_back_when_they_have_had_more() -> None:
    desk = Desk()
    desk.queue(strategies=("fewest_contacts",))
    for agent_id in (A, B):
        desk.agent(agent_id, capacities=(model.Capacity(model.Channel.CHAT, 2),))
    desk.enqueue(channel=model.Channel.CHAT)
    desk.answer()
    desk.enqueue("2", channel=model.Channel.CHAT)
    assert desk.rung("2") == B
