"""Brings the gateways' list to Kamailio, which keeps the last one when this program is away."""

from __future__ import annotations

import asyncio
from pathlib import Path

from media_gateway.edge.book import Announcement, Book
from media_gateway.edge.kamailio import Kamailio, KamailioAway, KamailioRefused
from services.chassis.clock import Clock
from services.chassis.errors import CarillonError
from services.chassis.log import get_logger

log = get_logger("edge")

LOOK_EACH_S = 1.0
MARK = "_fed"
"""Among the gateways' names, where no gateway has such a one."""


class Feeding:
    """Keeps Kamailio's list as the book says, also when Kamailio was started again."""

    def __init__(self, book: Book, kamailio: Kamailio, *, folder: Path, clock: Clock) -> None:
        self._book = book
        self._kamailio = kamailio
        self._list = folder / "gateways.list"
        self._clock = clock
        self._news = asyncio.Event()
        self._written: str | None = None
        self._named: dict[str, str] = {}
        self._told = True
        self.reaches_kamailio = False
        """Whether it has the list as it is."""
        self.reloads = 0
        """Times that Kamailio was given another list."""

    def begin(self) -> None:
        """Takes the list that is in force."""
        try:
            lines = self._list.read_text().splitlines()
        except FileNotFoundError:
            lines = []
        self._book.remember(lines, int(self._clock.monotonic_ms()))

    def look(self) -> None:
        """There may be news in the book."""
        self._news.set()

    async def run(self) -> None:
        """Feeds for ever."""
        heard_ms = self._clock.monotonic_ms()
        while True:
            now_ms = self._clock.monotonic_ms()
            pause_ms = int(now_ms - heard_ms - 1_000 * LOOK_EACH_S)
            if pause_ms > 1_000 * LOOK_EACH_S:
                # This process stood still; what gateways said meanwhile has not been read yet.
                self._book.forgive(pause_ms)
            heard_ms = now_ms
            self._news.clear()
            await self.feed()
            try:
                async with asyncio.timeout(LOOK_EACH_S):
                    await self._news.wait()
            except TimeoutError:
                pass  # time to look who has fallen silent

    async def feed(self) -> None:
        """Brings the present list, if Kamailio has another one; an outage is tried again later."""
        present = self._book.present(int(self._clock.monotonic_ms()))
        try:
            await self._bring(present)
        except (KamailioAway, KamailioRefused, OSError) as error:
            self.reaches_kamailio = False
            if self._told:
                code = error.code if isinstance(error, CarillonError) else "list-not-written"
                log.warning("Kamailio is not fed", code=code, reason=str(error))
            self._told = False
        else:
            if not self._told:
                log.info("Kamailio is fed again", gateways=len(present))
            self._told = True

    async def _bring(self, present: list[Announcement]) -> None:
        text = "".join(said.line for said in present)
        changed = text != self._written
        if changed:
            await asyncio.to_thread(self._write, text)
        restarted = not await self._is_known()
        if changed or restarted:
            await self._kamailio.ask("dispatcher.reload")
            self.reloads += 1
            log.info("gateways", list=[f"{each.gateway_id} {each.state}" for each in present])
        await self._name(present, afresh=restarted)
        self._written, self.reaches_kamailio = text, True

    async def _is_known(self) -> bool:
        """Whether this Kamailio was fed: one that was started again has the list, but no names."""
        try:
            await self._kamailio.ask("htable.get", "gateways", MARK)
        except KamailioRefused:
            return False
        return self.reaches_kamailio

    async def _name(self, present: list[Announcement], *, afresh: bool) -> None:
        """Says where each gateway is, by its name."""
        if afresh:
            self._named.clear()
            await self._kamailio.ask("htable.sets", "gateways", MARK, "fed")
        wanted = {said.gateway_id: f"sip:{said.address}" for said in present}
        for name, uri in wanted.items():
            if self._named.get(name) != uri:
                await self._kamailio.ask("htable.sets", "gateways", name, uri)
                self._named[name] = uri
        for name in self._named.keys() - wanted.keys():
            await self._kamailio.ask("htable.delete", "gateways", name)
            del self._named[name]

    def _write(self, text: str) -> None:
        temporary = self._list.with_suffix(".new")
        temporary.write_text(text)
        temporary.replace(self._list)
