"""The test calls of one gateway: who may have one, and what became of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from typing import ClassVar

from media_gateway.adapters.call_shell import Surroundings
from media_gateway.adapters.fact_stream import FactStream
from media_gateway.adapters.sip_endpoint import SipPortTaken
from media_gateway.adapters.switchboard import Switchboard
from media_gateway.rtp.errors import MediaError
from media_gateway.testcall.order import Order
from media_gateway.testcall.phone import Phone
from media_gateway.testcall.test_call import TestCall, Who
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import CallId
from services.chassis.metrics import Reading
from services.chassis.tasks import Tasks

MAX_TEST_CALLS = 8
"""In all tenants together, those that are still saying goodbye included."""
MAX_OF_TENANT = 4
"""Of one tenant's people together, likewise."""
_LOOPBACK = {4: "127.0.0.1", 6: "::1"}


class TooManyTestCalls(CarillonError):
    """The tenant, or all tenants together, have as many as there may be."""

    code: ClassVar[str] = "too-many-test-calls"
    kind: ClassVar[Kind] = Kind.EXHAUSTED


class NoTestCallsNow(CarillonError):
    """The gateway starts or leaves, or has no port for one more caller."""

    code: ClassVar[str] = "no-test-calls-now"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


@dataclass(frozen=True, slots=True)
class _Open:
    """What test calls need of a gateway that takes calls."""

    around: Surroundings
    sip_host: str
    media_host: str


class TestCalls:
    """Made once for a gateway; opened when it takes calls."""

    __test__ = False
    """No tests of pytest's."""

    def __init__(self, *, switchboard: Switchboard, facts: FactStream, untaken_s: float) -> None:
        """`untaken_s`: how long each waits for a person to take it."""
        self._switchboard, self._facts = switchboard, facts
        self._untaken_s = untaken_s
        self._tasks = Tasks(limit=2 * MAX_TEST_CALLS)
        self._opened: _Open | None = None
        self._running: dict[TestCall, None] = {}
        self._talked = self._unanswered = 0

    def __len__(self) -> int:
        return len(self._running)

    def open(self, around: Surroundings, *, sip_host: str, media_host: str) -> None:
        """Begins to place test calls; the hosts are those that the gateway is bound to."""
        self._opened = _Open(around, _reached(sip_host), _reached(media_host))

    def drain(self) -> None:
        """Ends those that run and places no more."""
        self._opened = None
        for call in self._running:
            call.leave()

    async def close(self) -> None:
        """Ends them and waits until their sockets are closed."""
        self.drain()
        await self._tasks.close()

    async def place(self, who: Who, order: Order) -> CallId:
        """Calls as ordered: the call's id. A person's newer test call ends their former one.

        Raises TooManyTestCalls, NoTestCallsNow.
        """
        opened = self._opened
        if opened is None:
            raise NoTestCallsNow("this gateway places no test calls now")
        self._admit(who)
        phone = Phone(opened.around, sip_host=opened.sip_host, media_host=opened.media_host)
        call = TestCall(
            who,
            order,
            phone,
            around=opened.around,
            facts=self._facts,
            untaken_s=self._untaken_s,
        )
        self._running[call] = None
        try:
            await phone.open(f"test-call-{opened.around.new_id()}.1")
            call_id = await call.begin(self._switchboard)
        except BaseException as error:
            del self._running[call]
            phone.hang_up()
            await phone.close()
            if isinstance(error, MediaError | TimeoutError | SipPortTaken):
                raise NoTestCallsNow(f"the call could not be placed: {error}") from error
            raise
        self._tasks.start(self._run(call, phone), f"test call {call_id}")
        return call_id

    def readings(self) -> Iterator[Reading]:
        """How many there are, and what became of them."""
        yield Reading("carillon_gateway_test_calls", "Test calls under way.", len(self))
        for outcome, count in (("talked", self._talked), ("unanswered", self._unanswered)):
            yield Reading(
                "carillon_gateway_test_calls_total",
                "Test calls that ended, by whether they reached a person.",
                count,
                (("outcome", outcome),),
                "counter",
            )

    def _admit(self, who: Who) -> None:
        """Makes room for one more; TooManyTestCalls."""
        for former in self._running:
            if former.who == who:
                former.leave()
        of_tenant = sum(call.who.tenant_id == who.tenant_id for call in self._running)
        if of_tenant >= MAX_OF_TENANT or len(self._running) >= MAX_TEST_CALLS:
            raise TooManyTestCalls("as many test calls as there may be are under way")

    async def _run(self, call: TestCall, phone: Phone) -> None:
        try:
            await call.run()
        finally:
            self._talked += call.talked
            self._unanswered += not call.talked
            try:
                await phone.close()
            finally:
                del self._running[call]


def _reached(host: str) -> str:
    """Where this machine reaches what is bound there: to any address means to loopback, too."""
    address = ip_address(host)
    return _LOOPBACK[address.version] if address.is_unspecified else host
