"""Presence, link, work, and the intervals they make."""

from __future__ import annotations

import pytest

from services.acd import model
from services.acd.model import (
    AgentConfig,
    AgentState,
    Capacity,
    Channel,
    LegId,
    Link,
    Presence,
    QueueId,
    QueueMembership,
)
from tests.unit.acd.desk import A, B, Desk, Q, none, one

LEG = LegId("leg")


def desk_with_a() -> Desk:
    desk = Desk()
    desk.queue()
    desk.agent(A)
    return desk


def test_routable_is_ready_and_reachable_and_free() -> None:
    desk = Desk()
    desk.queue()
    desk.agent(A, ready=False)
    seen = [desk.core.agent(A, desk.now_ms).why_not]
    desk.do(model.SetPresence(A, Presence.READY))
    seen.append(desk.core.agent(A, desk.now_ms).why_not)
    desk.do(model.ReportLink(A, Link.PROBING))
    seen.append(desk.core.agent(A, desk.now_ms).why_not)
    desk.do(model.ReportLink(A, Link.REACHABLE))
    assert desk.core.agent(A, desk.now_ms).routable
    desk.do(model.SetPresence(A, Presence.BREAK, "lunch"))
    seen.append(desk.core.agent(A, desk.now_ms).why_not)
    assert seen == ["signed_out", "unreachable", "unreachable", "on_break"]


def test_every_change_begins_an_interval_and_repetition_none() -> None:
    desk = desk_with_a()
    lunch = model.SetPresence(A, Presence.BREAK, "lunch")
    changed = one(desk.do(lunch), model.AgentStateChanged)
    assert (changed.state, changed.reason, changed.previous) == ("break", "lunch", "ready")
    assert desk.do(lunch) == []
    tea = one(desk.do(model.SetPresence(A, Presence.BREAK, "tea")), model.AgentStateChanged)
    assert (tea.reason, tea.version) == ("tea", changed.version + 1)
    assert desk.do(model.ReportLink(A, Link.REACHABLE)) == []
    assert none(desk.do(model.ReportLink(A, Link.PROBING)), model.AgentStateChanged)


def test_a_break_asked_for_at_work_waits_for_the_end_of_wrap_up() -> None:
    desk = desk_with_a()
    desk.enqueue()
    desk.do(model.SetPresence(A, Presence.BREAK, "lunch"))
    reservation_id = desk.answer()
    view = desk.core.agent(A, desk.now_ms)
    assert (view.state, view.presence, view.pending) == ("talking", "ready", "break")
    desk.complete()
    assert desk.state() is AgentState.WRAP_UP
    events = desk.do(model.FinishWrapUp(reservation_id))
    assert one(events, model.PresenceChanged).reason == "lunch"
    view = desk.core.agent(A, desk.now_ms)
    assert (view.state, view.reason, view.pending) == ("break", "lunch", None)


def test_a_pending_break_is_taken_back_by_ready() -> None:
    desk = desk_with_a()
    desk.enqueue()
    lunch = model.SetPresence(A, Presence.BREAK, "lunch", by="supervisor")
    assert one(desk.do(lunch), model.PresencePended).by == "supervisor"
    assert desk.do(lunch) == []
    back = one(desk.do(model.SetPresence(A, Presence.READY)), model.PresencePended)
    assert back.presence is None
    assert desk.do(model.SetPresence(A, Presence.READY)) == []


def test_a_pending_break_keeps_further_contacts_away() -> None:
    desk = Desk()
    desk.queue()
    desk.agent(A, capacities=(Capacity(Channel.CHAT, 2),))
    desk.enqueue("1", channel=Channel.CHAT)
    desk.do(model.SetPresence(A, Presence.BREAK))
    desk.enqueue("2", channel=Channel.CHAT)
    assert desk.rung("2") is None
    assert desk.core.agent(A, desk.now_ms).why_not is model.Exclusion.PRESENCE_PENDING


def test_the_acds_own_break_cannot_be_asked_for() -> None:
    desk = desk_with_a()
    with pytest.raises(model.InvalidTextError):
        desk.do(model.SetPresence(A, Presence.BREAK, "rona"))
    with pytest.raises(model.InvalidTextError):
        desk.do(model.SetPresence(A, Presence.BREAK, "x" * 101))


