"""Which pages are softphones: one per agent, the newest of all replicas.

A page that becomes one is told to the other replicas by PostgreSQL's NOTIFY, with the moment by the
database's clock. Whoever could not listen for a while says again what it holds, so that in the end
one softphone is left. Without the database, each replica knows its own pages only.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import asyncpg

from services.chassis.database import Database, DatabaseUnavailable
from services.chassis.ids import AgentId, TenantId
from services.chassis.log import get_logger
from services.chassis.tasks import Tasks
from services.portal.desk_links import Links, Whose

log = get_logger("portal.softphones")

CHANNEL = "carillon_softphones"
LISTEN_AGAIN_S = 1.0
LOOKS_AT_CLOCK = 5
_SAY = """
SELECT pg_notify($1, json_build_object(
  'tenant', $2::text, 'agent', $3::text, 'page', $4::text, 'at', $5::bigint)::text)
"""
_CLOCK = "SELECT extract(epoch FROM clock_timestamp())::float8"


class Page(Protocol):
    """A page that is an agent's softphone."""

    def replaced(self) -> None:
        """Another page is the softphone now."""


@dataclass(slots=True)
class _Held:
    """A softphone of this process."""

    page: Page
    name: str
    """Like no other's, at any replica."""
    since_s: float
    """When it became one, by this process's own clock."""
    at: int | None = None
    """The same in microseconds by the database's clock; None: nobody has looked at it yet."""


@dataclass(frozen=True, slots=True)
class _Said:
    """That a page is somebody's softphone."""

    whose: Whose
    name: str
    at: int


class Softphones:
    """The softphones of this process."""

    def __init__(
        self, *, links: Links, database: Database | None, new_id: Callable[[], str]
    ) -> None:
        """`database` is portal's; None: there are no other replicas."""
        self._links = links
        self._database = database
        self._new_id = new_id
        self._held: dict[Whose, _Held] = {}
        self._unsaid: dict[Whose, None] = {}
        self._wake = asyncio.Event()
        self._ahead_s: float | None = None
        self._tasks = Tasks()
        self.listens = asyncio.Event()
        """Set while other replicas are heard."""

    def start(self) -> None:
        """Begins to hear of other replicas' softphones."""
        if self._database is not None:
            self._tasks.start(self._run(self._database), "softphones")

    async def close(self) -> None:
        """Hears no more."""
        await self._tasks.close()

    def claim(self, whose: Whose, page: Page) -> None:
        """This page is the agent's softphone from now on; an older one is replaced."""
        older = self._held.get(whose)
        since_s = asyncio.get_running_loop().time()
        self._held[whose] = _Held(page, self._new_id(), since_s, self._by_its_clock(since_s))
        self._say_soon(whose)
        if older is not None:
            older.page.replaced()

    def give_up(self, whose: Whose, page: Page) -> None:
        """The page has gone; nothing when another has taken its place."""
        held = self._held.get(whose)
        if held is not None and held.page is page:
            del self._held[whose]

    async def _run(self, database: Database) -> None:
        while True:
            try:
                await self._listen(database)
            except (DatabaseUnavailable, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.debug("other replicas are not heard", reason=str(error))
            finally:
                self.listens.clear()
            await asyncio.sleep(LISTEN_AGAIN_S)

    async def _listen(self, database: Database) -> None:
        gone = False

        def end(_connection: Any) -> None:
            nonlocal gone
            gone = True
            self._wake.set()

        async with database.listening() as connection:
            connection.add_termination_listener(end)
            await self._look_at_clock(connection)
            await connection.add_listener(CHANNEL, self._hear)
            # Whoever was not heard until now has not heard of ours either.
            for whose in self._held:
                self._say_soon(whose)
            self.listens.set()
            while not gone:
                self._wake.clear()
                await self._say(connection)
                await self._wake.wait()

    async def _say(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        while self._unsaid:
            whose = next(iter(self._unsaid))
            held = self._held.get(whose)
            if held is not None:
                assert held.at is not None, "the clock was looked at before"
                await connection.fetchval(_SAY, CHANNEL, *whose, held.name, held.at)
            # Only now: what could not be said is said at the next connection.
            if self._held.get(whose) is held:
                self._unsaid.pop(whose, None)

    async def _look_at_clock(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        """How the database's clock differs from this process's, by the quickest of some answers."""
        loop, looks = asyncio.get_running_loop(), []
        for _ in range(LOOKS_AT_CLOCK):
            before_s = loop.time()
            there_s = float(await connection.fetchval(_CLOCK))
            took_s = loop.time() - before_s
            looks.append((took_s, there_s - before_s - took_s / 2))
        self._ahead_s = min(looks)[1]
        for held in self._held.values():
            held.at = held.at or self._by_its_clock(held.since_s)

    def _by_its_clock(self, at_s: float) -> int | None:
        return None if self._ahead_s is None else round((at_s + self._ahead_s) * 1_000_000)

    def _say_soon(self, whose: Whose) -> None:
        if self._database is not None:
            self._unsaid[whose] = None
            self._wake.set()

    def _hear(self, *told: Any) -> None:
        """A replica has a softphone, perhaps this one."""
        said = _read(str(told[-1]))
        if said is None:
            return
        held = self._held.get(said.whose)
        if held is None:
            # Its heartbeats go elsewhere: that they do not come here means nothing.
            self._links.leave(said.whose)
        elif held.name == said.name or held.at is None:
            pass  # our own words
        elif (said.at, said.name) < (held.at, held.name):
            self._say_soon(said.whose)
        else:
            del self._held[said.whose]
            self._links.leave(said.whose)
            held.page.replaced()


def _read(text: str) -> _Said | None:
    try:
        words = json.loads(text)
        whose = TenantId(str(words["tenant"])), AgentId(str(words["agent"]))
        return _Said(whose, str(words["page"]), int(words["at"]))
    except (ValueError, KeyError, TypeError):
        log.warning("a replica said what is not understood", bytes=len(text))
        return None
