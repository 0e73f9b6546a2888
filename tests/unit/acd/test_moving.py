"""Many agents in one step: queues and skills, all of them or nobody, and back again."""

from __future__ import annotations

import pytest

from services.acd import model
from services.acd.core.limits import AGENTS_AT_ONCE, MEMBERSHIPS_AT_ONCE
from services.acd.model import (
    AgentId,
    AgentState,
    InvalidConfigurationError,
    Memberships,
    NoSuchAgentError,
    NoSuchQueueError,
    QueueId,
    QueueMembership,
    SkillLevel,
    Skills,
)
from services.chassis.journal import JournalUnavailable
from tests.unit.acd.desk import A, B, Desk, Q
from tests.unit.acd.house import ANNA, DEMO, House, furnish, virtually

R, S, GONE = QueueId("r"), QueueId("s"), QueueId("gone")
NOBODY = AgentId("nobody")
Invalid = InvalidConfigurationError
INTO_R = (QueueMembership(R, weight=200, position=3),)


def floor() -> Desk:
    """A and B, each with queues of their own."""
    desk = Desk()
    for queue_id in (Q, R, S, GONE):
        desk.queue(queue_id)
    desk.agent(A, queues=(QueueMembership(Q, 50), QueueMembership(S), QueueMembership(GONE)))
    desk.agent(B, queues=(QueueMembership(R, 7, 1), QueueMembership(Q)))
    desk.do(model.RemoveQueue(GONE))
    return desk


def served(desk: Desk) -> tuple[Memberships, ...]:
    return desk.core.memberships((A, B))


def test_agents_leave_the_queues_named_and_join_the_others() -> None:
    desk = floor()
    events = desk.do(model.MoveAgents((A, B), (Q,), INTO_R))
    assert [type(event) for event in events] == [model.AgentPut, model.AgentPut]
    assert served(desk) == (
        Memberships(A, (QueueMembership(S), QueueMembership(GONE), *INTO_R)),
        Memberships(B, INTO_R),
    )
    assert desk.core.agent(A, desk.now_ms).queue_ids == (S, GONE, R)


def test_what_they_had_before_restores_exactly_that() -> None:
    desk = floor()
    before, rows = served(desk), desk.core.snapshot().agents
    desk.do(model.MoveAgents((A, B), (Q,), INTO_R))
    desk.do(model.SetMemberships(before))
    assert served(desk) == before
    assert desk.core.snapshot().agents == rows
    assert desk.do(model.SetMemberships(before)) == []


def test_a_move_that_changes_nothing_is_no_event() -> None:
    desk = floor()
    assert desk.do(model.MoveAgents((A, B))) == []
    assert desk.do(model.MoveAgents((B,), (S,), (QueueMembership(R, 7, 1),))) == []


def test_an_agent_may_serve_no_queue_at_all() -> None:
    desk = floor()
    desk.do(model.SetMemberships((Memberships(A),)))
    desk.do(model.MoveAgents((B,), (Q, R)))
    assert served(desk) == (Memberships(A), Memberships(B))
    desk.enqueue()
    assert desk.rung() is None
    desk.do(model.MoveAgents((B,), to=(QueueMembership(Q),)))
    assert desk.rung() == B


def test_a_queue_that_is_gone_may_be_left_and_kept_but_not_joined() -> None:
    desk = floor()
    desk.do(model.SetMemberships((Memberships(A, (QueueMembership(GONE), QueueMembership(Q))),)))
    with pytest.raises(NoSuchQueueError):
        desk.do(model.SetMemberships((Memberships(B, (QueueMembership(GONE),)),)))
    with pytest.raises(NoSuchQueueError):
        desk.do(model.MoveAgents((A,), to=(QueueMembership(GONE),)))
    with pytest.raises(NoSuchQueueError):
        desk.do(model.MoveAgents((B,), (GONE,)))
    desk.do(model.MoveAgents((A, B), (GONE,)))
    assert served(desk)[0] == Memberships(A, (QueueMembership(Q),))


def test_an_agent_who_leaves_a_queue_in_the_middle_of_its_contact_finishes_it() -> None:
    desk = floor()
    desk.do(model.SetPresence(B, model.Presence.BREAK))
    desk.enqueue("ringing")
    ring = desk.ring("ringing")
    desk.do(model.MoveAgents((A,), (Q, S, GONE), INTO_R))
    assert desk.rung("ringing") == A
    desk.answer("ringing")
    desk.do(model.MoveAgents((A,), (R,)))
    assert desk.state(A) is AgentState.TALKING
    desk.complete("ringing")
    desk.do(model.FinishWrapUp(ring))
    assert desk.state(A) is AgentState.READY


