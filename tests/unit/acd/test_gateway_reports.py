"""What gateways say, against what is held for them: ended twice-absent, dead when silent."""

from __future__ import annotations

from collections.abc import Mapping

from services.acd import model
from services.acd.core.gateway_reports import ABSENT, LOST, SILENT_MS, End, GatewayReports
from services.acd.core.limits import GATEWAYS
from services.acd.model import (
    CompleteContact,
    ContactId,
    EntryId,
    Exit,
    LeaveQueue,
    ReservationId,
    Work,
)
from tests.unit.acd.desk import A, B, Desk

EVERY_MS = 5_000
NOBODY: Mapping[ContactId, frozenset[ReservationId]] = {}


class Watched:
    """A desk whose contacts come by gateways that report."""

    def __init__(self) -> None:
        self.desk = Desk()
        self.desk.queue()
        self.reports = GatewayReports()

    def enqueue(self, entry_id: str = "e", gateway: str = "g1") -> None:
        self.desk.enqueue(entry_id, gateway=gateway)
        self.reports.expect(self.desk.now_ms)

    def report(
        self,
        *calls: str,
        legs: tuple[ReservationId, ...] = (),
        gateway: str = "g1",
        incarnation: str = "one",
        after_ms: int = EVERY_MS,
    ) -> list[End]:
        self.desk.wait(after_ms)
        ends = self.reports.report(
            gateway=gateway,
            incarnation=incarnation,
            calls={ContactId(f"contact-{call}"): frozenset(legs) for call in calls},
            held=self.desk.core.held_by_gateways(),
            now_ms=self.desk.now_ms,
        )
        return self.take(ends)

    def look(self) -> list[End]:
        """Waits until silence should be looked for."""
        at_ms = self.reports.next_ms()
        assert at_ms is not None
        self.desk.wait(max(0, at_ms - self.desk.now_ms))
        held = self.desk.core.held_by_gateways()
        return self.take(self.reports.overdue(held, self.desk.now_ms))

    def take(self, ends: list[End]) -> list[End]:
        for end in ends:
            self.desk.do(end)  # the laws hold after each
        return ends


def test_a_call_that_is_there_stays() -> None:
    watched = Watched()
    watched.enqueue()
    for _ in range(5):
        assert watched.report("e") == []
    assert watched.desk.exit() is None


def test_a_waiting_call_absent_twice_has_ended() -> None:
    watched = Watched()
    watched.enqueue()
    assert watched.report() == []
    assert watched.report() == [LeaveQueue(EntryId("e"), Exit.ABANDONED, reason=ABSENT)]
    assert watched.desk.exit() is Exit.ABANDONED
    assert watched.report() == []


def test_absent_once_and_there_again_is_nothing() -> None:
    watched = Watched()
    watched.enqueue()
    for calls in ((), ("e",), (), ("e",)):
        assert watched.report(*calls) == []


def test_a_gateway_that_was_heard_lives_though_its_word_was_not_compared() -> None:
    watched = Watched()
    watched.enqueue()
    assert watched.report("e") == []
    watched.desk.wait(EVERY_MS)
    watched.reports.heard("g1", "another", watched.desk.now_ms)
    heard_ms = watched.desk.now_ms - 1
    watched.reports.heard("g1", "one", heard_ms)
    watched.reports.heard("g2", "one", watched.desk.now_ms)
    assert watched.look() == []
    assert watched.reports.next_ms() == heard_ms + SILENT_MS
    assert watched.look() == [LeaveQueue(EntryId("e"), Exit.ABANDONED, reason=LOST)]


def test_two_reports_that_waited_together_are_one() -> None:
    watched = Watched()
    watched.enqueue()
    assert watched.report() == []
    assert watched.report(after_ms=100) == []
    assert len(watched.report()) == 1


def test_who_rings_is_released_without_blame() -> None:
    watched = Watched()
    watched.desk.agent()
    watched.enqueue()
    watched.desk.ring()
    watched.report()
    watched.report()
    agent = watched.desk.core.snapshot().agents[0]
    assert (agent.work, agent.strikes_at_ms, agent.resting_until_ms) == ((), (), None)


def test_a_conversation_whose_call_is_gone_is_completed() -> None:
    watched = Watched()
    watched.desk.agent()
    watched.enqueue()
    row_id = watched.desk.answer()
    assert watched.report() == []
    (end,) = watched.report()
    assert isinstance(end, CompleteContact)
    assert (end.reservation_id, end.ended_by, end.reason) == (
        row_id,
        model.BridgeEnder.SYSTEM,
        ABSENT,
    )
    assert watched.desk.state() is model.AgentState.WRAP_UP
    assert watched.report() == []


