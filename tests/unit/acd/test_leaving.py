"""Ways into a queue that are closed, and ways out of it."""

from __future__ import annotations

import pytest

from services.acd import model
from services.acd.model import AgentCondition, EmptyRule, EntryId, Exit, Presence, QueueId
from tests.unit.acd.desk import A, B, Desk, Q, none, one

E = EntryId("e")
THERE = EmptyRule()


def desk_with(*agents: model.AgentId, **rules: object) -> Desk:
    desk = Desk()
    desk.queue(**rules)  # type: ignore[arg-type]  # any rule
    for agent_id in agents:
        desk.agent(agent_id)
    return desk


def test_asking_twice_is_asking_once() -> None:
    desk = desk_with(A)
    desk.enqueue()
    assert desk.enqueue() == []
    desk.answer()
    assert desk.enqueue() == []
    assert desk.exit() is Exit.ANSWERED


def test_there_must_be_a_queue() -> None:
    desk = Desk()
    with pytest.raises(model.NoSuchQueueError):
        desk.enqueue()


@pytest.mark.parametrize("exit_", [Exit.ABANDONED, Exit.CALLBACK, Exit.VOICEMAIL, Exit.FAILED])
def test_leaving_by_command(exit_: Exit) -> None:
    desk = desk_with()
    desk.enqueue()
    desk.now_ms += 1_234
    gone = one(desk.do(model.LeaveQueue(E, exit_, reason="why")), model.ContactExited)
    assert (gone.exit, gone.wait_ms, gone.reason) == (exit_, 1_234, "why")
    assert desk.do(model.LeaveQueue(E, exit_)) == []
    assert getattr(desk.core.queue(Q, desk.now_ms).tally, exit_.value) == 1


def test_overflowing_by_command_names_its_target() -> None:
    desk = desk_with()
    desk.enqueue()
    for command in (
        model.LeaveQueue(E, Exit.OVERFLOWED),
        model.LeaveQueue(E, Exit.ABANDONED, target=Q),
    ):
        with pytest.raises(model.IllegalExitError):
            desk.do(command)
    target = QueueId("other")
    gone = one(desk.do(model.LeaveQueue(E, Exit.OVERFLOWED, target)), model.ContactExited)
    assert gone.target == target


@pytest.mark.parametrize(
    "exit_",
    [Exit.ANSWERED, Exit.TIMEOUT, Exit.CLOSED, Exit.REFUSED_FULL, Exit.REFUSED_NO_AGENTS],
)
def test_some_exits_are_the_rules_own(exit_: Exit) -> None:
    desk = desk_with()
    desk.enqueue()
    with pytest.raises(model.IllegalExitError):
        desk.do(model.LeaveQueue(E, exit_))


def test_leaving_while_it_rings_releases_the_agent_without_blame() -> None:
    desk = desk_with(A)
    desk.enqueue()
    desk.ring()
    events = desk.do(model.LeaveQueue(E, Exit.ABANDONED))
    assert one(events, model.ReservationEnded).outcome is model.Outcome.CALLER_GONE
    assert desk.core.agent(A, desk.now_ms).routable


def test_who_never_came_cannot_leave() -> None:
    desk = desk_with()
    for command in (
        model.LeaveQueue(E, Exit.ABANDONED),
        model.AttachEntry(E),
        model.DetachEntry(E),
        model.ChangePriority(E, 1),
        model.AnnounceWait(E),
    ):
        with pytest.raises(model.NoSuchEntryError):
            desk.do(command)
    with pytest.raises(model.NoSuchEntryError):
        desk.core.entry(E, desk.now_ms)
    with pytest.raises(model.NoSuchEntryError):
        desk.core.explain(E, desk.now_ms)


def test_what_comes_after_the_exit() -> None:
    desk = desk_with()
    desk.enqueue()
    desk.do(model.LeaveQueue(E, Exit.ABANDONED))
    assert desk.do(model.AttachEntry(E)) == desk.do(model.DetachEntry(E)) == []
    with pytest.raises(model.EntryExitedError):
        desk.do(model.ChangePriority(E, 1))
    with pytest.raises(model.EntryExitedError):
        desk.do(model.AnnounceWait(E))