def test_a_lost_link_ends_what_rings_and_not_what_talks() -> None:
    desk = Desk()
    desk.queue()
    desk.agent(A, capacities=(Capacity(Channel.CHAT, 3),))
    for entry_id in ("talks", "rings", "reserved"):
        desk.enqueue(entry_id, channel=Channel.CHAT)
    desk.answer("talks")
    desk.ring("rings")
    events = desk.do(model.ReportLink(A, Link.UNREACHABLE))
    ended = [e.entry_id for e in events if isinstance(e, model.ReservationEnded)]
    assert ended == ["rings", "reserved"]
    assert desk.state() is AgentState.TALKING
    view = desk.core.agent(A, desk.now_ms)
    assert [row.entry_id for row in view.work] == ["talks"]


def test_a_leg_from_elsewhere_occupies_the_agent() -> None:
    desk = desk_with_a()
    start = model.StartAgentLeg(A, LEG)
    desk.do(start)
    assert desk.do(start) == []
    view = desk.core.agent(A, desk.now_ms)
    assert (view.state, view.why_not, view.legs) == ("talking", "other_leg", (LEG,))
    desk.enqueue()
    assert desk.rung() is None
    desk.do(model.SetPresence(A, Presence.BREAK))
    assert desk.core.agent(A, desk.now_ms).presence is Presence.BREAK
    desk.do(model.SetPresence(A, Presence.READY))
    desk.do(model.EndAgentLeg(A, LEG))
    assert desk.rung() == A
    assert desk.do(model.EndAgentLeg(A, LEG)) == []


def test_a_leg_from_elsewhere_beside_wrap_up_is_talking() -> None:
    desk = desk_with_a()
    desk.enqueue()
    desk.answer()
    desk.complete()
    desk.do(model.StartAgentLeg(A, LEG))
    assert desk.state() is AgentState.TALKING
    desk.do(model.EndAgentLeg(A, LEG))
    assert desk.state() is AgentState.WRAP_UP


def test_legs_have_a_limit() -> None:
    desk = desk_with_a()
    with pytest.raises(model.InvalidTextError):
        desk.do(model.StartAgentLeg(A, LegId("l" * 257)))
    for i in range(8):
        desk.do(model.StartAgentLeg(A, LegId(str(i))))
    with pytest.raises(model.TooManyLegsError):
        desk.do(model.StartAgentLeg(A, LEG))


def test_channels_have_capacities_of_their_own() -> None:
    desk = Desk()
    desk.queue()
    desk.agent(A, capacities=(Capacity(Channel.VOICE, 1), Capacity(Channel.CHAT, 2)))
    for i in range(3):
        desk.enqueue(f"chat{i}", channel=Channel.CHAT)
    assert [desk.rung(f"chat{i}") for i in range(3)] == [A, A, None]
    desk.enqueue("call")
    assert desk.rung("call") == A
    desk.do(model.LeaveQueue(model.EntryId("chat0"), model.Exit.ABANDONED))
    assert desk.rung("chat2") is None, "a call keeps chats away"
    explained = desk.core.explain(model.EntryId("chat2"), desk.now_ms)
    assert explained.exclusions[0].reason is model.Exclusion.CHANNEL_BLOCKED
    desk.do(model.SetTenantDefaults(model.TenantDefaults(blocks=())))
    assert desk.rung("chat2") == A


def test_an_agent_without_the_channel_is_no_candidate() -> None:
    desk = desk_with_a()
    desk.enqueue(channel=Channel.EMAIL)
    assert desk.rung() is None
    assert desk.core.explain(model.EntryId("e"), desk.now_ms).qualified_count == 1


def test_an_agent_who_serves_nothing_is_never_routable() -> None:
    desk = Desk()
    desk.agent(A, capacities=())
    assert desk.core.agent(A, desk.now_ms).why_not is model.Exclusion.AT_CAPACITY


def test_editing_an_agent_disturbs_nothing_that_runs() -> None:
    desk = desk_with_a()
    desk.enqueue()
    desk.answer()
    before = desk.core.agent(A, desk.now_ms)
    desk.do(model.PutAgent(AgentConfig(A, name="Anna", queues=(QueueMembership(Q),))))
    after = desk.core.agent(A, desk.now_ms)
    assert (after.work, after.version, after.name) == (before.work, before.version, "Anna")
    assert desk.core.agent_name(A) == "Anna"