def test_a_leg_that_was_seen_and_is_absent_twice_has_ended() -> None:
    watched = Watched()
    watched.desk.agent()
    watched.enqueue()
    row_id = watched.desk.answer()
    assert watched.report("e") == []
    assert watched.report("e") == [], "it was never seen, so it is not missed"
    assert watched.report("e", legs=(row_id,)) == []
    assert watched.report("e") == []
    (end,) = watched.report("e")
    assert isinstance(end, CompleteContact)


def test_the_other_gateways_calls_are_not_its_to_end() -> None:
    watched = Watched()
    watched.enqueue("here")
    watched.enqueue("there", gateway="g2")
    watched.desk.enqueue("nowhere")
    for _ in range(3):
        assert watched.report("here") == []
        assert watched.report("there", gateway="g2", after_ms=0) == []
    assert watched.desk.exit("nowhere") is None


def test_a_new_life_of_a_gateway_ends_what_the_older_carried() -> None:
    watched = Watched()
    watched.enqueue("old")
    assert watched.report("old") == []
    watched.enqueue("new")  # the new life has it already, its report is older
    ends = watched.report(incarnation="two")
    assert ends == [LeaveQueue(EntryId("old"), Exit.ABANDONED, reason=LOST)]
    assert watched.report("new", incarnation="two") == []


def test_a_silent_gateway_is_dead() -> None:
    watched = Watched()
    watched.desk.agent()
    watched.enqueue("talks")
    watched.desk.answer("talks")
    watched.enqueue("waits")
    watched.report("talks", "waits")
    said_ms = watched.desk.now_ms
    assert watched.look() == []
    ends = watched.look()
    assert watched.desk.now_ms == said_ms + SILENT_MS
    assert {end.reason for end in ends} == {LOST}
    assert {type(end) for end in ends} == {LeaveQueue, CompleteContact}
    assert watched.reports.next_ms() is None, "nobody has to report any more"


def test_a_gateway_that_never_said_anything_dies_too() -> None:
    watched = Watched()
    watched.enqueue()
    came_ms = watched.desk.now_ms
    assert len(watched.look()) == 1
    assert watched.desk.now_ms == came_ms + SILENT_MS


def test_a_call_is_young_on_a_gateway_that_had_nothing_to_say_for_long() -> None:
    watched = Watched()
    watched.report()
    watched.desk.wait(10 * SILENT_MS)
    watched.enqueue()
    assert watched.look() == []
    assert watched.report("e") == []
    assert watched.look() == []


def test_after_a_time_of_silence_on_our_side_everybody_has_the_whole_time() -> None:
    watched = Watched()
    watched.enqueue()
    watched.report()
    watched.desk.wait(SILENT_MS - EVERY_MS + 4_000)
    watched.reports.fresh(watched.desk.now_ms)
    assert watched.reports.next_ms() == watched.desk.now_ms + SILENT_MS
    assert watched.report() == [], "what was absent before is absent for the first time"
    assert len(watched.report()) == 1


def test_only_so_many_gateways_are_listened_to() -> None:
    watched = Watched()
    watched.enqueue()
    assert watched.report() == []
    for i in range(GATEWAYS):
        watched.report(gateway=f"other{i}", after_ms=1)
    # The oldest was forgotten: it begins anew.
    assert watched.report() == []


def test_what_is_held_is_all_that_a_gateways_call_keeps_alive() -> None:
    desk = Desk()
    desk.queue()
    desk.agent(A)
    desk.agent(B)
    desk.enqueue("talks", gateway="g")
    desk.answer("talks")
    desk.enqueue("holds", gateway="g")
    row_id = desk.answer("holds")
    desk.do(model.SetHold(row_id, holding=True))
    desk.enqueue("waits", gateway="g")
    desk.enqueue("chat")
    held = {work.entry_id: work.reservation_id for work in desk.core.held_by_gateways()}
    assert set(held) == {"talks", "holds", "waits"}
    assert held[EntryId("waits")] is None
    desk.complete("talks")
    rows = {row.entry_id: row.work for row in desk.core.snapshot().reservations}
    assert rows[EntryId("talks")] is Work.WRAP_UP
    assert {work.entry_id for work in desk.core.held_by_gateways()} == {"holds", "waits"}
