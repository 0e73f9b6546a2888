from __future__ import annotations

import pytest

from services.chassis.bus import Batch
from services.chassis.database import DatabaseUnavailable
from services.chassis.dead_letters import (
    ALONE_AFTER,
    BURIED_AFTER,
    BURIED_IN_A_ROW,
    Refusals,
    letter,
    waits,
)
from services.chassis.envelope import Envelope
from services.chassis.envelope_wire import event_of, message_of, read
from services.chassis.errors import CarillonError, Kind, RemoteError
from services.chassis.ids import TenantId


def batch(offset: int, count: int = 1, partition: int = 0) -> Batch:
    event = Envelope(
        event_id="e", tenant_id=TenantId("t"), at_ms=1, key="k", type="x.Y", payload=b"p", seq=3
    )
    return Batch("t", partition, offset, (event,) * count)


def test_a_batch_that_is_refused_is_taken_apart() -> None:
    refusals = Refusals()
    for _ in range(ALONE_AFTER):
        assert not refusals.alone(batch(5, 3))
        refusals.refused(batch(5, 3))
    assert refusals.alone(batch(5, 3))
    # Another place was not refused, and neither was another partition.
    assert not refusals.alone(batch(6, 3))
    assert not refusals.alone(batch(5, 3, partition=1))


def test_an_event_behind_is_looked_at_alone_and_has_tries_of_its_own() -> None:
    refusals = Refusals()
    for _ in range(ALONE_AFTER):
        refusals.refused(batch(5, 3))
    tries = refusals.refused(batch(7))
    assert refusals.alone(batch(7, 4))
    assert tries == ALONE_AFTER + 1
    while not refusals.hopeless(batch(7)):
        tries = refusals.refused(batch(7))
    assert tries == BURIED_AFTER


def test_what_is_over_is_forgotten() -> None:
    refusals = Refusals()
    for _ in range(BURIED_AFTER):
        refusals.refused(batch(5))
    refusals.over(batch(5))
    assert not refusals.alone(batch(5))


def test_when_nothing_is_taken_between_them_no_more_are_buried() -> None:
    refusals = Refusals()
    for offset in range(BURIED_IN_A_ROW):
        for _ in range(BURIED_AFTER):
            refusals.refused(batch(offset))
        assert refusals.hopeless(batch(offset))
        refusals.buried()
    for _ in range(BURIED_AFTER):
        refusals.refused(batch(100))
    assert not refusals.hopeless(batch(100))
    refusals.taken()
    assert refusals.hopeless(batch(100))


@pytest.mark.parametrize(
    ("error", "away"),
    [
        (DatabaseUnavailable("x"), True),
        (RemoteError(code="x", kind=Kind.DEADLINE, message=""), True),
        (ConnectionResetError(), True),
        (TimeoutError(), True),
        (CarillonError("x"), False),
        (RemoteError(code="x", kind=Kind.INVALID, message=""), False),
        (ValueError("x"), False),
    ],
)
def test_what_is_away_says_nothing_about_the_event(error: Exception, *, away: bool) -> None:
    assert waits(error) is away


def test_a_letter_has_one_id_however_often_it_is_written() -> None:
    one = letter("g", batch(5), ValueError("x" * 1_000), tries=8)
    two = letter("g", batch(5), KeyError("y"), tries=9)
    assert one.event_id == two.event_id == "dead:g:e"
    assert (one.key, one.tenant_id, one.seq) == ("k", "t", 3)
    assert len(one.payload) < 700


def test_an_envelope_is_the_same_afterwards() -> None:
    (event,) = batch(1).events
    assert event_of(message_of(event)) == event
    assert read(message_of(event).SerializeToString()) == event


@pytest.mark.parametrize("value", [b"", b"\xff\xff", b"hello"])
def test_what_is_no_envelope_is_none(value: bytes) -> None:
    assert read(value) is None