def test_a_full_queue_refuses() -> None:
    desk = desk_with(A, max_waiting=2)
    for entry_id in ("reserved", "waiting", "late"):
        desk.enqueue(entry_id)
    assert desk.exit("late") is Exit.REFUSED_FULL
    assert desk.core.queue(Q, desk.now_ms).tally.offered == 3


def test_a_closed_queue_refuses_and_serves_those_inside() -> None:
    desk = desk_with(open=True)
    desk.enqueue("inside")
    desk.queue(open=False)
    desk.enqueue("outside")
    assert desk.exit("outside") is Exit.CLOSED
    assert not desk.core.queue(Q, desk.now_ms).open
    desk.agent(A)
    assert desk.rung("inside") == A


def test_an_emergency_closes_at_once_with_a_message() -> None:
    desk = desk_with(A)
    desk.enqueue("rung")
    desk.enqueue("waiting")
    emergency = model.SetEmergency(Q, active=True, message="fire", release_waiting=True)
    desk.do(emergency)
    assert desk.do(emergency) == []
    desk.enqueue("late")
    assert (desk.exit("rung"), desk.exit("waiting")) == (None, Exit.CLOSED)
    view = desk.core.entry(EntryId("late"), desk.now_ms)
    assert (view.exit, view.reason) == (Exit.CLOSED, "emergency")
    queue = desk.core.queue(Q, desk.now_ms)
    assert (queue.emergency, queue.emergency_message, queue.open) == (True, "fire", False)
    desk.do(model.SetEmergency(Q, active=False, message="ignored"))
    desk.enqueue("after")
    assert desk.exit("after") is None
    assert desk.core.queue(Q, desk.now_ms).emergency_message == ""
    with pytest.raises(model.NoSuchQueueError):
        desk.do(model.SetEmergency(QueueId("none"), active=True))


def test_an_emergency_may_let_those_inside_wait() -> None:
    desk = desk_with()
    desk.enqueue()
    desk.do(model.SetEmergency(Q, active=True))
    assert desk.exit() is None


def test_waiting_too_long_ends_by_itself_but_never_while_it_rings() -> None:
    desk = desk_with(max_wait_ms=10_000)
    desk.enqueue("1")
    desk.enqueue("2", priority=-1)
    desk.now_ms += 9_000
    desk.agent(A)
    desk.ring("1")
    desk.wait(1_000)
    assert (desk.exit("1"), desk.exit("2")) == (None, Exit.TIMEOUT)
    desk.wait(19_000)
    assert desk.exit("1") is Exit.TIMEOUT


@pytest.mark.parametrize(
    ("absent", "refused"),
    [
        ((AgentCondition.SIGNED_OUT,), False),
        ((AgentCondition.SIGNED_OUT, AgentCondition.ON_BREAK), True),
    ],
)
def test_joining_an_empty_queue(
    absent: tuple[AgentCondition, ...],
    refused: bool,  # a table's column
) -> None:
    desk = desk_with(A, join_when_empty=EmptyRule(absent))
    desk.do(model.SetPresence(A, Presence.BREAK))
    desk.enqueue()
    assert desk.exit() == (Exit.REFUSED_NO_AGENTS if refused else None)


def test_a_queue_without_agents_is_empty() -> None:
    desk = desk_with(join_when_empty=THERE)
    desk.enqueue()
    assert desk.exit() is Exit.REFUSED_NO_AGENTS


def test_busy_agents_are_there() -> None:
    desk = desk_with(A, join_when_empty=THERE)
    desk.enqueue("1")
    desk.enqueue("2")
    assert desk.exit("2") is None


