"""Portal's people in memory, with a clock that tests turn, called through the gRPC face."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from protos.portal.v1 import portal_pb2, portal_pb2_grpc
from services.chassis.bus import MemoryBus
from services.chassis.database import DatabaseUnavailable
from services.chassis.envelope import Envelope
from services.chassis.errors import RemoteError
from services.chassis.ids import RANDOM_BITS, TenantId, uuid7
from services.chassis.request import Metadata
from services.chassis.rpc import remote_errors
from services.chassis.simulated import MemoryExchange
from services.portal import rpc_people
from services.portal.audit_trail import AuditTrail
from services.portal.identity import Identity, Principal, caller_metadata
from services.portal.model.people import PLATFORM_TENANT
from services.portal.passwords import InlinePasswords
from services.portal.people_agents import Agents
from services.portal.people_health import Health
from services.portal.people_parts import PeopleParts
from services.portal.sign_in import SignIn
from services.portal.store import TOPIC
from services.portal.store_memory import MemoryPortalStore
from services.portal.wire_people import Envelopes
from tests.unit.portal_people.others import Others

START_MS = 1_767_225_600_000
MINUTE_MS = 60_000
PASSWORD = "correct horse battery"
OTHER_PASSWORD = "staple in the barn 7"
HOME = "192.0.2.7"


class HandClock:
    """Time that stands until it is turned."""

    def __init__(self) -> None:
        self.at_ms = START_MS

    def now_ms(self) -> int:
        return self.at_ms

    def monotonic_ms(self) -> float:
        return float(self.at_ms)


class CountedPasswords(InlinePasswords):
    """Remembers what was computed: the same work must be done whoever is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.verified: list[bool] = []
        """Of each verification, whether there was a hash."""

    async def verify(self, password_hash: str | None, password: str) -> bool:
        self.verified.append(password_hash is not None)
        return await super().verify(password_hash, password)


class FlakyStore(MemoryPortalStore):
    """A store whose database can be away, and which remembers what it was asked."""

    def __init__(self, bus: MemoryBus) -> None:
        super().__init__(bus=bus)
        self.is_away = False
        self.asked: list[str] = []

    def __getattribute__(self, name: str) -> Any:
        if not name.startswith("_") and name not in {"is_away", "asked"}:
            if self.is_away:
                raise DatabaseUnavailable("away")
            self.asked.append(name)
        return super().__getattribute__(name)