def test_a_new_skill_takes_effect_at_once() -> None:
    desk = desk_with_a()
    german = model.SkillExpr(model.ExprKind.SKILL, name="de")
    desk.enqueue(plan=model.Plan((model.PlanStep(german, 60),)))
    assert desk.rung() is None
    desk.agent(A, ready=False, skills="de:1")
    assert desk.rung() == A


def test_a_new_queue_takes_effect_at_once_even_before_it_exists() -> None:
    desk = Desk()
    other = QueueId("other")
    desk.agent(A, queues=(QueueMembership(other),))
    desk.queue(other)
    desk.enqueue("e", other)
    assert desk.rung() == A


def test_editing_a_queue_disturbs_nothing_that_runs() -> None:
    desk = desk_with_a()
    desk.enqueue("1")
    desk.enqueue("2")
    desk.ring("1")
    before = desk.reservation("1")
    desk.queue(name="Sales", ring_timeout_ms=5_000)
    assert desk.reservation("1") == before
    assert desk.core.entry(model.EntryId("2"), desk.now_ms).position == 1
    assert desk.core.queue(Q, desk.now_ms).name == "Sales"


def test_putting_the_same_again_is_no_event() -> None:
    desk = desk_with_a()
    (agent,) = desk.core.snapshot().agents
    (queue,) = desk.core.snapshot().queues
    assert desk.do(model.PutAgent(agent.config)) == []
    assert desk.do(model.PutQueue(queue.config)) == []
    assert desk.do(model.SetTenantDefaults(model.TenantDefaults())) == []


def test_an_agent_at_work_cannot_be_removed() -> None:
    desk = desk_with_a()
    desk.enqueue()
    with pytest.raises(model.AgentAtWorkError):
        desk.do(model.RemoveAgent(A))
    desk.do(model.LeaveQueue(model.EntryId("e"), model.Exit.ABANDONED))
    desk.do(model.StartAgentLeg(A, LEG))
    with pytest.raises(model.AgentAtWorkError):
        desk.do(model.RemoveAgent(A))


def test_an_agent_who_is_removed_signs_out_first() -> None:
    desk = desk_with_a()
    desk.agent(B, ready=False)
    events = desk.do(model.RemoveAgent(A))
    assert one(events, model.AgentStateChanged).state is AgentState.SIGNED_OUT
    assert isinstance(events[-1], model.AgentRemoved)
    assert none(desk.do(model.RemoveAgent(B)), model.PresenceChanged)
    assert list(desk.core.agent_ids()) == []
    for command in (
        model.RemoveAgent(A),
        model.SetPresence(A, Presence.READY),
        model.ReportLink(A, Link.REACHABLE),
        model.StartAgentLeg(A, LEG),
        model.EndAgentLeg(A, LEG),
    ):
        with pytest.raises(model.NoSuchAgentError):
            desk.do(command)


def test_a_queue_goes_only_when_nobody_is_in_it() -> None:
    desk = desk_with_a()
    desk.enqueue()
    with pytest.raises(model.QueueNotEmptyError):
        desk.do(model.RemoveQueue(Q))
    desk.answer()
    desk.do(model.RemoveQueue(Q))
    assert list(desk.core.queue_ids()) == []
    desk.complete()
    assert desk.wait(30_000), "the agent's work ends as it would have"
    with pytest.raises(model.NoSuchQueueError):
        desk.do(model.RemoveQueue(Q))
    with pytest.raises(model.NoSuchQueueError):
        desk.core.queue(Q, desk.now_ms)


def test_a_queue_tells_how_it_is_staffed() -> None:
    desk = desk_with_a()
    for agent_id in (B, model.AgentId("c")):
        desk.agent(agent_id)
    desk.enqueue("1")
    desk.now_ms += 10
    for entry_id in ("2", "3", "4"):
        desk.enqueue(entry_id)
    desk.do(model.SetPresence(B, Presence.BREAK))
    desk.now_ms += 5
    queue = desk.core.queue(Q, desk.now_ms)
    counts = {count.condition.value: count.agents for count in queue.agents}
    assert counts == {"ready": 0, "working": 3, "on_break": 0, "unreachable": 0, "signed_out": 0}
    assert (queue.waiting, queue.reserved, queue.longest_wait_ms) == (1, 3, 5)
