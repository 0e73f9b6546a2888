"""Whatever comes in: nothing is raised, and nothing is left when the timers have run."""

from __future__ import annotations

import contextlib
import random
from dataclasses import fields, is_dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from media_gateway.sip.events import InviteReceived, ReinviteReceived, SessionEnded
from media_gateway.sip.headers import Headers
from media_gateway.sip.limits import Limits
from media_gateway.sip.message import MalformedMessage, parse
from media_gateway.sip.stack import NoSuchSession, WrongState
from tests.unit.sip.network import FROM, TO
from tests.unit.sip.wire import SDP, THERE, Bench, request, response

METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "REFER", "NONSENSE")
PIECES = (
    *(b"\r\n", b"\n", b"\r", b"\0", b'"', b"<", b">", b",", b";", b"=", b":", b"@", b"%", b" "),
    *(b"\xff\xfe", b"tag=", b"branch=z9hG4bK", b"SIP/2.0", b"-1", b"99999999999", b"Via: "),
    *(b"Content-Length: 4", b"Require: x", b"[::1", b"\\", b";lr", b"Record-Route: <sip:r>"),
)


@given(st.binary(max_size=400))
def test_random_bytes(data: bytes) -> None:
    bench = Bench()
    bench.stack.receive(data, THERE, 0)
    bench.assert_idle()


def mutated(data: bytes, rng: random.Random) -> bytes:
    """A few cuts, swaps and insertions into a valid message."""
    for _ in range(rng.randint(1, 4)):
        at, to = sorted((rng.randrange(len(data) + 1), rng.randrange(len(data) + 1)))
        match rng.randrange(4):
            case 0:
                data = data[:at] + rng.choice(PIECES) + data[at:]
            case 1:
                data = data[:at] + data[min(at + rng.randint(1, 6), len(data)) :]
            case 2:
                data = data[:at] + data[at:to] * 2 + data[to:]
            case _:
                data = data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]
    return data


def texts(value: object) -> list[str]:
    """Every piece of text within an event."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, Headers):
        return texts(tuple(value))
    if isinstance(value, tuple):
        return [text for item in value for text in texts(item)]
    if is_dataclass(value):
        return [text for part in fields(value) for text in texts(getattr(value, part.name))]
    return []


class Siege:
    """A stack with calls both ways, an owner who answers at random, and an attacker."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.bench = Bench(limits=Limits(session_ms=300_000))
        self.tags = ["theirs", "x"]
        self.invited = 0
        self.ended = 0
        self.live: list[InviteReceived] = []

    def run(self, steps: int) -> None:
        for _ in range(steps):
            data = self._message()
            if self.rng.random() < 0.5:
                data = mutated(data, self.rng)
            self.bench.stack.receive(data, THERE, self.bench.now_ms)
            self._own()
            if self.rng.random() < 0.2:
                self._wait(self.rng.choice((100, 600, 5_000, 40_000)))
                self._own()
        self._wait(20 * 60_000)
        self.bench.assert_idle()
        self._own()
        assert self.ended == self.invited

    def _message(self) -> bytes:
        rng = self.rng
        if rng.random() < 0.2:
            return self._answer_to_ours()
        return request(
            rng.choice(METHODS),
            branch=f"z9hG4bK{rng.randrange(4)}",
            to_tag=rng.choice(["", *self.tags[-4:]]),
            from_tag=rng.choice(("theirs", "theirs", "other")),
            number=rng.randrange(1, 9),
            call_id=f"call-{rng.randrange(2)}",
            body=rng.choice((b"", SDP)),
        )

    def _answer_to_ours(self) -> bytes:
        stack = self.bench.stack
        stack.invite(
            "sip:b@192.0.2.1",
            from_=FROM,
            to=TO,
            sdp=SDP,
            destination=THERE,
            now_ms=self.bench.now_ms,
        )
        self.invited += 1
        (invite,) = self.bench.requests()[:1]
        return response(invite, self.rng.choice((100, 180, 200, 302, 401, 486, 491, 503)))

    def _own(self) -> None:
        """React as an owner may, too late as often as not."""
        bench = self.bench
        for event in bench.events():
            for text in texts(event):
                text.encode()  # What an owner shows and stores must be text.
            if isinstance(event, InviteReceived):
                self.invited += 1
                self.live.append(event)
            if isinstance(event, SessionEnded):
                self.ended += 1
            if isinstance(event, ReinviteReceived):
                bench.stack.answer_reinvite(event.session_id, SDP, bench.now_ms)
        if self.live and self.rng.random() < 0.4:
            sid = self.rng.choice(self.live).session_id
            verb = self.rng.choice((bench.stack.hang_up, self._accept, self._reinvite))
            with contextlib.suppress(NoSuchSession, WrongState):
                verb(sid, bench.now_ms)
        self._hear()

    def _wait(self, ms: int) -> None:
        bench = self.bench
        until_ms = bench.now_ms + ms
        while (at_ms := bench.stack.deadline_ms()) is not None and at_ms <= until_ms:
            bench.now_ms = max(at_ms, bench.now_ms)
            bench.stack.tick(bench.now_ms)
            self._hear()
        bench.now_ms = until_ms

    def _hear(self) -> None:
        """Learn the tags of what was sent, to attack the dialogs behind them."""
        for datagram in self.bench.stack.take_output():
            # A refusal hands back what could not be read.
            with contextlib.suppress(MalformedMessage):
                self.tags.append(parse(datagram.data).to.tag)

    def _accept(self, sid: object, now_ms: int) -> None:
        self.bench.stack.accept(sid, SDP, now_ms)  # type: ignore[arg-type]  # an event's own id

    def _reinvite(self, sid: object, now_ms: int) -> None:
        self.bench.stack.reinvite(sid, SDP, now_ms)  # type: ignore[arg-type]  # an event's own id


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(0, 2**32))
def test_a_siege_leaves_nothing(seed: int) -> None:
    Siege(seed).run(40)


@pytest.mark.parametrize("method", METHODS)
def test_every_cut_of_a_message_is_survived(method: str) -> None:
    data = request(method, body=SDP, extra=["Record-Route: <sip:p;lr>", 'Contact: "x" <sip:a@h>'])
    bench = Bench()
    for end in range(len(data)):
        bench.stack.receive(data[:end], THERE, 0)
    bench.assert_idle()
