"""What one stay and one agent's time become on record."""

from __future__ import annotations

import pytest

from services.acd import model as acd
from services.acd.model import Outcome as AcdOutcome
from services.analytics.core.projection import _APPLIES, Projection
from services.analytics.model import events as e
from services.analytics.model.records import Agent, Entry, Interval, Queue, Records
from services.analytics.model.words import AgentState, Exit, Outcome
from tests.unit.acd.desk import A, Desk, Q
from tests.unit.analytics.history import happenings


def recorded(*story: e.Event, projection: Projection | None = None) -> Records:
    """The newest version of every record."""
    projection = projection or Projection()
    kept: dict[object, Queue | Agent | Entry | Interval] = {}
    for event in story:
        changed = projection.apply(event)
        kept |= {("queue", each.queue_id): each for each in changed.queues}
        kept |= {("agent", each.agent_id): each for each in changed.agents}
        kept |= {("entry", each.entry_id): each for each in changed.entries}
        kept |= {(each.agent_id, each.version): each for each in changed.intervals}
    return Records(
        queues=tuple(each for each in kept.values() if isinstance(each, Queue)),
        agents=tuple(each for each in kept.values() if isinstance(each, Agent)),
        entries=tuple(each for each in kept.values() if isinstance(each, Entry)),
        intervals=tuple(each for each in kept.values() if isinstance(each, Interval)),
    )


ARRIVAL = e.ContactEnqueued("e", "c", "q", "voice", (("b", "2"), ("a", "1")), "ref", 1_000)


def stay(*story: e.Event) -> Entry:
    (entry,) = recorded(e.QueuePut("q", "Sales"), ARRIVAL, *story).entries
    return entry


def test_a_stay_begins_with_the_names_of_then() -> None:
    story = (e.QueuePut("q", "Sales"), ARRIVAL, e.QueuePut("q", "New name"))
    records = recorded(*story)
    assert records.entries == (
        Entry(
            entry_id="e",
            contact_id="c",
            queue_id="q",
            queue_name="Sales",
            channel="voice",
            offered_at_ms=1_000,
            attributes=(("a", "1"), ("b", "2")),
            external_ref="ref",
        ),
    )
    assert records.queues == (Queue("q", "New name"),)


def test_an_answered_stay_knows_its_agent_and_all_its_times() -> None:
    found = stay(
        e.AgentPut("a", "Ann", ("q",), 0),
        e.RingConfirmed("e", 2_000),
        e.ReservationEnded("e", Outcome.NO_ANSWER, 7_000),
        e.RingConfirmed("e", 8_000),
        e.ReservationAccepted("e", 9_500),
        e.ContactExited("e", Exit.ANSWERED, "a", 8_500, 9_500),
        e.AgentPut("a", "Ann Smith", ("q",), 9_600),
        e.WrapUpCodeSet("e", "early"),
        e.ContactCompleted("e", 60_000, 5_000),
        e.WrapUpEnded("e", "sold", 4_000),
    )
    assert (found.exit, found.left_at_ms, found.wait_ms) == (Exit.ANSWERED, 9_500, 8_500)
    assert (found.agent_id, found.agent_name) == ("a", "Ann")
    assert (found.ring_ms, found.ring_failures, found.ringing_since_ms) == (6_500, 1, None)
    assert (found.talk_ms, found.hold_ms, found.wrap_up_ms) == (60_000, 5_000, 4_000)
    assert found.disposition == "sold"
    assert found.is_finished


@pytest.mark.parametrize(
    ("outcome", "rang", "failures"),
    [
        (Outcome.NO_ANSWER, True, 1),
        (Outcome.REJECT, True, 1),
        (Outcome.BUSY, False, 1),
        (Outcome.UNREACHABLE, True, 1),
        (Outcome.UNREACHABLE, False, 0),
        (Outcome.UNDELIVERED, False, 0),
        (Outcome.CALLER_GONE, True, 0),
        (Outcome.CONNECT_FAILED, True, 0),
    ],
)
def test_who_was_rung_and_did_not_answer_counts(
    outcome: Outcome,
    rang: bool,
    failures: int,
) -> None:
    ring = (e.RingConfirmed("e", 2_000),) if rang else ()
    found = stay(*ring, e.ReservationEnded("e", outcome, 3_000))
    assert found.ring_failures == failures
    assert found.ring_ms == (1_000 if rang else 0)
    assert not found.is_finished


def test_every_outcome_of_routing_is_known() -> None:
    assert {outcome.value for outcome in AcdOutcome} == {outcome.value for outcome in Outcome}


