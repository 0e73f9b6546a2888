"""SIP over TCP: messages cut from a stream, answers by the same way, no timers made for losses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from media_gateway.sip.address import URI, HostPort, NameAddr
from media_gateway.sip.events import SessionEnded
from media_gateway.sip.framing import BrokenStream, Framer
from media_gateway.sip.message import Request, Response, parse
from tests.unit.sip.network import stack_at
from tests.unit.sip.wire import HERE, SDP, request

CLIENT = HostPort("192.0.2.1", 40_123, "TCP", 7)
MESSAGES = [
    request("OPTIONS", branch="z9hG4bKa"),
    request(branch="z9hG4bKb", body=SDP),
    request("BYE", branch="z9hG4bKc", to_tag="x"),
]


def tcp(message: bytes) -> bytes:
    return message.replace(b"SIP/2.0/UDP", b"SIP/2.0/TCP")


@given(st.lists(st.integers(min_value=1, max_value=60), min_size=1, max_size=60), st.data())
def test_however_a_stream_arrives_its_messages_are_the_same(
    sizes: list[int], data: st.DataObject
) -> None:
    gaps = data.draw(st.lists(st.sampled_from([b"", b"\r\n", b"\r\n\r\n"]), min_size=3, max_size=3))
    stream = b"".join(gap + message for gap, message in zip(gaps, MESSAGES, strict=True))
    framer, found, at = Framer(), [], 0
    turn = 0
    while at < len(stream):
        size = sizes[turn % len(sizes)]
        found += framer.feed(stream[at : at + size])
        at, turn = at + size, turn + 1
    assert found == MESSAGES
    assert framer.pings == sum(gap == b"\r\n\r\n" for gap in gaps)
    assert not framer.is_inside


def test_a_message_is_awaited_whole() -> None:
    framer = Framer()
    assert framer.feed(MESSAGES[1][:-1]) == []
    assert framer.is_inside
    assert framer.feed(MESSAGES[1][-1:]) == [MESSAGES[1]]


@pytest.mark.parametrize(
    "stream",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"x" * 40_000,
        MESSAGES[0].replace(b"Content-Length: 0", b"Content-Length: 999999999"),
        MESSAGES[0].replace(b"Content-Length: 0", b"Content-Length: 4\r\nl: 5"),
        MESSAGES[0].replace(b"Content-Length: 0", b"Content-Length: -1"),
        MESSAGES[0].replace(b"\r\nContent-Length: 0", b""),
    ],
)
def test_a_stream_whose_next_message_cannot_be_found_is_broken(stream: bytes) -> None:
    with pytest.raises(BrokenStream):
        Framer().feed(stream)


@given(st.binary(max_size=500))
def test_anything_else_that_a_stream_holds_is_a_message_a_wait_or_a_break(data: bytes) -> None:
    framer = Framer()
    try:
        messages = framer.feed(data)
    except BrokenStream:
        return
    assert sum(map(len, messages)) <= len(data)


def test_answers_go_back_by_the_connection_that_asked() -> None:
    stack = stack_at(HERE)
    stack.receive(tcp(MESSAGES[0]), CLIENT, 0)
    (answer,) = stack.take_output()
    assert (answer.destination.flow, answer.destination.transport) == (7, "TCP")
    # Once that is gone: by another to the port that the sender listens on.
    assert (answer.destination.host, answer.destination.port) == ("192.0.2.1", 5060)


def test_what_is_sent_by_a_stream_is_not_repeated() -> None:
    stack = stack_at(HERE)
    stack.receive(tcp(request(body=SDP)), CLIENT, 0)
    (invited,) = stack.take_events()
    session = invited.session_id
    stack.refuse(session, 486, "", 0)
    sent = [parse(d.data) for d in stack.take_output()]
    assert [m.status for m in sent if isinstance(m, Response)] == [100, 486]
    stack.tick(20_000)
    assert stack.take_output() == []
    tag = next(m.to.tag for m in sent if isinstance(m, Response) and m.status == 486)
    stack.receive(tcp(request("ACK", to_tag=tag)), CLIENT, 20_001)
    stack.tick(20_001)
    # Nothing lingers to absorb repeats that cannot come.
    assert stack.active_transactions == 0


def test_a_call_that_came_by_tcp_names_tcp_as_the_way_back() -> None:
    stack = stack_at(HERE)
    stack.receive(tcp(request(body=SDP)), CLIENT, 0)
    session = stack.take_events()[0].session_id
    stack.accept(session, SDP, 0)
    ok = parse(stack.take_output()[-1].data)
    assert ok.headers.get("contact") == f"<sip:{HERE};transport=tcp>"


def test_a_call_to_a_tcp_target_goes_by_tcp_and_says_so() -> None:
    stack = stack_at(HERE)
    target = "sip:bob@192.0.2.9:5070;transport=tcp"
    stack.invite(
        target,
        from_=NameAddr.parse("<sip:a@192.0.2.2>"),
        to=NameAddr.parse("<sip:bob@192.0.2.9>"),
        sdp=SDP,
        destination=URI.parse(target).next_hop,
        now_ms=0,
    )
    (sent,) = stack.take_output()
    assert sent.destination == HostPort("192.0.2.9", 5070, "TCP")
    invite = parse(sent.data)
    assert isinstance(invite, Request)
    assert invite.top_via.transport == "TCP"
    assert "transport=tcp" in invite.headers.get("contact")
    stack.tick(5_000)
    assert stack.take_output() == []


def test_what_cannot_be_sent_by_a_stream_ends_its_transaction() -> None:
    stack = stack_at(HERE)
    session = stack.invite(
        "sip:bob@192.0.2.9;transport=tcp",
        from_=NameAddr.parse("<sip:a@192.0.2.2>"),
        to=NameAddr.parse("<sip:bob@192.0.2.9>"),
        sdp=SDP,
        destination=HostPort("192.0.2.9", 5060, "TCP"),
        now_ms=0,
    )
    (sent,) = stack.take_output()
    stack.undeliverable(sent, 1)
    (ended,) = stack.take_events()
    assert isinstance(ended, SessionEnded)
    assert (ended.session_id, ended.status) == (session, 503)
