"""The half of portal that is about people, put together."""

from __future__ import annotations

import asyncio
from zoneinfo import available_timezones

from services.chassis.clock import Clock
from services.chassis.database import DatabaseUnavailable
from services.chassis.log import get_logger
from services.chassis.outbox import OutboxPublisher
from services.chassis.rpc import Face
from services.chassis.tasks import Tasks
from services.chassis.world import World
from services.portal import rpc_people
from services.portal.audit_trail import AuditTrail
from services.portal.bootstrap import FILE, Bootstrap
from services.portal.identity import Identity
from services.portal.passwords import InlinePasswords, Passwords, ThreadedPasswords
from services.portal.people_agents import Agents
from services.portal.people_health import Health
from services.portal.people_parts import PeopleParts
from services.portal.settings import PortalSettings
from services.portal.sign_in import SignIn
from services.portal.store import PortalStore, TrailStore
from services.portal.store_memory import MemoryPortalStore
from services.portal.store_sql import SqlPortalStore
from services.portal.wire_people import Envelopes

log = get_logger("portal.people")

SWEEP_EVERY_S = 60.0
SWEEP_ROUNDS = 100
"""At most so many in a row, each of a few thousand rows."""
BOOTSTRAP_RETRY_S = 1.0


class People:
    """Identity, the face of people, and what runs behind them."""

    def __init__(
        self,
        *,
        parts: PeopleParts,
        trail: AuditTrail,
        bootstrap: Bootstrap,
        publisher: OutboxPublisher | None,
    ) -> None:
        self.identity: Identity = parts.identity
        """For whatever lets somebody in."""
        self._parts = parts
        self.trail = trail
        """What was done and refused, on its way to the store."""
        self.publisher = publisher
        """Brings portal's events to the bus; None: the store does."""
        self._bootstrap = bootstrap
        self._tasks = Tasks()

    def faces(self) -> list[Face]:
        """carillon.portal.v1.Portal."""
        return [rpc_people.face(rpc_people.Portal(self._parts))]

    async def start(self) -> None:
        """Makes the first administrator where there is none, and starts what runs behind."""
        try:
            await self._bootstrap.run()
        except DatabaseUnavailable as error:
            log.warning("the first administrator has to wait", reason=str(error))
            self._tasks.start(self._bootstrap_later(), "first administrator")
        self._tasks.start(self.trail.run(), "audit trail")
        self._tasks.start(sweep_for_ever(self._parts.store, self._parts.clock), "sweep")
        if self.publisher is not None:
            self._tasks.start(self.publisher.run(), "outbox")

    async def stop(self) -> None:
        """Writes what the audit trail still holds, and ends everything; after the last request."""
        await self.trail.close()
        await self._tasks.close()
        await self._parts.passwords.close()

    async def _bootstrap_later(self) -> None:
        while True:
            await asyncio.sleep(BOOTSTRAP_RETRY_S)
            try:
                await self._bootstrap.run()
            except DatabaseUnavailable:
                continue
            return


async def sweep_for_ever(store: TrailStore, clock: Clock) -> None:
    """Removes what has run out, each minute."""
    while True:
        try:
            for _ in range(SWEEP_ROUNDS):
                if not await store.sweep(clock.now_ms()):
                    break
        except DatabaseUnavailable as error:
            log.warning("sweep waits", reason=str(error))
        except Exception as error:  # the next round may fare better
            log.error("sweep failed", exc_info=error)
        await asyncio.sleep(SWEEP_EVERY_S)


def build_people(world: World, settings: PortalSettings) -> People:
    """People in a world: PostgreSQL and threads on one machine, neither in a simulation."""
    database = world.database("portal")
    store: PortalStore = (
        MemoryPortalStore(bus=world.bus) if database is None else SqlPortalStore(database)
    )
    passwords = _passwords(world, settings)
    envelopes = Envelopes(new_id=world.new_id)
    trail = AuditTrail(store=store, envelopes=envelopes)
    identity = Identity(store=store, clock=world.clock, new_id=world.new_id, trail=trail)
    sign_in = SignIn(
        store=store,
        identity=identity,
        passwords=passwords,
        clock=world.clock,
        new_id=world.new_id,
        random_bits=world.random_bits,
    )
    parts = PeopleParts(
        store=store,
        identity=identity,
        sign_in=sign_in,
        passwords=passwords,
        envelopes=envelopes,
        clock=world.clock,
        new_id=world.new_id,
        random_bits=world.random_bits,
        agents=Agents(dial=world.dial),
        health=Health(dial=world.dial, store=store),
        zones=frozenset(available_timezones()),
    )
    given = settings.bootstrap_password
    bootstrap = Bootstrap(
        store=store,
        passwords=passwords,
        envelopes=envelopes,
        clock=world.clock,
        new_id=world.new_id,
        random_bits=world.random_bits,
        path=world.var_dir / FILE,
        password=given.get_secret_value() if given is not None else "",
    )
    publisher = None if database is None else OutboxPublisher(database=database, bus=world.bus)
    return People(parts=parts, trail=trail, bootstrap=bootstrap, publisher=publisher)


def _passwords(world: World, settings: PortalSettings) -> Passwords:
    if world.name == "simulated":
        return InlinePasswords()
    return ThreadedPasswords(
        memory_kib=settings.password_memory_kib,
        passes=settings.password_passes,
        workers=settings.password_workers,
    )