def test_an_acceptance_that_overtakes_the_ring_adds_none() -> None:
    assert stay(e.ReservationAccepted("e", 2_000)).ring_ms == 0


def test_an_edit_begins_a_new_interval_and_the_same_again_does_not() -> None:
    records = recorded(
        e.AgentPut("a", "Ann", ("q",), 10),
        e.AgentStateChanged("a", AgentState.BREAK, "lunch", 10),
        e.AgentPut("a", "Ann", ("q",), 20),
        e.AgentPut("a", "Ann", ("q", "p"), 30),
        e.AgentStateChanged("a", AgentState.READY, "", 40),
    )
    assert records.intervals == (
        Interval("a", "Ann", ("q",), 1, AgentState.BREAK, "lunch", 10, 30),
        Interval("a", "Ann", ("p", "q"), 2, AgentState.BREAK, "lunch", 30, 40),
        Interval("a", "Ann", ("p", "q"), 3, AgentState.READY, "", 40, None),
    )
    assert records.agents == (Agent("a", "Ann", ("p", "q"), 3),)


def test_who_is_removed_and_comes_back_goes_on_in_number() -> None:
    records = recorded(
        e.AgentPut("a", "Ann", (), 10),
        e.AgentStateChanged("a", AgentState.SIGNED_OUT, "", 10),
        e.AgentRemoved("a", 20),
        e.AgentPut("a", "Ann", (), 30),
        e.AgentStateChanged("a", AgentState.SIGNED_OUT, "", 30),
    )
    assert [(each.version, each.from_ms, each.to_ms) for each in records.intervals] == [
        (1, 10, 20),
        (2, 30, None),
    ]
    assert records.agents == (Agent("a", "Ann", (), 2),)


def test_what_began_before_the_events_that_are_kept_leaves_no_record() -> None:
    records = recorded(
        e.ContactExited("x", Exit.ABANDONED, "", 5, 5),
        e.ReservationAccepted("x", 6),
        e.ReservationEnded("x", Outcome.BUSY, 7),
        e.WrapUpEnded("x", "", 8),
        e.AgentRemoved("nobody", 9),
        e.QueueRemoved("q"),
    )
    assert records == Records(
        queues=(Queue("q", "", removed=True),), agents=(Agent("nobody", "", removed=True),)
    )


def test_an_agents_time_without_their_configuration_is_kept_all_the_same() -> None:
    (interval,) = recorded(e.AgentStateChanged("a", AgentState.READY, "", 5)).intervals
    assert interval == Interval("a", "", (), 1, AgentState.READY, "", 5)


def test_a_removed_queue_keeps_its_name() -> None:
    records = recorded(e.QueuePut("q", "Sales"), e.QueueRemoved("q"))
    assert records.queues == (Queue("q", "Sales", removed=True),)


def test_every_event_has_its_place() -> None:
    assert set(_APPLIES) == set(e.Event.__args__)


def test_a_conversation_in_routing_becomes_one_finished_stay() -> None:
    """Against the production core: what it measures is what is on record."""
    desk = Desk()
    desk.queue()
    desk.agent(name="Ann")
    desk.enqueue()
    desk.wait(1_000)
    desk.ring()
    desk.wait(2_000)
    desk.answer()
    desk.wait(30_000)
    desk.complete()
    desk.wait(600_000)
    story = [each.event for each in happenings(desk.log) if each.event is not None]
    records = recorded(*story)
    (entry,) = records.entries
    assert (entry.exit, entry.wait_ms, entry.ring_ms) == (Exit.ANSWERED, 3_000, 2_000)
    assert (entry.agent_name, entry.talk_ms, entry.hold_ms) == ("Ann", 30_000, 0)
    assert entry.handled
    assert entry.wrap_up_ms > 0
    states = [each.state for each in records.intervals]
    assert states[-5:] == [
        AgentState.RESERVED,
        AgentState.RINGING,
        AgentState.TALKING,
        AgentState.WRAP_UP,
        AgentState.READY,
    ]


def test_what_routing_removes_stays_on_record() -> None:
    desk = Desk()
    desk.queue(name="Sales")
    desk.agent(name="Ann", ready=False)
    desk.wait(1_000)
    desk.do(acd.RemoveAgent(A))
    desk.do(acd.RemoveQueue(Q))
    records = recorded(*(each.event for each in happenings(desk.log) if each.event is not None))
    assert records.queues == (Queue(Q, "Sales", removed=True),)
    assert [agent.removed for agent in records.agents] == [True]
    assert [each.to_ms for each in records.intervals] == [desk.now_ms]