@dataclass
class Stage:
    """What a test plays with."""

    clock: HandClock
    bus: MemoryBus
    store: FlakyStore
    passwords: CountedPasswords
    trail: AuditTrail
    identity: Identity
    parts: PeopleParts
    portal: portal_pb2_grpc.PortalAsyncStub
    others: Others
    """The other services."""
    tenants: dict[str, TenantId] = field(default_factory=dict)

    async def sign_in(
        self,
        username: str = "root",
        tenant: str = "acme",
        password: str = PASSWORD,
        address: str = HOME,
    ) -> portal_pb2.Session:
        request = portal_pb2.SignInRequest(tenant=tenant, username=username, password=password)
        metadata = caller_metadata(principal=None, address=address)
        return await self.portal.SignIn(request, metadata=metadata)

    async def refresh(self, refresh_token: str) -> portal_pb2.Session:
        request = portal_pb2.RefreshSessionRequest(refresh_token=refresh_token)
        metadata = caller_metadata(principal=None, address=HOME)
        return await self.portal.RefreshSession(request, metadata=metadata)

    async def who(self, bearer: str) -> Principal:
        return await self.identity.authenticate(bearer)

    async def by(self, bearer: str) -> Metadata:
        """Metadata of a request by whoever holds a token, as portal's edge makes it."""
        return caller_metadata(principal=await self.who(bearer), address=HOME)

    async def root(self, tenant: str = "acme") -> Metadata:
        """Metadata of a request by a tenant's first administrator."""
        return await self.by((await self.sign_in(tenant=tenant)).access_token)

    async def create_tenant(self, name: str) -> portal_pb2.Tenant:
        request = portal_pb2.CreateTenantRequest(
            tenant=portal_pb2.Tenant(name=name, time_zone="Europe/Bucharest", region="RO"),
            admin_username="root",
            admin_password=PASSWORD,
        )
        metadata = (("carillon-tenant", PLATFORM_TENANT),)
        return await self.portal.CreateTenant(request, metadata=metadata)

    async def create_user(
        self, username: str, *roles: str, tenant: str = "acme"
    ) -> portal_pb2.User:
        request = portal_pb2.CreateUserRequest(
            user=portal_pb2.User(username=username, roles=roles or ("agent",)),
            password=OTHER_PASSWORD,
        )
        return await self.portal.CreateUser(request, metadata=await self.root(tenant))

    async def audit(self, tenant: str = "acme", **query: Any) -> list[portal_pb2.AuditEntry]:
        await self.trail.flush()
        request = portal_pb2.ListAuditRequest(**query)
        metadata = (("carillon-tenant", self.tenants[tenant]),)
        return list((await self.portal.ListAudit(request, metadata=metadata)).entries)

    async def events(self, tenant_id: str = "") -> list[Envelope]:
        """What was told of a tenant, `acme` unless another is named, in order."""
        wanted = tenant_id or self.tenants["acme"]
        async with self.bus.consumer(group="test", topics=(TOPIC,)) as consumer:
            events: list[Envelope] = []
            while (batch := await consumer.fetch(wait_s=0)) is not None:
                events += [each for each in batch.events if each.tenant_id == wanted]
        return events

    async def told(self, tenant_id: str = "") -> list[str]:
        """The types of those events."""
        return [each.type.rpartition(".")[2] for each in await self.events(tenant_id)]


async def refused(call: Any) -> RemoteError:
    with pytest.raises(RemoteError) as error, remote_errors():
        await call
    return error.value


@asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    """Two tenants, `acme` and `other`, each with an administrator `root`."""
    clock, bus, dice = HandClock(), MemoryBus(), random.Random(7)
    store, passwords = FlakyStore(bus), CountedPasswords()
    exchange = MemoryExchange(coin=lambda: False)
    made: Any = Others  # answers only what is asked of it here
    others: Others = made()
    others.serve(exchange)

    def new_id() -> str:
        return uuid7(clock.now_ms(), dice.getrandbits(RANDOM_BITS))

    envelopes = Envelopes(new_id=new_id)
    trail = AuditTrail(store=store, envelopes=envelopes)
    identity = Identity(store=store, clock=clock, new_id=new_id, trail=trail)
    sign_in = SignIn(
        store=store,
        identity=identity,
        passwords=passwords,
        clock=clock,
        new_id=new_id,
        random_bits=dice.getrandbits,
    )
    parts = PeopleParts(
        store=store,
        identity=identity,
        sign_in=sign_in,
        passwords=passwords,
        envelopes=envelopes,
        clock=clock,
        new_id=new_id,
        random_bits=dice.getrandbits,
        agents=Agents(dial=exchange.channel),
        health=Health(dial=exchange.channel, store=store),
        zones=frozenset({"UTC", "Europe/Bucharest", "Europe/Berlin"}),
    )
    exchange.serve("portal", [rpc_people.face(rpc_people.Portal(parts))])
    channel = exchange.channel("portal")
    stage = Stage(
        clock=clock,
        bus=bus,
        store=store,
        passwords=passwords,
        trail=trail,
        identity=identity,
        parts=parts,
        portal=portal_pb2_grpc.PortalStub(channel),
        others=others,
    )
    for name in ("acme", "other"):
        made = await stage.create_tenant(name)
        stage.tenants[name] = TenantId(made.tenant_id)
    stage.tenants["platform"] = PLATFORM_TENANT
    store.asked.clear()
    yield stage
    await channel.close()
