"""One test call: through the menus, to a person, and its end."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from media_gateway.adapters.call_shell import Surroundings
from media_gateway.adapters.fact_stream import FactStream
from media_gateway.adapters.switchboard import Switchboard
from media_gateway.model import NoSuchCall
from media_gateway.testcall.menu import Menu
from media_gateway.testcall.order import Order
from media_gateway.testcall.phone import Phone
from media_gateway.testcall.speech import sentence
from services.chassis.ids import CallId, TenantId
from services.chassis.log import get_logger
from services.chassis.request import PLATFORM

log = get_logger("test call")

SEEN_WITHIN_S = 2.0
"""For the gateway to receive an INVITE of its own machine."""
GOODBYE_S = 2.0
"""For the gateway to take the hang-up before the sockets are closed."""
LATE_S = 0.001
"""Added to a wait, so that whoever wakes up by it finds its time come."""


@dataclass(frozen=True, slots=True)
class Who:
    """Who places a test call."""

    tenant_id: TenantId
    """The tenant whose number it calls."""
    user_id: str
    """The person; empty: Carillon itself."""


class TestCall:
    """Placed by `begin`, carried on by `run`."""

    __test__ = False
    """No test of pytest's."""

    def __init__(
        self,
        who: Who,
        order: Order,
        phone: Phone,
        *,
        around: Surroundings,
        facts: FactStream,
        untaken_s: float,
    ) -> None:
        """`untaken_s`: how long it waits for a person to take it."""
        self.who = who
        """Whose it is."""
        self._order, self._phone = order, phone
        self._around, self._facts = around, facts
        self._untaken_s = untaken_s
        self._call_id = CallId("")
        self._bridged = asyncio.Event()
        self._gone = asyncio.Event()
        self._left = asyncio.Event()

    @property
    def talked(self) -> bool:
        """Whether a person was reached."""
        return self._bridged.is_set()

    async def begin(self, switchboard: Switchboard) -> CallId:
        """Calls; the call's id as soon as the gateway has received it. TimeoutError."""
        with self._facts.watching(PLATFORM, "") as watcher:
            self._phone.call(self._order)
            async with asyncio.timeout(SEEN_WITHIN_S), contextlib.aclosing(watcher.read()) as facts:
                async for fact in facts:
                    if fact.HasField("call_started") and self._is_own(switchboard, fact.call_id):
                        break
        return self._call_id

    def leave(self) -> None:
        """Hangs up soon."""
        self._left.set()

    async def run(self) -> None:
        """Goes through the call to its end."""
        watching = asyncio.ensure_future(self._watch())
        talking = asyncio.ensure_future(self._talk())
        others = [
            asyncio.ensure_future(event.wait())
            for event in (self._left, self._gone, self._phone.ended)
        ]
        try:
            await asyncio.wait((talking, watching, *others), return_when=asyncio.FIRST_COMPLETED)
            await self._say_goodbye()
        finally:
            self._phone.hang_up()
            for each in (talking, watching, *others):
                each.cancel()
            await asyncio.gather(talking, watching, *others, return_exceptions=True)
            log.info("test call ended", call=self._call_id, talked=self.talked)
        if talking.done() and not talking.cancelled():
            talking.result()

    def _is_own(self, switchboard: Switchboard, call_id: str) -> bool:
        """Whether the call that began came from the test caller's own socket."""
        try:
            shell = switchboard.find(PLATFORM, call_id)
        except NoSuchCall:
            return False
        if (shell.source.host, shell.source.port) != (
            self._phone.address.host,
            self._phone.address.port,
        ):
            return False
        self._call_id = shell.call.call_id
        return True

    async def _talk(self) -> None:
        """Until a person was spoken to, or took too long to come."""
        phone = self._phone
        try:
            async with asyncio.timeout(self._untaken_s):
                await phone.answered.wait()
                await self._pass_menus()
                await self._bridged.wait()
        except TimeoutError:
            return
        phone.say(sentence())
        await asyncio.sleep(self._order.talk_s)

    async def _pass_menus(self) -> None:
        """Presses each key when its menu is silent, until they are pressed or somebody is there."""
        now_ms = self._around.clock.now_ms
        menu = Menu(now_ms())
        self._phone.listen(menu.hear)
        for key in self._order.digits:
            while (wait_ms := menu.press_at_ms - now_ms()) > 0:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(wait_ms / 1_000 + LATE_S):
                        await self._bridged.wait()
                if self._bridged.is_set():
                    return
            self._phone.press(key)
            menu.pressed(now_ms())

    async def _watch(self) -> None:
        """Until the call is over, or turns out to be another tenant's: meanwhile, who is there."""
        with self._facts.watching(PLATFORM, self._call_id) as watcher:
            async with contextlib.aclosing(watcher.read()) as facts:
                async for fact in facts:
                    if fact.tenant_id not in {"", self.who.tenant_id}:
                        log.warning("not the tenant's number", call=self._call_id)
                        return
                    if fact.HasField("legs_bridged"):
                        self._bridged.set()
                    if fact.HasField("call_ended"):
                        self._gone.set()
                        return

    async def _say_goodbye(self) -> None:
        self._phone.hang_up()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_S):
                await self._gone.wait()