def test_the_moved_are_matched_at_once() -> None:
    desk = floor()
    desk.do(model.SetPresence(B, model.Presence.BREAK))
    desk.enqueue(queue_id=R)
    assert desk.rung() is None
    desk.do(model.MoveAgents((A,), (Q,), INTO_R))
    assert desk.rung() == A


@pytest.mark.parametrize(
    ("command", "error"),
    [
        (model.MoveAgents((A, NOBODY), to=INTO_R), NoSuchAgentError),
        (model.MoveAgents((A,), (QueueId("none"),)), NoSuchQueueError),
        (model.MoveAgents(()), Invalid),
        (model.MoveAgents((A, A), to=INTO_R), Invalid),
        (model.MoveAgents((A,), (R,), INTO_R), Invalid),
        (model.MoveAgents((A, B), to=(QueueMembership(R, 0),)), Invalid),
        (model.MoveAgents((A,), tuple(map(QueueId, map(str, range(401))))), Invalid),
        (model.SetMemberships(()), Invalid),
        (model.SetMemberships((Memberships(B), Memberships(B))), Invalid),
        (model.SetMemberships((Memberships(B), Memberships(A, INTO_R * 2))), Invalid),
        (model.SetMemberships((Memberships(B), Memberships(NOBODY))), NoSuchAgentError),
        (model.SetSkills((Skills(A), Skills(NOBODY))), NoSuchAgentError),
        (model.SetSkills((Skills(A), Skills(A))), Invalid),
        (model.SetSkills((Skills(A), Skills(B, (SkillLevel("de", 11),)))), Invalid),
    ],
)
def test_all_or_nobody(command: model.Command, error: type[model.RoutingError]) -> None:
    desk = floor()
    before = desk.core.snapshot()
    with pytest.raises(error):
        desk.do(command)
    assert desk.core.snapshot() == before


def test_one_step_has_its_limits() -> None:
    desk = Desk(watch=False)
    desk.queue()
    queues = tuple(QueueMembership(QueueId(f"q{i}")) for i in range(100))
    for each in queues:
        desk.queue(each.queue_id)
    agents = [AgentId(f"a{i}") for i in range(AGENTS_AT_ONCE + 1)]
    for agent_id in agents:
        desk.agent(agent_id, ready=False, queues=())
    with pytest.raises(Invalid, match="number of agents is 1 to 500"):
        desk.do(model.MoveAgents(tuple(agents), to=queues[:1]))
    few = AGENTS_AT_ONCE * 4 // 5
    assert few * len(queues) == MEMBERSHIPS_AT_ONCE
    assert len(desk.do(model.MoveAgents(tuple(agents[:few]), to=queues))) == few
    with pytest.raises(Invalid, match="name fewer agents"):
        desk.do(model.MoveAgents(tuple(agents[:few]), to=(QueueMembership(Q),)))


def test_skills_are_given_exactly() -> None:
    desk = floor()
    desk.do(model.SetSkills((Skills(A, (SkillLevel("de", 3),)), Skills(B))))
    assert desk.core.agent_config(A).skills == (SkillLevel("de", 3),)
    events = desk.do(model.SetSkills((Skills(A), Skills(B))))
    assert [type(event) for event in events] == [model.AgentPut]
    assert desk.core.agent_config(A).skills == ()
    assert desk.core.agent_config(A).queues == served(desk)[0].queues


def test_who_moves_agents_while_the_journal_is_away_is_told_in_time() -> None:
    async def story(house: House) -> None:
        shard = await house.shards().of(DEMO)
        await furnish(shard)
        move = model.MoveAgents((ANNA,), (Q,))
        before, events = await shard.submit_seen(move, lambda: shard.core.memberships((ANNA,)))
        assert before == (Memberships(ANNA, (QueueMembership(Q),)),)
        assert len(events) == 1
        house.journal.away = True
        with pytest.raises(JournalUnavailable):
            await shard.submit_seen(model.SetMemberships(before), lambda: None)
        house.journal.away = False
        await shard.close()

    virtually(story)
