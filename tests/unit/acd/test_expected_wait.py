"""What callers may be told about their wait, and when nothing."""

from __future__ import annotations

import pytest

from services.acd import model
from services.acd.model import EntryId, ExpectedWait, QueueMembership, WaitBasis
from tests.unit.acd.desk import A, B, Desk, Q, none, one

E = EntryId("e")


def desk_with(agents: int = 1, **rules: object) -> Desk:
    desk = Desk()
    desk.queue(**rules)  # type: ignore[arg-type]  # any rule
    for i in range(agents):
        desk.agent(model.AgentId("abc"[i]))
    return desk


def handle(desk: Desk, *talks_ms: int) -> None:
    """Contacts whose handling takes so long, one after the other."""
    for i, talk_ms in enumerate(talks_ms):
        desk.enqueue(f"h{i}")
        desk.answer(f"h{i}")
        desk.now_ms += talk_ms
        desk.complete(f"h{i}")


def expected(desk: Desk, entry_id: str = "e") -> ExpectedWait:
    view = desk.core.entry(EntryId(entry_id), desk.now_ms).expected
    assert view is not None
    return view


NO_WRAP_UP = model.WrapUpPolicy(model.WrapUpMode.NONE)


def test_nothing_is_said_without_measurement_or_assumption() -> None:
    desk = desk_with()
    for entry_id in ("rung", "e"):
        desk.enqueue(entry_id)
    wait = expected(desk)
    assert (wait.basis, wait.p50_s, wait.p90_s) == (WaitBasis.NONE, None, None)
    assert desk.do(model.AnnounceWait(E)) == []


def test_nothing_is_said_when_nobody_is_there() -> None:
    desk = desk_with(0, assumed_handle_s=100)
    desk.enqueue()
    assert expected(desk).basis is WaitBasis.NONE


def test_an_assumption_is_labelled() -> None:
    desk = desk_with(assumed_handle_s=100)
    for entry_id in ("rung", "e", "next"):
        desk.enqueue(entry_id)
    wait = expected(desk)
    assert (wait.basis, wait.sample, wait.p50_s, wait.p90_s) == (WaitBasis.ASSUMED, 0, 120, 210)
    assert expected(desk, "next").p50_s == 210


def test_measurement_takes_over_at_its_minimum() -> None:
    desk = desk_with(assumed_handle_s=1_000, min_sample=3, wrap_up=NO_WRAP_UP)
    handle(desk, 80_000, 80_000)
    for entry_id in ("rung", "e"):
        desk.enqueue(entry_id)
    assert expected(desk).basis is WaitBasis.ASSUMED
    desk.answer("rung")
    desk.now_ms += 160_000
    desk.complete("rung")
    desk.enqueue("last")
    wait = expected(desk, "last")
    assert (wait.basis, wait.sample) == (WaitBasis.MEASURED, 3)
    assert (wait.p50_s, wait.p90_s) == (90, 180)


def test_two_agents_halve_the_wait_and_a_shared_one_counts_by_share() -> None:
    desk = desk_with(2, assumed_handle_s=240)
    for entry_id in ("1", "2", "e"):
        desk.enqueue(entry_id)
    assert expected(desk).p50_s == 120
    other = model.QueueId("other")
    desk.agent(A, ready=False, queues=(QueueMembership(Q, 100), QueueMembership(other, 300)))
    assert expected(desk).p50_s == 210, "240 s over 1.25 agents, rounded up"


def test_a_queue_tells_what_somebody_new_would_wait() -> None:
    desk = desk_with(assumed_handle_s=100)
    assert desk.core.queue(Q, desk.now_ms).next_wait.p50_s == 120
    for entry_id, priority in (("rung", 0), ("1", 0), ("low", -1)):
        desk.enqueue(entry_id, priority=priority)
    assert desk.core.queue(Q, desk.now_ms).next_wait.p50_s == 210, "nobody waits behind the low"
    desk.queue(assumed_handle_s=100, scoring=model.Scoring(accel=0))
    assert desk.core.queue(Q, desk.now_ms).next_wait.p50_s == 300


