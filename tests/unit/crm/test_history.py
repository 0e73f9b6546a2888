from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.crm.core.history import MAX_PARTS, begun, fold
from services.crm.model import (
    Answered,
    CallBegan,
    CallOver,
    ContactEvent,
    Exited,
    PastContact,
    Queued,
    Record,
    RecordingKept,
    TalkOver,
    WrappedUp,
)

NAMES = {("queue", "sales"): "Sales", ("agent", "anna"): "Anna B.", ("agent", "tom"): "Tom"}
CALLED = "+4940111222"
# A caller who waited, talked to Anna, was lost, waited again, and talked to Tom.
GATEWAY: list[ContactEvent | RecordingKept] = [
    CallBegan("c", "030 12345678", CALLED, 1_000),
    CallOver("c", 99_000),
]
ROUTING: list[ContactEvent | RecordingKept] = [
    Queued("c", "e1", "sales", "voice", "+4999", CALLED, 2_000),
    Answered("c", "e1.1", "anna", 8_000),
    Exited("c", "e1", "sales", "answered", 6_000),
    TalkOver("c", "e1.1", "anna", 20_000, 30_000),
    Queued("c", "e2", "backup", "voice", "+4999", CALLED, 30_100),
    WrappedUp("c", "e1.1", "anna", "cut-off", 40_000),
    Answered("c", "e2.1", "tom", 50_000),
    Exited("c", "e2", "backup", "answered", 4_000),
    TalkOver("c", "e2.1", "tom", 30_000, 98_000),
    WrappedUp("c", "e2.1", "tom", "", 99_500),
]
RECORDING: list[ContactEvent | RecordingKept] = [RecordingKept("c", "rec-1")]
WHOLE = PastContact(
    "c",
    channel="voice",
    direction="inbound",
    number="+493012345678",
    to=CALLED,
    started_at_ms=1_000,
    ended_at_ms=99_000,
    outcome="answered",
    queue_names=("Sales", "backup"),
    agent_names=("Anna B.", "Tom"),
    agent_ids=("anna", "tom"),
    dispositions=("cut-off",),
    talk_ms=50_000,
    wait_ms=10_000,
    recording_id="rec-1",
)


def folded(events: list[ContactEvent | RecordingKept]) -> Record:
    record = begun("c")
    for event in events:
        record = fold(record, event, NAMES)
    return record


def test_a_call_with_two_agents_is_one_line() -> None:
    assert folded([*GATEWAY, *ROUTING, *RECORDING]).contact == WHOLE


@given(st.permutations(GATEWAY + ROUTING + RECORDING), st.lists(st.integers(0, 12), max_size=20))
def test_neither_order_nor_repetition_matters(
    events: list[ContactEvent | RecordingKept], again: list[int]
) -> None:
    repeated = [*events, *(events[number] for number in again)]
    assert folded(repeated).contact == WHOLE


def test_a_call_that_never_queued_has_no_outcome() -> None:
    contact = folded(GATEWAY).contact
    assert (contact.outcome, contact.queue_names, contact.ended_at_ms) == ("", (), 99_000)


def test_a_caller_who_gave_up_is_shown_with_the_wait() -> None:
    left = Exited("c", "e1", "sales", "abandoned", 7_000)
    contact = folded([*ROUTING[:1], left]).contact
    assert (contact.outcome, contact.wait_ms, contact.agent_names) == ("abandoned", 7_000, ())
    assert (contact.number, contact.to, contact.started_at_ms) == ("+4999", CALLED, 2_000)


def test_back_in_the_same_queue_is_no_other_queue() -> None:
    again = Queued("c", "e3", "sales", "voice", "", "", 3_000)
    assert folded([*ROUTING[:1], again]).contact.queue_names == ("Sales",)


def test_a_contact_of_another_channel_keeps_it() -> None:
    chat = Queued("c", "e1", "sales", "chat", "", "", 2_000)
    contact = folded([chat]).contact
    assert (contact.channel, contact.number, contact.to) == ("chat", "", "")


def test_history_is_bounded() -> None:
    stays = [Queued("c", f"e{n}", "sales", "voice", "", "", 1_000 + n) for n in range(80)]
    assert len(folded([*stays]).stays) == MAX_PARTS


def test_what_is_left_out_does_not_come_back_with_its_end() -> None:
    stays = [Queued("c", f"e{n}", f"q{n}", "voice", "", "", 1_000 + n) for n in range(80)]
    ends = [Exited("c", f"e{n}", f"q{n}", "overflowed", 10) for n in range(80)]
    turns = [event for turn in zip(stays, ends, strict=True) for event in turn]
    record = folded([*turns])
    assert [stay.entry_id for stay in record.stays] == [f"e{n}" for n in range(MAX_PARTS)]
    assert record.contact.wait_ms == 10 * MAX_PARTS
    assert folded([*turns, *turns]) == record
