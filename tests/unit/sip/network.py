"""A network without sockets: it loses, repeats, delays and so reorders, all by one seed."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from heapq import heappop, heappush

from media_gateway.sip.address import HostPort, NameAddr
from media_gateway.sip.events import SessionEnded, SessionId, SipEvent
from media_gateway.sip.stack import Datagram, NoSuchSession, SipStack, WrongState

CALLER = HostPort("192.0.2.1", 5060)
CALLEE = HostPort("192.0.2.2", 5060)
FROM = NameAddr.parse('"Alice" <sip:alice@example.org>')
TO = NameAddr.parse("<sip:bob@example.com>")
OFFER = b"v=0\r\noffer"
ANSWER = b"v=0\r\nanswer"

MAX_STEPS = 20_000
"""Steps of one simulated run; a run that needs more does not end."""


def counted(prefix: str) -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"{prefix}{next(numbers):06d}"


def stack_at(address: HostPort, **options: object) -> SipStack:
    return SipStack(
        local=address,
        user_agent="Carillon test",
        entropy=counted(f"e{address.host.rpartition('.')[2]}x"),
        **options,  # type: ignore[arg-type]  # each test names the constructor's own options
    )


def first_line(datagram: Datagram) -> str:
    return datagram.data.partition(b"\r\n")[0].decode()


@dataclass
class Faults:
    """What the network does to datagrams, as probabilities and milliseconds."""

    loss: float = 0.0
    duplication: float = 0.0
    longest_delay_ms: int = 20


@dataclass
class Phone:
    """A stack with an owner that notes every event and reacts by one function."""

    address: HostPort
    stack: SipStack
    react: Callable[[SipEvent], None] = lambda _event: None
    events: list[SipEvent] = field(default_factory=list)

    def of(self, kind: type[SipEvent]) -> list[SipEvent]:
        return [event for event in self.events if isinstance(event, kind)]

    def ended(self) -> dict[SessionId, int]:
        counts: dict[SessionId, int] = {}
        for event in self.events:
            if isinstance(event, SessionEnded):
                counts[event.session_id] = counts.get(event.session_id, 0) + 1
        return counts


class Network:
    """Carries datagrams between phones on a virtual clock and runs what is planned."""

    def __init__(self, seed: int, faults: Faults | None = None) -> None:
        self._random = random.Random(seed)
        self._faults = faults or Faults()
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self.phones: dict[HostPort, Phone] = {}
        self.now_ms = 0
        self.log: list[str] = []

    def join(self, address: HostPort, **options: object) -> Phone:
        phone = Phone(address, stack_at(address, **options))
        self.phones[address] = phone
        return phone

    def plan(self, after_ms: int, action: Callable[[], None]) -> None:
        heappush(self._agenda, (self.now_ms + after_ms, next(self._order), action))

    def try_(self, action: Callable[[], object]) -> None:
        """Do it unless the session has gone or moved on meanwhile, as an owner may find."""
        try:
            action()
        except (NoSuchSession, WrongState):
            self.log.append(f"{self.now_ms} too late")

    def run(self, until_ms: int) -> None:
        """Let time pass, until nothing is left to happen or the instant has come."""
        for _ in range(MAX_STEPS):
            self._collect()
            at_ms = self._next_ms()
            if at_ms is None or at_ms > until_ms:
                return
            self.now_ms = max(at_ms, self.now_ms)
            if self._agenda and self._agenda[0][0] <= self.now_ms:
                heappop(self._agenda)[2]()
            for phone in self.phones.values():
                phone.stack.tick(self.now_ms)
        raise AssertionError("the run does not end")

    def _next_ms(self) -> int | None:
        instants = [phone.stack.deadline_ms() for phone in self.phones.values()]
        if self._agenda:
            instants.append(self._agenda[0][0])
        return min((instant for instant in instants if instant is not None), default=None)

    def _collect(self) -> None:
        for phone in self.phones.values():
            while True:
                events = phone.stack.take_events()
                for event in events:
                    phone.events.append(event)
                    self.log.append(f"{self.now_ms} {phone.address.host} {type(event).__name__}")
                    phone.react(event)
                if not events:
                    break
            for datagram in phone.stack.take_output():
                self._carry(datagram, phone.address)

    def _carry(self, datagram: Datagram, source: HostPort) -> None:
        copies = 1 + (self._random.random() < self._faults.duplication)
        for _ in range(copies):
            lost = self._random.random() < self._faults.loss
            mark = "lost" if lost else "sent"
            self.log.append(f"{self.now_ms} {source.host} {mark} {first_line(datagram)}")
            target = self.phones.get(datagram.destination)
            if lost or target is None:
                continue
            self.plan(
                self._random.randint(1, self._faults.longest_delay_ms),
                partial(self._deliver, target, datagram.data, source),
            )

    def _deliver(self, target: Phone, data: bytes, source: HostPort) -> None:
        target.stack.receive(data, source, self.now_ms)
