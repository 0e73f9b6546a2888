"""SIP transactions over UDP (RFC 3261 section 17), as small as a phone can have them.

A client transaction repeats its request until it hears a response and hands each new response
on. A server transaction repeats its final response to an INVITE until the ACK, and answers a
repeated request with what it answered before. Both count what they repeat and what is repeated
to them, in the phone's one account.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from tests.softphone.message import Message, Request, Response

LIFETIME: Final = 64
"""Transactions give up, and are remembered, for this many T1."""


@dataclass(frozen=True, slots=True)
class Timers:
    """RFC 3261's base timers, in seconds; tests of the phone itself shorten them."""

    t1_s: float = 0.5
    t2_s: float = 4.0

    @property
    def lifetime_s(self) -> float:
        return LIFETIME * self.t1_s


@dataclass(slots=True)
class Repeats:
    """How often messages were sent and received again."""

    sent: int = 0
    received: int = 0


class _State(Enum):
    WAITING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    OVER = auto()


class _Repeater:
    """Sends a message again and again: after T1, 2*T1, 4*T1 ..., at most every `cap_s`."""

    def __init__(self, timers: Timers, repeat: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._repeat = repeat
        self._interval_s = timers.t1_s
        self._cap_s = timers.lifetime_s
        self._next_at_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def start(self, *, cap_s: float) -> None:
        self._cap_s = cap_s
        self._next_at_s = self._loop.time()
        self._arm()

    def slow_to(self, interval_s: float) -> None:
        self._interval_s = self._cap_s = interval_s

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _fire(self) -> None:
        self._interval_s = min(2 * self._interval_s, self._cap_s)
        self._arm()
        self._repeat()

    def _arm(self) -> None:
        # Counted from the last due time, not from now: a late timer must not delay all the rest.
        self._next_at_s += self._interval_s
        self._timer = self._loop.call_at(self._next_at_s, self._fire)


class ClientTransaction:
    """One request of ours. `heard` gets each new response, `expired` a silence of 64*T1."""

    def __init__(
        self,
        request: Request,
        *,
        timers: Timers,
        repeats: Repeats,
        send: Callable[[Message], None],
        heard: Callable[[Response], None],
        expired: Callable[[], None],
        forget: Callable[[], None],
    ) -> None:
        self.request = request
        self.repeats = repeats
        self._timers = timers
        self._send = send
        self._heard = heard
        self._expired = expired
        self._forget = forget
        self._invites = request.method == "INVITE"
        self._state = _State.WAITING
        self._ack: Request | None = None
        self._loop = asyncio.get_running_loop()
        self._repeater = _Repeater(timers, self._repeat)
        send(request)
        self._repeater.start(cap_s=timers.lifetime_s if self._invites else timers.t2_s)
        self._end = self._loop.call_later(timers.lifetime_s, self._expire)

    def receive(self, response: Response) -> None:
        final = response.status >= 200
        if self._state is _State.OVER:
            return
        if self._state is _State.COMPLETED:
            self._receive_again(response, final=final)
            return
        if not final:
            self._state = _State.PROCEEDING
            if self._invites:
                self._repeater.stop()
                self._end.cancel()
            else:
                self._repeater.slow_to(self._timers.t2_s)
        else:
            self._complete(response)
        self._heard(response)

    def give_up_after(self, seconds: float) -> None:
        """Expire then: for an INVITE that was cancelled (RFC 3261 section 9.1)."""
        if self._state in (_State.WAITING, _State.PROCEEDING):
            self._end.cancel()
            self._end = self._loop.call_later(seconds, self._expire)

    def stop(self) -> None:
        self._state = _State.OVER
        self._repeater.stop()
        self._end.cancel()

    def _complete(self, response: Response) -> None:
        self._state = _State.COMPLETED
        self._repeater.stop()
        self._end.cancel()
        self._end = self._loop.call_later(self._timers.lifetime_s, self._leave)
        if self._invites and response.status >= 300:
            self._ack = acknowledgement(self.request, response)
            self._send(self._ack)

    def _receive_again(self, response: Response, *, final: bool) -> None:
        if not final:
            return
        if self._invites and response.status < 300:
            # Repeats and forks of a 2xx are for the call to tell apart and acknowledge.
            self._heard(response)
            return
        self.repeats.received += 1
        if self._ack is not None:
            self._send(self._ack)

    def _repeat(self) -> None:
        self.repeats.sent += 1
        self._send(self.request)

    def _expire(self) -> None:
        self._leave()
        self._expired()

    def _leave(self) -> None:
        self.stop()
        self._forget()


class ServerTransaction:
    """One request of the far end. `unacknowledged` is told when no ACK came for 64*T1."""

    def __init__(
        self,
        request: Request,
        *,
        timers: Timers,
        repeats: Repeats,
        send: Callable[[Message], None],
        forget: Callable[[], None],
    ) -> None:
        self.request = request
        self.repeats = repeats
        self.unacknowledged: Callable[[], None] = _ignore
        self.cancelled_by: Request | None = None
        self._timers = timers
        self._send = send
        self._forget = forget
        self._last: Response | None = None
        self._state = _State.WAITING
        self._loop = asyncio.get_running_loop()
        self._repeater = _Repeater(timers, self._repeat)
        self._end: asyncio.TimerHandle | None = None

    @property
    def answered(self) -> bool:
        """Whether a final response was sent."""
        return self._state not in (_State.WAITING, _State.PROCEEDING)

    @property
    def accepted(self) -> bool:
        """Whether the final response was a 2xx, whose ACK is a transaction of its own."""
        return self.answered and self._last is not None and self._last.status < 300

    def respond(self, response: Response) -> None:
        if self.answered:
            return
        self._last = response
        self._send(response)
        self._state = _State.PROCEEDING
        if response.status < 200:
            return
        self._state = _State.COMPLETED
        if self.request.method == "INVITE":
            self._repeater.start(cap_s=self._timers.t2_s)
        self._end = self._loop.call_later(self._timers.lifetime_s, self._leave)

    def receive_again(self) -> None:
        self.repeats.received += 1
        if self._last is not None and self._state is not _State.OVER:
            self._send(self._last)

    def acknowledge(self) -> bool:
        """Take the ACK; False if it is a repeated one."""
        first, self._state = self._state is _State.COMPLETED, _State.OVER
        self._repeater.stop()
        return first

    def stop(self) -> None:
        self._repeater.stop()
        if self._end is not None:
            self._end.cancel()

    def _repeat(self) -> None:
        assert self._last is not None
        self.repeats.sent += 1
        self._send(self._last)

    def _leave(self) -> None:
        self.stop()
        self._forget()
        if self.request.method == "INVITE" and self._state is _State.COMPLETED:
            self.unacknowledged()


def acknowledgement(invite: Request, response: Response) -> Request:
    """The ACK to a final response of 300 or more (RFC 3261 section 17.1.1.3)."""
    return _follow_up(invite, "ACK", response.header("To") or "")


def cancellation(invite: Request) -> Request:
    """The CANCEL of a pending INVITE (RFC 3261 section 9.1)."""
    return _follow_up(invite, "CANCEL", invite.header("To") or "")


def _follow_up(invite: Request, method: str, to: str) -> Request:
    headers = [("Via", invite.all("Via")[0])]
    headers += [("Route", value) for value in invite.all("Route")]
    headers += [
        ("Max-Forwards", "70"),
        ("From", invite.header("From") or ""),
        ("To", to),
        ("Call-ID", invite.call_id),
        ("CSeq", f"{invite.cseq[0]} {method}"),
    ]
    return Request(method=method, uri=invite.uri, headers=tuple(headers))


def _ignore() -> None:
    """Nobody minds."""