def test_positions_follow_the_score_across_demands() -> None:
    desk = desk_with(0, scoring=model.Scoring(priority_weight=1_000, wait_cap_ms=5_000))
    skill = model.SkillExpr(model.ExprKind.SKILL, name="de")
    german = model.Plan((model.PlanStep(skill, 600),))
    desk.enqueue("old")
    desk.now_ms += 10_000
    desk.enqueue("urgent", priority=9, plan=german)
    desk.enqueue("new", plan=german)
    desk.enqueue("e", priority=1)
    places = {
        row.contact.entry_id: desk.core.entry(row.contact.entry_id, desk.now_ms).position
        for row in desk.core.snapshot().entries
    }
    assert places == {"urgent": 1, "old": 2, "e": 3, "new": 4}


def test_what_was_announced_falls_and_rises_only_by_a_lot() -> None:
    desk = desk_with(2, assumed_handle_s=90, announce_rise_s=60)
    for entry_id in ("1", "2", "3", "e"):
        desk.enqueue(entry_id)

    def told() -> int:
        return one(desk.do(model.AnnounceWait(E)), model.WaitAnnounced).wait_s

    assert told() == 180
    desk.do(model.LeaveQueue(EntryId("3"), model.Exit.ABANDONED))
    assert told() == 90
    desk.enqueue("vip", priority=50)
    assert told() == 180, "90 s more is more than a minute"
    desk.do(model.LeaveQueue(EntryId("vip"), model.Exit.ABANDONED))
    assert told() == 90
    desk.queue(assumed_handle_s=90, announce_rise_s=90)
    desk.enqueue("vip2", priority=50)
    assert told() == 90, "a rise that is not more than allowed is kept quiet"
    assert desk.core.entry(E, desk.now_ms).announced_s == 90


def test_whoever_has_no_place_hears_nothing() -> None:
    desk = desk_with(assumed_handle_s=100)
    for entry_id in ("rung", "e"):
        desk.enqueue(entry_id)
    assert desk.do(model.AnnounceWait(EntryId("rung"))) == []
    desk.do(model.DetachEntry(E))
    assert desk.do(model.AnnounceWait(E)) == []


@pytest.mark.parametrize(("late_ms", "covered"), [(0, 1), (1, 0)])
def test_promises_are_measured(late_ms: int, covered: int) -> None:
    desk = desk_with(assumed_handle_s=100)
    for entry_id in ("rung", "e"):
        desk.enqueue(entry_id)
    told = one(desk.do(model.AnnounceWait(E)), model.WaitAnnounced)
    assert (told.wait_s, told.basis) == (210, WaitBasis.ASSUMED)
    desk.wait(210_000 + late_ms)
    desk.agent(B)
    desk.do(model.SetPresence(B, model.Presence.READY))
    desk.answer()
    assert none(desk.log, model.WrapUpEnded)
    tally = desk.core.queue(Q, desk.now_ms).tally
    assert (tally.announced, tally.covered) == (1, covered)


def test_the_sample_is_bounded() -> None:
    desk = Desk(watch=False)
    desk.queue(wrap_up=NO_WRAP_UP)
    desk.agent(A)
    handle(desk, *range(70))
    (tally,) = desk.core.snapshot().tallies
    assert (tally.handle.count, tally.handle.recent_ms) == (70, tuple(range(6, 70)))


def test_asking_what_may_be_said_does_not_say_it() -> None:
    desk = desk_with(assumed_handle_s=100)
    for entry_id in ("rung", "e"):
        desk.enqueue(entry_id)
    before = desk.core.snapshot()
    assert desk.core.announceable_s(E, desk.now_ms) == 210
    assert desk.core.announceable_s(EntryId("rung"), desk.now_ms) is None
    assert desk.core.snapshot() == before
    desk.do(model.LeaveQueue(E, model.Exit.ABANDONED))
    assert desk.core.announceable_s(E, desk.now_ms) is None