@pytest.mark.parametrize(
    "last_goes",
    [
        model.SetPresence(A, Presence.SIGNED_OUT),
        model.SetPresence(A, Presence.BREAK),
        model.ReportLink(A, model.Link.UNREACHABLE),
        model.PutAgent(model.AgentConfig(A)),
        model.RemoveAgent(A),
    ],
)
def test_when_the_last_agent_goes_those_waiting_leave(last_goes: model.Command) -> None:
    nobody = model.Plan(
        (model.PlanStep(model.SkillExpr(model.ExprKind.SKILL, name="x"), 9),), model.PlanEnd.STAY
    )
    desk = desk_with(A, leave_when_empty=THERE)
    desk.enqueue("1", plan=nobody)
    desk.enqueue("2", plan=nobody)
    gone = [e for e in desk.do(last_goes) if isinstance(e, model.ContactExited)]
    assert [(e.entry_id, e.exit) for e in gone] == [
        ("1", Exit.REFUSED_NO_AGENTS),
        ("2", Exit.REFUSED_NO_AGENTS),
    ]


def test_the_rule_takes_effect_when_it_is_made_and_ends_when_it_is_dropped() -> None:
    desk = desk_with()
    desk.enqueue("1")
    desk.queue(leave_when_empty=THERE)
    assert desk.exit("1") is Exit.REFUSED_NO_AGENTS
    desk.queue()
    desk.enqueue("2")
    desk.agent(A)
    desk.do(model.SetPresence(A, Presence.BREAK))
    assert desk.exit("2") is None


def test_where_busy_agents_do_not_count_nobody_waits_behind_them() -> None:
    absent = EmptyRule((AgentCondition.SIGNED_OUT, AgentCondition.WORKING))
    desk = desk_with(A, leave_when_empty=absent)
    desk.enqueue("1")
    assert desk.rung("1") == A
    desk.enqueue("2")
    assert desk.exit("2") is Exit.REFUSED_NO_AGENTS
    desk.fail(model.Outcome.CALLER_GONE, "1")
    desk.enqueue("3")
    assert desk.rung("3") == A


def test_a_lost_flow_keeps_the_place_and_is_not_reserved() -> None:
    desk = desk_with()
    desk.enqueue("1")
    desk.enqueue("2")
    desk.do(model.DetachEntry(EntryId("1")))
    assert desk.do(model.DetachEntry(EntryId("1"))) == []
    view = desk.core.entry(EntryId("1"), desk.now_ms)
    assert (view.stage, view.position) == (model.ContactStage.DETACHED, 1)
    assert desk.core.explain(EntryId("1"), desk.now_ms).blocked == "detached"
    desk.agent(A)
    assert (desk.rung("1"), desk.rung("2")) == (None, A)
    desk.agent(B)
    assert desk.rung("1") is None
    desk.do(model.AttachEntry(EntryId("1")))
    assert desk.do(model.AttachEntry(EntryId("1"))) == []
    assert desk.rung("1") == B


def test_a_flow_lost_for_good_fails() -> None:
    desk = desk_with()
    desk.enqueue()
    desk.do(model.DetachEntry(E))
    assert none(desk.wait(29_999), model.ContactExited)
    assert one(desk.wait(1), model.ContactExited).exit is Exit.FAILED


def test_a_live_reservation_outlasts_its_flow() -> None:
    desk = desk_with(A, ring_timeout_ms=60_000)
    desk.enqueue()
    desk.ring()
    desk.do(model.DetachEntry(E))
    desk.wait(59_000)
    assert desk.rung() == A
    desk.wait(1_000)
    assert desk.exit() is Exit.FAILED


def test_a_live_reservation_can_be_answered_by_the_flow_that_came_back() -> None:
    desk = desk_with(A)
    desk.enqueue()
    desk.ring()
    desk.do(model.DetachEntry(E))
    desk.do(model.AttachEntry(E))
    desk.answer()
    assert desk.exit() is Exit.ANSWERED


def test_only_the_last_contacts_that_left_are_remembered() -> None:
    desk = Desk(watch=False)
    desk.queue()
    for i in range(2_001):
        desk.enqueue(str(i))
        desk.do(model.LeaveQueue(EntryId(str(i)), Exit.ABANDONED))
    assert len(desk.core.snapshot().exits) == 2_000
    assert desk.exit("1") is Exit.ABANDONED
    with pytest.raises(model.NoSuchEntryError):
        desk.exit("0")
    assert desk.mirror.snapshot() == desk.core.snapshot()
