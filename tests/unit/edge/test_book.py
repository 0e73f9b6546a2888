"""Which gateways an edge knows of, by what they say and when."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from media_gateway.edge.book import (
    MAX_GATEWAYS,
    Announcement,
    BadAnnouncement,
    Book,
    GatewayNameTaken,
    State,
    TooManyGateways,
)

EXPIRES_MS = 5_000
G1 = Announcement("g1", "i1", "10.0.0.1:5060", State.TAKING)
G2 = Announcement("g2", "i2", "10.0.0.2:5060", State.TAKING)


def book(*said: Announcement) -> Book:
    known = Book(expires_ms=EXPIRES_MS)
    for each in said:
        known.announce(each)
    return known


def names(known: Book, now_ms: int) -> list[str]:
    return [said.gateway_id for said in known.present(now_ms)]


def test_gateways_stand_in_the_order_of_their_names() -> None:
    assert names(book(G2, G1), 0) == ["g1", "g2"]


def test_a_line_says_where_a_gateway_is_and_whether_it_takes_calls() -> None:
    assert G1.line == "1 sip:10.0.0.1:5060 0 0 gateway=g1;incarnation=i1\n"
    for state in (State.FULL, State.DRAINING):
        assert replace(G1, state=state).line.split()[2] == "4"
    assert " sip:[2001:db8::1]:5060 " in replace(G1, address="[2001:db8::1]:5060").checked().line


def test_a_silent_gateway_is_forgotten() -> None:
    known = book(G1, G2)
    known.announce(replace(G2, at_ms=3_000))
    assert names(known, 4_999) == ["g1", "g2"]
    assert names(known, 5_000) == ["g2"]


def test_those_that_all_fall_silent_are_kept() -> None:
    known = book(G1, G2)
    assert names(known, 60_000) == ["g1", "g2"]
    # The first one that is heard again is enough to forget the others.
    known.announce(replace(G1, at_ms=61_000))
    assert names(known, 61_000) == ["g1"]


def test_one_that_drains_is_no_reason_to_forget_the_last_that_takes_calls() -> None:
    known = book(G1, replace(G2, state=State.DRAINING, at_ms=5_000))
    assert names(known, 6_000) == ["g1", "g2"]


def test_one_that_ends_says_so() -> None:
    known = book(G1, G2)
    known.announce(replace(G1, state=State.GONE))
    assert names(known, 0) == ["g2"]


def test_the_end_of_a_predecessor_is_not_the_successors() -> None:
    successor = replace(G1, incarnation="i9")
    known = book(G1, successor)
    known.announce(replace(G1, state=State.GONE))
    assert known.present(0) == [successor]


def test_two_gateways_of_one_name_are_told_so() -> None:
    known = book(G1)
    other = replace(G1, incarnation="i9", address="10.0.0.9:5060", at_ms=4_999)
    with pytest.raises(GatewayNameTaken, match=r"g1 is at 10\.0\.0\.1:5060"):
        known.announce(other)
    # Once the first is silent the name is free.
    later = replace(other, at_ms=5_000)
    known.announce(later)
    assert known.present(5_000) == [later]


@pytest.mark.parametrize(
    "wrong",
    [
        {"gateway_id": ""},
        {"gateway_id": "G1"},
        {"gateway_id": "g1 0 0"},
        {"gateway_id": "g" * 9},
        {"incarnation": ""},
        {"incarnation": "a;b"},
        {"incarnation": "a\n1 sip:evil:5060 0 0 gateway=g2"},
        {"address": "10.0.0.1"},
        {"address": "10.0.0.1:0"},
        {"address": "10.0.0.1:65536"},
        {"address": "10.0.0.1:5060;transport=tcp"},
        {"address": "10.0.0.1 4 0:5060"},
        {"address": "[::1:5060"},
    ],
)
def test_what_could_break_a_list_is_refused(wrong: dict[str, Any]) -> None:
    known = Book(expires_ms=EXPIRES_MS)
    with pytest.raises(BadAnnouncement):
        known.announce(replace(G1, **wrong))
    assert known.present(0) == []


def test_no_more_gateways_than_an_edge_keeps() -> None:
    known = book(*(replace(G1, gateway_id=f"g{n}") for n in range(MAX_GATEWAYS)))
    with pytest.raises(TooManyGateways):
        known.announce(replace(G1, gateway_id="more"))
    known.announce(replace(G1, gateway_id="g0", calls=7))


def test_a_list_that_was_in_force_is_taken_over() -> None:
    lines = [G1.line, replace(G2, state=State.DRAINING).line, "# a remark", "1 sip:x", ""]
    known = Book(expires_ms=EXPIRES_MS)
    known.remember(lines, 1_000)
    assert [said.line for said in known.present(1_000)] == lines[:2]
    # They have as long to announce themselves as if they had just done so.
    known.announce(replace(G1, at_ms=2_000))
    assert names(known, 5_999) == ["g1", "g2"]
    assert names(known, 6_000) == ["g1"]


def test_what_could_not_be_heard_is_no_silence() -> None:
    known = book(G1, G2)
    known.forgive(30_000)
    known.announce(replace(G1, at_ms=30_000))
    assert names(known, 34_000) == ["g1", "g2"]
