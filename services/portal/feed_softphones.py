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
_SAY = """
SELECT at, pg_notify($1, json_build_object(
  'tenant', $2::text, 'agent', $3::text, 'page', $4::text, 'at', at)::text)
FROM (SELECT coalesce($5::bigint,
  (extract(epoch FROM clock_timestamp()) * 1000000)::bigint - $6::bigint) AS at) AS said
"""


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
    """The same in microseconds by the database's clock; None: it was not asked yet."""


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
        self._held[whose] = _Held(page, self._new_id(), asyncio.get_running_loop().time())
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
                age_us = round((asyncio.get_running_loop().time() - held.since_s) * 1e6)
                held.at = await connection.fetchval(
                    _SAY, CHANNEL, *whose, held.name, held.at, age_us
                )
            # Only now: what could not be said is said at the next connection.
            if self._held.get(whose) is held:
                self._unsaid.pop(whose, None)

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
            pass  # our own words; or ours is about to be said, and is answered if it is older
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
